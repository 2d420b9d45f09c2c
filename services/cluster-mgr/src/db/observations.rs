//! What was last seen of services on clusters: a mirror of ipaas's view, so that every replica reads the
//! same and a restart doesn't turn everything unknown.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QuerySelect as _};

use crate::db::columns::StoredObservation;
use crate::db::{CHUNK, Connection};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "observations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    /// Whether anything of the service is still there.
    pub present: bool,
    /// Of its Deployment; here once more for sums.
    pub replicas: i32,
    #[sea_orm(column_type = "Json")]
    pub observation: StoredObservation,
    pub changed_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn all(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(connection).await
}

/// Service, cluster, replicas and last change of every row.
pub async fn replicas(connection: &impl Connection) -> Result<Vec<(Uuid, Uuid, i32, DateTime<Utc>)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([
            Column::ServiceId,
            Column::ClusterId,
            Column::Replicas,
            Column::ChangedAt,
        ])
        .filter(Column::Present.eq(true))
        .into_tuple()
        .all(connection)
        .await
}

pub async fn of_services(connection: &impl Connection, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let mut found = Vec::new();
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

pub async fn delete(connection: &impl Connection, keys: &[(Uuid, Uuid)]) -> Result<(), DbErr> {
    for chunk in keys.chunks(CHUNK / 2) {
        let any = chunk
            .iter()
            .fold(Condition::any(), |condition, (service, cluster)| {
                condition.add(
                    Condition::all()
                        .add(Column::ServiceId.eq(*service))
                        .add(Column::ClusterId.eq(*cluster)),
                )
            });
        Entity::delete_many().filter(any).exec(connection).await?;
    }
    Ok(())
}

pub async fn delete_of_service(connection: &impl Connection, service_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ServiceId.eq(service_id))
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
