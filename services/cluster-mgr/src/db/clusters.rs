//! Clusters.

use api_types::clusters::{Cluster, ClusterObservation, ClusterState, ClusterStatus, Taint, Witness};
use api_types::common::{ClusterId, OperationId};
use api_types::evacuations::Evacuation;
use api_types::failbacks::Failback;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{FromJsonQueryResult, QueryOrder as _, QuerySelect as _};
use serde::{Deserialize, Serialize};

use crate::db::columns::{Labels, StoredClusterObservation, Taints, read_word};
use crate::db::{Connection, environments};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "clusters")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub region: String,
    pub zone: String,
    #[sea_orm(column_type = "Json")]
    pub labels: Labels,
    pub cordoned: bool,
    /// None where there never were any.
    #[sea_orm(column_type = "Json", nullable)]
    pub taints: Option<Taints>,
    pub prometheus_url: Option<String>,
    /// [`REGISTERING`], [`ACTIVE`] or [`REMOVING`].
    pub phase: String,
    /// What the health loop says: `pending`, `ready`, `suspect`, `unreachable` or `recovering`.
    pub state: String,
    pub state_reason: String,
    pub state_since: DateTime<Utc>,
    /// Times that it was lost since it was well for long.
    pub flaps: i32,
    /// ipaas's probes say nothing, or nothing good.
    pub probe_silent: bool,
    #[sea_orm(column_type = "Json", nullable)]
    pub observed: Option<StoredClusterObservation>,
    /// When it was last known to answer.
    pub last_contact: Option<DateTime<Utc>>,
    #[sea_orm(column_type = "Json", nullable)]
    pub evacuation: Option<EvacuationOrder>,
    /// Replicas move back to it.
    #[sea_orm(column_type = "Json", nullable)]
    pub failback: Option<FailbackOrder>,
    /// The operation that removes it.
    pub removal_id: Option<Uuid>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

impl ActiveModelBehavior for ActiveModel {}

/// It is to be emptied, and gets nothing until it is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct EvacuationOrder {
    pub operation: Uuid,
    pub scope: Scope,
    /// Nobody ordered it: the cluster was away for long enough.
    pub automatic: bool,
    /// Services leave though their data can't follow.
    #[serde(default)]
    pub include_stored: bool,
    pub reason: String,
    pub by: String,
    pub at: DateTime<Utc>,
    /// When everything was found to be ready elsewhere.
    #[serde(default)]
    pub completed_at: Option<DateTime<Utc>>,
}

/// What left by an evacuation moves back, some at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct FailbackOrder {
    pub operation: Uuid,
    /// Empty only in one from before environments had policies of their own: all that may move back.
    #[serde(default)]
    pub environments: Vec<Return>,
}

/// An environment's replicas that move back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    pub project: String,
    pub environment: String,
    /// Nobody asked for it.
    pub automatic: bool,
    /// At most so many percent of `replicas` at a time; what the environment says where none was asked for.
    pub percent: Option<u32>,
    /// Replicas that were away when it was ordered.
    pub replicas: u64,
}

impl Return {
    #[must_use]
    pub fn is_of(&self, project: &str, environment: &str) -> bool {
        self.project == project && self.environment == environment
    }
}

impl FailbackOrder {
    /// Replicas that were away when it was ordered.
    #[must_use]
    pub fn replicas(&self) -> u64 {
        self.environments.iter().map(|one| one.replicas).sum()
    }
}

/// Whose replicas leave a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Everything,
    /// Those of these environments, each by project and name.
    Environments(Vec<(String, String)>),
}

impl Scope {
    #[must_use]
    pub fn covers(&self, environment: &environments::Model) -> bool {
        match self {
            Self::Everything => true,
            Self::Environments(places) => places
                .iter()
                .any(|(project, name)| *project == environment.project && *name == environment.name),
        }
    }
}

/// What an evacuation has not moved yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub services: u64,
    /// Those that may still run there and must not run twice, by path.
    pub singletons: Vec<String>,
}

/// Whether what is seen of a cluster is seen as it is now: it can be asked, and its pods count.
#[must_use]
pub fn answers(health: ClusterState, probe_silent: bool) -> bool {
    match health {
        ClusterState::Ready | ClusterState::Recovering => true,
        ClusterState::Suspect => !probe_silent,
        _ => false,
    }
}

/// Its kubeconfig is being tried; nothing uses it yet.
pub const REGISTERING: &str = "registering";
pub const ACTIVE: &str = "active";
/// What is there goes, then it does.
pub const REMOVING: &str = "removing";

impl Model {
    #[must_use]
    pub fn cluster_id(&self) -> ClusterId {
        ClusterId(self.id)
    }

    /// The health loop's word, whatever the registry does with the cluster.
    pub fn health(&self) -> Result<ClusterState, DbErr> {
        read_word(&self.state)
    }

    /// Whether what is seen of it is seen as it is now.
    pub fn answers(&self) -> Result<bool, DbErr> {
        Ok(answers(self.health()?, self.probe_silent))
    }

    /// What to show of it in one word, and in the history: the one place that says it.
    pub fn status(&self) -> Result<ClusterStatus, DbErr> {
        let health = self.health()?;
        let (state, reason, since) = match &self.evacuation {
            _ if self.is_removing() => (ClusterState::Removing, &self.state_reason, self.state_since),
            Some(order) => match order.completed_at {
                Some(at) => (ClusterState::Evacuated, &order.reason, at),
                None => (ClusterState::Evacuating, &order.reason, order.at),
            },
            None => (health, &self.state_reason, self.state_since),
        };
        Ok(ClusterStatus {
            state,
            reason: reason.clone(),
            since,
        })
    }

    #[must_use]
    pub fn taints(&self) -> Vec<Taint> {
        self.taints.clone().map(|taints| taints.0).unwrap_or_default()
    }

    #[must_use]
    pub fn is_removing(&self) -> bool {
        self.phase == REMOVING
    }

    /// What was observed as people see it, stale when the cluster doesn't answer now.
    #[must_use]
    pub fn observation(&self, answers: bool) -> Option<ClusterObservation> {
        self.observed.as_ref().map(|stored| ClusterObservation {
            stale: stored.0.stale || !answers,
            // Thousands of numbers that say nothing to a person.
            free: None,
            ..stored.0.clone()
        })
    }

    /// The cluster as the API shows it.
    pub fn to_cluster(
        &self,
        services: u64,
        assigned_replicas: u64,
        left: Left,
        failback: Option<Failback>,
        witnesses: Vec<Witness>,
    ) -> Result<Cluster, DbErr> {
        let health = self.health()?;
        Ok(Cluster {
            id: self.cluster_id(),
            name: self.name.clone(),
            region: self.region.clone(),
            zone: self.zone.clone(),
            labels: self.labels.0.clone(),
            cordoned: self.cordoned,
            taints: self.taints(),
            prometheus_url: self.prometheus_url.clone(),
            state: if self.is_removing() {
                ClusterState::Removing
            } else {
                health
            },
            state_reason: self.state_reason.clone(),
            state_since: self.state_since,
            status: self.status()?,
            witnesses,
            observed: self.observation(self.answers()?),
            evacuation: self.evacuation.as_ref().map(|order| Evacuation {
                environments: match &order.scope {
                    Scope::Everything => Vec::new(),
                    Scope::Environments(places) => places
                        .iter()
                        .map(|(project, name)| format!("{project}/{name}"))
                        .collect(),
                },
                automatic: order.automatic,
                complete: left.services == 0,
                services_left: left.services,
                singletons_left: left.singletons,
                reason: order.reason.clone(),
                operation: OperationId(order.operation),
                requested_by: order.by.clone(),
                requested_at: order.at,
            }),
            failback,
            services,
            assigned_replicas,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Every registered cluster by name; those whose registration isn't through are left out.
pub async fn all(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Phase.ne(REGISTERING))
        .order_by_asc(Column::Name)
        .all(connection)
        .await
}

/// As [`all`], for a change: nobody else changes the rows until the transaction ends.
pub async fn all_locked(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Phase.ne(REGISTERING))
        .order_by_asc(Column::Name)
        .lock_exclusive()
        .all(connection)
        .await
}

pub async fn find(connection: &impl Connection, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Name.eq(name))
        .filter(Column::Phase.ne(REGISTERING))
        .one(connection)
        .await
}

/// For a change: nobody else changes the row until the transaction ends.
pub async fn find_locked(connection: &impl Connection, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Name.eq(name))
        .filter(Column::Phase.ne(REGISTERING))
        .lock_exclusive()
        .one(connection)
        .await
}

pub async fn find_by_id(connection: &impl Connection, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(connection).await
}

pub async fn find_by_id_locked(connection: &impl Connection, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(connection).await
}

/// Rows whose registration began before `before` and never ended.
pub async fn half_registered(
    connection: &impl Connection,
    before: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Phase.eq(REGISTERING))
        .filter(Column::CreatedAt.lt(before))
        .all(connection)
        .await
}

pub async fn insert(connection: &impl Connection, model: Model) -> Result<(), DbErr> {
    super::insert::<Entity>(connection, model).await
}

pub async fn save(connection: &impl Connection, model: &Model) -> Result<(), DbErr> {
    super::save::<Entity>(connection, model).await
}

pub async fn delete(connection: &impl Connection, id: Uuid) -> Result<u64, DbErr> {
    Ok(Entity::delete_by_id(id).exec(connection).await?.rows_affected)
}
