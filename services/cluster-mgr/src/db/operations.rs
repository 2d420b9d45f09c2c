//! Operations.

use api_types::common::OperationId;
use api_types::operations::{Operation, OperationState};
use auth::Visible;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, Func, LikeExpr};
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

use crate::db::columns::{Steps, read_word, word};
use crate::db::visible::{containing, within};
use crate::db::{CHUNK, Connection};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "operations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub state: String,
    pub title: String,
    pub message: String,
    pub project: Option<String>,
    pub environment: Option<String>,
    pub service: Option<String>,
    pub service_id: Option<Uuid>,
    pub cluster: Option<String>,
    pub cluster_id: Option<Uuid>,
    pub revision: Option<i64>,
    pub progress: i16,
    #[sea_orm(column_type = "Json")]
    pub steps: Steps,
    pub requested_by: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn to_operation(&self) -> Result<Operation, DbErr> {
        Ok(Operation {
            id: OperationId(self.id),
            kind: read_word(&self.kind)?,
            state: read_word(&self.state)?,
            title: self.title.clone(),
            message: self.message.clone(),
            project: self.project.clone(),
            environment: self.environment.clone(),
            service: self.service.clone(),
            cluster: self.cluster.clone(),
            revision: self.revision,
            progress: self.progress.clamp(0, 100) as u8,
            steps: self.steps.0.clone(),
            requested_by: self.requested_by.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            finished_at: self.finished_at,
        })
    }
}

/// Which operations.
#[derive(Clone, Debug)]
pub struct Filter<'a> {
    pub visible: &'a Visible,
    pub project: Option<&'a str>,
    pub environment: Option<&'a str>,
    pub service: Option<&'a str>,
    pub states: Vec<String>,
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
            service: None,
            states: Vec::new(),
            text: None,
        }
    }

    #[must_use]
    pub fn condition(&self) -> Condition {
        // Operations of no project are for those who see everything.
        let mut condition = Condition::all();
        if *self.visible != Visible::Everything {
            condition = condition.add(Column::Project.is_not_null()).add(within(
                self.visible,
                Column::Project,
                Column::Environment,
            ));
        }
        for (column, wanted) in [
            (Column::Project, self.project),
            (Column::Environment, self.environment),
            (Column::Service, self.service),
        ] {
            if let Some(wanted) = wanted {
                condition = condition.add(column.eq(wanted));
            }
        }
        if !self.states.is_empty() {
            condition = condition.add(Column::State.is_in(self.states.iter().map(String::as_str)));
        }
        if let Some(text) = self.text.filter(|text| !text.is_empty()) {
            let title = Expr::expr(Func::lower(Expr::col(Column::Title)));
            condition = condition.add(title.like(LikeExpr::new(containing(text)).escape('\\')));
        }
        condition
    }
}

/// States of operations that go on.
#[must_use]
pub fn open_states() -> [String; 2] {
    [word(OperationState::Running), word(OperationState::Waiting)]
}

pub async fn find(connection: &impl Connection, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(connection).await
}

pub async fn find_many(connection: &impl Connection, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        found.extend(
            Entity::find()
                .filter(Column::Id.is_in(chunk.iter().copied()))
                .all(connection)
                .await?,
        );
    }
    Ok(found)
}

/// The operations on a service that still go on.
pub async fn open_of_service(connection: &impl Connection, service_id: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ServiceId.eq(service_id))
        .filter(Column::State.is_in(open_states()))
        .all(connection)
        .await
}

/// Newest first; the ids grow with time.
pub async fn page(
    connection: &impl Connection,
    condition: Condition,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().filter(condition);
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before));
    }
    query.order_by_desc(Column::Id).limit(limit).all(connection).await
}

pub async fn count(connection: &impl Connection, condition: Condition) -> Result<u64, DbErr> {
    Entity::find().filter(condition).count(connection).await
}

pub async fn insert(connection: &impl Connection, model: Model) -> Result<(), DbErr> {
    super::insert::<Entity>(connection, model).await
}

pub async fn save(connection: &impl Connection, model: &Model) -> Result<(), DbErr> {
    super::save::<Entity>(connection, model).await
}

/// Forgets finished operations older than `before`.
pub async fn trim(connection: &impl Connection, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::FinishedAt.lt(before))
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}
