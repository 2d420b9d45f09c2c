//! Pages of services: filters, orders and cursors.

use auth::Visible;
use chrono::{DateTime, Utc};
use platform::time::storable;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, Func, LikeExpr, Query};
use sea_orm::{Condition, Order, QueryOrder as _, QuerySelect as _, Value};
use serde::{Deserialize, Serialize};

use crate::db::services::{Column, Entity, Model};
use crate::db::visible::{containing, within};
use crate::db::{Connection, assignments};

/// Which services.
#[derive(Clone, Debug)]
pub struct Filter<'a> {
    pub visible: &'a Visible,
    pub project: Option<&'a str>,
    pub environment: Option<&'a str>,
    pub states: Vec<String>,
    /// With replicas on this cluster.
    pub cluster: Option<Uuid>,
    pub text: Option<&'a str>,
}

impl<'a> Filter<'a> {
    /// Everything that may be seen.
    #[must_use]
    pub fn everything(visible: &'a Visible) -> Self {
        Self {
            visible,
            project: None,
            environment: None,
            states: Vec::new(),
            cluster: None,
            text: None,
        }
    }

    #[must_use]
    pub fn condition(&self) -> Condition {
        let mut condition = Condition::all().add(within(self.visible, Column::Project, Column::Environment));
        if let Some(project) = self.project {
            condition = condition.add(Column::Project.eq(project));
        }
        if let Some(environment) = self.environment {
            condition = condition.add(Column::Environment.eq(environment));
        }
        if !self.states.is_empty() {
            condition = condition.add(Column::State.is_in(self.states.iter().map(String::as_str)));
        }
        if let Some(cluster) = self.cluster {
            let there = Query::select()
                .column(assignments::Column::ServiceId)
                .from(assignments::Entity)
                .and_where(assignments::Column::ClusterId.eq(cluster))
                .and_where(assignments::Column::Replicas.gt(0))
                .to_owned();
            condition = condition.add(Column::Id.in_subquery(there));
        }
        if let Some(text) = self.text.filter(|text| !text.is_empty()) {
            let pattern = containing(text);
            let like = |column: Column| {
                Expr::expr(Func::lower(Expr::col(column))).like(LikeExpr::new(pattern.clone()).escape('\\'))
            };
            condition = condition.add(
                [Column::Name, Column::Project, Column::Environment, Column::Image]
                    .into_iter()
                    .fold(Condition::any(), |any, column| any.add(like(column))),
            );
        }
        condition
    }
}

/// Orders of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    Name,
    UpdatedAt,
    State,
    Project,
}

/// The fields of an order; together they tell any two services apart.
fn columns(sort: Sort) -> &'static [Column] {
    match sort {
        Sort::Name => &[Column::Name, Column::Project, Column::Environment],
        Sort::Project => &[Column::Project, Column::Environment, Column::Name],
        Sort::UpdatedAt => &[Column::UpdatedAt, Column::Id],
        Sort::State => &[Column::StateRank, Column::Name, Column::Id],
    }
}

/// A field's value in a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Text(String),
    Rank(i16),
    Time(DateTime<Utc>),
    Id(Uuid),
}

impl Part {
    fn of(row: &Model, column: Column) -> Self {
        match column {
            Column::Project => Self::Text(row.project.clone()),
            Column::Environment => Self::Text(row.environment.clone()),
            Column::StateRank => Self::Rank(row.state_rank),
            Column::UpdatedAt => Self::Time(row.updated_at),
            Column::Id => Self::Id(row.id),
            _ => Self::Text(row.name.clone()),
        }
    }

    /// Whether it can be compared with a column: a database has no order over values of different types.
    fn fits(&self, column: Column) -> bool {
        matches!(
            (self, column),
            (Self::Rank(_), Column::StateRank)
                | (Self::Time(_), Column::UpdatedAt)
                | (Self::Id(_), Column::Id)
                | (
                    Self::Text(_),
                    Column::Project | Column::Environment | Column::Name
                )
        )
    }

    fn value(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Rank(rank) => (*rank).into(),
            Self::Time(time) => storable(*time).into(),
            Self::Id(id) => (*id).into(),
        }
    }
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    sort: Sort,
    descending: bool,
    parts: Vec<Part>,
}

impl Cursor {
    #[must_use]
    pub fn after(row: &Model, sort: Sort, descending: bool) -> Self {
        Self {
            sort,
            descending,
            parts: columns(sort)
                .iter()
                .map(|column| Part::of(row, *column))
                .collect(),
        }
    }

    /// Whether it is one of this order.
    #[must_use]
    pub fn fits(&self, sort: Sort, descending: bool) -> bool {
        let columns = columns(sort);
        self.sort == sort
            && self.descending == descending
            && self.parts.len() == columns.len()
            && self
                .parts
                .iter()
                .zip(columns)
                .all(|(part, column)| part.fits(*column))
    }

    /// Rows behind it. Compared as one row value, which an index on the order's fields answers.
    fn condition(&self) -> Expr {
        let fields = Expr::tuple(columns(self.sort).iter().map(|column| Expr::col(*column)));
        let place = Expr::tuple(self.parts.iter().map(|part| Expr::value(part.value())));
        if self.descending {
            fields.lt(place)
        } else {
            fields.gt(place)
        }
    }
}

/// One page.
pub async fn page(
    connection: &impl Connection,
    condition: Condition,
    sort: Sort,
    descending: bool,
    cursor: Option<&Cursor>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    query(condition, sort, descending, cursor, limit)
        .all(connection)
        .await
}

fn query(
    condition: Condition,
    sort: Sort,
    descending: bool,
    cursor: Option<&Cursor>,
    limit: u64,
) -> Select<Entity> {
    let order = if descending { Order::Desc } else { Order::Asc };
    let mut query = Entity::find().filter(condition);
    if let Some(cursor) = cursor {
        query = query.filter(cursor.condition());
    }
    for column in columns(sort) {
        query = query.order_by(*column, order.clone());
    }
    query.limit(limit)
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait as _, DatabaseBackend, QueryTrait as _, Statement};
    use serde_json::json;
    use test_support::{Backend, TestDatabase};

    use super::*;

    #[test]
    fn a_cursor_with_a_value_of_another_type_is_of_no_list() {
        let fits = |sort: &str, parts| {
            let cursor = json!({ "sort": sort, "descending": false, "parts": parts });
            let cursor: Cursor = serde_json::from_value(cursor).unwrap();
            cursor.fits(cursor.sort, false) && !cursor.fits(cursor.sort, true)
        };
        let (text, id) = (json!({ "text": "a" }), json!({ "id": Uuid::nil() }));
        let time = json!({ "time": "2026-01-01T00:00:00Z" });
        assert!(fits("name", json!([text, text, text])));
        assert!(fits("updated_at", json!([time, id])));
        assert!(fits("state", json!([{ "rank": 1 }, text, id])));
        for (sort, parts) in [
            ("name", json!([text, text, id])),
            ("name", json!([text, text])),
            ("updated_at", json!([text, id])),
            ("updated_at", json!([time, time])),
            ("state", json!([{ "rank": 1 }, text, text])),
        ] {
            assert!(!fits(sort, parts), "{sort}");
        }
    }

    /// What the database would do, a step a line.
    async fn plan(connection: &impl ConnectionTrait, query: Select<Entity>) -> String {
        let backend = connection.get_database_backend();
        let mut statement: Statement = query.build(backend);
        let (explain, column) = match backend {
            DatabaseBackend::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
            _ => ("EXPLAIN", "QUERY PLAN"),
        };
        statement.sql = format!("{explain} {}", statement.sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        let lines = rows.iter().map(|row| row.try_get::<String>("", column).unwrap());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A page far behind costs what the first does: an index has the order, and leads to the place.
    #[tokio::test]
    async fn a_page_is_found_by_an_index_and_sorted_by_it() {
        for backend in Backend::all() {
            let database = TestDatabase::new(backend).await;
            let connection = &database.connection;
            let transaction = sea_orm::TransactionTrait::begin(connection).await.unwrap();
            if backend == Backend::Postgres {
                // On an empty table it would read the whole.
                for choice in ["enable_seqscan", "enable_bitmapscan"] {
                    transaction
                        .execute_unprepared(&format!("SET LOCAL {choice} = off"))
                        .await
                        .unwrap();
                }
            }
            for sort in [Sort::Name, Sort::UpdatedAt, Sort::State, Sort::Project] {
                for descending in [false, true] {
                    let parts = columns(sort).iter().map(|column| match column {
                        Column::StateRank => Part::Rank(1),
                        Column::UpdatedAt => Part::Time(DateTime::UNIX_EPOCH),
                        Column::Id => Part::Id(Uuid::max()),
                        _ => Part::Text("m".to_owned()),
                    });
                    let cursor = Cursor {
                        sort,
                        descending,
                        parts: parts.collect(),
                    };
                    let visible = Visible::Everything;
                    let condition = Filter::everything(&visible).condition();
                    let query = query(condition, sort, descending, Some(&cursor), 100);
                    let plan = plan(&transaction, query).await;
                    let found = match backend {
                        Backend::Sqlite => plan.contains("SEARCH services USING INDEX"),
                        Backend::Postgres => plan.contains("Index Cond"),
                    };
                    let sorted = plan.contains("TEMP B-TREE") || plan.contains("Sort");
                    assert!(found && !sorted, "{backend:?} {sort:?} {descending}:\n{plan}");
                }
            }
        }
    }
}
