//! Asks each cluster whether it is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::Deserialize;

use crate::app::check::Version;
use crate::cluster::error::KubeError;
use crate::cluster::member::Member;
use crate::index::nodes::amounts;
use crate::index::wire::{List, Metadata};
use crate::state::AppState;

/// Between the first probes of two clusters, about.
const START_SPREAD: Duration = Duration::from_millis(10);
/// Between two probes the watches may come or go.
const LOOK_PERIOD: Duration = Duration::from_millis(250);
const MEASURE_PERIOD: Duration = Duration::from_secs(30);
/// How often a cluster that has no metrics API is asked again.
const MEASURE_AGAIN: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct NodeMetrics {
    metadata: Metadata,
    #[serde(default)]
    usage: BTreeMap<String, String>,
}

/// Probes one cluster until it is disconnected.
pub async fn run(state: AppState, member: Arc<Member>) {
    let period = state.config.probe_period();
    let mut next_measure = Instant::now();
    let mut told = None;
    // Many clusters at once are not asked at one moment.
    let spread = (START_SPREAD * state.members.all().len() as u32).min(period);
    tokio::time::sleep(spread.mul_f64(rand::random_range(0.0..1.0))).await;
    loop {
        let started = Instant::now();
        let outcome = probe(&state, &member).await;
        let reachable = outcome.is_ok();
        let news = member.health.take(outcome, state.now());
        if news {
            let probed = member.health.probed();
            tracing::info!(
                cluster.id = %member.id, cluster.name = %member.name,
                reachable, error = probed.error.as_deref().unwrap_or_default(), "a cluster's state changed"
            );
        }
        if reachable && Instant::now() >= next_measure {
            next_measure = Instant::now() + measure(&state, &member).await;
        }
        tell(&state, &member, reachable, news, &mut told);
        metrics::gauge!("longshore_cluster_reachable", "cluster" => member.name.to_string())
            .set(if reachable { 1.0 } else { 0.0 });
        let (pods, bytes) = {
            let table = member.tables.pods.read();
            (table.len(), table.bytes())
        };
        metrics::gauge!("longshore_index_pods", "cluster" => member.name.to_string()).set(pods as f64);
        metrics::gauge!("longshore_index_pod_bytes", "cluster" => member.name.to_string()).set(bytes as f64);
        let until = tokio::time::Instant::from_std(started + period);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => break,
                () = tokio::time::sleep(LOOK_PERIOD) => tell(&state, &member, reachable, false, &mut told),
            }
        }
    }
}

/// What others are told of when it changes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct View {
    reachable: bool,
    synced: bool,
    being_read: bool,
    stale: bool,
    throttled: bool,
}

/// Tells of a cluster when something of it is news.
fn tell(state: &AppState, member: &Member, reachable: bool, news: bool, told: &mut Option<View>) {
    let view = View {
        reachable,
        synced: member.is_synced(),
        being_read: member.is_being_read(state.now()),
        stale: member.freshness(state.now()).stale,
        throttled: member.throttle.shown(Instant::now()).is_some(),
    };
    if !news && *told == Some(view) {
        return;
    }
    let read = !view.being_read && told.is_none_or(|told| told.being_read);
    *told = Some(view);
    if read {
        member.target.tell();
        state.changes.pods_changed(&member.name, None);
    }
    state.changes.cluster_changed(member.id, &member.name);
}

async fn probe(state: &AppState, member: &Member) -> Result<(), String> {
    let rest = member.looks.within(state.config.probe_timeout());
    match rest.get_text("/readyz").await {
        Ok(_) => Ok(()),
        // It is there, and busy.
        Err(error) if error.status() == Some(StatusCode::TOO_MANY_REQUESTS) => Ok(()),
        // Some clusters show it to nobody; the version is shown to everybody who is let in.
        Err(error)
            if matches!(
                error.status(),
                Some(StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
            ) =>
        {
            let answered: Result<Version, KubeError> = rest.get("/version").await;
            answered.map(drop).map_err(|error| error.explain())
        }
        Err(error) => Err(error.explain()),
    }
}

/// Reads the version and what the nodes use. Returns when to do so again.
async fn measure(state: &AppState, member: &Member) -> Duration {
    if let Ok(version) = member.looks.get::<Version>("/version").await {
        member.check.write().kubernetes_version = version.git_version;
    }
    let measured: Result<List<NodeMetrics>, KubeError> =
        member.looks.get("/apis/metrics.k8s.io/v1beta1/nodes").await;
    match measured {
        Ok(list) => {
            let used = list
                .items
                .into_iter()
                .map(|node| (node.metadata.name, amounts(&node.usage, &state.gpu)))
                .collect();
            member.tables.nodes.write().set_used(used);
            MEASURE_PERIOD
        }
        Err(error) => {
            tracing::debug!(cluster.name = %member.name, error = %error.explain(), "no metrics of the nodes");
            member.tables.nodes.write().set_used(BTreeMap::new());
            if error.status().is_some() {
                MEASURE_AGAIN
            } else {
                MEASURE_PERIOD
            }
        }
    }
}
