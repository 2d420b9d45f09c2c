//! Revisions: immutable once written.

use api_types::services::RevisionSummary;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

use crate::db::columns::{Names, StoredSpec};
use crate::db::{CHUNK, Connection};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "revisions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    #[sea_orm(column_type = "Json")]
    pub spec: StoredSpec,
    pub image: String,
    pub comment: String,
    /// Parts that differ from the revision before.
    #[sea_orm(column_type = "Json")]
    pub changed: Names,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    #[must_use]
    pub fn to_summary(&self, current: i64) -> RevisionSummary {
        RevisionSummary {
            number: self.number,
            image: self.image.clone(),
            comment: self.comment.clone(),
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            current: self.number == current,
            changed: self.changed.0.clone(),
        }
    }
}

pub async fn find(
    connection: &impl Connection,
    service_id: Uuid,
    number: i64,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id((service_id, number)).one(connection).await
}

/// The revisions before `before`, newest first.
pub async fn page(
    connection: &impl Connection,
    service_id: Uuid,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().filter(Column::ServiceId.eq(service_id));
    if let Some(before) = before {
        query = query.filter(Column::Number.lt(before));
    }
    query
        .order_by_desc(Column::Number)
        .limit(limit)
        .all(connection)
        .await
}

/// Particular revisions of many services at once.
pub async fn find_many(connection: &impl Connection, keys: &[(Uuid, i64)]) -> Result<Vec<Model>, DbErr> {
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(CHUNK / 2) {
        let any = chunk
            .iter()
            .fold(Condition::any(), |condition, (service_id, number)| {
                condition.add(
                    Condition::all()
                        .add(Column::ServiceId.eq(*service_id))
                        .add(Column::Number.eq(*number)),
                )
            });
        found.extend(Entity::find().filter(any).all(connection).await?);
    }
    Ok(found)
}

pub async fn insert(connection: &impl Connection, model: Model) -> Result<(), DbErr> {
    super::insert::<Entity>(connection, model).await
}

pub async fn delete_of(connection: &impl Connection, service_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ServiceId.eq(service_id))
        .exec(connection)
        .await
        .map(drop)
}
