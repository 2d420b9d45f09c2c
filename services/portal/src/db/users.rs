//! Local users.

use api_types::access::{User, UserFilter};
use api_types::common::UserId;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, Func};
use sea_orm::{ActiveValue::Set, Condition, QueryOrder as _, QuerySelect as _};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Lower case; what they sign in with.
    #[sea_orm(unique)]
    pub name: String,
    pub display_name: String,
    pub email: String,
    pub password_hash: String,
    pub disabled: bool,
    pub must_change_password: bool,
    pub created_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            display_name: row.display_name,
            email: row.email,
            disabled: row.disabled,
            must_change_password: row.must_change_password,
            created_at: row.created_at,
            last_sign_in_at: row.last_sign_in_at,
        }
    }
}

/// The order of a list; names and ids are unique, so each is a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Name,
    Created,
}

pub async fn find(database: &impl ConnectionTrait, id: UserId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id.0).one(database).await
}

pub async fn find_by_name(database: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Name.eq(name)).one(database).await
}

/// Enabled users whose name, or the name that is shown, begins with a text; by name, at most `limit`.
pub async fn beginning(database: &impl ConnectionTrait, text: &str, limit: u64) -> Result<Vec<Model>, DbErr> {
    let pattern = super::audit::begins(&text.to_lowercase());
    let begins = |column: Column| Func::lower(Expr::col((Entity, column))).like(pattern.clone());
    Entity::find()
        .filter(Column::Disabled.eq(false))
        .filter(
            Condition::any()
                .add(begins(Column::Name))
                .add(begins(Column::DisplayName)),
        )
        .order_by_asc(Column::Name)
        .limit(limit)
        .all(database)
        .await
}

/// Whether there is any user at all.
pub async fn any(database: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(Entity::find().one(database).await?.is_some())
}

pub async fn insert(database: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(row.id),
        name: Set(row.name),
        display_name: Set(row.display_name),
        email: Set(row.email),
        password_hash: Set(row.password_hash),
        disabled: Set(row.disabled),
        must_change_password: Set(row.must_change_password),
        created_at: Set(row.created_at),
        last_sign_in_at: Set(row.last_sign_in_at),
    };
    Entity::insert(row)
        .exec_without_returning(database)
        .await
        .map(drop)
}

/// Writes what may change about a user beside the password.
pub async fn update(database: &impl ConnectionTrait, row: &Model) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::DisplayName, Expr::value(row.display_name.clone()))
        .col_expr(Column::Email, Expr::value(row.email.clone()))
        .col_expr(Column::Disabled, Expr::value(row.disabled))
        .filter(Column::Id.eq(row.id))
        .exec(database)
        .await
        .map(drop)
}

pub async fn set_password(
    database: &impl ConnectionTrait,
    id: UserId,
    hash: &str,
    must_change: bool,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(hash))
        .col_expr(Column::MustChangePassword, Expr::value(must_change))
        .filter(Column::Id.eq(id.0))
        .exec(database)
        .await
        .map(drop)
}

pub async fn signed_in(database: &impl ConnectionTrait, id: UserId, at: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastSignInAt, Expr::value(at))
        .filter(Column::Id.eq(id.0))
        .exec(database)
        .await
        .map(drop)
}

/// Removes a user with everything that is theirs.
pub async fn delete(database: &impl ConnectionTrait, id: UserId) -> Result<(), DbErr> {
    Entity::delete_by_id(id.0).exec(database).await.map(drop)
}

/// At most `limit` users after the place `after`, and how many the whole list has.
pub async fn list(
    database: &impl ConnectionTrait,
    filter: &UserFilter,
    text: Option<&str>,
    (order, descending): (Order, bool),
    after: Option<(String, Uuid)>,
    limit: u64,
) -> Result<(Vec<Model>, u64), DbErr> {
    let mut select = Entity::find();
    if let Some(disabled) = filter.disabled {
        select = select.filter(Column::Disabled.eq(disabled));
    }
    if let Some(role) = filter.role {
        select = select.filter(Column::Id.in_subquery(super::bindings::holders(role)));
    }
    if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
        let pattern = super::audit::contains(text);
        let matches = |column: Column| Func::lower(Expr::col((Entity, column))).like(pattern.clone());
        select = select.filter(
            Condition::any()
                .add(matches(Column::Name))
                .add(matches(Column::DisplayName))
                .add(matches(Column::Email)),
        );
    }
    let total = select.clone().count(database).await?;
    if let Some((name, id)) = after {
        select = select.filter(match (order, descending) {
            (Order::Name, false) => Column::Name.gt(name),
            (Order::Name, true) => Column::Name.lt(name),
            (Order::Created, false) => Column::Id.gt(id),
            (Order::Created, true) => Column::Id.lt(id),
        });
    }
    let column = match order {
        Order::Name => Column::Name,
        Order::Created => Column::Id,
    };
    let select = if descending {
        select.order_by_desc(column)
    } else {
        select.order_by_asc(column)
    };
    Ok((select.limit(limit).all(database).await?, total))
}
