//! What was used, and what that costs.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::usage::{NewPrices, Price, Prices, UsageFilter, UsageItem};
use auth::Caller;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use platform::ApiResult;
use platform::extract::{IfMatch, Json, Query};

use crate::app;
use crate::state::AppState;

/// What services held and used, summed up by time and by project, service or cluster; oldest first.
///
/// Of the projects and environments that the caller may see. What nobody could look at is a gap and in no sum.
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "usage",
    params(UsageFilter, ListQuery),
    responses(
        (status = 200, description = "A page of sums", body = Page<UsageItem>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn list_usage(
    State(state): State<AppState>,
    caller: Caller,
    Query(filter): Query<UsageFilter>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<UsageItem>>> {
    Ok(Json(app::usage::list(&state, &caller, &filter, &list).await?))
}

/// The same as a CSV file, all of it.
#[utoipa::path(
    get, path = "/api/v1/usage/export", tag = "usage",
    params(UsageFilter),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 400, description = "`invalid_query`", body = ErrorBody),
        (status = 422, description = "`export_too_large`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn export_usage(
    State(state): State<AppState>,
    caller: Caller,
    Query(filter): Query<UsageFilter>,
) -> ApiResult<Response> {
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
        (CACHE_CONTROL, "no-store"),
    ];
    let parts = app::usage::csv::export(&state, &caller, &filter).await?;
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// What an hour of a unit costs now, and what was set to hold later.
#[utoipa::path(
    get, path = "/api/v1/prices", tag = "usage",
    responses((status = 200, description = "The prices", body = Prices)),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn get_prices(State(state): State<AppState>) -> ApiResult<Json<Prices>> {
    Ok(Json(app::prices::get(&state).await?))
}

/// Every price with the time that it is for, by when it begins.
#[utoipa::path(
    get, path = "/api/v1/prices/history", tag = "usage",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of prices", body = Page<Price>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn list_prices(
    State(state): State<AppState>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Price>>> {
    Ok(Json(app::prices::list(&state, &list).await?))
}

/// Sets the prices from an hour on. Hours that are over keep theirs.
#[utoipa::path(
    put, path = "/api/v1/prices", tag = "usage",
    params(("If-Match" = String, Header, description = "The version that was read; 0 where there are no prices yet")),
    request_body = NewPrices,
    responses(
        (status = 200, description = "The prices", body = Prices),
        (status = 409, description = "`version_conflict`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
        (status = 428, description = "`precondition_required`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("quota:write")))
)]
pub async fn put_prices(
    State(state): State<AppState>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Json(new): Json<NewPrices>,
) -> ApiResult<Json<Prices>> {
    Ok(Json(app::prices::put(&state, &caller, version, new).await?))
}
