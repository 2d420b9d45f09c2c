//! Keeps the connected clusters like the table of connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use api_types::common::ClusterId;
use platform::ApiError;
use platform::error::chain;

use crate::cluster::follow::{Follower, Sink};
use crate::cluster::kubeconfig;
use crate::cluster::member::{Member, Parts};
use crate::cluster::paths::everywhere;
use crate::cluster::rest::{Limits, Rest};
use crate::cluster::sinks::{Dirty, NodeSink, ObjectSink, PodSink, ReplicaSetSink, Tables, Target};
use crate::db;
use crate::db::applied::Digests;
use crate::db::connections::{Stored, seal_context};
use crate::index::workloads::{Kind, ObjectName, Remembered};
use crate::state::{AppState, Broken, Held};

/// Loads the connections, and again whenever another replica may have changed them, until the process
/// stops.
pub async fn run(state: AppState) {
    loop {
        match reload(&state).await {
            Ok(()) => state.set_loaded(),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the connections can't be read; it is tried again");
            }
        }
        tokio::select! {
            () = state.foundation.shutdown.cancelled() => return,
            () = tokio::time::sleep(state.config.reload_period()) => {}
        }
    }
}

/// Connects what is new or changed in the table, disconnects what is gone.
pub async fn reload(state: &AppState) -> Result<(), ApiError> {
    let _turn = state.reloading.lock().await;
    let stored: BTreeMap<_, _> = db::connections::versions(&state.foundation.database)
        .await?
        .into_iter()
        .collect();
    let held = state.members.versions();
    for id in held.keys().filter(|id| !stored.contains_key(id)) {
        disconnect(state, *id);
    }
    for (id, version) in stored {
        if held.get(&id) == Some(&version) {
            continue;
        }
        if let Some(connection) = db::connections::find(&state.foundation.database, id).await? {
            connect(state, connection).await?;
        }
    }
    Ok(())
}

fn disconnect(state: &AppState, id: ClusterId) {
    if let Some(Held::Works(member)) = state.members.remove(id) {
        tracing::info!(cluster.id = %id, cluster.name = %member.name, "disconnected");
        member.stop.cancel();
        state.changes.cluster_changed(id, &member.name);
    }
}

async fn connect(state: &AppState, stored: Stored) -> Result<(), ApiError> {
    let id = stored.id;
    let version = stored.updated_at;
    let name = stored.name.clone();
    let check = stored.check.clone();
    let before = state.members.get(id);
    let held = match make(state, stored, before.as_deref()).await {
        Ok(member) => Held::Works(member),
        Err(error) if error.status.as_u16() == 503 => return Err(error),
        Err(error) => {
            let message = format!("its stored kubeconfig can't be used: {}", chain(&error));
            tracing::error!(cluster.id = %id, cluster.name = %name, error = %message, "a cluster can't be connected");
            Held::Broken(Arc::new(Broken {
                name: name.clone(),
                check,
                error: message,
            }))
        }
    };
    if let Some(before) = before {
        before.stop.cancel();
    }
    state.members.put(id, version, held.clone());
    if let Held::Works(member) = held {
        start(state, &member);
    }
    state.changes.cluster_changed(id, &name);
    Ok(())
}

async fn make(state: &AppState, stored: Stored, before: Option<&Member>) -> Result<Arc<Member>, ApiError> {
    let opened = state
        .foundation
        .master_key
        .open(&seal_context(stored.id), &stored.kubeconfig)?;
    let text = String::from_utf8(opened).map_err(ApiError::internal)?;
    let target = kubeconfig::read(&text).await?;
    let limits = Limits {
        connect_timeout: state.config.connect_timeout(),
        deadline: state.config.request_timeout(),
        concurrency: state.config.concurrency,
        per_second: None,
    };
    let looks = Rest::new(&target.config, limits).map_err(ApiError::internal)?;
    let writes = Limits {
        per_second: Some(state.config.requests_per_second),
        ..limits
    };
    let writes = Rest::new(&target.config, writes).map_err(ApiError::internal)?;
    // The same cluster under a new kubeconfig keeps its tables; another cluster starts empty.
    let same = before.filter(|before| before.check.read().cluster_uid == stored.check.cluster_uid);
    let tables = same.map_or_else(
        || Arc::new(Tables::new(&state.gpu)),
        |before| before.tables.clone(),
    );
    remember(state, stored.id, &tables).await?;
    let name: Arc<str> = Arc::from(stored.name.as_str());
    Ok(Arc::new(Member::new(Parts {
        id: stored.id,
        name: name.clone(),
        check: stored.check,
        looks,
        writes,
        target: Target {
            cluster: name,
            tables,
            dirty: Arc::new(Dirty::default()),
            changes: state.changes.clone(),
            fields: state.fields.clone(),
            quiet: Arc::new(AtomicBool::new(true)),
        },
        stop: state.foundation.shutdown.child_token(),
    })))
}

/// Reads what the applies before left on the cluster.
async fn remember(state: &AppState, id: ClusterId, tables: &Tables) -> Result<(), ApiError> {
    let all = db::applied::list(&state.foundation.database, id).await?;
    let mut workloads = tables.workloads.write();
    for left in all {
        let remembered = remembered(left.spec_hash, left.digests);
        workloads.change(&left.key, |workload| workload.remembered = Some(remembered));
    }
    Ok(())
}

/// The digests of what an apply left; the fields themselves stay in the database.
#[must_use]
pub fn remembered(spec_hash: String, digests: Digests) -> Remembered {
    let objects = digests.into_iter();
    Remembered {
        spec_hash,
        objects: objects
            .filter_map(|(name, digest)| Some((object_name(&name)?, digest)))
            .collect(),
    }
}

/// Reads `Deployment/web`.
#[must_use]
pub fn object_name(text: &str) -> Option<ObjectName> {
    let (kind, name) = text.split_once('/')?;
    let kind = Kind::ALL.into_iter().find(|own| own.name() == kind)?;
    Some(ObjectName::new(kind, name))
}

fn start(state: &AppState, member: &Arc<Member>) {
    let target = &member.target;
    let mut number = 0;
    let mut next_feed = || {
        number += 1;
        member.feeds[number - 1].clone()
    };
    for kind in Kind::ALL {
        let sink = ObjectSink {
            target: target.clone(),
            kind,
        };
        let selector = Some(crate::app::names::SELECT_OURS);
        spawn(state, member, everywhere(kind), selector, sink, next_feed());
    }
    let selector = Some(crate::app::names::SELECT_OURS);
    let sets = ReplicaSetSink(target.clone());
    spawn(
        state,
        member,
        "/apis/apps/v1/replicasets",
        selector,
        sets,
        next_feed(),
    );
    let nodes = NodeSink(target.clone());
    spawn(state, member, "/api/v1/nodes", None, nodes, next_feed());
    let pods = PodSink(target.clone());
    spawn(state, member, "/api/v1/pods", None, pods, next_feed());

    let stop = member.stop.clone();
    let probe = super::probe::run(state.clone(), member.clone());
    state
        .foundation
        .tracker
        .spawn(async move { stop.run_until_cancelled(probe).await });
    let stop = member.stop.clone();
    let compare = super::compare::run(state.clone(), member.clone());
    state
        .foundation
        .tracker
        .spawn(async move { stop.run_until_cancelled(compare).await });
}

fn spawn<S: Sink>(
    state: &AppState,
    member: &Arc<Member>,
    path: &'static str,
    selector: Option<&'static str>,
    sink: S,
    feed: Arc<crate::cluster::health::Feed>,
) {
    let follower = Follower {
        rest: member.looks.clone(),
        path,
        selector,
        page_size: state.config.page_size,
        sink,
        feed,
        reachable: member.health.watch(),
        lists: state.lists.clone(),
        clock: state.foundation.clock.clone(),
        stop: member.stop.clone(),
    };
    state.foundation.tracker.spawn(follower.run());
}
