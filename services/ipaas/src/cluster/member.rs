//! One connected cluster: its clients, its tables, and what can be said of it now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api_types::clusters::{ClusterObservation, ConnectionCheck};
use api_types::common::{ClusterId, Gap};
use api_types::internal::{Connection, ObservedWorkload};
use api_types::storage::ObservedClaim;
use chrono::{DateTime, Utc};
use parking_lot::{Mutex, RwLock};
use platform::ApiError;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::app::names::ServiceKey;
use crate::app::observation::{Freshness, observe};
use crate::cluster::error::unreachable;
use crate::cluster::health::{Feed, Health};
use crate::cluster::rest::Rest;
use crate::cluster::sinks::{Dirty, Tables, Target};
use crate::cluster::throttle::Throttle;
use crate::index::claims;
use crate::index::workloads::Workload;

/// Pods, nodes, ReplicaSets, and a service's five kinds.
pub const FEEDS: usize = 8;
/// A cluster that was not read to its end within this has a gap, and what is known of it is stale.
const LONGEST_FIRST_READ: Duration = Duration::from_secs(60);
/// How long a namespace is taken for ours without another look.
const FOUND_OURS: Duration = Duration::from_secs(30);

pub struct Member {
    pub id: ClusterId,
    pub name: Arc<str>,
    pub check: RwLock<ConnectionCheck>,
    /// For what people look at and for the watches: nothing waits behind a thousand applies.
    pub looks: Rest,
    /// For changes; limited in rate too.
    pub writes: Rest,
    /// What the cluster asked of all of us.
    pub throttle: Arc<Throttle>,
    pub health: Health,
    pub feeds: Vec<Arc<Feed>>,
    pub tables: Arc<Tables>,
    pub dirty: Arc<Dirty>,
    pub target: Target,
    connected: Instant,
    /// Projects and environments whose namespace was found to be theirs, and when.
    namespaces: Mutex<HashMap<(String, String), Instant>>,
    /// One apply, removal or comparison of a service at a time.
    locks: Mutex<HashMap<ServiceKey, Arc<tokio::sync::Mutex<()>>>>,
    pub stop: CancellationToken,
}

/// What a member is made of.
pub struct Parts {
    pub id: ClusterId,
    pub name: Arc<str>,
    pub check: ConnectionCheck,
    pub looks: Rest,
    pub writes: Rest,
    pub target: Target,
    pub stop: CancellationToken,
}

/// Two environments may share the name of a namespace.
fn environment_of(key: &ServiceKey) -> (String, String) {
    (key.project.clone(), key.environment.clone())
}

impl Member {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let throttle = Arc::<Throttle>::default();
        Self {
            id: parts.id,
            name: parts.name,
            check: RwLock::new(parts.check),
            looks: parts.looks.sharing(&throttle),
            writes: parts.writes.sharing(&throttle),
            throttle,
            health: Health::default(),
            feeds: (0..FEEDS).map(|_| Arc::default()).collect(),
            tables: parts.target.tables.clone(),
            dirty: parts.target.dirty.clone(),
            target: parts.target,
            connected: Instant::now(),
            namespaces: Mutex::default(),
            locks: Mutex::default(),
            stop: parts.stop,
        }
    }

    /// Whether a service's namespace was found to be its environment's a moment ago: many services come into one at once.
    pub fn found_ours(&self, key: &ServiceKey) -> bool {
        let namespaces = self.namespaces.lock();
        namespaces
            .get(&environment_of(key))
            .is_some_and(|found| found.elapsed() < FOUND_OURS)
    }

    /// Keeps what was found; `false` forgets it.
    pub fn keep_ours(&self, key: &ServiceKey, ours: bool) {
        let mut namespaces = self.namespaces.lock();
        namespaces.retain(|_, found| found.elapsed() < FOUND_OURS);
        if ours {
            namespaces.insert(environment_of(key), Instant::now());
        } else {
            namespaces.remove(&environment_of(key));
        }
    }

    /// Waits for its turn with a service's objects.
    pub async fn lock(&self, key: &ServiceKey) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock();
            if locks.len() > 1024 {
                locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            locks.entry(key.clone()).or_default().clone()
        };
        lock.lock_owned().await
    }

    #[must_use]
    pub fn freshness(&self, now: DateTime<Utc>) -> Freshness {
        self.health.freshness(&self.feeds, now)
    }

    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.feeds.iter().all(|feed| feed.is_synced())
    }

    /// Whether it is being read for the first time, and nothing says that this won't end well. Until all of it is known and
    /// watched, what was known before the process began is the better word.
    #[must_use]
    pub fn is_being_read(&self, now: DateTime<Utc>) -> bool {
        self.freshness(now).stale
            && self.health.fresh_at().is_none()
            && self.connected.elapsed() < LONGEST_FIRST_READ
            && self.health.probed().error.is_none()
            && self.feed_error().is_none()
    }

    /// # Errors
    /// 503 `cluster_unreachable` at once when the last probe failed, rather than after a deadline.
    pub fn require_reachable(&self) -> Result<(), ApiError> {
        let probed = self.health.probed();
        match probed.error {
            Some(error) if !probed.reachable => Err(unreachable(&self.name, &error)),
            _ => Ok(()),
        }
    }

    /// This cluster's gap in a list, when it has one.
    #[must_use]
    pub fn gap(&self, now: DateTime<Utc>) -> Option<Gap> {
        let freshness = self.freshness(now);
        if !freshness.stale {
            return None;
        }
        let probed = self.health.probed();
        let reason = match probed.error {
            Some(error) => format!("it can't be reached: {error}"),
            None if probed.last_probe_at.is_none() => "it was not reached yet".to_owned(),
            None if !self.is_synced() => self.feed_error().map_or_else(
                || "it is being read".to_owned(),
                |error| format!("it can't be read: {error}"),
            ),
            None => self
                .throttle
                .shown(Instant::now())
                .unwrap_or_else(|| "its watches were cut".to_owned()),
        };
        Some(Gap {
            cluster: self.name.to_string(),
            reason,
            observed_at: self.health.fresh_at(),
        })
    }

    /// The service as this cluster shows it; `None` when nothing of it was ever there.
    #[must_use]
    pub fn observed(
        &self,
        key: &ServiceKey,
        freshness: Freshness,
        now: DateTime<Utc>,
    ) -> Option<ObservedWorkload> {
        let workloads = self.tables.workloads.read();
        let pods = self.tables.pods.read();
        let workload = workloads.get(key);
        let has_pods = pods.of_service(key).next().is_some();
        if !has_pods && workload.is_none_or(Workload::is_only_claims) {
            return None;
        }
        let has_objects = workload.is_some_and(|workload| workload.has_objects());
        Some(ObservedWorkload {
            cluster_id: self.id,
            cluster: self.name.to_string(),
            project: key.project.clone(),
            environment: key.environment.clone(),
            service: key.service.clone(),
            observation: observe(key, workload, &pods, freshness, now),
            // Only a cluster whose whole view is fresh can say that nothing is left.
            present: has_objects || has_pods || freshness.stale,
        })
    }

    /// The claims of a service on this cluster, which outlive everything else of it.
    #[must_use]
    pub fn claims(&self, key: &ServiceKey) -> Vec<ObservedClaim> {
        let workloads = self.tables.workloads.read();
        let seen = workloads.get(key).map(claims::seen).unwrap_or_default();
        seen.into_iter()
            .map(|claim| ObservedClaim {
                cluster_id: self.id,
                cluster: self.name.to_string(),
                project: key.project.clone(),
                environment: key.environment.clone(),
                service: key.service.clone(),
                claim,
            })
            .collect()
    }

    /// Every service that this cluster has something of.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceKey> {
        let mut keys: Vec<ServiceKey> = self
            .tables
            .workloads
            .read()
            .all()
            .map(|(key, _)| key.clone())
            .collect();
        keys.extend(self.tables.pods.read().services());
        keys.sort();
        keys.dedup();
        keys
    }

    #[must_use]
    pub fn connection(&self, now: DateTime<Utc>) -> Connection {
        let probed = self.health.probed();
        Connection {
            id: self.id,
            name: self.name.to_string(),
            check: self.check.read().clone(),
            reachable: probed.reachable,
            error: probed.error.or_else(|| self.throttle.shown(Instant::now())),
            last_probe_at: probed.last_probe_at,
            last_success_at: probed.last_success_at,
            reachable_since: probed.since,
            synced: self.is_synced(),
            observed: self.observation(now),
        }
    }

    fn observation(&self, now: DateTime<Utc>) -> Option<ClusterObservation> {
        if !self.is_synced() {
            return None;
        }
        let freshness = self.freshness(now);
        let pods = self.tables.pods.read();
        let nodes = self.tables.nodes.read();
        let totals = nodes.totals(&pods);
        Some(ClusterObservation {
            observed_at: freshness.observed_at,
            stale: freshness.stale,
            kubernetes_version: self.check.read().kubernetes_version.clone(),
            nodes: totals.nodes,
            nodes_ready: totals.nodes_ready,
            pods: u32::try_from(pods.len()).unwrap_or(u32::MAX),
            allocatable: totals.allocatable,
            requested: totals.requested,
            used: nodes.used(),
            largest_node: totals.largest_node,
            gpu_nodes: totals.gpu_nodes,
            free: Some(nodes.free(&pods)),
        })
    }

    fn feed_error(&self) -> Option<String> {
        self.feeds.iter().find_map(|feed| feed.error())
    }
}
