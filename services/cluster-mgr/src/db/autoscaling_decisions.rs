//! What was decided about the replicas of services, and why. The next decisions are made of it, too.

use std::collections::BTreeMap;

use api_types::autoscaling::AutoscalingDecision;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
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
    /// A [`Class`].
    pub class: i16,
}

/// How long a decision is worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// As long as other decisions are made of it: within a run of the same, which others stand for.
    Passing = 0,
    /// It stands for a run of decisions that change nothing.
    Telling = 1,
    /// It changed something, or would have.
    Changing = 2,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    #[must_use]
    pub fn of(service_id: Uuid, decision: AutoscalingDecision, class: Class) -> Self {
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
            class: class as i16,
        }
    }

    #[must_use]
    pub fn class(&self) -> Class {
        match self.class {
            0 => Class::Passing,
            1 => Class::Telling,
            _ => Class::Changing,
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

/// Makes passing decisions such as stand for their run.
pub async fn keep(
    connection: &impl Connection,
    decisions: impl IntoIterator<Item = (Uuid, DateTime<Utc>)>,
) -> Result<(), DbErr> {
    // Those of one turn are of one moment.
    let mut by_moment: BTreeMap<DateTime<Utc>, Vec<Uuid>> = BTreeMap::new();
    for (service_id, at) in decisions {
        by_moment.entry(at).or_default().push(service_id);
    }
    for (at, ids) in by_moment {
        for chunk in ids.chunks(CHUNK) {
            Entity::update_many()
                .col_expr(Column::Class, Expr::value(Class::Telling as i16))
                .filter(Column::At.eq(at))
                .filter(Column::ServiceId.is_in(chunk.iter().copied()))
                .exec(connection)
                .await?;
        }
    }
    Ok(())
}

/// Forgets the oldest decisions of a class from before a time: about `most` of them, and all of a moment together. Returns
/// how many; fewer than `most` when none are left.
pub async fn trim(
    connection: &impl Connection,
    class: Class,
    before: DateTime<Utc>,
    most: u64,
) -> Result<u64, DbErr> {
    let old = Condition::all()
        .add(Column::Class.eq(class as i16))
        .add(Column::At.lt(before));
    let last: Option<DateTime<Utc>> = Entity::find()
        .select_only()
        .column(Column::At)
        .filter(old.clone())
        .order_by_asc(Column::At)
        .offset(most)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    let outcome = Entity::delete_many()
        .filter(old.add_option(last.map(|last| Column::At.lte(last))))
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}

#[cfg(test)]
mod tests {
    use api_types::autoscaling::DecisionOutcome;
    use chrono::Duration;
    use test_support::{Backend, TestDatabase};

    use super::*;

    fn row(service_id: Uuid, at: DateTime<Utc>, class: Class) -> Model {
        let decision = AutoscalingDecision {
            at,
            outcome: DecisionOutcome::Kept,
            current: 2,
            ready: 2,
            recommended: 2,
            wanted: 2,
            min_replicas: 1,
            max_replicas: 9,
            schedules: Vec::new(),
            bounds: Vec::new(),
            metrics: Vec::new(),
            message: String::new(),
        };
        Model::of(service_id, decision, class)
    }

    #[tokio::test]
    async fn the_oldest_of_a_class_go_in_batches_and_a_run_keeps_its_end() {
        for backend in Backend::all() {
            let database = TestDatabase::new(backend).await;
            let connection = &database.connection;
            let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
            let moment = |number: i32| start + Duration::seconds(15) * number;
            let services = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
            let all = (0..10).flat_map(|number| {
                let class = if number == 4 {
                    Class::Changing
                } else {
                    Class::Passing
                };
                services.map(|service| row(service, moment(number), class))
            });
            insert(connection, all.collect()).await.unwrap();
            let end = (services[0], moment(3));
            keep(connection, [end]).await.unwrap();
            // Those of a moment together: three of the first, three of the second.
            let trim = |most| trim(connection, Class::Passing, moment(8), most);
            assert_eq!(trim(3).await.unwrap(), 6);
            assert_eq!(trim(100).await.unwrap(), 3 + 2 + 9);
            assert_eq!(trim(100).await.unwrap(), 0);
            let left = since(connection, start).await.unwrap();
            let of_first: Vec<_> = left
                .iter()
                .filter(|row| row.service_id == services[0])
                .map(|row| (row.at, row.class()))
                .collect();
            assert_eq!(
                of_first,
                [
                    (moment(3), Class::Telling),
                    (moment(4), Class::Changing),
                    (moment(8), Class::Passing),
                    (moment(9), Class::Passing),
                ]
            );
            assert_eq!(left.len(), 4 + 3 + 3);
        }
    }
}
