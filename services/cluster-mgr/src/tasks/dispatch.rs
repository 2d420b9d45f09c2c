//! Carries one decision out through ipaas: applies or removes a service on a cluster, and keeps what
//! came of it.
//!
//! At most one is under way per service and cluster, a few per cluster, and a bounded number in all, so
//! that a cluster that hangs holds up only itself. What is sent is read when its turn has come, never
//! what was true when it was queued. It is sent and kept under the epoch in which it was decided, so a replica
//! that was paused and overtaken does nothing.

use std::time::Duration;

use api_types::common::ClusterId;
use clients::ClientError;
use rand::RngExt as _;
use uuid::Uuid;

use crate::app::reconcile::fence;
use crate::app::reconcile::sync::Action;
use crate::app::{secrets, workload};
use crate::db::{Record, assignments, clusters, observations, revisions, services};
use crate::state::AppState;
use crate::tasks::lead;

/// The longest that one may be under way once its turn has come, a database that falls silent included.
const LONGEST: Duration = Duration::from_secs(90);

/// Queues an action, unless one is under way there; when that one ends the service is looked at again.
pub fn dispatch(state: &AppState, service: Uuid, cluster: Uuid, action: Action, epoch: i64) {
    if !state.work.claim(service, cluster) {
        return;
    }
    let state = state.clone();
    let tracker = state.foundation.tracker.clone();
    tracker.spawn(async move {
        let shutdown = state.foundation.shutdown.clone();
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = carry_out(&state, service, cluster, action, epoch) => {}
        }
        state.work.release(service, cluster);
        state.work.mark([service]);
        state.outbox.reconcile.wake();
    });
}

async fn carry_out(state: &AppState, service: Uuid, cluster: Uuid, action: Action, epoch: i64) {
    let lane = state.work.lane(cluster);
    let Ok(_lane) = lane.acquire().await else { return };
    let Ok(_road) = state.work.road.acquire().await else {
        return;
    };
    let work = async {
        match &action {
            Action::Apply { drift, .. } => apply(state, service, cluster, drift.as_deref(), epoch).await,
            Action::Remove => remove(state, service, cluster, epoch).await,
        }
    };
    let outcome = tokio::time::timeout(LONGEST, work)
        .await
        .unwrap_or_else(|_| Err(anyhow::anyhow!("nothing came of it within {LONGEST:?}")));
    if let Err(error) = outcome {
        // Nothing was kept of the try, so the next turn sees the same difference and tries again.
        tracing::warn!(
            service.id = %service, cluster.id = %cluster,
            error = %platform::error::chain(error.as_ref()),
            "a dispatch came to nothing"
        );
        state
            .work
            .mark_later(service, state.now() + chrono::Duration::seconds(1));
    }
}

/// What a dispatch is about, as it is now.
struct Target {
    service: services::Model,
    cluster: clusters::Model,
    assignment: assignments::Model,
}

async fn find(state: &AppState, service: Uuid, cluster: Uuid) -> anyhow::Result<Option<Target>> {
    let database = &state.foundation.database;
    let service_row = services::find_many(database, &[service], false).await?.pop();
    let cluster_row = clusters::find_by_id(database, cluster).await?;
    let assignment = assignments::of_services(database, &[service])
        .await?
        .into_iter()
        .find(|assignment| assignment.cluster_id == cluster);
    Ok(match (service_row, cluster_row, assignment) {
        (Some(service), Some(cluster), Some(assignment)) if cluster.answers()? => Some(Target {
            service,
            cluster,
            assignment,
        }),
        _ => None,
    })
}

/// Whether a singleton may run elsewhere by now, though it could not when this was queued. Where it runs already it may
/// be changed.
async fn is_held_elsewhere(state: &AppState, target: &Target) -> anyhow::Result<bool> {
    if !target.service.is_singleton() {
        return Ok(false);
    }
    let database = &state.foundation.database;
    let ids = [target.service.id];
    let here = target.cluster.id;
    let runs_here = observations::of_services(database, &ids)
        .await?
        .iter()
        .any(|row| row.cluster_id == here && row.present && row.replicas > 0);
    if runs_here {
        return Ok(false);
    }
    let all = clusters::all(database).await?;
    for assignment in assignments::of_services(database, &ids).await? {
        let cluster = all.iter().find(|cluster| cluster.id == assignment.cluster_id);
        if let Some(cluster) = cluster.filter(|cluster| cluster.id != here)
            && fence::is_in_the_way(&assignment, cluster.answers()?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn apply(
    state: &AppState,
    service: Uuid,
    cluster: Uuid,
    drift: Option<&str>,
    epoch: i64,
) -> anyhow::Result<()> {
    let Some(target) = find(state, service, cluster).await? else {
        return Ok(());
    };
    let replicas = target.assignment.wanted_now();
    if target.service.deleting || replicas == 0 || is_held_elsewhere(state, &target).await? {
        return Ok(());
    }
    let revision = revisions::find(&state.foundation.database, service, target.service.revision)
        .await?
        .ok_or_else(|| anyhow::anyhow!("revision {} is missing", target.service.revision))?;
    let mut desired = workload::desired(&target.service, &revision.spec.0, replicas);
    desired.spec = secrets::open(&state.foundation.master_key, service, revision.spec.0)?;
    let hash = desired.hash.clone();
    let started = std::time::Instant::now();
    let outcome = lead::ipaas(state, epoch)
        .apply_workload(ClusterId(cluster), &desired)
        .await;
    metrics::histogram!("longshore_dispatch_seconds", "action" => "apply")
        .record(started.elapsed().as_secs_f64());
    keep(state, &target, epoch, |assignment, now| match &outcome {
        Ok(_) => {
            assignment.clear_error();
            assignment.applied_hash = Some(hash.clone());
            assignment.applied_at = Some(now);
            if let Some(drift) = drift {
                tracing::info!(
                    service = %target.service.path(), cluster.name = %target.cluster.name, drift, "drift was put right"
                );
                assignment.drift_at = Some(now);
                assignment.drift = Some(drift.to_owned());
            }
        }
        Err(error) => {
            failed(state, assignment, error, now);
            assignment.failed_hash = Some(hash.clone());
            // Half of it may be there, so whatever is wanted next has to be applied.
            assignment.applied_hash = None;
        }
    })
    .await
}

async fn remove(state: &AppState, service: Uuid, cluster: Uuid, epoch: i64) -> anyhow::Result<()> {
    let Some(target) = find(state, service, cluster).await? else {
        return Ok(());
    };
    if !target.service.deleting && target.assignment.wanted_now() > 0 {
        return Ok(());
    }
    let place = &target.service;
    let started = std::time::Instant::now();
    let outcome = lead::ipaas(state, epoch)
        .delete_workload(
            ClusterId(cluster),
            (&place.project, &place.environment, &place.name),
            place.deleting && place.delete_volumes,
        )
        .await;
    metrics::histogram!("longshore_dispatch_seconds", "action" => "remove")
        .record(started.elapsed().as_secs_f64());
    keep(state, &target, epoch, |assignment, now| match &outcome {
        Ok(()) => {
            assignment.clear_error();
            assignment.applied_hash = None;
            assignment.removed_at = Some(now);
        }
        Err(error) => failed(state, assignment, error, now),
    })
    .await?;
    if outcome.is_ok() {
        state.work.want_look(service);
    }
    Ok(())
}

/// Keeps what came of it in the assignment, if that is still there.
async fn keep(
    state: &AppState,
    target: &Target,
    epoch: i64,
    change: impl FnOnce(&mut assignments::Model, chrono::DateTime<chrono::Utc>),
) -> anyhow::Result<()> {
    let mut unit = lead::begin(state, epoch).await?;
    let (service, cluster) = (target.service.id, target.cluster.id);
    let Some(mut assignment) = assignments::find_locked(&*unit, service, cluster).await? else {
        return Ok(());
    };
    change(&mut assignment, state.now());
    assignments::save(&*unit, &assignment).await?;
    unit.record(Record::workload(&target.service, &target.cluster.name));
    unit.commit().await?;
    Ok(())
}

fn failed(
    state: &AppState,
    assignment: &mut assignments::Model,
    error: &ClientError,
    now: chrono::DateTime<chrono::Utc>,
) {
    metrics::counter!("longshore_dispatch_failures_total").increment(1);
    assignment.attempts = assignment.attempts.saturating_add(1);
    assignment.refused = is_refusal(error);
    assignment.error_code = error.code().map(str::to_owned);
    assignment.error = Some(match error {
        ClientError::Refused { body, .. } => body.message.clone(),
        other => platform::error::chain(other),
    });
    let attempts = if assignment.refused {
        i32::MAX
    } else {
        assignment.attempts
    };
    assignment.retry_at = Some(now + pause(state, attempts));
}

/// Whether trying the same again can't help: it was understood and turned down.
fn is_refusal(error: &ClientError) -> bool {
    match error {
        ClientError::Refused { status, .. } => {
            status.is_client_error() && !matches!(status.as_u16(), 401 | 404 | 408 | 425 | 429)
        }
        ClientError::Unreachable { .. } | ClientError::Unreadable { .. } => false,
    }
}

/// Doubles with every try, up to a bound, with a fifth of chance so that many don't come back together.
fn pause(state: &AppState, attempts: i32) -> chrono::Duration {
    let first = Duration::from_millis(state.config.retry_first_ms);
    let longest = Duration::from_millis(state.config.retry_longest_ms);
    let doublings = attempts.saturating_sub(1).clamp(0, 20) as u32;
    let pause = first.saturating_mul(1 << doublings).min(longest);
    let jittered = pause.mul_f64(rand::rng().random_range(0.8..1.2));
    chrono::Duration::from_std(jittered).unwrap_or(chrono::Duration::minutes(1))
}
