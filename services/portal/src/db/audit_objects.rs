//! What changes were made on, as it was and as it became.

use api_types::common::AuditId;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_objects")]
pub struct Model {
    /// Of the record.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub before: Option<Json>,
    pub after: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}

/// Writes both, over what was there.
pub async fn put(
    database: &impl ConnectionTrait,
    id: AuditId,
    before: Option<Json>,
    after: Option<Json>,
) -> Result<(), DbErr> {
    let row = Model {
        id: id.0,
        before,
        after,
    };
    platform::database::put::<Entity>(database, &[row]).await
}

pub async fn delete(database: &impl ConnectionTrait, id: AuditId) -> Result<(), DbErr> {
    Entity::delete_by_id(id.0).exec(database).await.map(drop)
}

pub async fn find(database: &impl ConnectionTrait, id: AuditId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id.0).one(database).await
}

/// Those of some records, in no order.
pub async fn find_all(database: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(database).await
}

/// Removes those of records up to `last`.
pub async fn delete_up_to(database: &impl ConnectionTrait, last: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::Id.lte(last))
        .exec(database)
        .await
        .map(drop)
}
