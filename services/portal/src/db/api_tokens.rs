//! API tokens of machines. Only a digest of the secret is kept.

use api_types::access::{ApiToken, Grant};
use api_types::common::{TokenId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder as _, QuerySelect as _};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub name: String,
    /// SHA-256 of the secret in hex.
    #[sea_orm(unique)]
    pub digest: String,
    /// The grant that it holds at most, as JSON; null: all that its user holds.
    pub scope: Option<Json>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What it may do at most.
    ///
    /// # Errors
    /// A grant that a newer version wrote and this one doesn't know: such a token may do nothing.
    pub fn most(&self) -> Result<Option<Grant>, serde_json::Error> {
        self.scope.clone().map(serde_json::from_value).transpose()
    }

    /// As the API shows it, under its user's name.
    #[must_use]
    pub fn shown(self, user: &str) -> ApiToken {
        ApiToken {
            grant: self.most().ok().flatten(),
            id: self.id.into(),
            name: self.name,
            user: user.to_owned(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
        }
    }
}

pub async fn insert(database: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(row.id),
        user_id: Set(row.user_id),
        name: Set(row.name),
        digest: Set(row.digest),
        scope: Set(row.scope),
        created_at: Set(row.created_at),
        expires_at: Set(row.expires_at),
        last_used_at: Set(row.last_used_at),
    };
    Entity::insert(row)
        .exec_without_returning(database)
        .await
        .map(drop)
}

pub async fn find(database: &impl ConnectionTrait, id: TokenId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id.0).one(database).await
}

pub async fn find_by_digest(database: &impl ConnectionTrait, digest: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Digest.eq(digest))
        .one(database)
        .await
}

pub async fn touch(database: &impl ConnectionTrait, id: Uuid, used_at: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(used_at))
        .filter(Column::Id.eq(id))
        .exec(database)
        .await
        .map(drop)
}

pub async fn delete(database: &impl ConnectionTrait, id: TokenId) -> Result<(), DbErr> {
    Entity::delete_by_id(id.0).exec(database).await.map(drop)
}

pub async fn delete_of(database: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user.0))
        .exec(database)
        .await
        .map(drop)
}

pub async fn count(database: &impl ConnectionTrait, user: UserId) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user.0))
        .count(database)
        .await
}

/// A user's tokens, newest first, at most `limit` after the place `after`.
pub async fn list(
    database: &impl ConnectionTrait,
    user: UserId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut select = Entity::find().filter(Column::UserId.eq(user.0));
    if let Some(after) = after {
        select = select.filter(Column::Id.lt(after));
    }
    select.order_by_desc(Column::Id).limit(limit).all(database).await
}
