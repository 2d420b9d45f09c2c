//! Assignments: how many replicas of a service a cluster holds, and how far that is carried out.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait as _, Query, SelectStatement};
use sea_orm::{Condition, FromQueryResult, QueryOrder as _, QuerySelect as _};

use crate::db::clusters::Scope;
use crate::db::columns::{StoredPlacement, StoredReason, StoredRisk};
use crate::db::{CHUNK, Connection, services};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "assignments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    /// What was decided; 0 when the service goes from this cluster.
    pub replicas: i32,
    #[sea_orm(column_type = "Json")]
    pub reason: StoredReason,
    pub decided_at: DateTime<Utc>,
    /// Grows with every decision about this place.
    pub epoch: i64,
    /// What this place keeps until the places that take over from it are ready; 0 when nothing waits.
    pub hold: i32,
    /// Somebody accepted that a singleton may still run here, as long as the cluster doesn't answer.
    #[sea_orm(column_type = "Json", nullable)]
    pub accepted_risk: Option<StoredRisk>,
    /// When ipaas carried the removal out; the row goes once a later look finds nothing.
    pub removed_at: Option<DateTime<Utc>>,
    /// Digest of the desired state that ipaas applied last.
    pub applied_hash: Option<String>,
    pub applied_at: Option<DateTime<Utc>>,
    /// The desired state that the error below is about.
    pub failed_hash: Option<String>,
    pub error_code: Option<String>,
    pub error: Option<String>,
    /// The error won't go by itself.
    pub refused: bool,
    pub attempts: i32,
    pub retry_at: Option<DateTime<Utc>>,
    /// When drift was last put right, and what it was.
    pub drift_at: Option<DateTime<Utc>>,
    pub drift: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Replicas that the cluster is to run now.
    #[must_use]
    pub fn wanted_now(&self) -> u32 {
        Ord::max(self.replicas, self.hold).unsigned_abs()
    }

    /// Forgets what went wrong, for a new try.
    pub fn clear_error(&mut self) {
        self.failed_hash = None;
        self.error_code = None;
        self.error = None;
        self.refused = false;
        self.attempts = 0;
        self.retry_at = None;
    }
}

pub async fn of_services(connection: &impl Connection, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    find_many(connection, ids, false).await
}

/// Those of many services; `locked` when they are going to be changed.
pub async fn find_many(
    connection: &impl Connection,
    ids: &[Uuid],
    locked: bool,
) -> Result<Vec<Model>, DbErr> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let query = Entity::find()
            .filter(Column::ServiceId.is_in(chunk.iter().copied()))
            .order_by_asc(Column::ServiceId)
            .order_by_asc(Column::ClusterId);
        let query = if locked { query.lock_exclusive() } else { query };
        found.extend(query.all(connection).await?);
    }
    Ok(found)
}

pub async fn find_locked(
    connection: &impl Connection,
    service_id: Uuid,
    cluster_id: Uuid,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id((service_id, cluster_id))
        .lock_exclusive()
        .one(connection)
        .await
}

pub async fn count_of_cluster(connection: &impl Connection, cluster_id: Uuid) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::ClusterId.eq(cluster_id))
        .count(connection)
        .await
}

/// Ids of the services that have anything assigned on a cluster.
pub async fn services_on(connection: &impl Connection, cluster_id: Uuid) -> Result<Vec<Uuid>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::ServiceId)
        .filter(Column::ClusterId.eq(cluster_id))
        .into_tuple()
        .all(connection)
        .await
}

/// What is assigned on a cluster in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Load {
    pub cluster_id: Uuid,
    pub services: i64,
    pub replicas: i64,
}

/// Services and replicas by cluster.
pub async fn loads(connection: &impl Connection) -> Result<Vec<Load>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::ClusterId)
        .column_as(Column::ServiceId.count(), "services")
        .column_as(
            Expr::col(Column::Replicas).sum().cast_as(Alias::new("BIGINT")),
            "replicas",
        )
        .filter(Column::Replicas.gt(0))
        .group_by(Column::ClusterId)
        .into_model::<Load>()
        .all(connection)
        .await
}

/// Services within `scope` that an evacuation has not moved off a cluster yet: those with replicas assigned there or held
/// until others took over; with `traces`, also those of which something is still to be removed.
pub async fn count_left(
    connection: &impl Connection,
    cluster_id: Uuid,
    (scope, stored): (&Scope, bool),
    traces: bool,
) -> Result<u64, DbErr> {
    let mut query = Entity::find().filter(Column::ClusterId.eq(cluster_id));
    if !traces {
        query = query.filter(
            Condition::any()
                .add(Column::Replicas.gt(0))
                .add(Column::Hold.gt(0)),
        );
    }
    query.filter(within(scope, stored)).count(connection).await
}

/// How many services with replicas on a cluster stay there with their data when what is in `scope` leaves.
pub async fn count_stored(
    connection: &impl Connection,
    cluster_id: Uuid,
    scope: &Scope,
) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::ClusterId.eq(cluster_id))
        .filter(Column::Replicas.gt(0))
        .filter(within(scope, true))
        .filter(Column::ServiceId.in_subquery(keeping_data()))
        .count(connection)
        .await
}

/// Ids of the services that need what is in their volumes.
fn keeping_data() -> SelectStatement {
    Query::select()
        .column(services::Column::Id)
        .from(services::Entity)
        .and_where(services::Column::KeepsData.eq(true))
        .to_owned()
}

/// Assignments of services within `scope`; those that need their data only where `stored` says so.
fn within(scope: &Scope, stored: bool) -> Condition {
    let moving = if stored {
        Condition::all()
    } else {
        Condition::all().add(Column::ServiceId.not_in_subquery(keeping_data()))
    };
    let Scope::Environments(places) = scope else {
        return moving;
    };
    let environments = places.iter().fold(Condition::any(), |any, (project, name)| {
        any.add(
            Condition::all()
                .add(services::Column::Project.eq(project))
                .add(services::Column::Environment.eq(name)),
        )
    });
    let ids = Query::select()
        .column(services::Column::Id)
        .from(services::Entity)
        .cond_where(environments)
        .to_owned();
    moving.add(Column::ServiceId.in_subquery(ids))
}

/// The services within `scope` that have replicas on a cluster, and those replicas.
pub async fn leaving(
    connection: &impl Connection,
    cluster_id: Uuid,
    scope: &Scope,
    stored: bool,
) -> Result<Vec<(Uuid, i32)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::ServiceId, Column::Replicas])
        .filter(Column::ClusterId.eq(cluster_id))
        .filter(Column::Replicas.gt(0))
        .filter(within(scope, stored))
        .into_tuple()
        .all(connection)
        .await
}

/// Singletons that are to leave a cluster and that nobody accepted a risk for, by path; at most `most`.
pub async fn singletons_left(
    connection: &impl Connection,
    cluster_id: Uuid,
    most: u64,
) -> Result<Vec<String>, DbErr> {
    let rows: Vec<(String, String, String, StoredPlacement)> = Entity::find()
        .select_only()
        .columns([
            services::Column::Project,
            services::Column::Environment,
            services::Column::Name,
            services::Column::Placement,
        ])
        .join(
            sea_orm::JoinType::InnerJoin,
            Entity::belongs_to(services::Entity)
                .from(Column::ServiceId)
                .to(services::Column::Id)
                .into(),
        )
        .filter(Column::ClusterId.eq(cluster_id))
        .filter(Column::Replicas.eq(0))
        .filter(Column::Hold.gt(0))
        .filter(Column::AcceptedRisk.is_null())
        // Few have it, and their placements are read only then.
        .filter(
            Expr::col((services::Entity, services::Column::Placement))
                .cast_as(Alias::new("TEXT"))
                .like("%\"singleton\"%"),
        )
        .order_by_asc(services::Column::Project)
        .order_by_asc(services::Column::Environment)
        .order_by_asc(services::Column::Name)
        .limit(most)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .filter(|(.., placement)| placement.0.singleton)
        .map(|(project, environment, name, _)| format!("{project}/{environment}/{name}"))
        .collect())
}

/// The environments, by project and name, that have anything on a cluster that can leave it by itself.
pub async fn environments_on(
    connection: &impl Connection,
    cluster_id: Uuid,
) -> Result<Vec<(String, String)>, DbErr> {
    Entity::find()
        .select_only()
        .column(services::Column::Project)
        .column(services::Column::Environment)
        .distinct()
        .join(
            sea_orm::JoinType::InnerJoin,
            Entity::belongs_to(services::Entity)
                .from(Column::ServiceId)
                .to(services::Column::Id)
                .into(),
        )
        .filter(Column::ClusterId.eq(cluster_id))
        .filter(Column::Replicas.gt(0))
        .filter(services::Column::KeepsData.eq(false))
        .into_tuple()
        .all(connection)
        .await
}

/// A place of a service, with what it needs a replica; for reservations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Claim {
    pub service_id: Uuid,
    pub cluster_id: Uuid,
    pub replicas: i32,
    pub cpu_millicores: i64,
    pub memory_bytes: i64,
    pub gpus: i32,
}

/// Every place that holds replicas.
pub async fn claims(connection: &impl Connection) -> Result<Vec<Claim>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::ServiceId, Column::ClusterId, Column::Replicas])
        .column_as(
            Expr::col((services::Entity, services::Column::CpuMillicores)),
            "cpu_millicores",
        )
        .column_as(
            Expr::col((services::Entity, services::Column::MemoryBytes)),
            "memory_bytes",
        )
        .column_as(Expr::col((services::Entity, services::Column::Gpus)), "gpus")
        .join(
            sea_orm::JoinType::InnerJoin,
            Entity::belongs_to(services::Entity)
                .from(Column::ServiceId)
                .to(services::Column::Id)
                .into(),
        )
        .filter(Column::Replicas.gt(0))
        .into_model::<Claim>()
        .all(connection)
        .await
}

pub async fn save(connection: &impl Connection, model: &Model) -> Result<(), DbErr> {
    super::save::<Entity>(connection, model).await
}

pub async fn delete(connection: &impl Connection, service_id: Uuid, cluster_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id((service_id, cluster_id))
        .exec(connection)
        .await
        .map(drop)
}
