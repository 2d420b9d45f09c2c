//! What was decided about the replicas of services, and why. The next decisions are made of it, too.

use api_types::autoscaling::{AutoscalingDecision, DecisionOutcome};
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

use crate::db::columns::{StoredDecision, word};
use crate::db::{CHUNK, Connection};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "autoscaling_decisions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub at: DateTime<Utc>,
    pub outcome: String,
    /// Metrics that could not be read.
    pub unread: i16,
    #[sea_orm(column_type = "Json")]
    pub decision: StoredDecision,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    #[must_use]
    pub fn of(service_id: Uuid, decision: AutoscalingDecision) -> Self {
        let unread = decision
            .metrics
            .iter()
            .filter(|reading| reading.proposed.is_none())
            .count();
        Self {
            service_id,
            at: decision.at,
            outcome: word(decision.outcome),
            unread: i16::try_from(unread).unwrap_or(i16::MAX),
            decision: StoredDecision(decision),
        }
    }
}

/// Which decisions of a service.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub outcomes: Vec<String>,
}

impl Filter {
    #[must_use]
    pub fn condition(&self, service_id: Uuid) -> Condition {
        let outcomes = (!self.outcomes.is_empty())
            .then(|| Column::Outcome.is_in(self.outcomes.iter().map(String::as_str)));
        Condition::all()
            .add(Column::ServiceId.eq(service_id))
            .add_option(self.from.map(|from| Column::At.gte(from)))
            .add_option(self.to.map(|to| Column::At.lt(to)))
            .add_option(outcomes)
    }
}

/// Newest first.
pub async fn page(
    connection: &impl Connection,
    condition: Condition,
    before: Option<DateTime<Utc>>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(condition.add_option(before.map(|before| Column::At.lt(before))))
        .order_by_desc(Column::At)
        .limit(limit)
        .all(connection)
        .await
}

pub async fn count(connection: &impl Connection, condition: Condition) -> Result<u64, DbErr> {
    Entity::find().filter(condition).count(connection).await
}

pub async fn newest(connection: &impl Connection, service_id: Uuid) -> Result<Option<Model>, DbErr> {
    Ok(page(connection, Filter::default().condition(service_id), None, 1)
        .await?
        .pop())
}

/// How many lacked a metric.
pub async fn count_unread(connection: &impl Connection, service_id: Uuid) -> Result<u64, DbErr> {
    let condition = Filter::default().condition(service_id).add(Column::Unread.gt(0));
    count(connection, condition).await
}

/// All decisions since a time, oldest first.
pub async fn since(connection: &impl Connection, since: DateTime<Utc>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::At.gte(since))
        .order_by_asc(Column::At)
        .all(connection)
        .await
}

pub async fn insert(connection: &impl Connection, models: Vec<Model>) -> Result<(), DbErr> {
    let mut models = models.into_iter().peekable();
    while models.peek().is_some() {
        let chunk = models.by_ref().take(CHUNK).map(Model::into_active_model);
        Entity::insert_many(chunk)
            .exec_without_returning(connection)
            .await?;
    }
    Ok(())
}

pub async fn delete_of(connection: &impl Connection, service_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ServiceId.eq(service_id))
        .exec(connection)
        .await
        .map(drop)
}

/// Forgets decisions that changed nothing and are older than `before`, and all older than `all_before`.
pub async fn trim(
    connection: &impl Connection,
    before: DateTime<Utc>,
    all_before: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let changed = [DecisionOutcome::Scaled, DecisionOutcome::Recorded].map(word);
    let outcome = Entity::delete_many()
        .filter(
            Condition::any().add(Column::At.lt(all_before)).add(
                Condition::all()
                    .add(Column::At.lt(before))
                    .add(Column::Outcome.is_not_in(changed)),
            ),
        )
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}
