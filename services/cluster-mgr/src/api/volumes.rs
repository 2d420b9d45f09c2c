//! Claims of storage on clusters.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::storage::{VolumeClaim, VolumeDeletion, VolumeFilter};
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use crate::app;
use crate::paths::{ClaimPath, EnvironmentPath};
use crate::state::AppState;

/// The claims that clusters have for the volumes of an environment's services, also those that are kept.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/volumes", tag = "services",
    params(EnvironmentPath, VolumeFilter, ListQuery),
    responses(
        (status = 200, description = "A page of claims", body = Page<VolumeClaim>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn list_volumes(
    State(state): State<AppState>,
    Path(path): Path<EnvironmentPath>,
    Query(filter): Query<VolumeFilter>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<VolumeClaim>>> {
    Ok(Json(app::volumes::list(&state, &path, &filter, &list).await?))
}

/// Deletes a claim that nothing uses, and the data in it, for good.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/environments/{environment}/volumes/{cluster}/{claim}", tag = "services",
    params(ClaimPath, VolumeDeletion),
    responses(
        (status = 204, description = "The cluster took the deletion"),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`volume_wanted`: the service has the volume there; `volume_in_use`: a pod mounts it; `object_not_owned`", body = ErrorBody),
        (status = 422, description = "`not_confirmed`", body = ErrorBody),
        (status = 503, description = "`cluster_unreachable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:delete")))
)]
pub async fn delete_volume(
    State(state): State<AppState>,
    Path(path): Path<ClaimPath>,
    Query(deletion): Query<VolumeDeletion>,
) -> ApiResult<StatusCode> {
    app::volumes::delete(&state, &path, &deletion).await?;
    Ok(StatusCode::NO_CONTENT)
}
