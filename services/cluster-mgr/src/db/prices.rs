//! What an hour of a unit costs: a row for each time that somebody set it. In millionths of the currency's unit.

use chrono::{DateTime, Utc};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

use crate::db::Connection;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "price_changes")]
pub struct Model {
    /// From 1 on; who writes one that is there already was overtaken.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// The first hour that it is for, since 1970.
    pub from_hour: i64,
    pub currency: String,
    pub cpu_core_hour: Option<i64>,
    pub memory_gib_hour: Option<i64>,
    pub gpu_hour: Option<i64>,
    pub storage_gib_hour: Option<i64>,
    pub set_at: DateTime<Utc>,
    pub set_by: String,
}

impl ActiveModelBehavior for ActiveModel {}

/// All of them, in the order in which they were set.
pub async fn all(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Version).all(connection).await
}

pub async fn insert(connection: &impl Connection, model: Model) -> Result<(), DbErr> {
    super::insert::<Entity>(connection, model).await
}
