//! The registry of clusters: look, change, remove.

use std::collections::{HashMap, HashSet};

use api_types::clusters::{Cluster, ClusterPatch, ClusterRemoval, ClusterState, Taint, Witness};
use api_types::common::{Gap, ListQuery, OperationId, Page};
use api_types::failbacks::Failback;
use api_types::operations::{OperationAccepted, OperationKind};
use auth::Caller;
use chrono::{DateTime, Utc};
use platform::text::counted;
use platform::{ApiError, ApiResult};
use serde_json::json;
use uuid::Uuid;

use crate::app::failback::permits;
use crate::app::failbacks::{self, Policies};
use crate::app::listing::{Sort, paginate};
use crate::app::validation::{Fields, names};
use crate::app::{edit, health, operations};
use crate::db::clusters::Left;
use crate::db::columns::{Labels, Taints};
use crate::db::{Connection, DbErr, Record, Unit, assignments, cluster_agents, clusters, services};
use crate::state::AppState;

/// Services named in a refusal.
const NAMED: usize = 20;
const MOST_TAINTS: usize = 32;
/// Singletons named of a cluster that they can't leave yet.
pub const SINGLETONS: u64 = 100;
/// Fields that decide where replicas may be.
const PLACING: [&str; 4] = ["cordoned", "taints", "region", "zone"];

const SORTS: [Sort<Cluster>; 3] = [
    ("name", |cluster| cluster.name.clone()),
    ("region", |cluster| cluster.region.clone()),
    ("updated_at", |cluster| cluster.updated_at.to_rfc3339()),
];

pub async fn list(state: &AppState, query: &ListQuery) -> ApiResult<Page<Cluster>> {
    let text = query.q.as_deref().unwrap_or_default().to_lowercase();
    let rows = all(state, &state.foundation.database).await?;
    let matching = rows
        .into_iter()
        .filter(|cluster| {
            [&cluster.name, &cluster.region, &cluster.zone]
                .iter()
                .any(|field| field.to_lowercase().contains(&text))
        })
        .collect();
    let mut page = paginate(matching, query, &SORTS)?;
    page.gaps = gaps(&page.items);
    Ok(page)
}

/// Every cluster as the API shows it.
pub async fn all(state: &AppState, connection: &impl Connection) -> Result<Vec<Cluster>, DbErr> {
    let beside = Beside::load(connection).await?;
    let mut all = Vec::new();
    for row in clusters::all(connection).await? {
        all.push(shown(state, connection, &row, &beside).await?);
    }
    Ok(all)
}

/// What is kept beside the clusters, by cluster.
struct Beside {
    /// What is assigned on each.
    loads: HashMap<Uuid, assignments::Load>,
    agents: HashMap<Uuid, cluster_agents::Model>,
    /// Services and replicas that left each, are not back and may return.
    away: HashMap<Uuid, (u64, u64)>,
}

impl Beside {
    async fn load(connection: &impl Connection) -> Result<Self, DbErr> {
        let loads = assignments::loads(connection).await?;
        let policies = Policies::load(connection).await?;
        let mut away: HashMap<Uuid, (u64, u64)> = HashMap::new();
        for (cluster, absent) in failbacks::absent(connection, &policies).await? {
            for one in absent.iter().filter(|one| permits(one.policy.mode, false)) {
                let sum = away.entry(cluster).or_default();
                *sum = (sum.0 + one.services, sum.1 + one.replicas);
            }
        }
        Ok(Self {
            loads: loads.into_iter().map(|load| (load.cluster_id, load)).collect(),
            agents: cluster_agents::all(connection).await?,
            away,
        })
    }
}

async fn shown(
    state: &AppState,
    connection: &impl Connection,
    row: &clusters::Model,
    beside: &Beside,
) -> Result<Cluster, DbErr> {
    let (services, replicas) = beside.loads.get(&row.id).map_or((0, 0), |load| {
        (load.services.max(0) as u64, load.replicas.max(0) as u64)
    });
    let mut left = Left::default();
    if let Some(order) = &row.evacuation {
        left.services =
            assignments::count_left(connection, row.id, (&order.scope, order.include_stored), false).await?;
        if !row.answers()? {
            left.singletons = assignments::singletons_left(connection, row.id, SINGLETONS).await?;
        }
    }
    let agent = beside.agents.get(&row.id);
    let away = beside.away.get(&row.id);
    let failback = (away.is_some() || row.failback.is_some()).then(|| Failback {
        services_left: away.map_or(0, |(services, _)| *services),
        replicas_left: away.map_or(0, |(_, replicas)| *replicas),
        operation: row.failback.as_ref().map(|order| OperationId(order.operation)),
    });
    row.to_cluster(services, replicas, left, failback, witnesses(state, row, agent)?)
}

/// Who says whether a cluster is alive.
pub fn witnesses(
    state: &AppState,
    row: &clusters::Model,
    agent: Option<&cluster_agents::Model>,
) -> Result<Vec<Witness>, DbErr> {
    let (patience, now) = (state.config.patience(), state.now());
    let complaint = if row.answers()? {
        ""
    } else {
        row.state_reason.as_str()
    };
    let mut all = vec![health::probe_witness(row.last_contact, complaint, patience, now)];
    all.extend(
        agent.map(|agent| health::agent_witness(agent.renewed_at, agent.error.as_deref(), patience, now)),
    );
    Ok(all)
}

/// One cluster as the API shows it.
pub async fn present(
    state: &AppState,
    connection: &impl Connection,
    row: &clusters::Model,
) -> Result<Cluster, DbErr> {
    shown(state, connection, row, &Beside::load(connection).await?).await
}

/// The clusters whose part of any list is old.
pub fn gaps(all: &[Cluster]) -> Vec<Gap> {
    all.iter()
        .filter(|cluster| match cluster.state {
            ClusterState::Unreachable => true,
            ClusterState::Suspect => cluster.observed.as_ref().is_some_and(|observed| observed.stale),
            _ => false,
        })
        .map(|cluster| Gap {
            cluster: cluster.name.clone(),
            reason: cluster.state_reason.clone(),
            observed_at: cluster.observed.as_ref().map(|observed| observed.observed_at),
        })
        .collect()
}

pub async fn get(state: &AppState, name: &str) -> ApiResult<Cluster> {
    let database = &state.foundation.database;
    let row = clusters::find(database, name)
        .await?
        .ok_or_else(|| missing(name))?;
    Ok(present(state, database, &row).await?)
}

pub fn missing(name: &str) -> ApiError {
    ApiError::not_found(format!("cluster {name}"))
}

fn removing(name: &str) -> ApiError {
    ApiError::conflict("cluster_removing", format!("cluster {name} is being removed"))
}

/// A cluster about to be changed.
pub async fn locked(unit: &Unit, name: &str) -> ApiResult<clusters::Model> {
    let row = clusters::find_locked(&**unit, name)
        .await?
        .ok_or_else(|| missing(name))?;
    if row.is_removing() {
        return Err(removing(name));
    }
    Ok(row)
}

/// Saves a cluster with a new version, as what is wanted of it changed.
pub async fn save(
    unit: &mut Unit,
    row: &mut clusters::Model,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    row.version += 1;
    row.updated_at = now;
    row.updated_by.clone_from(&caller.name);
    clusters::save(&**unit, row).await?;
    unit.record(Record::cluster(&row.name).intended());
    Ok(())
}

pub async fn update(
    state: &AppState,
    caller: &Caller,
    name: &str,
    version: i64,
    patch: ClusterPatch,
) -> ApiResult<Cluster> {
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, name).await?;
    let versioned = edit::Versioned {
        what: format!("cluster {name}"),
        id: row.id,
        version: row.version,
        updated_by: &row.updated_by,
        updated_at: row.updated_at,
    };
    edit::check(&unit, versioned, version).await?;
    let mut fields = Fields::default();
    if let Some(region) = &patch.region {
        check_region(region, &mut fields);
    }
    if let Some(zone) = &patch.zone {
        fields.check("zone", names::label_value(zone));
    }
    if let Some(labels) = &patch.labels {
        names::labels("labels", labels, &mut fields);
    }
    if let Some(taints) = &patch.taints {
        check_taints(taints, &mut fields);
    }
    if let Some(url) = &patch.prometheus_url {
        check_url(url, &mut fields);
    }
    fields.done()?;
    let changed = apply(&mut row, patch);
    if !changed.is_empty() {
        row.version += 1;
        row.updated_at = state.now();
        row.updated_by.clone_from(&caller.name);
        clusters::save(&*unit, &row).await?;
        edit::note(&unit, row.id, row.version, &changed, &caller.name, row.updated_at).await?;
        let record = Record::cluster(name);
        unit.record(if changed.iter().any(|field| PLACING.contains(field)) {
            record.intended()
        } else {
            record
        });
    }
    let cluster = present(state, &*unit, &row).await?;
    unit.commit().await?;
    Ok(cluster)
}

fn apply(row: &mut clusters::Model, patch: ClusterPatch) -> Vec<&'static str> {
    let mut changed = Vec::new();
    if let Some(region) = patch.region.filter(|region| *region != row.region) {
        row.region = region;
        changed.push("region");
    }
    if let Some(zone) = patch.zone.filter(|zone| *zone != row.zone) {
        row.zone = zone;
        changed.push("zone");
    }
    if let Some(labels) = patch.labels.filter(|labels| *labels != row.labels.0) {
        row.labels = Labels(labels);
        changed.push("labels");
    }
    if let Some(cordoned) = patch.cordoned.filter(|cordoned| *cordoned != row.cordoned) {
        row.cordoned = cordoned;
        changed.push("cordoned");
    }
    if let Some(taints) = patch.taints.filter(|taints| *taints != row.taints()) {
        row.taints = Some(Taints(taints));
        changed.push("taints");
    }
    if let Some(url) = patch.prometheus_url {
        // An empty address takes it away.
        let url = Some(url).filter(|url| !url.is_empty());
        if url != row.prometheus_url {
            row.prometheus_url = url;
            changed.push("prometheus_url");
        }
    }
    changed
}

pub fn check_region(region: &str, fields: &mut Fields) {
    if region.is_empty() {
        fields.refuse("region", "a region is needed, such as `east`");
    } else {
        fields.check("region", names::label_value(region));
    }
}

fn check_taints(taints: &[Taint], fields: &mut Fields) {
    let mut seen = HashSet::new();
    for (index, taint) in taints.iter().enumerate() {
        fields.check(format!("taints[{index}].key"), names::qualified(&taint.key));
        fields.check(format!("taints[{index}].value"), names::label_value(&taint.value));
        if !seen.insert((&taint.key, &taint.value, taint.effect)) {
            fields.refuse(format!("taints[{index}]"), "is there twice");
        }
    }
    if taints.len() > MOST_TAINTS {
        fields.refuse("taints", format!("at most {MOST_TAINTS}"));
    }
}

pub fn check_url(url: &str, fields: &mut Fields) {
    let good = url.is_empty()
        || url
            .parse::<http::Uri>()
            .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    if !good {
        fields.refuse("prometheus_url", "must be an http:// or https:// address");
    }
}

/// Begins the removal of a cluster.
pub async fn remove(
    state: &AppState,
    caller: &Caller,
    name: &str,
    removal: ClusterRemoval,
) -> ApiResult<OperationAccepted> {
    let mut unit = state.unit().await?;
    let mut row = clusters::find_locked(&*unit, name)
        .await?
        .ok_or_else(|| missing(name))?;
    if let Some(operation) = row.removal_id.filter(|_| row.is_removing()) {
        return Ok(OperationAccepted {
            operation: OperationId(operation),
        });
    }
    let there = assignments::services_on(&*unit, row.id).await?;
    if !there.is_empty() && !removal.force {
        return Err(in_use(&unit, name, &there).await?);
    }
    let now = state.now();
    let title = format!("remove cluster {name}");
    let operation =
        operations::begin_on_cluster(&mut unit, OperationKind::RemoveCluster, title, &row, caller, now)
            .await?;
    row.phase = clusters::REMOVING.to_owned();
    row.removal_id = Some(operation.id);
    save(&mut unit, &mut row, caller, now).await?;
    unit.commit().await?;
    state.work.registry.wake();
    Ok(OperationAccepted {
        operation: OperationId(operation.id),
    })
}

async fn in_use(unit: &Unit, name: &str, there: &[Uuid]) -> ApiResult<ApiError> {
    let first = &there[..there.len().min(NAMED)];
    let mut paths: Vec<String> = services::find_many(&**unit, first, false)
        .await?
        .iter()
        .map(services::Model::path)
        .collect();
    paths.sort();
    Ok(ApiError::conflict(
        "cluster_in_use",
        format!(
            "cluster {name} holds replicas of {}, such as {}; move them, or remove it with force=true, which moves them to other clusters first",
            counted(there.len(), "service"),
            paths.first().map_or("", String::as_str)
        ),
    )
    .with_details(json!({ "services": paths, "total": there.len() })))
}
