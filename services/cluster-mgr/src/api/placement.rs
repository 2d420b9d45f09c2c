//! Why replicas are where they are, and dividing them anew.

use api_types::common::ErrorBody;
use api_types::placement::{NewRebalance, PlacementExplanation, RebalancePlan};
use api_types::services::ServiceAccepted;
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, Json, Path};

use crate::app;
use crate::paths::ServicePath;
use crate::state::AppState;

/// Why each cluster holds replicas of a service, or holds none.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/placement", tag = "services",
    params(ServicePath),
    responses(
        (status = 200, description = "Every cluster, with its reason", body = PlacementExplanation),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn explain_placement(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
) -> ApiResult<Json<PlacementExplanation>> {
    Ok(Json(app::explanation::explain(&state, &path).await?))
}

/// What a rebalance would move now. Nothing is stored, and nothing is promised.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/rebalance", tag = "services",
    params(ServicePath),
    responses(
        (status = 200, description = "The moves", body = RebalancePlan),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn plan_rebalance(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
) -> ApiResult<Json<RebalancePlan>> {
    Ok(Json(app::rebalance::plan(&state, &path).await?))
}

/// Divides a service's replicas anew. What moves stays where it is until its new place is ready.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/rebalance", tag = "services",
    params(ServicePath, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless")),
    request_body = NewRebalance,
    responses(
        (status = 202, description = "The service, and the operation that moves its replicas", body = ServiceAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`service_deleting`, `already_balanced`: nothing would move", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn rebalance_service(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<NewRebalance>,
) -> ApiResult<(StatusCode, Json<ServiceAccepted>)> {
    let accepted = app::rebalance::begin(&state, &caller, &path, key.as_deref(), body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}
