//! Where replicas would go; nothing is stored.

use std::collections::{BTreeMap, BTreeSet};

use api_types::placement::{NewPreview, PlacementPreview, PlacementStrategy, PlannedAssignment};
use platform::ApiResult;

use crate::app::placement::capacity::Ask;
use crate::app::placement::{Request, decide};
use crate::app::quantity::{parse_cpu, parse_memory};
use crate::app::reconcile::applicant::{Applicant, Seen};
use crate::app::reconcile::fleet::Fleet;
use crate::app::reservations::reserve;
use crate::app::validation::placement::pinned_sum;
use crate::app::validation::{self, Fields};
use crate::app::{environments as environment_logic, room, services as service_logic};
use crate::db::{assignments, clusters, environments, observations, services};
use crate::paths::{EnvironmentPath, ServicePath};
use crate::state::AppState;

pub async fn preview(
    state: &AppState,
    path: &EnvironmentPath,
    new: &NewPreview,
) -> ApiResult<PlacementPreview> {
    let database = &state.foundation.database;
    let environment = environments::find(database, &path.project, &path.environment)
        .await?
        .ok_or_else(|| environment_logic::missing(&path.project, &path.environment))?;
    let all = clusters::all(database).await?;
    let mut fields = Fields::default();
    validation::placement::replicas(new.replicas, &mut fields);
    validation::placement::singleton(&new.placement, new.replicas, &mut fields);
    validation::placement::check(
        &new.placement,
        new.service.as_deref().unwrap_or_default(),
        &service_logic::known(&all, &environment),
        &mut fields,
    );
    let cpu = fields.check("resources.cpu_request", parse_cpu(&new.resources.cpu_request));
    let memory = fields.check(
        "resources.memory_request",
        parse_memory(&new.resources.memory_request),
    );
    validation::resources::gpus(&new.resources, &mut fields);
    fields.done()?;
    room::check_fit(&new.resources, &new.placement, &environment, &all)?;

    let existing = match &new.service {
        None => None,
        Some(name) => Some(
            services::find(database, &path.project, &path.environment, name)
                .await?
                .ok_or_else(|| {
                    service_logic::missing(&ServicePath {
                        project: path.project.clone(),
                        environment: path.environment.clone(),
                        service: name.clone(),
                    })
                })?,
        ),
    };
    let mut fleet = Fleet::of(&all)?;
    reserve(database, &mut fleet).await?;
    let ask = Ask {
        cpu_millicores: cpu.unwrap_or(0),
        memory_bytes: memory.unwrap_or(0),
        gpus: u64::from(new.resources.gpus),
    };
    let applicant = match &existing {
        None => Applicant {
            place: (path.project.clone(), path.environment.clone(), String::new()),
            placement: &new.placement,
            ask,
            environment: &environment,
            keeps_data: false,
            holdings: BTreeMap::new(),
            exhausted: BTreeSet::new(),
        },
        Some(service) => {
            let ids = [service.id];
            let assigned = assignments::of_services(database, &ids).await?;
            let observations = observations::of_services(database, &ids).await?;
            let seen = Seen {
                observations: &observations,
                pace: state.config.pace(),
                now: state.now(),
            };
            Applicant {
                placement: &new.placement,
                ask,
                ..Applicant::of(service, &environment, &assigned, &seen)
            }
        }
    };
    let candidates = applicant.candidates(&fleet);
    let seed = format!(
        "{}/{}/{}",
        path.project,
        path.environment,
        new.service.as_deref().unwrap_or_default()
    );
    let decision = decide(
        Request {
            placement: &new.placement,
            replicas: pinned_sum(&new.placement).map_or(new.replicas, |sum| sum as u32),
            seed: &seed,
            afresh: existing.as_ref().is_some_and(|service| {
                matches!(new.placement.strategy, PlacementStrategy::Weights { .. })
                    && service.placement.0.strategy != new.placement.strategy
            }),
        },
        &candidates,
    );
    Ok(PlacementPreview {
        assignments: decision
            .places()
            .map(|place| PlannedAssignment {
                cluster: place.cluster,
                replicas: place.replicas,
                reason: place.reason,
            })
            .collect(),
        unplaced: decision.unplaced,
        message: decision.message,
    })
}
