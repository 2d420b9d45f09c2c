//! Sessions of the browser. Only a digest of the id is kept: who reads the table can't use one.

use api_types::common::{SessionId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder as _, QuerySelect as _};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// SHA-256 of the id in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// For lists; no secret.
    #[sea_orm(unique)]
    pub public_id: Uuid,
    pub user_id: Uuid,
    pub created_at: DateTime<Utc>,
    /// When it was last known to be in use, to a few minutes.
    pub seen_at: DateTime<Utc>,
    /// Moves on with use, up to a limit counted from `created_at`.
    pub expires_at: DateTime<Utc>,
    pub remote_address: String,
    pub user_agent: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn insert(database: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let row = ActiveModel {
        digest: Set(row.digest),
        public_id: Set(row.public_id),
        user_id: Set(row.user_id),
        created_at: Set(row.created_at),
        seen_at: Set(row.seen_at),
        expires_at: Set(row.expires_at),
        remote_address: Set(row.remote_address),
        user_agent: Set(row.user_agent),
    };
    Entity::insert(row)
        .exec_without_returning(database)
        .await
        .map(drop)
}

pub async fn find(database: &impl ConnectionTrait, digest: &str) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(digest.to_owned()).one(database).await
}

pub async fn find_by_public_id(
    database: &impl ConnectionTrait,
    id: SessionId,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::PublicId.eq(id.0))
        .one(database)
        .await
}

/// A user's sessions that are not over at `now`, newest first, at most `limit` after the place `after`;
/// and how many there are.
pub async fn list(
    database: &impl ConnectionTrait,
    user: UserId,
    now: DateTime<Utc>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<(Vec<Model>, u64), DbErr> {
    let mut select = Entity::find()
        .filter(Column::UserId.eq(user.0))
        .filter(Column::ExpiresAt.gt(now));
    let total = select.clone().count(database).await?;
    if let Some(after) = after {
        select = select.filter(Column::PublicId.lt(after));
    }
    let rows = select
        .order_by_desc(Column::PublicId)
        .limit(limit)
        .all(database)
        .await?;
    Ok((rows, total))
}

/// Notes that a session is in use and moves its end.
pub async fn touch(
    database: &impl ConnectionTrait,
    digest: &str,
    seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::SeenAt, Expr::value(seen_at))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Digest.eq(digest))
        .exec(database)
        .await
        .map(drop)
}

pub async fn delete(database: &impl ConnectionTrait, digest: &str) -> Result<(), DbErr> {
    Entity::delete_by_id(digest.to_owned())
        .exec(database)
        .await
        .map(drop)
}

/// Ends every session of a user but `spared`.
pub async fn delete_of(
    database: &impl ConnectionTrait,
    user: UserId,
    spared: Option<&str>,
) -> Result<(), DbErr> {
    let mut delete = Entity::delete_many().filter(Column::UserId.eq(user.0));
    if let Some(digest) = spared {
        delete = delete.filter(Column::Digest.ne(digest));
    }
    delete.exec(database).await.map(drop)
}

/// Removes the sessions that are over; returns how many.
pub async fn delete_expired(database: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::ExpiresAt.lt(now))
        .exec(database)
        .await?;
    Ok(outcome.rows_affected)
}
