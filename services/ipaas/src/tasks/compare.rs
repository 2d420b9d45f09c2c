//! Finds what somebody else changed, and removes config that no pod needs any more.
//!
//! The watch tells that an object isn't as the last apply left it. Before that is called drift the
//! database is asked (another replica may have applied since) and the cluster (the watch may be
//! behind); then the fields that differ are named.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use platform::ApiError;
use platform::error::chain;
use serde_json::{Value, json};

use crate::app::fields::differing;
use crate::app::names::{SPEC_HASH, ServiceKey, revision_object};
use crate::cluster::member::Member;
use crate::cluster::paths;
use crate::db;
use crate::index::workloads::{Kind, ObjectName, Suspicion, Workload};
use crate::state::AppState;
use crate::tasks::members::remembered;

/// Several objects of a service change together.
const SETTLE: Duration = Duration::from_millis(200);
const PERIOD: Duration = Duration::from_secs(5);
/// Another replica that applies writes down what it left within this.
const OTHERS_APPLY: Duration = Duration::from_secs(15);

/// Compares what changed on one cluster until it is disconnected.
pub async fn run(state: AppState, member: Arc<Member>) {
    let mut waiting: HashMap<ServiceKey, Instant> = HashMap::new();
    let mut next_cleanup = Instant::now() + state.config.unused_config_age();
    loop {
        tokio::select! {
            () = member.dirty.woken.notified() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
        tokio::time::sleep(SETTLE).await;
        let mut keys = member.dirty.take();
        if member.freshness(state.now()).stale {
            for key in keys {
                waiting.entry(key).or_insert_with(Instant::now);
            }
            continue;
        }
        keys.extend(waiting.keys().cloned());
        keys.extend(not_as_left(&member));
        if Instant::now() >= next_cleanup {
            next_cleanup = Instant::now() + state.config.unused_config_age();
            keys.extend(with_unused_config(&state, &member));
        }
        keys.sort();
        keys.dedup();
        for key in keys {
            match compare(&state, &member, &key, &mut waiting).await {
                Ok(()) => {}
                Err(error) => {
                    tracing::debug!(service = %key, cluster.name = %member.name, error = %chain(&error),
                        "comparing a service with what was left failed; it is tried again");
                    waiting.entry(key).or_insert_with(Instant::now);
                }
            }
        }
    }
}

/// Services whose drift was not found out yet, whatever event was missed, and those whose drift is over.
fn not_as_left(member: &Member) -> Vec<ServiceKey> {
    if !member.is_synced() {
        return Vec::new();
    }
    member
        .tables
        .workloads
        .read()
        .all()
        .filter(|(_, workload)| workload.suspicions().is_empty() != workload.drift.is_empty())
        .map(|(key, _)| key.clone())
        .collect()
}

async fn compare(
    state: &AppState,
    member: &Member,
    key: &ServiceKey,
    waiting: &mut HashMap<ServiceKey, Instant>,
) -> Result<(), ApiError> {
    let _turn = member.lock(key).await;
    if member.freshness(state.now()).stale {
        waiting.entry(key.clone()).or_insert_with(Instant::now);
        return Ok(());
    }
    let drift = match suspicions(member, key) {
        suspicions if suspicions.is_empty() => Vec::new(),
        _ => match find_drift(state, member, key).await? {
            Found::Drift(drift) => drift,
            Found::OthersApply => {
                let since = *waiting.entry(key.clone()).or_insert_with(Instant::now);
                if since.elapsed() < OTHERS_APPLY {
                    return Ok(());
                }
                vec![format!(
                    "Deployment/{}: metadata.annotations[{SPEC_HASH}]",
                    key.service
                )]
            }
        },
    };
    waiting.remove(key);
    let changed = member.tables.workloads.write().change(key, |workload| {
        let changed = workload.drift != drift;
        workload.drift.clone_from(&drift);
        changed
    });
    if changed {
        if !drift.is_empty() {
            tracing::info!(service = %key, cluster.name = %member.name, ?drift, "somebody changed a service's objects");
        }
        state.changes.workload_changed(&member.name, key);
    }
    remove_unused_config(state, member, key).await
}

enum Found {
    Drift(Vec<String>),
    /// The Deployment is of another desired state than the one that was written down: another replica
    /// is just applying it.
    OthersApply,
}

fn suspicions(member: &Member, key: &ServiceKey) -> Vec<Suspicion> {
    member
        .tables
        .workloads
        .read()
        .get(key)
        .map(Workload::suspicions)
        .unwrap_or_default()
}

async fn find_drift(state: &AppState, member: &Member, key: &ServiceKey) -> Result<Found, ApiError> {
    let applied = db::applied::find(&state.foundation.database, member.id, key).await?;
    member.tables.workloads.write().change(key, |workload| {
        let left = applied.as_ref();
        workload.remembered = left.map(|left| remembered(left.spec_hash.clone(), left.digests()));
    });
    let Some(applied) = applied else {
        return Ok(Found::Drift(Vec::new()));
    };
    let mut drift = Vec::new();
    for suspicion in suspicions(member, key) {
        let object = &suspicion.object;
        let path = paths::object(object.kind, &key.namespace(), &object.name);
        let live: Value = match member.looks.get(&path).await {
            Ok(live) => live,
            Err(error) if error.is_not_found() => {
                drift.push(format!("{object}: deleted"));
                continue;
            }
            Err(error) => return Err(error.on(&member.name)),
        };
        if object.kind == Kind::Deployment {
            let hash = live
                .pointer("/metadata/annotations")
                .and_then(|annotations| annotations.get(SPEC_HASH))
                .and_then(Value::as_str);
            if hash != Some(applied.spec_hash.as_str()) {
                return Ok(Found::OthersApply);
            }
        }
        let Some(left) = applied.objects.get(&object.to_string()) else {
            continue;
        };
        let fields = differing(left, &state.fields.read(&live));
        if !fields.is_empty() {
            drift.push(format!("{object}: {}", fields.join(", ")));
        }
    }
    Ok(Found::Drift(drift))
}

/// Config of revisions that no pod runs any more. Young objects stay: they may be of an apply that is
/// not done.
fn unused_config(state: &AppState, key: &ServiceKey, workload: &Workload) -> Vec<ObjectName> {
    let Some(deployment) = workload.deployment.as_ref().filter(|row| row.is_complete()) else {
        return Vec::new();
    };
    if deployment.revision.is_none() {
        return Vec::new();
    }
    let used: Vec<String> = workload
        .revisions_in_use()
        .into_iter()
        .map(|revision| revision_object(&key.service, revision))
        .collect();
    let young = state.now() - state.config.unused_config_age();
    workload
        .objects
        .iter()
        .filter(|(object, row)| {
            matches!(object.kind, Kind::ConfigMap | Kind::Secret)
                && !used.contains(&object.name)
                && row.created_at < young
                && !workload
                    .remembered
                    .as_ref()
                    .is_some_and(|remembered| remembered.objects.contains_key(*object))
        })
        .map(|(object, _)| object.clone())
        .collect()
}

fn with_unused_config(state: &AppState, member: &Member) -> Vec<ServiceKey> {
    member
        .tables
        .workloads
        .read()
        .all()
        .filter(|(key, workload)| !unused_config(state, key, workload).is_empty())
        .map(|(key, _)| key.clone())
        .collect()
}

async fn remove_unused_config(state: &AppState, member: &Member, key: &ServiceKey) -> Result<(), ApiError> {
    let unused = member
        .tables
        .workloads
        .read()
        .get(key)
        .map(|workload| unused_config(state, key, workload))
        .unwrap_or_default();
    for object in unused {
        let path = paths::object(object.kind, &key.namespace(), &object.name);
        member
            .writes
            .delete(&path, &json!({}))
            .await
            .map_err(|error| error.on(&member.name))?;
        tracing::info!(service = %key, cluster.name = %member.name, %object, "removed config that no pod needs");
    }
    Ok(())
}
