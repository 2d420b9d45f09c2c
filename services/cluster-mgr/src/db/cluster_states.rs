//! What became of each cluster over time.

use api_types::clusters::{ClusterState, ClusterStateChange};
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::db::Connection;
use crate::db::columns::{read_word, word};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cluster_states")]
pub struct Model {
    /// In the order of time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub cluster_id: Uuid,
    pub state: String,
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn to_change(&self) -> Result<ClusterStateChange, DbErr> {
        Ok(ClusterStateChange {
            state: read_word(&self.state)?,
            reason: self.reason.clone(),
            at: self.at,
        })
    }
}

/// Writes a change down.
pub async fn note(
    connection: &impl Connection,
    cluster_id: Uuid,
    state: ClusterState,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let model = Model {
        id: Uuid::now_v7(),
        cluster_id,
        state: word(state),
        reason: reason.to_owned(),
        at,
    };
    super::insert::<Entity>(connection, model).await
}

/// Newest first, older than `before`.
pub async fn page(
    connection: &impl Connection,
    cluster_id: Uuid,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().filter(Column::ClusterId.eq(cluster_id));
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before));
    }
    query.order_by_desc(Column::Id).limit(limit).all(connection).await
}

pub async fn count(connection: &impl Connection, cluster_id: Uuid) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::ClusterId.eq(cluster_id))
        .count(connection)
        .await
}

pub async fn delete_of(connection: &impl Connection, cluster_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ClusterId.eq(cluster_id))
        .exec(connection)
        .await
        .map(drop)
}

pub async fn trim(connection: &impl Connection, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::At.lt(before))
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}
