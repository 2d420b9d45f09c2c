//! Environments of projects.

use api_types::common::EnvironmentId;
use api_types::projects::{Environment, FailbackPolicy, Failover};
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::db::Connection;
use crate::db::columns::{Names, read_word, word};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "environments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project: String,
    pub name: String,
    pub namespace: String,
    /// By name; every cluster when empty.
    #[sea_orm(column_type = "Json")]
    pub clusters: Names,
    /// Of [`Failover`].
    pub failover: String,
    /// Of `FailbackMode`.
    pub failback: String,
    pub failback_after_minutes: i32,
    pub failback_percent: i32,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn to_environment(&self, services: u64) -> Result<Environment, DbErr> {
        Ok(Environment {
            id: EnvironmentId(self.id),
            project: self.project.clone(),
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            clusters: self.clusters.0.clone(),
            failover: read_word(&self.failover)?,
            failback: self.failback_policy()?,
            services,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    #[must_use]
    pub fn fails_over_by_itself(&self) -> bool {
        self.failover == word(Failover::Automatic)
    }

    pub fn failback_policy(&self) -> Result<FailbackPolicy, DbErr> {
        Ok(FailbackPolicy {
            mode: read_word(&self.failback)?,
            after_minutes: self.failback_after_minutes.max(0).unsigned_abs(),
            percent: self.failback_percent.max(0).unsigned_abs(),
        })
    }

    /// Whether the environment spans a cluster.
    #[must_use]
    pub fn spans(&self, cluster: &str) -> bool {
        self.clusters.0.is_empty() || self.clusters.0.iter().any(|name| name == cluster)
    }
}

pub async fn all(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .order_by_asc(Column::Project)
        .order_by_asc(Column::Name)
        .all(connection)
        .await
}

pub async fn of_project(connection: &impl Connection, project: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Project.eq(project))
        .order_by_asc(Column::Name)
        .all(connection)
        .await
}

pub async fn find(connection: &impl Connection, project: &str, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Project.eq(project))
        .filter(Column::Name.eq(name))
        .one(connection)
        .await
}

/// For a change, or to keep it from being removed while something is put in it.
pub async fn find_locked(
    connection: &impl Connection,
    project: &str,
    name: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Project.eq(project))
        .filter(Column::Name.eq(name))
        .lock_exclusive()
        .one(connection)
        .await
}

pub async fn find_by_namespace(
    connection: &impl Connection,
    namespace: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Namespace.eq(namespace))
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
