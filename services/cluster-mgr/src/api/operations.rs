//! Operations.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::operations::{Operation, OperationFilter};
use auth::Caller;
use axum::extract::State;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use crate::app;
use crate::paths::OperationPath;
use crate::state::AppState;

/// Work under way and done, newest first, as far as the caller may see it.
#[utoipa::path(
    get, path = "/api/v1/operations", tag = "operations",
    params(OperationFilter, ListQuery),
    responses(
        (status = 200, description = "A page of operations", body = Page<Operation>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("operation:read")))
)]
pub async fn list_operations(
    State(state): State<AppState>,
    caller: Caller,
    Query(filter): Query<OperationFilter>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Operation>>> {
    Ok(Json(
        app::operations::list(&state, &caller, &filter, &list).await?,
    ))
}

/// One operation with its steps.
#[utoipa::path(
    get, path = "/api/v1/operations/{operation}", tag = "operations",
    params(OperationPath),
    responses(
        (status = 200, description = "The operation", body = Operation),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("operation:read")))
)]
pub async fn get_operation(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<OperationPath>,
) -> ApiResult<Json<Operation>> {
    Ok(Json(app::operations::get(&state, &caller, path.operation).await?))
}
