//! How far each cluster was counted.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;

use crate::db::{Connection, clusters};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "metering")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    /// Seconds since 1970.
    pub counted_until: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn all(connection: &impl Connection) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(connection).await
}

/// Forgets clusters that are gone.
pub async fn trim(connection: &impl Connection) -> Result<u64, DbErr> {
    let there = Query::select()
        .column(clusters::Column::Id)
        .from(clusters::Entity)
        .to_owned();
    let outcome = Entity::delete_many()
        .filter(Column::ClusterId.not_in_subquery(there))
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}
