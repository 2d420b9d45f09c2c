//! Environments of projects.

use std::collections::{BTreeSet, HashMap};

use api_types::common::{ListQuery, Page};
use api_types::projects::{Environment, EnvironmentPatch, FailbackPolicy, NewEnvironment};
use auth::{Caller, Permission};
use platform::text::counted;
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::app::listing::{Sort, paginate};
use crate::app::validation::{Fields, names};
use crate::app::{edit, projects as project_logic};
use crate::db::columns::{Names, word};
use crate::db::{Connection, DbErr, Record, clusters, edits, environments, projects, services};
use crate::state::AppState;

/// A week.
const LONGEST_AFTER_MINUTES: u32 = 7 * 24 * 60;

const SORTS: [Sort<Environment>; 2] = [
    ("name", |environment| environment.name.clone()),
    ("updated_at", |environment| environment.updated_at.to_rfc3339()),
];

pub fn missing(project: &str, name: &str) -> ApiError {
    ApiError::not_found(format!("environment {project}/{name}"))
}

async fn services_in(connection: &impl Connection, project: &str, name: &str) -> Result<u64, DbErr> {
    Ok(services::ids_of_environment(connection, project, name)
        .await?
        .len() as u64)
}

pub async fn list(
    state: &AppState,
    caller: &Caller,
    project: &str,
    query: &ListQuery,
) -> ApiResult<Page<Environment>> {
    let database = &state.foundation.database;
    if projects::find(database, project).await?.is_none() {
        return Err(project_logic::missing(project));
    }
    let visible = caller.visible(Permission::ProjectRead);
    let counts: HashMap<String, u64> = services::counts(database)
        .await?
        .into_iter()
        .filter(|count| count.project == project)
        .map(|count| (count.environment, count.services.max(0) as u64))
        .collect();
    let text = query.q.as_deref().unwrap_or_default();
    let matching = environments::of_project(database, project)
        .await?
        .iter()
        .filter(|row| visible.includes(project, &row.name) && row.name.contains(text))
        .map(|row| row.to_environment(counts.get(&row.name).copied().unwrap_or(0)))
        .collect::<Result<_, _>>()?;
    paginate(matching, query, &SORTS)
}

pub async fn get(state: &AppState, project: &str, name: &str) -> ApiResult<Environment> {
    let database = &state.foundation.database;
    let row = environments::find(database, project, name)
        .await?
        .ok_or_else(|| missing(project, name))?;
    Ok(row.to_environment(services_in(database, project, name).await?)?)
}

async fn check_clusters(
    connection: &impl Connection,
    chosen: &[String],
    fields: &mut Fields,
) -> Result<(), DbErr> {
    let known: BTreeSet<String> = clusters::all(connection)
        .await?
        .into_iter()
        .map(|cluster| cluster.name)
        .collect();
    let mut seen = BTreeSet::new();
    for (index, name) in chosen.iter().enumerate() {
        if !known.contains(name) {
            fields.refuse(
                format!("clusters[{index}]"),
                format!("there is no cluster `{name}`"),
            );
        } else if !seen.insert(name) {
            fields.refuse(format!("clusters[{index}]"), format!("`{name}` is named twice"));
        }
    }
    Ok(())
}

fn check_failback(policy: FailbackPolicy, fields: &mut Fields) {
    if policy.after_minutes > LONGEST_AFTER_MINUTES {
        fields.refuse(
            "failback.after_minutes",
            format!("at most {LONGEST_AFTER_MINUTES}, a week"),
        );
    }
    if !(1..=100).contains(&policy.percent) {
        fields.refuse("failback.percent", "must be from 1 to 100");
    }
}

pub async fn create(
    state: &AppState,
    caller: &Caller,
    project: &str,
    key: Option<&str>,
    new: NewEnvironment,
) -> ApiResult<Environment> {
    let operation = format!("create_environment {project}");
    let once = state.once(caller, key, &operation, &new);
    let mut unit = state.unit().await?;
    if let Some(reply) = once.replay(&unit).await? {
        return Ok(reply);
    }
    if projects::find_locked(&*unit, project).await?.is_none() {
        return Err(project_logic::missing(project));
    }
    let namespace = format!("{project}-{}", new.name);
    let mut fields = Fields::default();
    fields.check("name", names::label(&new.name, names::ENVIRONMENT_LENGTH));
    if namespace.len() > names::LABEL_LENGTH {
        fields.refuse(
            "name",
            format!("its namespace `{namespace}` would have more than 63 characters"),
        );
    }
    check_clusters(&*unit, &new.clusters, &mut fields).await?;
    check_failback(new.failback, &mut fields);
    fields.done()?;
    // `a-b` with `c` and `a` with `b-c` would share one namespace.
    if let Some(other) = environments::find_by_namespace(&*unit, &namespace).await? {
        return Err(if other.project == project {
            ApiError::conflict(
                "environment_exists",
                format!("project {project} has an environment {} already", new.name),
            )
        } else {
            ApiError::conflict(
                "namespace_taken",
                format!(
                    "the namespace {namespace} is that of another project's environment; choose another name"
                ),
            )
        });
    }
    let now = state.now();
    let row = environments::Model {
        id: Uuid::now_v7(),
        project: project.to_owned(),
        name: new.name,
        namespace,
        clusters: Names(new.clusters),
        failover: word(new.failover),
        failback: word(new.failback.mode),
        failback_after_minutes: new.failback.after_minutes.cast_signed(),
        failback_percent: new.failback.percent.cast_signed(),
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: caller.name.clone(),
    };
    match environments::insert(&*unit, row.clone()).await {
        Err(error) if platform::database::is_unique_violation(&error) => {
            return Err(ApiError::conflict(
                "namespace_taken",
                format!(
                    "the namespace {} was taken a moment ago; choose another name",
                    row.namespace
                ),
            ));
        }
        outcome => outcome?,
    }
    let environment = row.to_environment(0)?;
    once.store(&unit, &environment).await?;
    unit.record(Record::environment(&row));
    unit.commit().await?;
    Ok(environment)
}

pub async fn update(
    state: &AppState,
    caller: &Caller,
    project: &str,
    name: &str,
    version: i64,
    patch: EnvironmentPatch,
) -> ApiResult<Environment> {
    let mut unit = state.unit().await?;
    let mut row = environments::find_locked(&*unit, project, name)
        .await?
        .ok_or_else(|| missing(project, name))?;
    let versioned = edit::Versioned {
        what: format!("environment {project}/{name}"),
        id: row.id,
        version: row.version,
        updated_by: &row.updated_by,
        updated_at: row.updated_at,
    };
    edit::check(&unit, versioned, version).await?;
    let mut changed = Vec::new();
    let mut fields = Fields::default();
    if let Some(chosen) = patch.clusters.filter(|chosen| *chosen != row.clusters.0) {
        check_clusters(&*unit, &chosen, &mut fields).await?;
        row.clusters = Names(chosen);
        changed.push("clusters");
    }
    if let Some(failover) = patch.failover.map(word).filter(|mode| *mode != row.failover) {
        row.failover = failover;
        changed.push("failover");
    }
    let known = row.failback_policy()?;
    if let Some(policy) = patch.failback.filter(|policy| *policy != known) {
        check_failback(policy, &mut fields);
        row.failback = word(policy.mode);
        row.failback_after_minutes = policy.after_minutes.cast_signed();
        row.failback_percent = policy.percent.cast_signed();
        changed.push("failback");
    }
    fields.done()?;
    if !changed.is_empty() {
        row.version += 1;
        row.updated_at = state.now();
        row.updated_by.clone_from(&caller.name);
        environments::save(&*unit, &row).await?;
        edit::note(&unit, row.id, row.version, &changed, &caller.name, row.updated_at).await?;
        unit.record(Record::environment(&row).intended());
    }
    let services = services_in(&*unit, project, name).await?;
    unit.commit().await?;
    Ok(row.to_environment(services)?)
}

pub async fn delete(state: &AppState, project: &str, name: &str) -> ApiResult<()> {
    let mut unit = state.unit().await?;
    let row = environments::find_locked(&*unit, project, name)
        .await?
        .ok_or_else(|| missing(project, name))?;
    let services = services_in(&*unit, project, name).await?;
    if services > 0 {
        return Err(ApiError::conflict(
            "environment_in_use",
            format!(
                "environment {project}/{name} has {}; delete what is in it first",
                counted(services, "service")
            ),
        ));
    }
    environments::delete(&*unit, row.id).await?;
    edits::forget(&*unit, row.id).await?;
    unit.record(Record::environment(&row));
    unit.commit().await?;
    Ok(())
}
