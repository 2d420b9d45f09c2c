//! Creating a service: everything is checked, then the row, its first revision and its operation are
//! written together.

use api_types::operations::OperationKind;
use api_types::services::{NewService, ServiceAccepted, ServiceState};
use auth::Caller;
use chrono::{DateTime, Utc};
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::app::services::{accept, check_comment, check_description, deleting, known, requests};
use crate::app::validation::placement::pinned_sum;
use crate::app::validation::{self, Fields, names};
use crate::app::{edit, environments as environment_logic, operations, quotas, room, secrets, volumes};
use crate::db::columns::{Names, StoredPlacement, StoredSpec, word};
use crate::db::{Record, clusters, environments, revisions, services};
use crate::paths::EnvironmentPath;
use crate::state::AppState;

pub async fn create(
    state: &AppState,
    caller: &Caller,
    path: &EnvironmentPath,
    key: Option<&str>,
    new: NewService,
) -> ApiResult<ServiceAccepted> {
    let operation = format!("create_service {}/{}", path.project, path.environment);
    let once = state.once(caller, key, &operation, &new);
    let mut unit = state.unit().await?;
    if let Some(reply) = once.replay(&unit).await? {
        return Ok(reply);
    }
    // Before the environment, as whoever deletes the project locks them.
    let quota = quotas::lock(&unit, &path.project).await?;
    let environment = environments::find_locked(&*unit, &path.project, &path.environment)
        .await?
        .ok_or_else(|| environment_logic::missing(&path.project, &path.environment))?;
    let all = clusters::all(&*unit).await?;
    validate(&new, &all, &environment)?;
    volumes::require_singleton(&new.spec, &new.placement)?;
    room::check_fit(&new.spec.resources, &new.placement, &environment, &all)?;
    if let Some(there) = services::find(&*unit, &path.project, &path.environment, &new.name).await? {
        return Err(if there.deleting {
            deleting(&there.path())
        } else {
            ApiError::conflict(
                "service_exists",
                format!("there is a service {} already", there.path()),
            )
        });
    }
    let now = state.now();
    let id = Uuid::now_v7();
    let spec = secrets::seal(&state.foundation.master_key, id, new.spec.clone(), &[])
        .map_err(|errors| Fields::of_part("spec", errors))?;
    let mut row = row(&new, path, id, caller, now);
    quotas::check(&unit, quota, None, &row).await?;
    let title = format!("create {}", row.path());
    operations::begin(
        &mut unit,
        &mut row,
        OperationKind::CreateService,
        title,
        caller,
        now,
    )
    .await?;
    services::insert(&*unit, row.clone()).await?;
    revisions::insert(
        &*unit,
        revisions::Model {
            service_id: id,
            number: 1,
            image: spec.image.clone(),
            spec: StoredSpec(spec),
            comment: new.comment,
            changed: Names(Vec::new()),
            created_at: now,
            created_by: caller.name.clone(),
        },
    )
    .await?;
    edit::note(&unit, id, 1, &["created"], &caller.name, now).await?;
    unit.record(Record::service(&row).intended());
    accept(unit, &row, Some(&once)).await
}

fn validate(new: &NewService, all: &[clusters::Model], environment: &environments::Model) -> ApiResult<()> {
    let mut fields = Fields::default();
    fields.check("name", names::service(&new.name));
    check_description(Some(&new.description), &mut fields);
    check_comment(&new.comment, &mut fields);
    validation::placement::replicas(new.replicas, &mut fields);
    validation::placement::singleton(&new.placement, new.replicas, &mut fields);
    validation::placement::check(&new.placement, &new.name, &known(all, environment), &mut fields);
    let mut inner = Fields::default();
    validation::spec::check(&new.spec, &mut inner);
    fields.within("spec", inner);
    fields.done()
}

fn row(
    new: &NewService,
    path: &EnvironmentPath,
    id: Uuid,
    caller: &Caller,
    now: DateTime<Utc>,
) -> services::Model {
    let (cpu_millicores, memory_bytes, gpus) = requests(&new.spec);
    let replicas = pinned_sum(&new.placement).unwrap_or(u64::from(new.replicas));
    services::Model {
        id,
        project: path.project.clone(),
        environment: path.environment.clone(),
        name: new.name.clone(),
        kind: word(new.kind),
        description: new.description.clone(),
        replicas: replicas as i32,
        placement: StoredPlacement(new.placement.clone()),
        revision: 1,
        latest_revision: 1,
        image: new.spec.image.clone(),
        cpu_millicores,
        memory_bytes,
        gpus,
        storage_bytes: volumes::on_each(&new.spec),
        keeps_data: volumes::keep_data(&new.spec),
        restarted_at: None,
        deleting: false,
        delete_volumes: false,
        place_afresh: false,
        most_moves: None,
        returning: None,
        given_back: None,
        unplaced: 0,
        operation_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: caller.name.clone(),
        state: word(ServiceState::Progressing),
        state_rank: services::rank(ServiceState::Progressing),
        message: String::new(),
        ready: 0,
        updated: 0,
        unknown: 0,
        since: now,
    }
}
