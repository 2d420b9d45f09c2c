//! Services.

use std::collections::HashMap;

use api_types::common::{OperationId, ServiceId};
use api_types::placement::Priority;
use api_types::projects::Requested;
use api_types::services::{Service, ServiceKind, ServiceState, ServiceStatus};
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait as _};
use sea_orm::{Condition, FromQueryResult, QueryOrder as _, QuerySelect as _, Select};

use crate::db::columns::{GivenBack, Returning, StoredPlacement, read_word, word};
use crate::db::{CHUNK, Connection};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "services")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project: String,
    pub environment: String,
    pub name: String,
    pub kind: String,
    pub description: String,
    pub replicas: i32,
    #[sea_orm(column_type = "Json")]
    pub placement: StoredPlacement,
    pub revision: i64,
    pub latest_revision: i64,
    pub image: String,
    /// Requests of one replica of `revision`.
    pub cpu_millicores: i64,
    pub memory_bytes: i64,
    pub gpus: i32,
    /// Of the volumes of `revision`, on one cluster.
    pub storage_bytes: i64,
    /// Some of them can't be empty, so it doesn't move to another cluster by itself.
    pub keeps_data: bool,
    pub restarted_at: Option<DateTime<Utc>>,
    pub deleting: bool,
    /// Its claims go with it.
    pub delete_volumes: bool,
    /// Somebody wants it so, or the weights were changed: the next decision divides all replicas anew.
    pub place_afresh: bool,
    /// At most so many replicas move then; any number when absent.
    pub most_moves: Option<i32>,
    /// Replicas that the next decision moves back to a cluster that is in use again.
    #[sea_orm(column_type = "Json", nullable)]
    pub returning: Option<Returning>,
    /// Clusters that gave replicas back a while ago.
    #[sea_orm(column_type = "Json", nullable)]
    pub given_back: Option<GivenBack>,
    /// Replicas that fit nowhere.
    pub unplaced: i32,
    /// The newest operation on it.
    pub operation_id: Option<Uuid>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
    pub state: String,
    /// Worst first, for sorting.
    pub state_rank: i16,
    pub message: String,
    pub ready: i32,
    pub updated: i32,
    pub unknown: i32,
    pub since: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// Project, environment and name.
pub type Place = (String, String, String);

/// Worst first.
#[must_use]
pub fn rank(state: ServiceState) -> i16 {
    match state {
        ServiceState::Failed => 0,
        ServiceState::Degraded => 1,
        ServiceState::Unknown => 2,
        ServiceState::Progressing => 3,
        ServiceState::Running => 4,
        ServiceState::Stopped => 5,
    }
}

impl Model {
    /// `project/environment/name`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.project, self.environment, self.name)
    }

    /// Project, environment and name.
    #[must_use]
    pub fn place(&self) -> Place {
        (self.project.clone(), self.environment.clone(), self.name.clone())
    }

    #[must_use]
    pub fn priority(&self) -> Priority {
        self.placement.0.priority
    }

    /// At most one replica of it may run anywhere.
    #[must_use]
    pub fn is_singleton(&self) -> bool {
        self.placement.0.singleton
    }

    /// What its replicas ask for together; nothing any more once it is on its way out. Storage is not the replicas', see
    /// [`crate::app::storage`].
    #[must_use]
    pub fn requested(&self) -> Requested {
        if self.deleting {
            return Requested::default();
        }
        let pods = u64::from(self.replicas.unsigned_abs());
        Requested {
            cpu_millicores: pods.saturating_mul(self.cpu_millicores.unsigned_abs()),
            memory_bytes: pods.saturating_mul(self.memory_bytes.unsigned_abs()),
            pods,
            gpus: pods.saturating_mul(u64::from(self.gpus.unsigned_abs())),
            storage_bytes: 0,
        }
    }

    /// The status as kept; `observed_at` is the reader's to fill in, since it grows with every probe.
    pub fn status(&self) -> Result<ServiceStatus, DbErr> {
        Ok(ServiceStatus {
            state: read_word(&self.state)?,
            message: self.message.clone(),
            ready: self.ready as u32,
            updated: self.updated as u32,
            wanted: self.replicas as u32,
            unknown: self.unknown as u32,
            since: self.since,
            observed_at: None,
        })
    }

    /// Keeps a status; `wanted` is the row's own.
    pub fn set_status(&mut self, status: &ServiceStatus) {
        self.state = word(status.state);
        self.state_rank = rank(status.state);
        self.message.clone_from(&status.message);
        self.ready = status.ready as i32;
        self.updated = status.updated as i32;
        self.unknown = status.unknown as i32;
        self.since = status.since;
    }

    pub fn to_service(&self) -> Result<Service, DbErr> {
        Ok(Service {
            id: ServiceId(self.id),
            project: self.project.clone(),
            environment: self.environment.clone(),
            name: self.name.clone(),
            kind: read_word::<ServiceKind>(&self.kind)?,
            description: self.description.clone(),
            replicas: self.replicas as u32,
            placement: self.placement.0.clone(),
            revision: self.revision,
            latest_revision: self.latest_revision,
            image: self.image.clone(),
            status: self.status()?,
            operation: self.operation_id.map(OperationId),
            deleting: self.deleting,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            updated_by: self.updated_by.clone(),
        })
    }
}

fn at(project: &str, environment: &str, name: &str) -> Select<Entity> {
    Entity::find()
        .filter(Column::Project.eq(project))
        .filter(Column::Environment.eq(environment))
        .filter(Column::Name.eq(name))
}

pub async fn find(
    connection: &impl Connection,
    project: &str,
    environment: &str,
    name: &str,
) -> Result<Option<Model>, DbErr> {
    at(project, environment, name).one(connection).await
}

/// For a change: nobody else changes the row until the transaction ends.
pub async fn find_locked(
    connection: &impl Connection,
    project: &str,
    environment: &str,
    name: &str,
) -> Result<Option<Model>, DbErr> {
    at(project, environment, name)
        .lock_exclusive()
        .one(connection)
        .await
}

/// Many by id; `locked` when they are going to be changed.
pub async fn find_many(
    connection: &impl Connection,
    ids: &[Uuid],
    locked: bool,
) -> Result<Vec<Model>, DbErr> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let query = Entity::find()
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .order_by_asc(Column::Id);
        let query = if locked { query.lock_exclusive() } else { query };
        found.extend(query.all(connection).await?);
    }
    Ok(found)
}

async fn ids(connection: &impl Connection, condition: Condition) -> Result<Vec<Uuid>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(condition)
        .into_tuple()
        .all(connection)
        .await
}

pub async fn all_ids(connection: &impl Connection) -> Result<Vec<Uuid>, DbErr> {
    ids(connection, Condition::all()).await
}

/// The services of an environment.
pub async fn ids_of_environment(
    connection: &impl Connection,
    project: &str,
    environment: &str,
) -> Result<Vec<Uuid>, DbErr> {
    let condition = Condition::all()
        .add(Column::Project.eq(project))
        .add(Column::Environment.eq(environment));
    ids(connection, condition).await
}

/// The services with replicas that fit nowhere.
pub async fn unplaced_ids(connection: &impl Connection) -> Result<Vec<Uuid>, DbErr> {
    ids(connection, Condition::all().add(Column::Unplaced.gt(0))).await
}

/// Id and place of every service.
pub async fn places(connection: &impl Connection) -> Result<Vec<(Uuid, Place)>, DbErr> {
    places_where(connection, Condition::all()).await
}

/// Id and place of these services.
pub async fn places_of(connection: &impl Connection, ids: &[Uuid]) -> Result<Vec<(Uuid, Place)>, DbErr> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let these = Condition::all().add(Column::Id.is_in(chunk.iter().copied()));
        found.extend(places_where(connection, these).await?);
    }
    Ok(found)
}

async fn places_where(
    connection: &impl Connection,
    condition: Condition,
) -> Result<Vec<(Uuid, Place)>, DbErr> {
    let rows: Vec<(Uuid, String, String, String)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Project, Column::Environment, Column::Name])
        .filter(condition)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, project, environment, name)| (id, (project, environment, name)))
        .collect())
}

/// Every service that avoids others, by its place, with their names.
pub async fn avoiding(connection: &impl Connection) -> Result<Vec<(Place, Vec<String>)>, DbErr> {
    let rows: Vec<(String, String, String, StoredPlacement)> = Entity::find()
        .select_only()
        .columns([
            Column::Project,
            Column::Environment,
            Column::Name,
            Column::Placement,
        ])
        // Few have it, and their placements are read only then.
        .filter(
            Expr::col(Column::Placement)
                .cast_as(Alias::new("TEXT"))
                .like("%\"avoid\"%"),
        )
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(project, environment, name, placement)| ((project, environment, name), placement.0.avoid))
        .filter(|(_, avoid)| !avoid.is_empty())
        .collect())
}

/// The ids of services at these places, with the place of each.
pub async fn at_places(connection: &impl Connection, places: &[Place]) -> Result<Vec<(Uuid, Place)>, DbErr> {
    let mut found = Vec::new();
    for chunk in places.chunks(CHUNK / 3) {
        let any = chunk
            .iter()
            .fold(Condition::any(), |any, (project, environment, name)| {
                any.add(
                    Condition::all()
                        .add(Column::Project.eq(project))
                        .add(Column::Environment.eq(environment))
                        .add(Column::Name.eq(name)),
                )
            });
        found.extend(places_where(connection, any).await?);
    }
    Ok(found)
}

/// How many services an environment has.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Count {
    pub project: String,
    pub environment: String,
    pub services: i64,
}

pub async fn counts(connection: &impl Connection) -> Result<Vec<Count>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Project, Column::Environment])
        .column_as(Column::Id.count(), "services")
        .group_by(Column::Project)
        .group_by(Column::Environment)
        .into_model::<Count>()
        .all(connection)
        .await
}

/// What the services of a project ask for together, those on their way out aside.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
struct ProjectRequests {
    project: String,
    cpu: f64,
    memory: f64,
    pods: f64,
    gpus: f64,
}

/// What services' replicas ask for by project; of one project, or of all. Storage aside.
pub async fn requested(
    connection: &impl Connection,
    project: Option<&str>,
) -> Result<HashMap<String, Requested>, DbErr> {
    // As numbers that can't overflow; exact up to 2^53.
    let sum = |each: &str| {
        let text = format!("SUM(CAST(replicas AS DOUBLE PRECISION){each})");
        Expr::cust(text)
    };
    let rows = Entity::find()
        .select_only()
        .column(Column::Project)
        .column_as(sum(" * cpu_millicores"), "cpu")
        .column_as(sum(" * memory_bytes"), "memory")
        .column_as(sum(""), "pods")
        .column_as(sum(" * gpus"), "gpus")
        .filter(Column::Deleting.eq(false))
        .filter(Condition::all().add_option(project.map(|project| Column::Project.eq(project))))
        .group_by(Column::Project)
        .into_model::<ProjectRequests>()
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let requested = Requested {
                cpu_millicores: row.cpu as u64,
                memory_bytes: row.memory as u64,
                pods: row.pods as u64,
                gpus: row.gpus as u64,
                storage_bytes: 0,
            };
            (row.project, requested)
        })
        .collect())
}

/// Those of a project, or all, whose current revision has volumes.
pub async fn with_storage(connection: &impl Connection, project: Option<&str>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::StorageBytes.gt(0))
        .filter(Column::Deleting.eq(false))
        .filter(Condition::all().add_option(project.map(|project| Column::Project.eq(project))))
        .all(connection)
        .await
}

/// Services and replicas in one state.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StateSum {
    pub state: String,
    pub services: i64,
    pub wanted: i64,
    pub ready: i64,
    pub unknown: i64,
}

pub async fn state_sums(connection: &impl Connection, condition: Condition) -> Result<Vec<StateSum>, DbErr> {
    let sum = |column: Column| Expr::col(column).sum().cast_as(Alias::new("BIGINT"));
    Entity::find()
        .select_only()
        .column(Column::State)
        .column_as(Column::Id.count(), "services")
        .column_as(sum(Column::Replicas), "wanted")
        .column_as(sum(Column::Ready), "ready")
        .column_as(sum(Column::Unknown), "unknown")
        .filter(condition)
        .group_by(Column::State)
        .into_model::<StateSum>()
        .all(connection)
        .await
}

/// The worst services, oldest trouble first.
pub async fn worst(
    connection: &impl Connection,
    condition: Condition,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(condition)
        .filter(Column::StateRank.lte(rank(ServiceState::Unknown)))
        .order_by_asc(Column::StateRank)
        .order_by_asc(Column::Since)
        .limit(limit)
        .all(connection)
        .await
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

pub async fn delete(connection: &impl Connection, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(connection).await.map(drop)
}
