//! Releases and restarts.

use api_types::common::ErrorBody;
use api_types::services::{NewRelease, ServiceAccepted};
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, Json, Path};

use crate::app;
use crate::paths::ServicePath;
use crate::state::AppState;

/// Moves a service to a revision: an older one is a rollback; an image makes a new one.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/releases", tag = "services",
    params(ServicePath, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless")),
    request_body = NewRelease,
    responses(
        (status = 202, description = "The service, and the operation that releases it", body = ServiceAccepted),
        (status = 404, description = "`not_found`, `revision_not_found`", body = ErrorBody),
        (status = 409, description = "`service_deleting`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`, `quota_exceeded`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:release")))
)]
pub async fn create_release(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<NewRelease>,
) -> ApiResult<(StatusCode, Json<ServiceAccepted>)> {
    let accepted = app::releases::create(&state, &caller, &path, key.as_deref(), body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// Replaces every replica by a new one of the same revision, step by step.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/restart", tag = "services",
    params(ServicePath, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless")),
    responses(
        (status = 202, description = "The service, and the operation that restarts it", body = ServiceAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`service_deleting`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:release")))
)]
pub async fn restart_service(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
    IdempotencyKey(key): IdempotencyKey,
) -> ApiResult<(StatusCode, Json<ServiceAccepted>)> {
    let accepted = app::releases::restart(&state, &caller, &path, key.as_deref()).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}
