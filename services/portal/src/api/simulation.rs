//! Load on services of simulated clusters.

use api_types::common::ErrorBody;
use api_types::simulation::{NewSimulatedLoad, SimulatedLoad};
use axum::extract::State;
use platform::ApiResult;
use platform::extract::{Json, Path};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Shared;
use crate::app::simulation;

/// A service by its path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ServicePath {
    project: String,
    environment: String,
    service: String,
}

impl ServicePath {
    fn place(&self) -> simulation::Place<'_> {
        simulation::Place {
            project: &self.project,
            environment: &self.environment,
            service: &self.service,
        }
    }
}

/// The load that is on a service of simulated clusters.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/simulated-load", tag = "simulation",
    params(ServicePath),
    responses(
        (status = 200, description = "What is on", body = SimulatedLoad),
        (status = 409, description = "`not_simulated`: the clusters are real", body = ErrorBody),
        (status = 503, description = "`simulation_unavailable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn get_simulated_load(
    State(state): Shared,
    Path(path): Path<ServicePath>,
) -> ApiResult<Json<SimulatedLoad>> {
    Ok(Json(simulation::get(&state, path.place()).await?))
}

/// Puts load on a service of simulated clusters, in the place of what is on it. Its replicas share it, so that figures,
/// throttling and autoscaling follow.
#[utoipa::path(
    put, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/simulated-load", tag = "simulation",
    params(ServicePath),
    request_body = NewSimulatedLoad,
    responses(
        (status = 200, description = "What is on", body = SimulatedLoad),
        (status = 409, description = "`not_simulated`: the clusters are real", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
        (status = 503, description = "`simulation_unavailable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn put_simulated_load(
    State(state): Shared,
    Path(path): Path<ServicePath>,
    Json(new): Json<NewSimulatedLoad>,
) -> ApiResult<Json<SimulatedLoad>> {
    Ok(Json(simulation::put(&state, path.place(), new).await?))
}

/// Takes the load off a service of simulated clusters.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/simulated-load", tag = "simulation",
    params(ServicePath),
    responses(
        (status = 200, description = "Nothing is on any more", body = SimulatedLoad),
        (status = 409, description = "`not_simulated`: the clusters are real", body = ErrorBody),
        (status = 503, description = "`simulation_unavailable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn delete_simulated_load(
    State(state): Shared,
    Path(path): Path<ServicePath>,
) -> ApiResult<Json<SimulatedLoad>> {
    Ok(Json(simulation::delete(&state, path.place()).await?))
}
