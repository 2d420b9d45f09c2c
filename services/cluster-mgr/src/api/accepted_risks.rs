//! Accepting that a singleton may run twice.

use api_types::common::ErrorBody;
use api_types::fencing::NewAcceptedRisk;
use api_types::services::ServiceAccepted;
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, Json, Path};

use crate::app;
use crate::paths::ServicePath;
use crate::state::AppState;

/// Accepts that a singleton may still run on clusters that don't answer, so that it starts elsewhere at once.
///
/// The reason is kept with the operation and where it may still run. When such a cluster answers again, what it runs is
/// ended first.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/accepted-risks", tag = "services",
    params(ServicePath, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless")),
    request_body = NewAcceptedRisk,
    responses(
        (status = 202, description = "The service, and the operation that starts it elsewhere", body = ServiceAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`not_a_singleton`, `no_risk`: the cluster answers, or the service is not to leave it; `service_deleting`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn accept_risk(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<NewAcceptedRisk>,
) -> ApiResult<(StatusCode, Json<ServiceAccepted>)> {
    let accepted = app::accepted_risks::accept(&state, &caller, &path, key.as_deref(), body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}
