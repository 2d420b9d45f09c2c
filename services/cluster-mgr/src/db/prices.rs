//! What an hour of a unit costs: one row, once somebody set prices. In millionths of the currency's unit.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QuerySelect as _};

use crate::db::Connection;

/// The id of the one row.
pub const ONE: i32 = 1;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "prices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub currency: String,
    pub cpu_core_hour: Option<i64>,
    pub memory_gib_hour: Option<i64>,
    pub version: i64,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn find(connection: &impl Connection) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(ONE).one(connection).await
}

/// For a change: nobody else changes the row until the transaction ends.
pub async fn find_locked(connection: &impl Connection) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(ONE).lock_exclusive().one(connection).await
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
