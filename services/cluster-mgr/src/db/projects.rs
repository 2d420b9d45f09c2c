//! Projects.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

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
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

impl ActiveModelBehavior for ActiveModel {}

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
    Entity::insert(model.into_active_model())
        .exec_without_returning(connection)
        .await
        .map(drop)
}

pub async fn save(connection: &impl Connection, model: &Model) -> Result<(), DbErr> {
    Entity::update(model.clone().into_active_model().reset_all())
        .exec(connection)
        .await
        .map(drop)
}

pub async fn delete(connection: &impl Connection, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(connection).await.map(drop)
}
