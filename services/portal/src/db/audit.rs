//! The record of every change.
//!
//! A row is written before the change is carried out and completed afterwards: one without an
//! outcome is a change of which the end was never learned.

use api_types::audit::{AuditFilter, AuditOutcome, AuditRecord};
use api_types::common::AuditId;
use auth::Visible;
use chrono::{DateTime, Utc};
use platform::time::storable;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, Func, LikeExpr, Query};
use sea_orm::{ActiveValue::Set, Condition, QueryOrder as _, QuerySelect as _, QueryTrait as _};

/// Counting further would read the whole table.
pub const COUNTED_AT_MOST: u64 = 10_000;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// UUIDv7: sorts by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub actor: String,
    pub via: String,
    pub action: String,
    pub method: String,
    pub path: String,
    pub project: Option<String>,
    pub environment: Option<String>,
    pub target: String,
    pub request: Option<Json>,
    pub outcome: String,
    pub status: Option<i32>,
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
    pub request_id: String,
    pub remote_address: String,
    pub duration_ms: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The outcome's name, as in JSON.
#[must_use]
pub fn outcome_name(outcome: AuditOutcome) -> &'static str {
    match outcome {
        AuditOutcome::Unknown => "unknown",
        AuditOutcome::Succeeded => "succeeded",
        AuditOutcome::Refused => "refused",
        AuditOutcome::Failed => "failed",
    }
}

fn outcome_of(name: &str) -> AuditOutcome {
    match name {
        "succeeded" => AuditOutcome::Succeeded,
        "refused" => AuditOutcome::Refused,
        "failed" => AuditOutcome::Failed,
        _ => AuditOutcome::Unknown,
    }
}

impl From<Model> for AuditRecord {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            at: row.at,
            actor: row.actor,
            via: row.via,
            action: row.action,
            method: row.method,
            path: row.path,
            project: row.project,
            environment: row.environment,
            target: row.target,
            request: row.request,
            outcome: outcome_of(&row.outcome),
            status: row.status.and_then(|status| status.try_into().ok()),
            error: row.error,
            request_id: row.request_id,
            remote_address: row.remote_address,
            duration_ms: row.duration_ms,
        }
    }
}

pub async fn insert(database: &impl ConnectionTrait, record: AuditRecord) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(record.id.0),
        at: Set(record.at),
        actor: Set(record.actor),
        via: Set(record.via),
        action: Set(record.action),
        method: Set(record.method),
        path: Set(record.path),
        project: Set(record.project),
        environment: Set(record.environment),
        target: Set(record.target),
        request: Set(record.request),
        outcome: Set(outcome_name(record.outcome).to_owned()),
        status: Set(record.status.map(i32::from)),
        error: Set(record.error),
        request_id: Set(record.request_id),
        remote_address: Set(record.remote_address),
        duration_ms: Set(record.duration_ms),
    };
    Entity::insert(row)
        .exec_without_returning(database)
        .await
        .map(drop)
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub outcome: AuditOutcome,
    pub status: u16,
    pub error: Option<String>,
    pub duration_ms: i64,
}

pub async fn complete(database: &impl ConnectionTrait, id: AuditId, ending: &Ending) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Outcome, Expr::value(outcome_name(ending.outcome)))
        .col_expr(Column::Status, Expr::value(i32::from(ending.status)))
        .col_expr(Column::Error, Expr::value(ending.error.clone()))
        .col_expr(Column::DurationMs, Expr::value(ending.duration_ms))
        .filter(Column::Id.eq(id.0))
        .exec(database)
        .await
        .map(drop)
}

/// A `LIKE` pattern that finds `text` anywhere, in lower case, its own wildcards taken literally.
pub(super) fn contains(text: &str) -> LikeExpr {
    LikeExpr::new(format!("%{}%", literal(&text.to_lowercase()))).escape('\\')
}

/// The same at the beginning, in the case that it is in.
pub(super) fn begins(text: &str) -> LikeExpr {
    LikeExpr::new(format!("{}%", literal(text))).escape('\\')
}

fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// Newest first, at most `limit` after the place `after`, of what may be seen.
pub async fn read(
    database: &impl ConnectionTrait,
    filter: &AuditFilter,
    text: Option<&str>,
    visible: &Visible,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<AuditRecord>, DbErr> {
    let mut select = matching(filter, text, visible);
    if let Some(after) = after {
        select = select.filter(Column::Id.lt(after));
    }
    let rows = select
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(database)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many there are of what may be seen, counted up to `bound`.
pub async fn count(
    database: &impl ConnectionTrait,
    filter: &AuditFilter,
    text: Option<&str>,
    visible: &Visible,
    bound: u64,
) -> Result<u64, DbErr> {
    let counted = Query::select()
        .expr(Func::count(Expr::val(1)))
        .from_subquery(
            matching(filter, text, visible)
                .select_only()
                .column(Column::Id)
                .limit(bound)
                .into_query(),
            "counted",
        )
        .to_owned();
    Ok(match database.query_one(&counted).await? {
        Some(row) => row.try_get_by_index::<i64>(0)?.unsigned_abs(),
        None => 0,
    })
}

/// One record, if it may be seen.
pub async fn find(
    database: &impl ConnectionTrait,
    id: AuditId,
    visible: &Visible,
) -> Result<Option<AuditRecord>, DbErr> {
    let row = Entity::find_by_id(id.0)
        .filter(seen(visible))
        .one(database)
        .await?;
    Ok(row.map(Into::into))
}

/// What was begun at `since` or later by the ids' own time, oldest first, at most `limit`.
pub async fn since(
    database: &impl ConnectionTrait,
    since: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<AuditRecord>, DbErr> {
    let rows = Entity::find()
        .filter(Column::Id.gte(first_id(since)))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(database)
        .await?;
    Ok(rows.into_iter().rev().map(Into::into).collect())
}

/// Removes records from before `before` with their objects; returns how many.
pub async fn delete_old(database: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let last = first_id(before);
    super::audit_objects::delete_up_to(database, last).await?;
    let outcome = Entity::delete_many()
        .filter(Column::Id.lt(last))
        .exec(database)
        .await?;
    Ok(outcome.rows_affected)
}

/// The smallest id that can have been made at a time.
fn first_id(at: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(milliseconds << 80)
}

fn matching(filter: &AuditFilter, text: Option<&str>, visible: &Visible) -> Select<Entity> {
    Entity::find()
        .filter(condition(filter, text))
        .filter(seen(visible))
}

fn condition(filter: &AuditFilter, text: Option<&str>) -> Condition {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let mut all = Condition::all()
        .add_option(given(&filter.actor).map(|actor| Column::Actor.eq(actor)))
        .add_option(given(&filter.action).map(|action| Column::Action.eq(action)))
        .add_option(given(&filter.project).map(|project| Column::Project.eq(project)))
        .add_option(given(&filter.environment).map(|environment| Column::Environment.eq(environment)))
        .add_option(given(&filter.target).map(|target| {
            Condition::any()
                .add(Column::Target.eq(target.as_str()))
                .add(Expr::col(Column::Target).like(begins(&format!("{target}/"))))
        }))
        .add_option(filter.since.map(|since| Column::At.gte(storable(since))))
        .add_option(filter.until.map(|until| Column::At.lt(storable(until))));
    if let Some(outcomes) = given(&filter.outcome) {
        all = all.add(Column::Outcome.is_in(outcomes.split(',').map(|one| one.trim().to_owned())));
    }
    if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
        let mut any = Condition::any();
        for column in [
            Column::Actor,
            Column::Action,
            Column::Path,
            Column::Target,
            Column::Error,
        ] {
            any = any.add(Func::lower(Expr::col(column)).like(contains(text)));
        }
        all = all.add(any.add(Column::RequestId.eq(text)));
    }
    all
}

fn seen(visible: &Visible) -> Condition {
    match visible {
        Visible::Everything => Condition::all(),
        Visible::Only(places) => {
            let mut any = Condition::any().add(Expr::val(1).eq(0));
            for (project, environment) in places {
                any = any.add(
                    Condition::all()
                        .add(Column::Project.eq(project))
                        .add_option(environment.as_ref().map(|own| Column::Environment.eq(own))),
                );
            }
            any
        }
    }
}
