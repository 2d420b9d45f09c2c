//! Operations: made with what they carry out, in the same transaction; read by whoever asked.

use api_types::common::{ListQuery, OperationId, Page};
use api_types::operations::{
    Operation, OperationFilter, OperationKind, OperationState, OperationStep, StepState,
};
use api_types::services::{ServiceState, ServiceStatus};
use auth::{Caller, Permission, Visible};
use chrono::{DateTime, Utc};
use platform::page::{decode_cursor, encode_cursor, limit};
use platform::text::counted;
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::db::columns::{Steps, read_word, word};
use crate::db::{DbErr, Record, Unit, clusters, operations, services};
use crate::state::AppState;

/// A new operation that nothing was done of yet.
pub fn new(kind: OperationKind, title: String, caller: &Caller, now: DateTime<Utc>) -> operations::Model {
    operations::Model {
        id: Uuid::now_v7(),
        kind: word(kind),
        state: word(OperationState::Running),
        title,
        message: "accepted".to_owned(),
        project: None,
        environment: None,
        service: None,
        service_id: None,
        cluster: None,
        cluster_id: None,
        revision: None,
        progress: 0,
        steps: Steps(Vec::new()),
        requested_by: caller.name.clone(),
        created_at: now,
        updated_at: now,
        finished_at: None,
    }
}

/// Who does what nobody asked for.
pub fn ourselves() -> Caller {
    Caller {
        subject: "longshore".to_owned(),
        name: "longshore".to_owned(),
        grants: Vec::new(),
    }
}

/// Begins an operation on a cluster, and on everything that is there.
pub async fn begin_on_cluster(
    unit: &mut Unit,
    kind: OperationKind,
    title: String,
    cluster: &clusters::Model,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<operations::Model, DbErr> {
    let mut operation = new(kind, title, caller, now);
    operation.cluster = Some(cluster.name.clone());
    operation.cluster_id = Some(cluster.id);
    insert(unit, &operation).await?;
    Ok(operation)
}

/// Says how far an operation on a cluster is: `done` of `total`.
pub fn tell_step(
    operation: &mut operations::Model,
    state: StepState,
    (done, total): (u32, u32),
    message: &str,
    now: DateTime<Utc>,
) {
    let mut step = OperationStep {
        name: operation.cluster.clone().unwrap_or_default(),
        state,
        message: message.to_owned(),
        done,
        total,
        updated_at: now,
    };
    if let Some(earlier) = operation.steps.0.first() {
        step.updated_at = earlier.updated_at;
        if step != *earlier {
            step.updated_at = now;
        }
    }
    operation.steps = Steps(vec![step]);
}

/// Ends an operation whose order is taken away.
pub async fn supersede(
    unit: &mut Unit,
    operation: Uuid,
    message: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(mut operation) = operations::find(&**unit, operation).await? else {
        return Ok(());
    };
    if operation.finished_at.is_none() {
        operation.state = word(OperationState::Superseded);
        operation.message = message.to_owned();
        operation.updated_at = now;
        operation.finished_at = Some(now);
        operations::save(&**unit, &operation).await?;
        unit.record(Record::operation(&operation));
    }
    Ok(())
}

pub async fn insert(unit: &mut Unit, operation: &operations::Model) -> Result<(), DbErr> {
    operations::insert(&**unit, operation.clone()).await?;
    unit.record(Record::operation(operation));
    Ok(())
}

/// Makes an operation the newest one of a service, which is progressing from then on; those before it are
/// superseded. The caller saves the service.
pub async fn begin(
    unit: &mut Unit,
    service: &mut services::Model,
    kind: OperationKind,
    title: String,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<operations::Model, DbErr> {
    for mut earlier in operations::open_of_service(&**unit, service.id).await? {
        earlier.state = word(OperationState::Superseded);
        earlier.message = format!("superseded: {title}");
        earlier.updated_at = now;
        earlier.finished_at = Some(now);
        operations::save(&**unit, &earlier).await?;
        unit.record(Record::operation(&earlier));
    }
    let mut operation = new(kind, title, caller, now);
    operation.project = Some(service.project.clone());
    operation.environment = Some(service.environment.clone());
    operation.service = Some(service.name.clone());
    operation.service_id = Some(service.id);
    if matches!(kind, OperationKind::CreateService | OperationKind::ReleaseService) {
        operation.revision = Some(service.revision);
    }
    insert(unit, &operation).await?;
    service.operation_id = Some(operation.id);
    // What was true of the state asked for before says nothing about this one.
    service.set_status(&ServiceStatus {
        state: ServiceState::Progressing,
        message: "accepted; nothing was done of it yet".to_owned(),
        updated: match kind {
            OperationKind::ReleaseService | OperationKind::RestartService => 0,
            _ => service.updated.unsigned_abs(),
        },
        since: now,
        ..service.status()?
    });
    Ok(operation)
}

/// The operation that brings a service from so many replicas to what it wants now, or places it anew.
pub async fn begin_scaling(
    unit: &mut Unit,
    service: &mut services::Model,
    before: i32,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let title = if service.replicas == before {
        format!("place {} anew", service.path())
    } else {
        format!(
            "scale {} from {before} to {}",
            service.path(),
            counted(service.replicas, "replica")
        )
    };
    begin(unit, service, OperationKind::ScaleService, title, caller, now)
        .await
        .map(drop)
}

pub async fn list(
    state: &AppState,
    caller: &Caller,
    filter: &OperationFilter,
    query: &ListQuery,
) -> ApiResult<Page<Operation>> {
    let visible = caller.visible(Permission::OperationRead);
    let condition = operations::Filter {
        visible: &visible,
        project: filter.project.as_deref(),
        environment: filter.environment.as_deref(),
        service: filter.service.as_deref(),
        states: states::<OperationState>(filter.state.as_deref())?,
        text: query.q.as_deref(),
    }
    .condition();
    let before: Option<Uuid> = decode_cursor(query.cursor.as_deref())?;
    let limit = limit(query.limit);
    let database = &state.foundation.database;
    let mut rows = operations::page(database, condition.clone(), before, limit as u64 + 1).await?;
    let next_cursor = (rows.len() > limit).then(|| {
        rows.truncate(limit);
        encode_cursor(&rows.last().expect("a page has at least one item").id)
    });
    Ok(Page {
        items: rows
            .iter()
            .map(operations::Model::to_operation)
            .collect::<Result<_, _>>()?,
        next_cursor,
        total_estimate: operations::count(database, condition).await?,
        gaps: Vec::new(),
    })
}

/// The words of a comma-separated list of states, each checked.
pub fn states<T: serde::de::DeserializeOwned>(list: Option<&str>) -> ApiResult<Vec<String>> {
    list.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|state| !state.is_empty())
        .map(|state| match read_word::<T>(state) {
            Ok(_) => Ok(state.to_owned()),
            Err(_) => Err(ApiError::invalid(
                "invalid_query",
                format!("`{state}` is not a state"),
            )),
        })
        .collect()
}

pub async fn get(state: &AppState, caller: &Caller, id: OperationId) -> ApiResult<Operation> {
    let visible = caller.visible(Permission::OperationRead);
    let row = operations::find(&state.foundation.database, id.0)
        .await?
        .filter(|row| match (&row.project, &row.environment) {
            (Some(project), Some(environment)) => visible.includes(project, environment),
            _ => visible == Visible::Everything,
        })
        .ok_or_else(|| ApiError::not_found(format!("operation {id}")))?;
    Ok(row.to_operation()?)
}
