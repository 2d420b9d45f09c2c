//! Projects.

use std::collections::HashMap;

use api_types::common::{ListQuery, Page, ProjectId};
use api_types::projects::{NewProject, Project, ProjectPatch, Requested};
use auth::{Caller, Permission, Visible};
use chrono::{DateTime, Utc};
use platform::text::counted;
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::app::edit;
use crate::app::listing::{Sort, paginate};
use crate::app::storage;
use crate::app::validation::{Fields, names};
use crate::db::{Connection, DbErr, Record, Unit, edits, environments, projects, services};
use crate::state::AppState;

const LONGEST_TEXT: usize = 2000;

const SORTS: [Sort<Project>; 2] = [
    ("name", |project| project.name.clone()),
    ("updated_at", |project| project.updated_at.to_rfc3339()),
];

pub fn missing(name: &str) -> ApiError {
    ApiError::not_found(format!("project {name}"))
}

fn check_texts(display_name: Option<&str>, description: Option<&str>, fields: &mut Fields) {
    for (field, text) in [("display_name", display_name), ("description", description)] {
        if text.is_some_and(|text| text.len() > LONGEST_TEXT) {
            fields.refuse(field, format!("at most {LONGEST_TEXT} characters"));
        }
    }
}

/// Environments and numbers of services by project, as far as they may be seen.
#[derive(Default)]
struct Contents {
    environments: HashMap<String, Vec<String>>,
    services: HashMap<String, u64>,
    /// Of all services, seen or not: it is what is left of the quota that counts.
    requested: HashMap<String, Requested>,
}

/// What is asked for, of services and of storage.
async fn requested(connection: &impl Connection) -> Result<HashMap<String, Requested>, DbErr> {
    let mut all = services::requested(connection, None).await?;
    for (project, bytes) in storage::taken(connection, None, None).await? {
        all.entry(project).or_default().storage_bytes = bytes;
    }
    Ok(all)
}

async fn contents(connection: &impl Connection, visible: &Visible) -> Result<Contents, DbErr> {
    let mut contents = Contents {
        requested: requested(connection).await?,
        ..Contents::default()
    };
    for row in environments::all(connection).await? {
        if visible.includes(&row.project, &row.name) {
            contents
                .environments
                .entry(row.project)
                .or_default()
                .push(row.name);
        }
    }
    for count in services::counts(connection).await? {
        if visible.includes(&count.project, &count.environment) {
            *contents.services.entry(count.project).or_default() += count.services.max(0) as u64;
        }
    }
    Ok(contents)
}

fn shown(row: &projects::Model, contents: &mut Contents) -> Project {
    Project {
        id: ProjectId(row.id),
        name: row.name.clone(),
        display_name: row.display_name.clone(),
        description: row.description.clone(),
        environments: contents.environments.remove(&row.name).unwrap_or_default(),
        services: contents.services.get(&row.name).copied().unwrap_or(0),
        quota: row.quota(),
        requested: contents.requested.get(&row.name).copied().unwrap_or_default(),
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

pub async fn list(state: &AppState, caller: &Caller, query: &ListQuery) -> ApiResult<Page<Project>> {
    let visible = caller.visible(Permission::ProjectRead);
    let database = &state.foundation.database;
    let mut contents = contents(database, &visible).await?;
    let text = query.q.as_deref().unwrap_or_default().to_lowercase();
    let matching = projects::all(database)
        .await?
        .iter()
        .filter(|row| visible.includes_project(&row.name))
        .filter(|row| row.name.contains(&text) || row.display_name.to_lowercase().contains(&text))
        .map(|row| shown(row, &mut contents))
        .collect();
    paginate(matching, query, &SORTS)
}

pub async fn get(state: &AppState, caller: &Caller, name: &str) -> ApiResult<Project> {
    let database = &state.foundation.database;
    let row = projects::find(database, name)
        .await?
        .ok_or_else(|| missing(name))?;
    Ok(present(database, caller, &row).await?)
}

/// A project as the API shows it to the caller.
pub async fn present(
    connection: &impl Connection,
    caller: &Caller,
    row: &projects::Model,
) -> Result<Project, DbErr> {
    let mut contents = contents(connection, &caller.visible(Permission::ProjectRead)).await?;
    Ok(shown(row, &mut contents))
}

/// Turns an edit away that was made on an older version.
pub async fn check_version(unit: &Unit, row: &projects::Model, given: i64) -> ApiResult<()> {
    let versioned = edit::Versioned {
        what: format!("project {}", row.name),
        id: row.id,
        version: row.version,
        updated_by: &row.updated_by,
        updated_at: row.updated_at,
    };
    edit::check(unit, versioned, given).await
}

/// Writes an edited row with a new version.
pub async fn save_edit(
    unit: &mut Unit,
    row: &mut projects::Model,
    fields: &[&str],
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    row.version += 1;
    row.updated_at = now;
    row.updated_by.clone_from(&caller.name);
    projects::save(&**unit, row).await?;
    edit::note(unit, row.id, row.version, fields, &caller.name, now).await?;
    unit.record(Record::project(&row.name));
    Ok(())
}

pub async fn create(
    state: &AppState,
    caller: &Caller,
    key: Option<&str>,
    new: NewProject,
) -> ApiResult<Project> {
    let mut fields = Fields::default();
    fields.check("name", names::label(&new.name, names::PROJECT_LENGTH));
    check_texts(Some(&new.display_name), Some(&new.description), &mut fields);
    fields.done()?;
    let once = state.once(caller, key, "create_project", &new);
    let mut unit = state.unit().await?;
    if let Some(reply) = once.replay(&unit).await? {
        return Ok(reply);
    }
    let now = state.now();
    let row = projects::Model {
        id: Uuid::now_v7(),
        name: new.name,
        display_name: new.display_name,
        description: new.description,
        quota_cpu_millicores: None,
        quota_memory_bytes: None,
        quota_pods: None,
        quota_gpus: None,
        quota_storage_bytes: None,
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: caller.name.clone(),
    };
    match projects::insert(&*unit, row.clone()).await {
        Err(error) if platform::database::is_unique_violation(&error) => {
            return Err(ApiError::conflict(
                "project_exists",
                format!("there is a project {} already", row.name),
            ));
        }
        outcome => outcome?,
    }
    let project = shown(&row, &mut Contents::default());
    once.store(&unit, &project).await?;
    unit.record(Record::project(&row.name));
    unit.commit().await?;
    Ok(project)
}

pub async fn update(
    state: &AppState,
    caller: &Caller,
    name: &str,
    version: i64,
    patch: ProjectPatch,
) -> ApiResult<Project> {
    let mut fields = Fields::default();
    check_texts(
        patch.display_name.as_deref(),
        patch.description.as_deref(),
        &mut fields,
    );
    fields.done()?;
    let mut unit = state.unit().await?;
    let mut row = projects::find_locked(&*unit, name)
        .await?
        .ok_or_else(|| missing(name))?;
    check_version(&unit, &row, version).await?;
    let mut changed = Vec::new();
    if let Some(display_name) = patch.display_name.filter(|text| *text != row.display_name) {
        row.display_name = display_name;
        changed.push("display_name");
    }
    if let Some(description) = patch.description.filter(|text| *text != row.description) {
        row.description = description;
        changed.push("description");
    }
    if !changed.is_empty() {
        save_edit(&mut unit, &mut row, &changed, caller, state.now()).await?;
    }
    let project = present(&*unit, caller, &row).await?;
    unit.commit().await?;
    Ok(project)
}

pub async fn delete(state: &AppState, name: &str) -> ApiResult<()> {
    let mut unit = state.unit().await?;
    let row = projects::find_locked(&*unit, name)
        .await?
        .ok_or_else(|| missing(name))?;
    let services: i64 = services::counts(&*unit)
        .await?
        .iter()
        .filter(|count| count.project == name)
        .map(|count| count.services)
        .sum();
    if services > 0 {
        return Err(ApiError::conflict(
            "project_in_use",
            format!(
                "project {name} has {}; delete what is in it first",
                counted(services, "service")
            ),
        ));
    }
    for environment in environments::of_project(&*unit, name).await? {
        // Locked, so that nobody puts a service in it meanwhile.
        environments::find_locked(&*unit, name, &environment.name).await?;
        let left = services::ids_of_environment(&*unit, name, &environment.name).await?;
        if !left.is_empty() {
            return Err(ApiError::conflict(
                "project_in_use",
                format!(
                    "project {name} has services in {}; delete them first",
                    environment.name
                ),
            ));
        }
        environments::delete(&*unit, environment.id).await?;
        edits::forget(&*unit, environment.id).await?;
        unit.record(Record::environment(&environment));
    }
    projects::delete(&*unit, row.id).await?;
    edits::forget(&*unit, row.id).await?;
    unit.record(Record::project(name));
    unit.commit().await?;
    Ok(())
}
