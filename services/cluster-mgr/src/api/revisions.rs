//! Revisions of a service.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::services::{
    DiffQuery, NewRevision, NewRevisionPreview, Revision, RevisionDiff, RevisionSummary, ServiceAccepted,
};
use auth::{Caller, Permission};
use axum::extract::State;
use http::StatusCode;
use platform::extract::{IdempotencyKey, IfMatch, Json, Path, Query};
use platform::{ApiError, ApiResult};

use crate::app;
use crate::paths::{RevisionPath, ServicePath};
use crate::state::AppState;

/// The revisions of a service, newest first.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions", tag = "services",
    params(ServicePath, ListQuery),
    responses(
        (status = 200, description = "A page of revisions", body = Page<RevisionSummary>),
        (status = 400, description = "`invalid_cursor`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn list_revisions(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<RevisionSummary>>> {
    Ok(Json(app::revisions::list(&state, &path, &list).await?))
}

/// Makes a new revision from a whole spec, and releases it unless told not to.
///
/// Releasing at once also needs `service:release`. A secret with `value: null` keeps its value from the
/// newest revision.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions", tag = "services",
    params(
        ServicePath,
        ("If-Match" = String, Header, description = "The version that was read"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless"),
    ),
    request_body = NewRevision,
    responses(
        (status = 202, description = "The service, and the operation when it is released", body = ServiceAccepted),
        (status = 403, description = "`forbidden`: releasing needs `service:release`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`version_conflict`, `service_deleting`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`, `does_not_fit`, `quota_exceeded`, `nothing_changed`", body = ErrorBody),
        (status = 428, description = "`precondition_required`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn create_revision(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
    IfMatch(version): IfMatch,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<NewRevision>,
) -> ApiResult<(StatusCode, Json<ServiceAccepted>)> {
    let releases = caller.may(
        Permission::ServiceRelease,
        Some(&path.project),
        Some(&path.environment),
    );
    if body.release && !releases {
        return Err(ApiError::forbidden(
            "releasing the new revision needs service:release; send `release: false` to only keep it",
        ));
    }
    let accepted = app::revisions::create(&state, &caller, &path, version, key.as_deref(), body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// What a spec would change in what runs. Everything is checked, nothing is stored.
///
/// `to` is the newest revision when that says the same already, or the number that a new one would get.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions/preview", tag = "services",
    params(ServicePath),
    request_body = NewRevisionPreview,
    responses(
        (status = 200, description = "The differences, from the current revision to the spec; secrets show as fingerprints", body = RevisionDiff),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`, `does_not_fit`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn preview_revision(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
    Json(body): Json<NewRevisionPreview>,
) -> ApiResult<Json<RevisionDiff>> {
    Ok(Json(app::revisions::preview(&state, &path, body.spec).await?))
}

/// One revision with its whole spec; secrets show as fingerprints.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions/{revision}", tag = "services",
    params(RevisionPath),
    responses(
        (status = 200, description = "The revision", body = Revision),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn get_revision(
    State(state): State<AppState>,
    Path(path): Path<RevisionPath>,
) -> ApiResult<Json<Revision>> {
    Ok(Json(
        app::revisions::get(&state, &path.service(), path.revision).await?,
    ))
}

/// What differs between another revision and this one.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions/{revision}/diff", tag = "services",
    params(RevisionPath, DiffQuery),
    responses(
        (status = 200, description = "The differences, from `against` to this one", body = RevisionDiff),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn diff_revisions(
    State(state): State<AppState>,
    Path(path): Path<RevisionPath>,
    Query(query): Query<DiffQuery>,
) -> ApiResult<Json<RevisionDiff>> {
    Ok(Json(
        app::revisions::diff(&state, &path.service(), path.revision, query.against).await?,
    ))
}
