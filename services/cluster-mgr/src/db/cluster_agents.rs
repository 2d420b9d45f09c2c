//! The agents inside the clusters: each one's token, as a digest, and what it said last.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::db::{Connection, put};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cluster_agents")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    pub token_digest: String,
    pub issued_by: String,
    pub issued_at: DateTime<Utc>,
    /// When it last said anything.
    pub heard_at: Option<DateTime<Utc>>,
    /// When it last renewed its Lease, by our clock.
    pub renewed_at: Option<DateTime<Utc>>,
    /// Why it could not renew it just now.
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn find(connection: &impl Connection, cluster_id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(cluster_id).one(connection).await
}

/// Every agent, by its cluster.
pub async fn all(connection: &impl Connection) -> Result<HashMap<Uuid, Model>, DbErr> {
    let rows = Entity::find().all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.cluster_id, row)).collect())
}

/// Takes the place of the agent that the cluster had.
pub async fn replace(connection: &impl Connection, model: Model) -> Result<(), DbErr> {
    put::<Entity>(connection, &[model]).await
}

/// Writes down what an agent said; not when its token was replaced meanwhile.
pub async fn hear(connection: &impl Connection, model: Model) -> Result<bool, DbErr> {
    let outcome = Entity::update_many()
        .filter(Column::ClusterId.eq(model.cluster_id))
        .filter(Column::TokenDigest.eq(model.token_digest.as_str()))
        .set(ActiveModel {
            heard_at: sea_orm::Set(model.heard_at),
            renewed_at: sea_orm::Set(model.renewed_at),
            error: sea_orm::Set(model.error),
            ..Default::default()
        })
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected > 0)
}

pub async fn delete(connection: &impl Connection, cluster_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(cluster_id).exec(connection).await.map(drop)
}
