//! Autoscaling of a service.

use api_types::autoscaling::{
    Autoscaling, AutoscalingDecision, AutoscalingPolicy, AutoscalingPreview, DecisionFilter,
};
use api_types::common::{ErrorBody, ListQuery, Page};
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IfMatch, Json, Path, Query};

use crate::app;
use crate::paths::ServicePath;
use crate::state::AppState;

/// A service's policy, and what was decided last.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling", tag = "services",
    params(ServicePath),
    responses(
        (status = 200, description = "The policy if it has one, and the last decision", body = Autoscaling),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn get_autoscaling(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
) -> ApiResult<Json<Autoscaling>> {
    Ok(Json(app::autoscaling::get(&state, &path).await?))
}

/// Sets a service's policy. From then on the policy alone sets the replicas, unless it is paused or a dry run.
#[utoipa::path(
    put, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling", tag = "services",
    params(ServicePath, ("If-Match" = String, Header, description = "The policy's version that was read; 0 where there is none yet")),
    request_body = AutoscalingPolicy,
    responses(
        (status = 200, description = "The policy as it is now", body = Autoscaling),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`version_conflict`, `service_deleting`, `pinned`: its replicas are pinned to clusters", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
        (status = 428, description = "`precondition_required`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn put_autoscaling(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
    IfMatch(version): IfMatch,
    Json(policy): Json<AutoscalingPolicy>,
) -> ApiResult<Json<Autoscaling>> {
    Ok(Json(
        app::autoscaling::put(&state, &caller, &path, version, policy).await?,
    ))
}

/// Takes a service's policy away; its replicas stay as they are.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling", tag = "services",
    params(ServicePath),
    responses(
        (status = 204, description = "It has none any more"),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`service_deleting`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn delete_autoscaling(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
) -> ApiResult<StatusCode> {
    app::autoscaling::delete(&state, &caller, &path).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a policy would have done with the load of the last hour. Nothing is stored.
///
/// The rule is played over what each cluster's Prometheus has of the service. What all replicas used is kept and shared
/// evenly by those that the policy would have had; what is not known is missing, not zero, and is named.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling/preview", tag = "services",
    params(ServicePath),
    request_body = AutoscalingPolicy,
    responses(
        (status = 200, description = "Replicas and metrics over the hour, beside what really ran", body = AutoscalingPreview),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`pinned`: its replicas are pinned to clusters", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn preview_autoscaling(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
    Json(policy): Json<AutoscalingPolicy>,
) -> ApiResult<Json<AutoscalingPreview>> {
    Ok(Json(
        app::autoscaling_preview::preview(&state, &path, &policy).await?,
    ))
}

/// What was decided about a service's replicas and why, newest first; also of policies that are gone.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling/decisions", tag = "services",
    params(ServicePath, DecisionFilter, ListQuery),
    responses(
        (status = 200, description = "A page of decisions", body = Page<AutoscalingDecision>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn list_autoscaling_decisions(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
    Query(filter): Query<DecisionFilter>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<AutoscalingDecision>>> {
    Ok(Json(
        app::autoscaling::list_decisions(&state, &path, &filter, &list).await?,
    ))
}
