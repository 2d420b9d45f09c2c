//! Counts of failed sign-ins, shared by all replicas.

use api_types::access::SignInLock;
use api_types::common::LockId;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, Func, OnConflict};
use sea_orm::{ActiveValue::Set, Condition, QueryOrder as _, QuerySelect as _};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_failures")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Name and address, or the address alone.
    #[sea_orm(unique)]
    pub key: String,
    pub name: Option<String>,
    pub address: String,
    pub failures: i32,
    pub last_at: DateTime<Utc>,
    pub closed_until: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for SignInLock {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            address: row.address,
            failures: row.failures.unsigned_abs(),
            last_at: row.last_at,
            closed_until: row.closed_until,
        }
    }
}

/// The count as it is, or `fresh` when there is none; nobody else reads it for a change until the
/// transaction ends.
pub async fn lock(database: &impl ConnectionTrait, fresh: Model) -> Result<Model, DbErr> {
    let key = fresh.key.clone();
    let row = ActiveModel {
        key: Set(fresh.key.clone()),
        id: Set(fresh.id),
        name: Set(fresh.name.clone()),
        address: Set(fresh.address.clone()),
        failures: Set(fresh.failures),
        last_at: Set(fresh.last_at),
        closed_until: Set(fresh.closed_until),
    };
    // Writing the key over itself takes the row's lock, whether it was there or not.
    Entity::insert(row)
        .on_conflict(
            OnConflict::column(Column::Key)
                .update_column(Column::Key)
                .to_owned(),
        )
        .exec_without_returning(database)
        .await?;
    let row = Entity::find().filter(Column::Key.eq(key)).one(database).await?;
    Ok(row.unwrap_or(fresh))
}

pub async fn update(database: &impl ConnectionTrait, row: &Model) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Failures, Expr::value(row.failures))
        .col_expr(Column::LastAt, Expr::value(row.last_at))
        .col_expr(Column::ClosedUntil, Expr::value(row.closed_until))
        .filter(Column::Key.eq(row.key.as_str()))
        .exec(database)
        .await
        .map(drop)
}

pub async fn delete(database: &impl ConnectionTrait, key: &str) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::Key.eq(key))
        .exec(database)
        .await
        .map(drop)
}

/// Whether there was one.
pub async fn delete_by_id(database: &impl ConnectionTrait, id: LockId) -> Result<bool, DbErr> {
    let outcome = Entity::delete_by_id(id.0).exec(database).await?;
    Ok(outcome.rows_affected > 0)
}

/// Forgets what was last tried before `before`; returns how many.
pub async fn delete_old(database: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::LastAt.lt(before))
        .exec(database)
        .await?;
    Ok(outcome.rows_affected)
}

/// What is closed at `now`, newest first, at most `limit` after the place `after`, and how many.
pub async fn list(
    database: &impl ConnectionTrait,
    now: DateTime<Utc>,
    text: Option<&str>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<(Vec<SignInLock>, u64), DbErr> {
    let mut select = Entity::find().filter(Column::ClosedUntil.gt(now));
    if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
        let pattern = super::audit::contains(text);
        select = select.filter(
            Condition::any()
                .add(Func::lower(Expr::col(Column::Name)).like(pattern.clone()))
                .add(Expr::col(Column::Address).like(pattern)),
        );
    }
    let total = select.clone().count(database).await?;
    if let Some(after) = after {
        select = select.filter(Column::Id.lt(after));
    }
    let rows = select
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(database)
        .await?;
    Ok((rows.into_iter().map(Into::into).collect(), total))
}
