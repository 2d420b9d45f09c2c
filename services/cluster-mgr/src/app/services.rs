//! Services: list, create, change, delete.

use std::collections::HashMap;

use api_types::common::{ListQuery, OperationId, Page};
use api_types::operations::OperationKind;
use api_types::placement::PlacementStrategy;
use api_types::services::{
    Service, ServiceAccepted, ServiceDeletion, ServiceFilter, ServicePatch, ServiceState,
};
use auth::{Caller, Permission};
use chrono::{DateTime, Utc};
use platform::idempotency::Once;
use platform::page::{decode_cursor, encode_cursor, limit, sort};
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::app::quantity::{parse_cpu, parse_memory};
use crate::app::validation::placement::{Known, pinned_sum};
use crate::app::validation::{self, Fields};
use crate::app::{
    autoscaling, clusters as cluster_logic, edit, environments as environment_logic, operations, quotas,
    revisions, volumes,
};
use crate::db::columns::StoredPlacement;
use crate::db::service_pages::{self, Cursor, Filter, Sort};
use crate::db::{Connection, DbErr, Record, Unit, assignments, clusters, environments, services};
use crate::paths::{EnvironmentPath, ServicePath};
use crate::state::AppState;

const LONGEST_TEXT: usize = 2000;

pub fn missing(path: &ServicePath) -> ApiError {
    ApiError::not_found(format!(
        "service {}/{}/{}",
        path.project, path.environment, path.service
    ))
}

/// Rows as the API shows them, with the age of what is known.
pub async fn present(connection: &impl Connection, rows: &[services::Model]) -> Result<Vec<Service>, DbErr> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let contacts: HashMap<Uuid, Option<DateTime<Utc>>> = clusters::all(connection)
        .await?
        .into_iter()
        .map(|cluster| (cluster.id, cluster.last_contact))
        .collect();
    let mut oldest: HashMap<Uuid, DateTime<Utc>> = HashMap::new();
    for assignment in assignments::of_services(connection, &ids).await? {
        if let Some(Some(contact)) = contacts.get(&assignment.cluster_id) {
            let known = oldest.entry(assignment.service_id).or_insert(*contact);
            *known = (*known).min(*contact);
        }
    }
    rows.iter()
        .map(|row| {
            let mut service = row.to_service()?;
            service.status.observed_at = oldest.get(&row.id).copied();
            Ok(service)
        })
        .collect()
}

async fn present_one(connection: &impl Connection, row: &services::Model) -> Result<Service, DbErr> {
    Ok(present(connection, std::slice::from_ref(row))
        .await?
        .pop()
        .expect("one row gives one service"))
}

pub async fn list(
    state: &AppState,
    caller: &Caller,
    filter: &ServiceFilter,
    query: &ListQuery,
) -> ApiResult<Page<Service>> {
    let database = &state.foundation.database;
    let all = cluster_logic::all(state, database).await?;
    // A cluster that isn't there holds nothing.
    let cluster = filter.cluster.as_ref().map(|name| {
        all.iter()
            .find(|cluster| cluster.name == *name)
            .map_or(Uuid::nil(), |cluster| cluster.id.0)
    });
    let visible = caller.visible(Permission::ServiceRead);
    let condition = Filter {
        visible: &visible,
        project: filter.project.as_deref(),
        environment: filter.environment.as_deref(),
        states: operations::states::<ServiceState>(filter.state.as_deref())?,
        cluster,
        text: query.q.as_deref(),
    }
    .condition();
    let allowed = ["name", "updated_at", "state", "project"];
    let (field, descending) = sort(query.sort.as_deref(), &allowed, "name")?;
    let order = match field {
        "updated_at" => Sort::UpdatedAt,
        "state" => Sort::State,
        "project" => Sort::Project,
        _ => Sort::Name,
    };
    let cursor: Option<Cursor> = decode_cursor(query.cursor.as_deref())?;
    if cursor
        .as_ref()
        .is_some_and(|cursor| !cursor.fits(order, descending))
    {
        return Err(ApiError::invalid(
            "invalid_cursor",
            "the cursor is of another order; start again without it",
        ));
    }
    let limit = limit(query.limit);
    let mut rows = service_pages::page(
        database,
        condition.clone(),
        order,
        descending,
        cursor.as_ref(),
        limit as u64 + 1,
    )
    .await?;
    let next_cursor = (rows.len() > limit).then(|| {
        rows.truncate(limit);
        let last = rows.last().expect("a page has at least one item");
        encode_cursor(&Cursor::after(last, order, descending))
    });
    Ok(Page {
        items: present(database, &rows).await?,
        next_cursor,
        total_estimate: services::count(database, condition).await?,
        gaps: cluster_logic::gaps(&all),
    })
}

pub async fn list_of_environment(
    state: &AppState,
    caller: &Caller,
    path: &EnvironmentPath,
    query: &ListQuery,
) -> ApiResult<Page<Service>> {
    let database = &state.foundation.database;
    if environments::find(database, &path.project, &path.environment)
        .await?
        .is_none()
    {
        return Err(environment_logic::missing(&path.project, &path.environment));
    }
    let filter = ServiceFilter {
        project: Some(path.project.clone()),
        environment: Some(path.environment.clone()),
        ..ServiceFilter::default()
    };
    list(state, caller, &filter, query).await
}

pub async fn get(state: &AppState, path: &ServicePath) -> ApiResult<Service> {
    let database = &state.foundation.database;
    let row = services::find(database, &path.project, &path.environment, &path.service)
        .await?
        .ok_or_else(|| missing(path))?;
    Ok(present_one(database, &row).await?)
}

/// A service about to be changed: it is there, and not on its way out.
pub async fn locked(unit: &Unit, path: &ServicePath) -> ApiResult<services::Model> {
    let row = services::find_locked(&**unit, &path.project, &path.environment, &path.service)
        .await?
        .ok_or_else(|| missing(path))?;
    if row.deleting {
        return Err(deleting(&row.path()));
    }
    Ok(row)
}

pub fn deleting(path: &str) -> ApiError {
    ApiError::conflict(
        "service_deleting",
        format!("service {path} is being deleted; wait until nothing of it is left"),
    )
}

/// Turns an edit away that was made on an older version.
pub async fn check_version(unit: &Unit, row: &services::Model, given: i64) -> ApiResult<()> {
    let versioned = edit::Versioned {
        what: format!("service {}", row.path()),
        id: row.id,
        version: row.version,
        updated_by: &row.updated_by,
        updated_at: row.updated_at,
    };
    edit::check(unit, versioned, given).await
}

/// Writes an edited row with a new version and tells that what is wanted changed.
pub async fn save_edit(
    unit: &mut Unit,
    row: &mut services::Model,
    fields: &[&str],
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    row.version += 1;
    row.updated_at = now;
    row.updated_by.clone_from(&caller.name);
    services::save(&**unit, row).await?;
    edit::note(unit, row.id, row.version, fields, &caller.name, now).await?;
    unit.record(Record::service(row).intended());
    Ok(())
}

/// Commits, and replies with the service and what carries the change out.
pub async fn accept(unit: Unit, row: &services::Model, once: Option<&Once>) -> ApiResult<ServiceAccepted> {
    let accepted = ServiceAccepted {
        service: present_one(&*unit, row).await?,
        operation: row.operation_id.map(OperationId),
    };
    if let Some(once) = once {
        once.store(&unit, &accepted).await?;
    }
    unit.commit().await?;
    Ok(accepted)
}

/// The clusters as an environment knows them.
pub fn known<'a>(all: &'a [clusters::Model], environment: &environments::Model) -> Known<'a> {
    Known(
        all.iter()
            .map(|cluster| (cluster.name.as_str(), environment.spans(&cluster.name)))
            .collect(),
    )
}

/// Requests of one replica, CPU, memory and GPUs; the spec was checked before.
pub fn requests(spec: &api_types::spec::ServiceSpec) -> (i64, i64, i32) {
    let resources = &spec.resources;
    (
        parse_cpu(&resources.cpu_request).map_or(0, |cpu| cpu as i64),
        parse_memory(&resources.memory_request).map_or(0, |memory| memory as i64),
        i32::try_from(resources.gpus).unwrap_or(i32::MAX),
    )
}

pub fn check_comment(comment: &str, fields: &mut Fields) {
    if comment.len() > LONGEST_TEXT {
        fields.refuse("comment", format!("at most {LONGEST_TEXT} characters"));
    }
}

pub fn check_description(description: Option<&str>, fields: &mut Fields) {
    if description.is_some_and(|text| text.len() > LONGEST_TEXT) {
        fields.refuse("description", format!("at most {LONGEST_TEXT} characters"));
    }
}

pub async fn update(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    version: i64,
    patch: ServicePatch,
) -> ApiResult<ServiceAccepted> {
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, path).await?;
    check_version(&unit, &row, version).await?;
    let environment = environments::find(&*unit, &path.project, &path.environment)
        .await?
        .ok_or_else(|| missing(path))?;
    let all = clusters::all(&*unit).await?;
    let mut fields = Fields::default();
    check_description(patch.description.as_deref(), &mut fields);
    if let Some(placement) = &patch.placement {
        validation::placement::check(placement, &row.name, &known(&all, &environment), &mut fields);
    }
    let placement = patch.placement.as_ref().unwrap_or(&row.placement.0);
    let replicas = patch.replicas.unwrap_or(row.replicas.unsigned_abs());
    validation::placement::singleton(placement, replicas, &mut fields);
    let becomes_single = placement.singleton && !row.is_singleton();
    let pinned = pinned_sum(placement);
    if let Some(replicas) = patch.replicas {
        validation::placement::replicas(replicas, &mut fields);
        if pinned.is_some_and(|sum| sum != u64::from(replicas)) && patch.placement.is_none() {
            fields.refuse(
                "replicas",
                "the replicas are pinned to clusters one by one; change the placement instead",
            );
        }
    }
    fields.done()?;
    if row.is_singleton() && !placement.singleton {
        let current = revisions::find(&*unit, &row, row.revision).await?;
        volumes::require_singleton(&current.spec.0, placement)?;
    }

    let by_hand = pinned.or(patch.replicas.map(u64::from));
    let changes_count = by_hand.is_some_and(|count| count != u64::from(row.replicas.unsigned_abs()));
    if changes_count || pinned.is_some() || becomes_single {
        autoscaling::refuse_hand(&unit, &row).await?;
    }
    let before = row.clone();
    let mut changed = Vec::new();
    if let Some(description) = patch.description.filter(|text| *text != row.description) {
        row.description = description;
        changed.push("description");
    }
    if let Some(placement) = patch.placement.filter(|placement| *placement != row.placement.0) {
        // Weights say how all replicas are divided, so a change of them is about all of them.
        row.place_afresh = matches!(placement.strategy, PlacementStrategy::Weights { .. })
            && placement.strategy != row.placement.0.strategy;
        row.most_moves = None;
        row.placement = StoredPlacement(placement);
        changed.push("placement");
    }
    if let Some(replicas) = by_hand
        .map(|count| count as i32)
        .filter(|count| *count != row.replicas)
    {
        row.replicas = replicas;
        changed.push("replicas");
    }
    if changed.is_empty() {
        return accept(unit, &row, None).await;
    }
    quotas::check_change(&unit, &before, &row).await?;
    let now = state.now();
    if row.replicas != before.replicas || row.placement != before.placement {
        operations::begin_scaling(&mut unit, &mut row, before.replicas, caller, now).await?;
    }
    save_edit(&mut unit, &mut row, &changed, caller, now).await?;
    accept(unit, &row, None).await
}

/// Begins a deletion; asked again, it tells of the one under way.
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    deletion: ServiceDeletion,
) -> ApiResult<ServiceAccepted> {
    let mut unit = state.unit().await?;
    let mut row = services::find_locked(&*unit, &path.project, &path.environment, &path.service)
        .await?
        .ok_or_else(|| missing(path))?;
    if row.deleting {
        return accept(unit, &row, None).await;
    }
    let now = state.now();
    row.deleting = true;
    row.delete_volumes = deletion.delete_volumes;
    let stored = volumes::named(&*unit, &row).await?;
    let title = match (stored.as_str(), deletion.delete_volumes) {
        ("", _) => format!("delete {}", row.path()),
        (stored, true) => format!("delete {} with its data: {stored}", row.path()),
        (stored, false) => format!("delete {}; its data stays: {stored}", row.path()),
    };
    if deletion.delete_volumes {
        volumes::reach(&unit, &row, now).await?;
    }
    operations::begin(
        &mut unit,
        &mut row,
        OperationKind::DeleteService,
        title,
        caller,
        now,
    )
    .await?;
    save_edit(&mut unit, &mut row, &["deleting"], caller, now).await?;
    accept(unit, &row, None).await
}
