//! What evacuations moved off clusters, so that it can move back.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{FromQueryResult, QueryOrder as _, QuerySelect as _};

use crate::db::{Connection, assignments, put, services};

/// A service that left a cluster.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "departures")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    /// What the cluster held of it.
    pub replicas: i32,
    /// What the cluster will hold once what moves back now is there.
    pub returns_to: Option<i32>,
    pub at: DateTime<Utc>,
    /// Somebody stopped moving it back: it doesn't begin again by itself.
    pub stopped: bool,
}

impl ActiveModelBehavior for ActiveModel {}

/// What is away from a cluster of one environment.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Sum {
    pub cluster_id: Uuid,
    pub project: String,
    pub environment: String,
    pub services: i64,
    pub replicas: i64,
    /// Services of which nobody stopped it.
    pub unstopped: i64,
}

/// What left and is not back, by cluster and environment.
pub async fn sums(connection: &impl Connection) -> Result<Vec<Sum>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::ClusterId)
        .column(services::Column::Project)
        .column(services::Column::Environment)
        .column_as(Column::ServiceId.count(), "services")
        .column_as(
            Expr::cust("CAST(SUM(departures.replicas - COALESCE(assignments.replicas, 0)) AS BIGINT)"),
            "replicas",
        )
        .column_as(
            Expr::cust("CAST(SUM(CASE WHEN departures.stopped THEN 0 ELSE 1 END) AS BIGINT)"),
            "unstopped",
        )
        .join(
            sea_orm::JoinType::InnerJoin,
            Entity::belongs_to(services::Entity)
                .from(Column::ServiceId)
                .to(services::Column::Id)
                .into(),
        )
        .join(
            sea_orm::JoinType::LeftJoin,
            Entity::belongs_to(assignments::Entity)
                .from((Column::ClusterId, Column::ServiceId))
                .to((assignments::Column::ClusterId, assignments::Column::ServiceId))
                .into(),
        )
        .filter(Expr::cust(
            "departures.replicas > COALESCE(assignments.replicas, 0)",
        ))
        .filter(services::Column::Deleting.eq(false))
        .group_by(Column::ClusterId)
        .group_by(services::Column::Project)
        .group_by(services::Column::Environment)
        .order_by_asc(services::Column::Project)
        .order_by_asc(services::Column::Environment)
        .into_model::<Sum>()
        .all(connection)
        .await
}

/// Nothing of an environment moves back to a cluster yet.
pub async fn rest(
    connection: &impl Connection,
    cluster_id: Uuid,
    project: &str,
    environment: &str,
) -> Result<(), DbErr> {
    let own = Query::select()
        .column(services::Column::Id)
        .from(services::Entity)
        .and_where(services::Column::Project.eq(project))
        .and_where(services::Column::Environment.eq(environment))
        .to_owned();
    Entity::update_many()
        .col_expr(Column::ReturnsTo, Expr::value(None::<i32>))
        .filter(Column::ClusterId.eq(cluster_id))
        .filter(Column::ServiceId.in_subquery(own))
        .exec(connection)
        .await
        .map(drop)
}

/// Notes that somebody stopped moving back to a cluster.
pub async fn stop(connection: &impl Connection, cluster_id: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Stopped, Expr::value(true))
        .filter(Column::ClusterId.eq(cluster_id))
        .exec(connection)
        .await
        .map(drop)
}

pub async fn of_cluster(connection: &impl Connection, cluster_id: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ClusterId.eq(cluster_id))
        .order_by_asc(Column::ServiceId)
        .all(connection)
        .await
}

/// Keeps what a cluster holds as it is about to leave. What left earlier and did not return stays known.
pub async fn note(
    connection: &impl Connection,
    cluster_id: Uuid,
    leaving: &[(Uuid, i32)],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let known = of_cluster(connection, cluster_id).await?;
    let rows: Vec<Model> = leaving
        .iter()
        .map(|(service_id, replicas)| {
            let earlier = known
                .binary_search_by_key(service_id, |row| row.service_id)
                .map_or(0, |index| known[index].replicas);
            Model {
                cluster_id,
                service_id: *service_id,
                replicas: earlier.max(*replicas),
                returns_to: None,
                at: now,
                stopped: false,
            }
        })
        .collect();
    put::<Entity>(connection, &rows).await
}

pub async fn save_all(connection: &impl Connection, rows: &[Model]) -> Result<(), DbErr> {
    put::<Entity>(connection, rows).await
}

pub async fn delete(connection: &impl Connection, cluster_id: Uuid, service_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id((cluster_id, service_id))
        .exec(connection)
        .await
        .map(drop)
}

pub async fn delete_of_cluster(connection: &impl Connection, cluster_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ClusterId.eq(cluster_id))
        .exec(connection)
        .await
        .map(drop)
}

pub async fn delete_of_service(connection: &impl Connection, service_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ServiceId.eq(service_id))
        .exec(connection)
        .await
        .map(drop)
}

/// Forgets what left long ago.
pub async fn trim(connection: &impl Connection, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let trimmed = Entity::delete_many()
        .filter(Column::At.lt(before))
        .exec(connection)
        .await?;
    Ok(trimmed.rows_affected)
}
