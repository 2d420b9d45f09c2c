//! What was left on each cluster at the last apply of each service.

use std::collections::BTreeMap;

use api_types::common::ClusterId;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::app::fields::Fields;
use crate::app::names::ServiceKey;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "applied_workloads")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub project: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub environment: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service: String,
    pub spec_hash: String,
    /// Our fields of each object: `{"Deployment/web": {"spec.replicas": "digest"}}`.
    pub objects: Json,
    pub applied_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What an apply left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub key: ServiceKey,
    pub spec_hash: String,
    /// By `Deployment/web`.
    pub objects: BTreeMap<String, Fields>,
}

impl TryFrom<Model> for Applied {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        Ok(Self {
            key: ServiceKey {
                project: row.project,
                environment: row.environment,
                service: row.service,
            },
            spec_hash: row.spec_hash,
            objects: serde_json::from_value(row.objects).map_err(|error| DbErr::Json(error.to_string()))?,
        })
    }
}

/// Everything that was left on a cluster.
pub async fn list(database: &DatabaseConnection, cluster: ClusterId) -> Result<Vec<Applied>, DbErr> {
    Entity::find()
        .filter(Column::ClusterId.eq(cluster.0))
        .all(database)
        .await?
        .into_iter()
        .map(Applied::try_from)
        .collect()
}

pub async fn find(
    database: &DatabaseConnection,
    cluster: ClusterId,
    key: &ServiceKey,
) -> Result<Option<Applied>, DbErr> {
    Entity::find_by_id(identity(cluster, key))
        .one(database)
        .await?
        .map(Applied::try_from)
        .transpose()
}

pub async fn put(
    database: &DatabaseConnection,
    cluster: ClusterId,
    applied: &Applied,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = Model {
        cluster_id: cluster.0,
        project: applied.key.project.clone(),
        environment: applied.key.environment.clone(),
        service: applied.key.service.clone(),
        spec_hash: applied.spec_hash.clone(),
        objects: serde_json::to_value(&applied.objects).map_err(|error| DbErr::Json(error.to_string()))?,
        applied_at: at,
    };
    platform::database::put::<Entity>(database, &[row]).await
}

pub async fn delete(
    database: &DatabaseConnection,
    cluster: ClusterId,
    key: &ServiceKey,
) -> Result<(), DbErr> {
    Entity::delete_by_id(identity(cluster, key))
        .exec(database)
        .await
        .map(drop)
}

/// Forgets everything about a cluster.
pub async fn delete_all(database: &impl ConnectionTrait, cluster: ClusterId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ClusterId.eq(cluster.0))
        .exec(database)
        .await
        .map(drop)
}

fn identity(cluster: ClusterId, key: &ServiceKey) -> (Uuid, String, String, String) {
    (
        cluster.0,
        key.project.clone(),
        key.environment.clone(),
        key.service.clone(),
    )
}
