//! Policies of autoscaling: look, set, take away; and who may set replicas.

use api_types::autoscaling::{
    Autoscaling, AutoscalingDecision, AutoscalingPolicy, DecisionFilter, DecisionOutcome,
};
use api_types::common::{ListQuery, Page};
use api_types::operations::OperationKind;
use auth::Caller;
use chrono::{DateTime, Utc};
use platform::page::{self, decode_cursor, encode_cursor};
use platform::{ApiError, ApiResult};

use crate::app::services::{locked, missing, save_edit};
use crate::app::validation::placement::pinned_sum;
use crate::app::validation::{self, Fields};
use crate::app::{edit, operations, quotas};
use crate::db::columns::{StoredPolicy, word};
use crate::db::{
    Connection, DbErr, Record, Unit, autoscaling_decisions as decisions, autoscaling_policies as policies,
    operations as operation_rows, services,
};
use crate::paths::ServicePath;
use crate::state::AppState;

pub async fn service(connection: &impl Connection, path: &ServicePath) -> ApiResult<services::Model> {
    services::find(connection, &path.project, &path.environment, &path.service)
        .await?
        .ok_or_else(|| missing(path))
}

async fn present(
    connection: &impl Connection,
    service: &services::Model,
    row: Option<policies::Model>,
) -> Result<Autoscaling, DbErr> {
    let last = decisions::newest(connection, service.id).await?;
    let warnings = match &row {
        Some(row) => quotas::warn(connection, service, &row.policy.0).await?,
        None => Vec::new(),
    };
    Ok(Autoscaling {
        warnings,
        unread: decisions::count_unread(connection, service.id).await?,
        last: last.map(|row| row.decision.0),
        version: row.as_ref().map_or(0, |row| row.version),
        updated_at: row.as_ref().map(|row| row.updated_at),
        updated_by: row.as_ref().map(|row| row.updated_by.clone()),
        policy: row.map(|row| row.policy.0),
    })
}

pub async fn get(state: &AppState, path: &ServicePath) -> ApiResult<Autoscaling> {
    let database = &state.foundation.database;
    let service = service(database, path).await?;
    let row = policies::find(database, service.id).await?;
    Ok(present(database, &service, row).await?)
}

/// 422 `invalid_spec`, 409 `pinned` where a service can't have a policy.
pub fn check(policy: &AutoscalingPolicy, service: &services::Model) -> ApiResult<()> {
    let mut fields = Fields::default();
    validation::autoscaling::check(policy, &mut fields);
    fields.done()?;
    if pinned_sum(&service.placement.0).is_some() {
        return Err(ApiError::conflict(
            "pinned",
            format!(
                "the replicas of service {} are pinned to clusters one by one; place it otherwise first",
                service.path()
            ),
        ));
    }
    if service.is_singleton() {
        return Err(ApiError::conflict(
            "singleton",
            format!(
                "service {} is a singleton, of which there is never more than one replica",
                service.path()
            ),
        ));
    }
    Ok(())
}

pub async fn put(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    version: i64,
    policy: AutoscalingPolicy,
) -> ApiResult<Autoscaling> {
    let mut unit = state.unit().await?;
    let mut service = locked(&unit, path).await?;
    check(&policy, &service)?;
    let before = policies::find(&*unit, service.id).await?;
    let now = state.now();
    let known = edit::Versioned {
        what: format!("the autoscaling of service {}", service.path()),
        id: service.id,
        version: before.as_ref().map_or(0, |row| row.version),
        updated_by: before.as_ref().map_or("nobody", |row| row.updated_by.as_str()),
        updated_at: before.as_ref().map_or(now, |row| row.updated_at),
    };
    edit::check_alone(known, version)?;
    let row = policies::Model {
        service_id: service.id,
        policy: StoredPolicy(policy),
        start_replicas: service.replicas,
        version: version + 1,
        created_at: before.as_ref().map_or(now, |row| row.created_at),
        updated_at: now,
        updated_by: caller.name.clone(),
    };
    match before {
        Some(_) => policies::save(&*unit, &row).await?,
        None => policies::insert(&*unit, row.clone()).await?,
    }
    // Whoever edits the service meanwhile is told, since its replicas are no longer theirs to set.
    save_edit(&mut unit, &mut service, &["autoscaling"], caller, now).await?;
    let autoscaling = present(&*unit, &service, Some(row)).await?;
    unit.commit().await?;
    Ok(autoscaling)
}

pub async fn delete(state: &AppState, caller: &Caller, path: &ServicePath) -> ApiResult<()> {
    let mut unit = state.unit().await?;
    let mut service = locked(&unit, path).await?;
    if policies::find(&*unit, service.id).await?.is_none() {
        return Ok(());
    }
    policies::delete(&*unit, service.id).await?;
    save_edit(&mut unit, &mut service, &["autoscaling"], caller, state.now()).await?;
    unit.commit().await?;
    Ok(())
}

pub async fn list_decisions(
    state: &AppState,
    path: &ServicePath,
    filter: &DecisionFilter,
    query: &ListQuery,
) -> ApiResult<Page<AutoscalingDecision>> {
    let database = &state.foundation.database;
    let service = service(database, path).await?;
    let condition = decisions::Filter {
        from: filter.from,
        to: filter.to,
        outcomes: operations::states::<DecisionOutcome>(filter.outcome.as_deref())?,
    }
    .condition(service.id);
    let before: Option<DateTime<Utc>> = decode_cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit);
    let rows = decisions::page(database, condition.clone(), before, limit as u64 + 1).await?;
    let total = decisions::count(database, condition).await?;
    Ok(page::of(rows, limit, total, |row| encode_cursor(&row.at)).map(|row| row.decision.0))
}

/// 409 `autoscaled` where a policy alone sets the replicas. One of 0 may be started by hand: a policy leaves what was
/// stopped alone.
pub async fn refuse_hand(unit: &Unit, service: &services::Model) -> ApiResult<()> {
    let active = policies::find(&**unit, service.id)
        .await?
        .is_some_and(|row| row.policy.0.is_active());
    if !active || service.replicas == 0 {
        return Ok(());
    }
    Err(ApiError::conflict(
        "autoscaled",
        format!(
            "the replicas of service {} are set by its policy of autoscaling; change the policy's bounds, or pause it first",
            service.path()
        ),
    ))
}

/// Gives a service its replicas, with an operation that carries it out. One that is under way for another reason, such
/// as a release, goes on and takes them along.
pub async fn scale(
    unit: &mut Unit,
    service: &mut services::Model,
    replicas: u32,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let before = service.replicas;
    service.replicas = i32::try_from(replicas).unwrap_or(i32::MAX);
    let scaling = word(OperationKind::ScaleService);
    let open = operation_rows::open_of_service(&**unit, service.id).await?;
    if open.iter().all(|operation| operation.kind == scaling) {
        operations::begin_scaling(unit, service, before, caller, now).await?;
    }
    // No edit: who changes the service otherwise has not read anything old.
    services::save(&**unit, service).await?;
    unit.record(Record::service(service).intended());
    Ok(())
}
