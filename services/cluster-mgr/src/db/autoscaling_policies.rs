//! Policies of autoscaling, one a service.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::db::columns::StoredPolicy;
use crate::db::{CHUNK, Connection};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "autoscaling_policies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    #[sea_orm(column_type = "Json")]
    pub policy: StoredPolicy,
    /// The service's replicas when this version was set.
    pub start_replicas: i32,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn find(connection: &impl Connection, service_id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(service_id).one(connection).await
}

pub async fn all(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(connection).await
}

/// Those of many services.
pub async fn find_many(connection: &impl Connection, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        found.extend(
            Entity::find()
                .filter(Column::ServiceId.is_in(chunk.iter().copied()))
                .all(connection)
                .await?,
        );
    }
    Ok(found)
}

pub async fn insert(connection: &impl Connection, model: Model) -> Result<(), DbErr> {
    super::insert::<Entity>(connection, model).await
}

pub async fn save(connection: &impl Connection, model: &Model) -> Result<(), DbErr> {
    super::save::<Entity>(connection, model).await
}

pub async fn delete(connection: &impl Connection, service_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(service_id).exec(connection).await.map(drop)
}
