//! Why a service's replicas are where they are, and why not elsewhere.

use api_types::placement::{ClusterExplanation, PlacementExplanation};
use platform::ApiResult;

use crate::app::ground::Ground;
use crate::paths::ServicePath;
use crate::state::AppState;

/// Where it holds replicas, the reason that was kept with the decision; elsewhere the reason why it gets none now.
pub async fn explain(state: &AppState, path: &ServicePath) -> ApiResult<PlacementExplanation> {
    let ground = Ground::load(&state.foundation.database, path).await?;
    let applicant = ground.applicant(state);
    let candidates = applicant.candidates(&ground.fleet);
    let seed = ground.service.path();
    let decision = ground.decide(&seed, &candidates, false);
    let clusters = ground
        .fleet
        .clusters
        .iter()
        .enumerate()
        .map(|(index, cluster)| {
            let kept = ground
                .assignments
                .iter()
                .find(|row| row.cluster_id == cluster.id && row.replicas > 0);
            ClusterExplanation {
                cluster: cluster.name.clone(),
                region: cluster.region.clone(),
                zone: cluster.zone.clone(),
                replicas: kept.map_or(0, |row| row.replicas.unsigned_abs()),
                reason: kept.map_or_else(|| decision.reason(index), |row| row.reason.0.clone()),
                decided_at: kept.map(|row| row.decided_at),
            }
        })
        .collect();
    Ok(PlacementExplanation {
        clusters,
        unplaced: ground.service.unplaced.unsigned_abs(),
        message: decision.message,
    })
}
