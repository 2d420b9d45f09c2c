//! Claims of storage that were last seen on clusters: a mirror of ipaas's view, by names, since claims outlive services.

use chrono::{DateTime, Utc};
use sea_orm::Condition;
use sea_orm::entity::prelude::*;

use crate::db::columns::StoredClaim;
use crate::db::{CHUNK, Connection};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "claims")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub project: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub environment: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub service: String,
    /// Of the service that had this name last; one of its own where there never was one.
    pub service_id: Uuid,
    #[sea_orm(column_type = "Json")]
    pub claim: StoredClaim,
    pub changed_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// Cluster, project, environment and name.
pub type Key = (Uuid, String, String, String);

impl Model {
    #[must_use]
    pub fn key(&self) -> Key {
        (
            self.cluster_id,
            self.project.clone(),
            self.environment.clone(),
            self.name.clone(),
        )
    }

    /// What it takes: what it got, or what it asks for where nothing was given yet.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let claim = &self.claim.0;
        claim.capacity_bytes.unwrap_or(claim.requested_bytes)
    }
}

pub async fn find(connection: &impl Connection, key: Key) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(key).one(connection).await
}

pub async fn all(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(connection).await
}

pub async fn of_environment(
    connection: &impl Connection,
    project: &str,
    environment: &str,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Project.eq(project))
        .filter(Column::Environment.eq(environment))
        .all(connection)
        .await
}

pub async fn of_service(
    connection: &impl Connection,
    project: &str,
    environment: &str,
    service: &str,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Project.eq(project))
        .filter(Column::Environment.eq(environment))
        .filter(Column::Service.eq(service))
        .all(connection)
        .await
}

pub async fn of_project(connection: &impl Connection, project: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Project.eq(project))
        .all(connection)
        .await
}

pub async fn of_cluster(connection: &impl Connection, cluster_id: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ClusterId.eq(cluster_id))
        .all(connection)
        .await
}

pub async fn delete(connection: &impl Connection, keys: &[Key]) -> Result<(), DbErr> {
    for chunk in keys.chunks(CHUNK / 4) {
        let any = chunk.iter().fold(
            Condition::any(),
            |condition, (cluster, project, environment, name)| {
                condition.add(
                    Condition::all()
                        .add(Column::ClusterId.eq(*cluster))
                        .add(Column::Project.eq(project))
                        .add(Column::Environment.eq(environment))
                        .add(Column::Name.eq(name)),
                )
            },
        );
        Entity::delete_many().filter(any).exec(connection).await?;
    }
    Ok(())
}

pub async fn delete_of_cluster(connection: &impl Connection, cluster_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ClusterId.eq(cluster_id))
        .exec(connection)
        .await
        .map(drop)
}
