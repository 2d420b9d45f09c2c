//! Revisions: the whole spec, numbered, immutable.

use std::ops::ControlFlow;

use api_types::common::{ListQuery, Page};
use api_types::operations::OperationKind;
use api_types::services::{NewRevision, Revision, RevisionDiff, RevisionSummary, ServiceAccepted};
use api_types::spec::ServiceSpec;
use auth::Caller;
use chrono::{DateTime, Utc};
use http::StatusCode;
use platform::page::{decode_cursor, encode_cursor, limit};
use platform::{ApiError, ApiResult};

use crate::app::services::{accept, check_comment, check_version, missing, requests, save_edit};
use crate::app::validation::{self, Fields};
use crate::app::{diff, once, operations, quotas, room, secrets, volumes};
use crate::db::columns::{Names, StoredSpec};
use crate::db::{Connection, Unit, clusters, environments, revisions, services};
use crate::paths::ServicePath;
use crate::state::AppState;

async fn service(connection: &impl Connection, path: &ServicePath) -> ApiResult<services::Model> {
    services::find(connection, &path.project, &path.environment, &path.service)
        .await?
        .ok_or_else(|| missing(path))
}

/// A revision of a service, or 404 `revision_not_found`.
pub async fn find(
    connection: &impl Connection,
    service: &services::Model,
    number: i64,
) -> ApiResult<revisions::Model> {
    revisions::find(connection, service.id, number)
        .await?
        .ok_or_else(|| {
            ApiError::new(
                StatusCode::NOT_FOUND,
                "revision_not_found",
                format!(
                    "service {} has no revision {number}; its newest is {}",
                    service.path(),
                    service.latest_revision
                ),
            )
        })
}

pub async fn list(
    state: &AppState,
    path: &ServicePath,
    query: &ListQuery,
) -> ApiResult<Page<RevisionSummary>> {
    let database = &state.foundation.database;
    let service = service(database, path).await?;
    let before: Option<i64> = decode_cursor(query.cursor.as_deref())?;
    let limit = limit(query.limit);
    let mut rows = revisions::page(database, service.id, before, limit as u64 + 1).await?;
    let next_cursor = (rows.len() > limit).then(|| {
        rows.truncate(limit);
        encode_cursor(&rows.last().expect("a page has at least one item").number)
    });
    Ok(Page {
        items: rows.iter().map(|row| row.to_summary(service.revision)).collect(),
        next_cursor,
        total_estimate: service.latest_revision.max(0) as u64,
        gaps: Vec::new(),
    })
}

pub async fn get(state: &AppState, path: &ServicePath, number: i64) -> ApiResult<Revision> {
    let database = &state.foundation.database;
    let service = service(database, path).await?;
    let row = find(database, &service, number).await?;
    Ok(Revision {
        number,
        spec: secrets::redact(row.spec.0),
        comment: row.comment,
        created_at: row.created_at,
        created_by: row.created_by,
        current: number == service.revision,
    })
}

/// From `against` (or the revision before) to this one.
pub async fn diff(
    state: &AppState,
    path: &ServicePath,
    number: i64,
    against: Option<i64>,
) -> ApiResult<RevisionDiff> {
    let database = &state.foundation.database;
    let service = service(database, path).await?;
    let to = secrets::redact(find(database, &service, number).await?.spec.0);
    let from_number = against.unwrap_or((number - 1).max(1));
    let from = secrets::redact(find(database, &service, from_number).await?.spec.0);
    Ok(RevisionDiff {
        from: from_number,
        to: number,
        changes: diff::changes(&from, &to),
        unified: diff::unified(
            (&format!("revision {from_number}"), &from),
            (&format!("revision {number}"), &to),
        ),
    })
}

pub async fn create(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    version: i64,
    key: Option<&str>,
    new: NewRevision,
) -> ApiResult<ServiceAccepted> {
    let (once, mut unit, mut row) =
        match once::begin(state, caller, path, key, "create_revision", &new).await? {
            ControlFlow::Break(reply) => return Ok(reply),
            ControlFlow::Continue(begun) => begun,
        };
    check_version(&unit, &row, version).await?;
    let mut fields = Fields::default();
    check_comment(&new.comment, &mut fields);
    fields.done()?;
    let (spec, latest, _) = sealed(state, &*unit, path, &row, new.spec).await?;
    let now = state.now();
    append(&unit, &mut row, &latest, spec, new.comment, caller, now).await?;
    if new.release {
        let number = row.latest_revision;
        release(&mut unit, &mut row, number, caller, now).await?;
        save_edit(&mut unit, &mut row, &["spec", "revision"], caller, now).await?;
    } else {
        save_edit(&mut unit, &mut row, &["spec"], caller, now).await?;
    }
    accept(unit, &row, Some(&once)).await
}

/// What a spec would change in what runs, checked as [`create`] checks it.
pub async fn preview(state: &AppState, path: &ServicePath, spec: ServiceSpec) -> ApiResult<RevisionDiff> {
    let database = &state.foundation.database;
    let row = service(database, path).await?;
    let (spec, latest, current) = sealed(state, database, path, &row, spec).await?;
    let [spec, latest_spec, current_spec] = [spec, latest.spec.0, current.spec.0].map(secrets::redact);
    let to = latest.number + i64::from(!diff::changed_parts(&latest_spec, &spec).is_empty());
    Ok(RevisionDiff {
        from: current.number,
        to,
        changes: diff::changes(&current_spec, &spec),
        unified: diff::unified(
            (&format!("revision {}", current.number), &current_spec),
            (&format!("revision {to}"), &spec),
        ),
    })
}

/// A spec that was checked, as it is kept; with the newest and the current revision.
async fn sealed(
    state: &AppState,
    connection: &impl Connection,
    path: &ServicePath,
    row: &services::Model,
    spec: ServiceSpec,
) -> ApiResult<(ServiceSpec, revisions::Model, revisions::Model)> {
    let mut fields = Fields::default();
    let mut inner = Fields::default();
    validation::spec::check(&spec, &mut inner);
    fields.within("spec", inner);
    fields.done()?;
    let environment = environments::find(connection, &path.project, &path.environment)
        .await?
        .ok_or_else(|| missing(path))?;
    let all = clusters::all(connection).await?;
    room::check_fit(&spec.resources, &row.placement.0, &environment, &all)?;
    let latest = find(connection, row, row.latest_revision).await?;
    let current = find(connection, row, row.revision).await?;
    volumes::require_singleton(&spec, &row.placement.0)?;
    volumes::check_change(
        &spec,
        &volumes::known(connection, row, &[&latest.spec.0, &current.spec.0]).await?,
    )?;
    let key = &state.foundation.master_key;
    let spec = secrets::seal(key, row.id, spec, &[&latest.spec.0, &current.spec.0])
        .map_err(|errors| Fields::of_part("spec", errors))?;
    Ok((spec, latest, current))
}

/// Appends a revision behind the newest one.
///
/// # Errors
/// 422 `nothing_changed` when it would say the same.
pub async fn append(
    unit: &Unit,
    row: &mut services::Model,
    latest: &revisions::Model,
    spec: ServiceSpec,
    comment: String,
    caller: &Caller,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    let changed = diff::changed_parts(
        &secrets::redact(latest.spec.0.clone()),
        &secrets::redact(spec.clone()),
    );
    if changed.is_empty() {
        return Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "nothing_changed",
            format!(
                "this is the same as revision {}; release that one, or restart the service",
                latest.number
            ),
        ));
    }
    row.latest_revision += 1;
    revisions::insert(
        &**unit,
        revisions::Model {
            service_id: row.id,
            number: row.latest_revision,
            image: spec.image.clone(),
            spec: StoredSpec(spec),
            comment,
            changed: Names(changed),
            created_at: now,
            created_by: caller.name.clone(),
        },
    )
    .await?;
    Ok(())
}

/// Makes a revision the one that should run, with the operation that brings it there.
pub async fn release(
    unit: &mut Unit,
    row: &mut services::Model,
    number: i64,
    caller: &Caller,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    let target = find(&**unit, row, number).await?;
    volumes::require_singleton(&target.spec.0, &row.placement.0)?;
    volumes::check_release(&target.spec.0, &volumes::known(&**unit, row, &[]).await?)?;
    let verb = if number < row.revision {
        "roll back to"
    } else {
        "release"
    };
    let before = row.clone();
    row.revision = number;
    row.image.clone_from(&target.image);
    (row.cpu_millicores, row.memory_bytes, row.gpus) = requests(&target.spec.0);
    row.storage_bytes = volumes::on_each(&target.spec.0);
    row.keeps_data = volumes::keep_data(&target.spec.0);
    quotas::check_change(unit, &before, row).await?;
    let title = format!("{verb} revision {number} of {}", row.path());
    operations::begin(unit, row, OperationKind::ReleaseService, title, caller, now).await?;
    Ok(())
}
