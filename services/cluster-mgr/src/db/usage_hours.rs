//! What services were given and used on clusters, hour by hour. With names, not references: it outlives both.

use api_types::usage::UsageKey;
use auth::Visible;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait as _, OnConflict};
use sea_orm::{Condition, FromQueryResult, IntoActiveModel as _, QueryOrder as _, QuerySelect as _, Select};

use crate::db::visible::within;
use crate::db::{CHUNK, Connection, assignments, services};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_hours")]
pub struct Model {
    /// Since 1970.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hour: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    pub project: String,
    pub environment: String,
    pub service: String,
    pub cluster: String,
    /// Of the hour, those that were counted.
    pub seconds: i64,
    /// Those of which nothing is known.
    pub gap_seconds: i64,
    pub pod_seconds: i64,
    /// Millicores times seconds.
    pub cpu_requested: i64,
    /// KiB times seconds.
    pub memory_requested: i64,
    /// GPUs times seconds.
    pub gpu_requested: i64,
    /// KiB of claims times seconds.
    pub storage_requested: i64,
    /// Of the pod-seconds, those of which it is known what they used.
    pub measured_seconds: i64,
    pub cpu_used: i64,
    pub memory_used: i64,
    /// Seconds since 1970.
    pub counted_until: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// Adds to the hours that are there, and makes those that are not.
pub async fn add(connection: &impl Connection, rows: &[Model]) -> Result<(), DbErr> {
    let sums = [
        Column::Seconds,
        Column::GapSeconds,
        Column::PodSeconds,
        Column::CpuRequested,
        Column::MemoryRequested,
        Column::GpuRequested,
        Column::StorageRequested,
        Column::MeasuredSeconds,
        Column::CpuUsed,
        Column::MemoryUsed,
    ];
    let mut conflict = OnConflict::columns([Column::Hour, Column::ServiceId, Column::ClusterId]);
    for column in sums {
        let more = Expr::col((Alias::new("excluded"), column));
        conflict.value(column, Expr::col((Entity, column)).add(more));
    }
    conflict.update_column(Column::CountedUntil);
    for chunk in rows.chunks(CHUNK) {
        Entity::insert_many(chunk.iter().cloned().map(Model::into_active_model))
            .on_conflict(conflict.clone())
            .exec_without_returning(connection)
            .await?;
    }
    Ok(())
}

/// A service's part on a cluster, as far as metering has to know it.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
pub struct Place {
    pub service_id: Uuid,
    pub cluster_id: Uuid,
    pub project: String,
    pub environment: String,
    pub service: String,
    pub created_at: DateTime<Utc>,
    pub replicas: i32,
    pub hold: i32,
    /// It is known for a claim alone.
    #[sea_orm(skip)]
    pub stored: bool,
}

/// Every place that holds replicas, or still may.
pub async fn places(connection: &impl Connection) -> Result<Vec<Place>, DbErr> {
    let of = |column: services::Column| Expr::col((services::Entity, column));
    let own = |column: assignments::Column| Expr::col((assignments::Entity, column));
    assignments::Entity::find()
        .select_only()
        .column_as(own(assignments::Column::ServiceId), "service_id")
        .column_as(own(assignments::Column::ClusterId), "cluster_id")
        .column_as(own(assignments::Column::Replicas), "replicas")
        .column_as(own(assignments::Column::Hold), "hold")
        .column_as(of(services::Column::Project), "project")
        .column_as(of(services::Column::Environment), "environment")
        .column_as(of(services::Column::Name), "service")
        .column_as(of(services::Column::CreatedAt), "created_at")
        .join(
            sea_orm::JoinType::InnerJoin,
            assignments::Entity::belongs_to(services::Entity)
                .from(assignments::Column::ServiceId)
                .to(services::Column::Id)
                .into(),
        )
        .into_model::<Place>()
        .all(connection)
        .await
}

/// Which rows, and how they are summed up.
#[derive(Clone, Debug)]
pub struct Filter {
    pub visible: Visible,
    pub project: Option<String>,
    pub environment: Option<String>,
    pub service: Option<String>,
    pub cluster: Option<String>,
    /// From this hour on, and before that one.
    pub hours: (i64, i64),
    pub by: UsageKey,
    /// SQL that gives the first hour of the part of the range that a row is in.
    pub bucket: String,
    /// SQL that gives what a row costs, NULL where its hour has no price.
    pub cost: String,
}

impl Filter {
    fn condition(&self) -> Condition {
        let one = |column: Column, value: &Option<String>| value.as_deref().map(|value| column.eq(value));
        Condition::all()
            .add(Column::Hour.gte(self.hours.0))
            .add(Column::Hour.lt(self.hours.1))
            .add_option(one(Column::Project, &self.project))
            .add_option(one(Column::Environment, &self.environment))
            .add_option(one(Column::Service, &self.service))
            .add_option(one(Column::Cluster, &self.cluster))
            .add(within(&self.visible, Column::Project, Column::Environment))
    }

    /// A sum for each part and whatever is told apart.
    fn sums(&self) -> Select<Entity> {
        // Numbers that can't overflow.
        let sum = |column: &str| Expr::cust(format!("CAST(SUM(\"{column}\") AS DOUBLE PRECISION)"));
        let mut query = Entity::find()
            .select_only()
            .column_as(Expr::cust(self.bucket.clone()), "bucket")
            .filter(self.condition())
            .group_by(Expr::cust(self.bucket.clone()));
        for (position, name) in ["first", "second", "third"].into_iter().enumerate() {
            query = match keys(self.by).get(position) {
                Some(column) => query.column_as(*column, name).group_by(*column),
                None => query.column_as(Expr::cust("''"), name),
            };
        }
        for name in [
            "seconds",
            "gap_seconds",
            "pod_seconds",
            "cpu_requested",
            "memory_requested",
            "gpu_requested",
            "storage_requested",
            "measured_seconds",
            "cpu_used",
            "memory_used",
        ] {
            query = query.column_as(sum(name), name);
        }
        query
            .column_as(Column::CountedUntil.max(), "counted_until")
            .column_as(Expr::cust(format!("SUM({})", self.cost)), "cost")
    }
}

/// The columns that tell apart whose usage is summed up.
pub fn keys(by: UsageKey) -> &'static [Column] {
    match by {
        UsageKey::Project => &[Column::Project],
        UsageKey::Service => &[Column::Project, Column::Environment, Column::Service],
        UsageKey::Cluster => &[Column::Cluster],
    }
}

/// A sum over a part of a range.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
pub struct Sum {
    /// The hour that the part begins with.
    pub bucket: i64,
    /// As many as [`keys`] has; the others are empty.
    pub first: String,
    pub second: String,
    pub third: String,
    pub seconds: f64,
    pub gap_seconds: f64,
    pub pod_seconds: f64,
    pub cpu_requested: f64,
    pub memory_requested: f64,
    pub gpu_requested: f64,
    pub storage_requested: f64,
    pub measured_seconds: f64,
    pub cpu_used: f64,
    pub memory_used: f64,
    pub counted_until: i64,
    /// Of the hours that have a price.
    pub cost: Option<f64>,
}

impl Sum {
    #[must_use]
    pub fn keys(&self, by: UsageKey) -> Vec<String> {
        let all = [&self.first, &self.second, &self.third];
        all.into_iter().take(keys(by).len()).cloned().collect()
    }
}

/// What follows a sum: its part begins with hour `bucket` and ends with `end`.
#[derive(Clone, Debug)]
pub struct After<'a> {
    pub bucket: i64,
    pub end: i64,
    pub keys: &'a [String],
}

impl After<'_> {
    fn condition(&self, by: UsageKey) -> Condition {
        // (a, b) > (x, y): a > x, or a = x and b > y.
        let mut follows = Condition::any();
        let mut same = Condition::all();
        for (column, value) in keys(by).iter().zip(self.keys) {
            follows = follows.add(same.clone().add(column.gt(value.as_str())));
            same = same.add(column.eq(value.as_str()));
        }
        let here = Condition::all().add(Column::Hour.gte(self.bucket)).add(follows);
        Condition::any().add(Column::Hour.gte(self.end)).add(here)
    }
}

/// By time, then by keys.
pub async fn page(
    connection: &impl Connection,
    filter: &Filter,
    after: Option<After<'_>>,
    limit: u64,
) -> Result<Vec<Sum>, DbErr> {
    let follows = after.map(|after| after.condition(filter.by));
    let mut query = filter
        .sums()
        .filter(Condition::all().add_option(follows))
        .order_by_asc(Expr::cust(filter.bucket.clone()));
    for column in keys(filter.by) {
        query = query.order_by_asc(*column);
    }
    query.limit(limit).into_model::<Sum>().all(connection).await
}

pub async fn count(connection: &impl Connection, filter: &Filter) -> Result<u64, DbErr> {
    filter.sums().into_model::<Sum>().count(connection).await
}

/// Forgets the hours before `hour`.
pub async fn trim(connection: &impl Connection, hour: i64) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::Hour.lt(hour))
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}
