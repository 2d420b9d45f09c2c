//! Who changed which fields at which version, so that the second of two editors is told what is new.

use chrono::{DateTime, Utc};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

use crate::db::Connection;
use crate::db::columns::Names;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "edits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub object_id: Uuid,
    /// The version that the edit made.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    #[sea_orm(column_type = "Json")]
    pub fields: Names,
    pub edited_by: String,
    pub edited_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn insert(connection: &impl Connection, model: Model) -> Result<(), DbErr> {
    super::insert::<Entity>(connection, model).await
}

/// The edits after a version, oldest first.
pub async fn after(connection: &impl Connection, object_id: Uuid, version: i64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ObjectId.eq(object_id))
        .filter(Column::Version.gt(version))
        .order_by_asc(Column::Version)
        .all(connection)
        .await
}

pub async fn forget(connection: &impl Connection, object_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ObjectId.eq(object_id))
        .exec(connection)
        .await
        .map(drop)
}

/// Nobody edits what they read weeks ago without being told to read again.
pub async fn trim(connection: &impl Connection, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::EditedAt.lt(before))
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}
