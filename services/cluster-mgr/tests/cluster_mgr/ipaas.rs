//! A simulated ipaas: the paths of its client over clusters that do as they are told.

mod measuring;
mod observed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api_types::changes::{Change, ChangeLine, Topic};
use api_types::clusters::{ClusterObservation, ConnectionCheck, FreeRoom, Kubeconfig, ResourceAmounts};
use api_types::common::ClusterId;
use api_types::internal::{Applied, Connection, DesiredWorkload, PutConnection};
use api_types::services::{Problem, RolloutState, WorkloadObservation};
use api_types::storage::{ClaimPhase, SeenClaim};
use auth::Verifier;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use chrono::{DateTime, Utc};
use http::StatusCode;
use parking_lot::Mutex;
use platform::crypto::MasterKey;
use platform::extract::Json;
use platform::server::{Ready, Running};
use platform::time::now;
use platform::{ApiError, ApiResult};
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use measuring::{measure, measure_range};
use observed::{follow, list_workloads, query_workloads};

const MILLICORES: u64 = 1000;
const GIB: u64 = 1 << 30;

/// What a cluster really runs of a service.
#[derive(Clone, Debug)]
pub struct Workload {
    pub desired: DesiredWorkload,
    /// Replicas of the revision before, still there.
    pub old: u32,
    /// Ready replicas of the newest revision.
    pub ready: u32,
    /// Pods that no node takes, and since when.
    pub unschedulable: u32,
    pub unschedulable_since: Option<DateTime<Utc>>,
    pub problem: Option<Problem>,
    pub gave_up: bool,
    pub drift: Vec<String>,
    /// Somebody else changed it: what it runs instead.
    pub replicas: u32,
    /// Told to go; its pods are still there.
    pub leaving: bool,
}

/// A cluster, whoever is connected to it.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub up: bool,
    /// It asks to be asked less.
    pub busy: bool,
    /// Calls to it never end.
    pub hangs: bool,
    /// New replicas become ready by themselves.
    pub starts: bool,
    /// Pods that were told to go are gone at once.
    pub stops: bool,
    /// Its nodes take no more than so many pods of a service, whatever they seem to have free.
    pub takes: Option<u32>,
    pub refusal: Option<(StatusCode, &'static str, &'static str)>,
    /// Its Prometheus answers.
    pub measures: bool,
    pub nodes: u32,
    pub node: ResourceAmounts,
    /// What is free node by node, where that is told.
    pub free: Option<FreeRoom>,
    pub workloads: BTreeMap<(String, String, String), Workload>,
    /// By project, environment, service and the claim's name: its volume, bytes and class.
    pub claims: BTreeMap<(String, String, String, String), SeenClaim>,
    pub applies: u64,
    pub removals: u64,
    last_success: DateTime<Utc>,
    since: DateTime<Utc>,
}

struct Registered {
    name: String,
    cluster: String,
}

struct World {
    epoch: u64,
    clusters: BTreeMap<String, Cluster>,
    connections: BTreeMap<ClusterId, Registered>,
    changes: Vec<Change>,
    /// Cores that each service uses, over all of its replicas.
    load: f64,
    /// The most queries that one call asked.
    queries: usize,
}

/// The simulated ipaas.
#[derive(Clone)]
pub struct Ipaas {
    world: Arc<Mutex<World>>,
    news: watch::Sender<u64>,
    pub applies_under_way: Arc<AtomicU64>,
    away: Arc<std::sync::atomic::AtomicBool>,
}

impl Ready for Ipaas {
    async fn waits_for(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A kubeconfig that reaches a simulated cluster.
pub fn kubeconfig(cluster: &str) -> String {
    format!("kubeconfig of {cluster}")
}

impl Ipaas {
    pub fn new() -> Self {
        Self {
            world: Arc::new(Mutex::new(World {
                epoch: 1,
                clusters: BTreeMap::new(),
                connections: BTreeMap::new(),
                changes: Vec::new(),
                load: 0.0,
                queries: 0,
            })),
            news: watch::Sender::new(0),
            applies_under_way: Arc::default(),
            away: Arc::default(),
        }
    }

    pub async fn start(&self, key: &MasterKey, shutdown: CancellationToken) -> Running {
        let router = Router::new()
            .route("/internal/v1/connections/check", post(check))
            .route("/internal/v1/connections", get(list_connections))
            .route(
                "/internal/v1/connections/{id}",
                put(put_connection).delete(delete_connection),
            )
            .route("/internal/v1/connections/{id}/measurements", post(measure))
            .route(
                "/internal/v1/connections/{id}/measurements/range",
                post(measure_range),
            )
            .route(
                "/internal/v1/connections/{id}/projects/{project}/environments/{environment}/services/{service}",
                put(apply).delete(remove),
            )
            .route(
                "/internal/v1/connections/{id}/projects/{project}/environments/{environment}/services/{service}/claims/{claim}",
                delete(delete_claim),
            )
            .route("/internal/v1/workloads", get(list_workloads))
            .route("/internal/v1/workloads/query", post(query_workloads))
            .route("/internal/v1/changes", get(follow))
            .layer(from_fn(auth::middleware::require_service))
            .layer(from_fn_with_state(
                Verifier::new("ipaas", key),
                auth::middleware::require_token,
            ))
            .layer(from_fn_with_state(self.clone(), here))
            .with_state(self.clone());
        platform::server::start(
            "ipaas",
            ([127, 0, 0, 1], 0).into(),
            router,
            self.clone(),
            shutdown,
        )
        .await
        .unwrap()
    }

    /// A cluster of three nodes with 8 CPU and 32 GiB each.
    pub fn add(&self, name: &str) {
        self.world.lock().clusters.insert(
            name.to_owned(),
            Cluster {
                up: true,
                busy: false,
                hangs: false,
                starts: true,
                stops: true,
                takes: None,
                refusal: None,
                measures: true,
                nodes: 3,
                node: ResourceAmounts {
                    cpu_millicores: 8 * MILLICORES,
                    memory_bytes: 32 * GIB,
                    pods: 110,
                    gpus: 0,
                },
                free: None,
                workloads: BTreeMap::new(),
                claims: BTreeMap::new(),
                applies: 0,
                removals: 0,
                last_success: now(),
                since: now(),
            },
        );
    }

    /// Connects to a cluster that was registered before.
    pub fn connect(&self, id: ClusterId, name: &str) {
        self.add(name);
        let registered = Registered {
            name: name.to_owned(),
            cluster: name.to_owned(),
        };
        self.world.lock().connections.insert(id, registered);
    }

    /// Changes a cluster, and tells those who follow.
    pub fn change<T>(&self, name: &str, change: impl FnOnce(&mut Cluster) -> T) -> T {
        let mut world = self.world.lock();
        let cluster = world.clusters.get_mut(name).expect("there is such a cluster");
        let was_up = cluster.up;
        let outcome = change(cluster);
        if cluster.up != was_up {
            cluster.since = now();
        }
        let places: Vec<_> = cluster.workloads.keys().cloned().collect();
        world.tell(Topic::Clusters, Some(name), None);
        for place in places {
            world.tell(Topic::Workloads, Some(name), Some(&place));
        }
        self.notify(&world);
        outcome
    }

    /// Puts a load on every service: cores, over all of its replicas.
    pub fn load(&self, cores: f64) {
        self.world.lock().load = cores;
    }

    /// The most queries that one call for measurements had.
    pub fn queries(&self) -> usize {
        self.world.lock().queries
    }

    pub fn look<T>(&self, name: &str, look: impl FnOnce(&Cluster) -> T) -> T {
        look(&self.world.lock().clusters[name])
    }

    /// What a cluster runs of a service, by the service's name.
    pub fn workload(&self, cluster: &str, service: &str) -> Option<Workload> {
        self.look(cluster, |cluster| {
            cluster
                .workloads
                .iter()
                .find(|((_, _, name), _)| name == service)
                .map(|(_, workload)| workload.clone())
        })
    }

    /// As after a restart: every cursor is unknown.
    pub fn forget_changes(&self) {
        let mut world = self.world.lock();
        world.epoch += 1;
        world.changes.clear();
        self.notify(&world);
    }

    /// Doesn't answer while away.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
        let world = self.world.lock();
        self.notify(&world);
    }

    pub fn connections(&self) -> Vec<String> {
        self.world
            .lock()
            .connections
            .values()
            .map(|registered| registered.name.clone())
            .collect()
    }

    fn notify(&self, _: &World) {
        self.news.send_modify(|count| *count += 1);
    }
}

impl World {
    fn tell(&mut self, topic: Topic, cluster: Option<&str>, place: Option<&(String, String, String)>) {
        let sequence = self.changes.len() + 1;
        let connected = cluster.and_then(|name| {
            let mut all = self.connections.iter();
            all.find(|(_, registered)| registered.cluster == name)
        });
        self.changes.push(Change {
            cursor: format!("{}:{sequence}", self.epoch),
            topic,
            project: place.map(|place| place.0.clone()),
            environment: place.map(|place| place.1.clone()),
            service: place.map(|place| place.2.clone()),
            cluster: cluster.map(str::to_owned),
            id: connected
                .filter(|_| topic == Topic::Clusters)
                .map(|(id, _)| id.to_string()),
            at: now(),
        });
    }

    fn cursor(&self) -> String {
        format!("{}:{}", self.epoch, self.changes.len())
    }

    fn after(&self, cursor: &str) -> Vec<ChangeLine> {
        let known = cursor
            .split_once(':')
            .filter(|(epoch, _)| *epoch == self.epoch.to_string())
            .and_then(|(_, sequence)| sequence.parse::<usize>().ok())
            .filter(|sequence| *sequence <= self.changes.len());
        match known {
            None => vec![ChangeLine::Reset {
                cursor: self.cursor(),
            }],
            Some(sequence) => self.changes[sequence..]
                .iter()
                .cloned()
                .map(ChangeLine::Change)
                .collect(),
        }
    }

    fn physical(&mut self, id: ClusterId) -> ApiResult<(String, &mut Cluster)> {
        let registered = self
            .connections
            .get(&id)
            .ok_or_else(|| ApiError::not_found(format!("connection {id}")))?;
        let name = registered.name.clone();
        let cluster = self.clusters.get_mut(&registered.cluster).expect("it was there");
        Ok((name, cluster))
    }
}

impl Cluster {
    fn requested(&self) -> ResourceAmounts {
        let mut sum = ResourceAmounts::default();
        for workload in self.workloads.values() {
            let resources = &workload.desired.spec.resources;
            let count = u64::from(workload.replicas);
            let cpu = resources.cpu_request.strip_suffix('m').map_or_else(
                || resources.cpu_request.parse::<u64>().unwrap() * MILLICORES,
                |milli| milli.parse().unwrap(),
            );
            let memory = resources.memory_request.strip_suffix("Mi").map_or_else(
                || {
                    let gib = resources.memory_request.strip_suffix("Gi").unwrap();
                    gib.parse::<u64>().unwrap() * GIB
                },
                |mib| mib.parse::<u64>().unwrap() << 20,
            );
            sum.cpu_millicores += cpu * count;
            sum.memory_bytes += memory * count;
            sum.pods += count;
            sum.gpus += u64::from(resources.gpus) * count;
        }
        sum
    }

    fn observation(&self) -> ClusterObservation {
        let nodes = u64::from(self.nodes);
        ClusterObservation {
            observed_at: self.last_success,
            stale: !self.up,
            kubernetes_version: "v1.33.1".to_owned(),
            nodes: self.nodes,
            nodes_ready: self.nodes,
            pods: self.requested().pods as u32,
            allocatable: ResourceAmounts {
                cpu_millicores: self.node.cpu_millicores * nodes,
                memory_bytes: self.node.memory_bytes * nodes,
                pods: self.node.pods * nodes,
                gpus: self.node.gpus * nodes,
            },
            requested: self.requested(),
            used: None,
            largest_node: Some(self.node),
            gpu_nodes: None,
            free: self.free.clone(),
        }
    }

    fn observed(&self, workload: &Workload) -> WorkloadObservation {
        let updated = workload
            .replicas
            .min(workload.desired.replicas.max(workload.replicas));
        let done = workload.ready >= workload.replicas && workload.old == 0;
        WorkloadObservation {
            observed_at: self.last_success,
            stale: !self.up,
            revision: Some(workload.desired.revision),
            desired_hash: Some(workload.desired.hash.clone()),
            replicas: workload.replicas,
            updated,
            updated_ready: workload.ready,
            ready: workload.ready + workload.old,
            available: workload.ready + workload.old,
            rollout: match (done, workload.gave_up) {
                (true, _) => RolloutState::Complete,
                (_, true) => RolloutState::Failed,
                _ => RolloutState::Progressing,
            },
            unschedulable: workload.unschedulable,
            unschedulable_since: workload.unschedulable_since,
            problems: workload.problem.clone().into_iter().collect(),
            drift: workload.drift.clone(),
        }
    }

    fn apply(&mut self, desired: DesiredWorkload) {
        let place = (
            desired.project.clone(),
            desired.environment.clone(),
            desired.service.clone(),
        );
        self.applies += 1;
        let before = self.workloads.get(&place);
        let same_template = before.is_some_and(|before| {
            before.desired.revision == desired.revision && before.desired.restarted_at == desired.restarted_at
        });
        let bad = desired.spec.image.contains("missing");
        let starts = self.starts && !bad;
        let (old, ready) = match before {
            Some(before) if same_template => (
                before.old,
                if starts {
                    desired.replicas
                } else {
                    before.ready.min(desired.replicas)
                },
            ),
            Some(before) if !starts => ((before.old + before.ready).min(desired.replicas), 0),
            _ => (0, if starts { desired.replicas } else { 0 }),
        };
        let taken = self.takes.unwrap_or(u32::MAX);
        let (ready, unschedulable) = (ready.min(taken), desired.replicas.saturating_sub(taken));
        let waited_since = before.and_then(|before| before.unschedulable_since);
        let problem = bad.then(|| Problem {
            reason: "ImagePullBackOff".to_owned(),
            message: format!("can't pull {}", desired.spec.image),
            advice: "Check the image's name and tag".to_owned(),
            pods: 1,
            example_pod: format!("{}-1", desired.service),
        });
        self.workloads.insert(
            place,
            Workload {
                replicas: desired.replicas,
                desired,
                old: if ready > 0 { 0 } else { old },
                ready,
                unschedulable,
                unschedulable_since: (unschedulable > 0).then(|| waited_since.unwrap_or_else(now)),
                problem,
                gave_up: false,
                drift: Vec::new(),
                leaving: false,
            },
        );
    }
}

async fn here(
    State(ipaas): State<Ipaas>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    use axum::response::IntoResponse as _;
    if ipaas.away.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    next.run(request).await
}

fn tried(world: &World, kubeconfig: &str) -> ApiResult<(String, ConnectionCheck)> {
    let refused = |code: &'static str, message: &str| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message.to_owned())
    };
    let name = kubeconfig
        .strip_prefix("kubeconfig of ")
        .ok_or_else(|| refused("kubeconfig_invalid", "line 1: this is not YAML"))?;
    let cluster = world
        .clusters
        .get(name)
        .filter(|cluster| cluster.up)
        .ok_or_else(|| refused("cluster_unreachable", "connection refused"))?;
    let check = ConnectionCheck {
        server: format!("https://{name}.example:6443"),
        kubernetes_version: "v1.33.1".to_owned(),
        cluster_uid: format!("uid-of-{name}"),
        nodes: cluster.nodes,
        rights: Vec::new(),
    };
    Ok((name.to_owned(), check))
}

async fn check(State(ipaas): State<Ipaas>, Json(body): Json<Kubeconfig>) -> ApiResult<Json<ConnectionCheck>> {
    Ok(Json(tried(&ipaas.world.lock(), &body.kubeconfig)?.1))
}

async fn put_connection(
    State(ipaas): State<Ipaas>,
    Path(id): Path<ClusterId>,
    Json(body): Json<PutConnection>,
) -> ApiResult<Json<ConnectionCheck>> {
    let mut world = ipaas.world.lock();
    let (cluster, check) = tried(&world, &body.kubeconfig)?;
    let twice = world
        .connections
        .iter()
        .any(|(other, registered)| *other != id && registered.cluster == cluster);
    if twice {
        return Err(ApiError::conflict(
            "cluster_registered_twice",
            "this cluster is registered already",
        ));
    }
    world.connections.insert(
        id,
        Registered {
            name: body.name,
            cluster: cluster.clone(),
        },
    );
    world.tell(Topic::Clusters, Some(&cluster), None);
    ipaas.notify(&world);
    Ok(Json(check))
}

async fn delete_connection(State(ipaas): State<Ipaas>, Path(id): Path<ClusterId>) -> StatusCode {
    ipaas.world.lock().connections.remove(&id);
    StatusCode::NO_CONTENT
}

async fn list_connections(State(ipaas): State<Ipaas>) -> Json<Vec<Connection>> {
    let mut world = ipaas.world.lock();
    for cluster in world.clusters.values_mut().filter(|cluster| cluster.up) {
        cluster.last_success = now();
    }
    let all = world.connections.iter().map(|(id, registered)| {
        let cluster = &world.clusters[&registered.cluster];
        Connection {
            id: *id,
            name: registered.name.clone(),
            check: ConnectionCheck {
                server: String::new(),
                kubernetes_version: "v1.33.1".to_owned(),
                cluster_uid: format!("uid-of-{}", registered.cluster),
                nodes: cluster.nodes,
                rights: Vec::new(),
            },
            reachable: cluster.up,
            error: match (cluster.up, cluster.busy) {
                (false, _) => Some("connection refused".to_owned()),
                (true, true) => Some("it asks to be asked less (429)".to_owned()),
                (true, false) => None,
            },
            last_probe_at: Some(now()),
            last_success_at: Some(cluster.last_success),
            reachable_since: Some(cluster.since),
            synced: cluster.up,
            observed: Some(cluster.observation()),
        }
    });
    Json(all.collect())
}

#[derive(Deserialize)]
struct WorkloadPath {
    id: ClusterId,
    project: String,
    environment: String,
    service: String,
}

struct UnderWay(Arc<AtomicU64>);

impl UnderWay {
    fn new(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits while the cluster hangs, and refuses when it is down or was told to refuse.
async fn reach(ipaas: &Ipaas, id: ClusterId) -> ApiResult<()> {
    let _under_way = UnderWay::new(&ipaas.applies_under_way);
    loop {
        let outcome = {
            let mut world = ipaas.world.lock();
            let (_, cluster) = world.physical(id)?;
            if cluster.hangs {
                None
            } else if !cluster.up {
                Some(Err(ApiError::unavailable(
                    "cluster_unreachable",
                    "connection refused",
                )))
            } else if let Some((status, code, message)) = cluster.refusal {
                Some(Err(ApiError::new(status, code, message)))
            } else {
                Some(Ok(()))
            }
        };
        match outcome {
            Some(outcome) => return outcome,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

async fn apply(
    State(ipaas): State<Ipaas>,
    Path(path): Path<WorkloadPath>,
    Json(desired): Json<DesiredWorkload>,
) -> ApiResult<Json<Applied>> {
    reach(&ipaas, path.id).await?;
    assert_eq!(
        (&path.project, &path.environment, &path.service),
        (&desired.project, &desired.environment, &desired.service)
    );
    let place = (path.project, path.environment, path.service);
    let mut world = ipaas.world.lock();
    let (name, cluster) = world.physical(path.id)?;
    for volume in &desired.spec.volumes {
        let claim = format!("{}-{}", place.2, volume.name);
        let bytes = match volume.size.strip_suffix("Gi") {
            Some(count) => count.parse::<u64>().unwrap() * GIB,
            None => panic!("the simulated ipaas reads sizes in Gi, not {}", volume.size),
        };
        let key = (place.0.clone(), place.1.clone(), place.2.clone(), claim.clone());
        let seen = cluster.claims.entry(key).or_insert(SeenClaim {
            name: claim,
            volume: volume.name.clone(),
            requested_bytes: bytes,
            capacity_bytes: None,
            phase: ClaimPhase::Bound,
            storage_class: Some(volume.storage_class.clone().unwrap_or_else(|| "standard".into())),
            access: volume.access,
            in_use: true,
            deleting: false,
            created_at: now() - chrono::Duration::hours(1),
        });
        seen.requested_bytes = seen.requested_bytes.max(bytes);
        seen.capacity_bytes = Some(seen.requested_bytes);
    }
    cluster.apply(desired);
    world.tell(Topic::Workloads, Some(&name), Some(&place));
    ipaas.notify(&world);
    Ok(Json(Applied::default()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Removal {
    volumes: bool,
}

async fn remove(
    State(ipaas): State<Ipaas>,
    Path(path): Path<WorkloadPath>,
    Query(removal): Query<Removal>,
) -> ApiResult<StatusCode> {
    reach(&ipaas, path.id).await?;
    let place = (path.project, path.environment, path.service);
    let mut world = ipaas.world.lock();
    let (name, cluster) = world.physical(path.id)?;
    cluster.removals += 1;
    cluster
        .claims
        .retain(|(project, environment, service, _), claim| {
            let own = (project, environment, service) == (&place.0, &place.1, &place.2);
            claim.in_use &= !own;
            !(own && removal.volumes)
        });
    if cluster.stops {
        cluster.workloads.remove(&place);
    } else if let Some(workload) = cluster.workloads.get_mut(&place) {
        workload.leaving = true;
    }
    world.tell(Topic::Workloads, Some(&name), Some(&place));
    ipaas.notify(&world);
    Ok(StatusCode::OK)
}

#[derive(Deserialize)]
struct ClaimPath {
    id: ClusterId,
    project: String,
    environment: String,
    service: String,
    claim: String,
}

async fn delete_claim(State(ipaas): State<Ipaas>, Path(path): Path<ClaimPath>) -> ApiResult<StatusCode> {
    reach(&ipaas, path.id).await?;
    let mut world = ipaas.world.lock();
    let (name, cluster) = world.physical(path.id)?;
    let place = (path.project, path.environment, path.service);
    let key = (place.0.clone(), place.1.clone(), place.2.clone(), path.claim);
    match cluster.claims.get(&key) {
        None => return Err(ApiError::not_found("the claim")),
        Some(claim) if claim.in_use => {
            return Err(ApiError::conflict("volume_in_use", "a pod mounts it"));
        }
        Some(_) => cluster.claims.remove(&key),
    };
    world.tell(Topic::Workloads, Some(&name), Some(&place));
    ipaas.notify(&world);
    Ok(StatusCode::OK)
}
