//! What runs where, and why.

use std::collections::HashSet;

use api_types::common::{Gap, Page};
use api_types::services::{Assignment, SyncState, WorkloadObservation};
use platform::{ApiError, ApiResult};

use crate::app::reconcile::fence::hold_back;
use crate::app::reconcile::fleet::ClusterView;
use crate::app::reconcile::sync::{Look, Question, Sync, judge};
use crate::app::services::missing;
use crate::db::{assignments, clusters, observations, revisions, services};
use crate::paths::ServicePath;
use crate::state::AppState;

pub async fn list(state: &AppState, path: &ServicePath) -> ApiResult<Page<Assignment>> {
    let database = &state.foundation.database;
    let service = services::find(database, &path.project, &path.environment, &path.service)
        .await?
        .ok_or_else(|| missing(path))?;
    let revision = revisions::find(database, service.id, service.revision)
        .await?
        .ok_or_else(|| ApiError::internal("the current revision is missing"))?;
    let all = clusters::all(database).await?;
    let seen = observations::of_services(database, &[service.id]).await?;
    let question = Question {
        service: &service,
        spec: &revision.spec.0,
        look: &Look {
            at: None,
            complete: HashSet::new(),
        },
        pace: state.config.pace(),
        now: state.now(),
    };
    let mut syncs = Vec::new();
    let mut gaps = Vec::new();
    let views = all.iter().map(ClusterView::of).collect::<Result<Vec<_>, _>>()?;
    for assignment in assignments::of_services(database, &[service.id]).await? {
        let found = all
            .iter()
            .zip(&views)
            .find(|(row, _)| row.id == assignment.cluster_id);
        let Some((row, view)) = found else { continue };
        let observation = seen.iter().find(|seen| seen.cluster_id == row.id);
        let sync = judge(&question, view, assignment, observation);
        if !view.answers() {
            gaps.push(Gap {
                cluster: view.name.clone(),
                reason: row.state_reason.clone(),
                observed_at: view.last_contact,
            });
        }
        syncs.push(sync);
    }
    hold_back(&service, &mut syncs);
    let mut items: Vec<Assignment> = syncs.into_iter().map(shown).collect();
    items.sort_by(|a, b| a.cluster.cmp(&b.cluster));
    Ok(Page {
        gaps,
        ..Page::whole(items)
    })
}

fn shown(sync: Sync<'_>) -> Assignment {
    let observed = sync.observation.map(|seen| aged(seen, sync.cluster));
    let message = match (&sync.assignment.drift, sync.assignment.drift_at) {
        (Some(drift), Some(at)) if sync.state == SyncState::Synced => {
            format!(
                "{}; drift was put right at {}: {drift}",
                sync.message,
                at.format("%F %T UTC")
            )
        }
        _ => sync.message,
    };
    Assignment {
        cluster: sync.cluster.name.clone(),
        region: sync.cluster.region.clone(),
        cluster_ready: sync.cluster.answers(),
        replicas: sync.assignment.replicas.max(0) as u32,
        reason: sync.assignment.reason.0.clone(),
        decided_at: sync.assignment.decided_at,
        sync: sync.state,
        message,
        observed,
        waits_for: sync.fence.map(|fence| fence.clusters).unwrap_or_default(),
        accepted_risk: sync.assignment.accepted_risk.map(|risk| risk.0),
    }
}

/// The observation with its true age: as long as the cluster answers, nothing changed since it was seen.
fn aged(seen: &WorkloadObservation, cluster: &ClusterView) -> WorkloadObservation {
    WorkloadObservation {
        observed_at: cluster
            .last_contact
            .map_or(seen.observed_at, |contact| contact.max(seen.observed_at)),
        stale: seen.stale || !cluster.answers(),
        ..seen.clone()
    }
}
