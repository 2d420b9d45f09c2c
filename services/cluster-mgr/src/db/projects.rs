//! Projects.

use api_types::projects::Quota;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::db::Connection;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub quota_cpu_millicores: Option<i64>,
    pub quota_memory_bytes: Option<i64>,
    pub quota_pods: Option<i64>,
    pub quota_gpus: Option<i64>,
    pub quota_storage_bytes: Option<i64>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    #[must_use]
    pub fn quota(&self) -> Quota {
        let limit = |kept: Option<i64>| kept.map(i64::unsigned_abs);
        Quota {
            cpu_millicores: limit(self.quota_cpu_millicores),
            memory_bytes: limit(self.quota_memory_bytes),
            pods: limit(self.quota_pods),
            gpus: limit(self.quota_gpus),
            storage_bytes: limit(self.quota_storage_bytes),
        }
    }

    pub fn set_quota(&mut self, quota: Quota) {
        let kept = |limit: Option<u64>| limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        self.quota_cpu_millicores = kept(quota.cpu_millicores);
        self.quota_memory_bytes = kept(quota.memory_bytes);
        self.quota_pods = kept(quota.pods);
        self.quota_gpus = kept(quota.gpus);
        self.quota_storage_bytes = kept(quota.storage_bytes);
    }
}

pub async fn all(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Name).all(connection).await
}

pub async fn find(connection: &impl Connection, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Name.eq(name)).one(connection).await
}

/// For a change: nobody else changes the row until the transaction ends.
pub async fn find_locked(connection: &impl Connection, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Name.eq(name))
        .lock_exclusive()
        .one(connection)
        .await
}

pub async fn insert(connection: &impl Connection, model: Model) -> Result<(), DbErr> {
    super::insert::<Entity>(connection, model).await
}

pub async fn save(connection: &impl Connection, model: &Model) -> Result<(), DbErr> {
    super::save::<Entity>(connection, model).await
}

pub async fn delete(connection: &impl Connection, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(connection).await.map(drop)
}
