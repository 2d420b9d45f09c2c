//! Accepting that a singleton may run twice: a person says in words why it may start elsewhere though nobody saw it end.

use std::collections::BTreeSet;

use api_types::fencing::{AcceptedRisk, NewAcceptedRisk};
use api_types::operations::OperationKind;
use api_types::services::ServiceAccepted;
use auth::Caller;
use platform::idempotency::Once;
use platform::{ApiError, ApiResult};

use crate::app::operations;
use crate::app::services::{accept as reply, locked};
use crate::app::validation::Fields;
use crate::db::columns::StoredRisk;
use crate::db::{Record, assignments, clusters, services};
use crate::paths::ServicePath;
use crate::state::AppState;

/// Characters of a reason; fewer say nothing to whoever reads it later.
const SHORTEST_REASON: usize = 20;
const LONGEST_REASON: usize = 500;

/// Keeps the reason with each place that is accepted, and begins the operation that starts the service elsewhere.
///
/// # Errors
/// 409 `not_a_singleton`; 409 `no_risk` where a cluster that is named answers, or the service doesn't wait for it.
pub async fn accept(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    key: Option<&str>,
    new: NewAcceptedRisk,
) -> ApiResult<ServiceAccepted> {
    let operation = format!(
        "accept_risk {}/{}/{}",
        path.project, path.environment, path.service
    );
    let once = Once::new(
        &state.foundation.master_key,
        "cluster-mgr",
        &caller.subject,
        key,
        &operation,
        &new,
    );
    let mut unit = state.unit().await?;
    if let Some(accepted) = once.replay(&unit).await? {
        return Ok(accepted);
    }
    let mut row = locked(&unit, path).await?;
    let all = clusters::all(&*unit).await?;
    let reason = new.reason.trim().to_owned();
    let named = check(&new.clusters, &reason, &all)?;
    if !row.is_singleton() {
        return Err(ApiError::conflict(
            "not_a_singleton",
            format!(
                "service {} may run several times; nothing keeps it from starting elsewhere",
                row.path()
            ),
        ));
    }
    let now = state.now();
    let mut rows = assignments::find_many(&*unit, &[row.id], true).await?;
    for cluster in &named {
        let assignment = rows
            .iter_mut()
            .find(|assignment| assignment.cluster_id == cluster.id);
        let assignment = waiting(&row, cluster, assignment)?;
        assignment.accepted_risk = Some(StoredRisk(AcceptedRisk {
            reason: reason.clone(),
            by: caller.name.clone(),
            at: now,
        }));
        assignments::save(&*unit, assignment).await?;
    }
    let names: Vec<&str> = named.iter().map(|cluster| cluster.name.as_str()).collect();
    let title = format!(
        "start {} elsewhere though it may still run in {}: {reason}",
        row.path(),
        names.join(", ")
    );
    operations::begin(
        &mut unit,
        &mut row,
        OperationKind::FailOverService,
        title,
        caller,
        now,
    )
    .await?;
    // No edit: nothing that an editor sees in a form changed.
    services::save(&*unit, &row).await?;
    unit.record(Record::service(&row).intended());
    let accepted = reply(unit, &row, Some(&once)).await?;
    tracing::warn!(
        service = %row.path(), clusters = %names.join(", "), by = %caller.name,
        "somebody accepted that a singleton may run twice"
    );
    Ok(accepted)
}

/// The clusters that are named.
fn check<'a>(
    clusters: &[String],
    reason: &str,
    all: &'a [clusters::Model],
) -> ApiResult<Vec<&'a clusters::Model>> {
    let mut fields = Fields::default();
    if !(SHORTEST_REASON..=LONGEST_REASON).contains(&reason.chars().count()) {
        fields.refuse(
            "reason",
            format!("say in {SHORTEST_REASON} to {LONGEST_REASON} characters why it may run twice"),
        );
    }
    if clusters.is_empty() {
        fields.refuse("clusters", "name the clusters where it may still run");
    }
    let mut named = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, name) in clusters.iter().enumerate() {
        let field = format!("clusters[{index}]");
        match all.iter().find(|cluster| cluster.name == *name) {
            None => fields.refuse(field, format!("there is no cluster `{name}`")),
            Some(_) if !seen.insert(name) => fields.refuse(field, format!("`{name}` is named twice")),
            Some(cluster) => named.push(cluster),
        }
    }
    fields.done()?;
    Ok(named)
}

/// The place that a service is to leave and nobody can ask about.
fn waiting<'a>(
    service: &services::Model,
    cluster: &clusters::Model,
    assignment: Option<&'a mut assignments::Model>,
) -> ApiResult<&'a mut assignments::Model> {
    let refuse = |why: &str| {
        ApiError::conflict(
            "no_risk",
            format!(
                "nothing to accept for {} on cluster {}: {why}",
                service.path(),
                cluster.name
            ),
        )
    };
    if cluster.answers()? {
        return Err(refuse(
            "it answers, so the service is ended there before it starts elsewhere",
        ));
    }
    match assignment {
        None => Err(refuse("nothing of the service is there")),
        Some(assignment) if assignment.replicas > 0 => Err(refuse(
            "the service is still to run there; evacuate the cluster, or place the service elsewhere first",
        )),
        Some(assignment) => Ok(assignment),
    }
}
