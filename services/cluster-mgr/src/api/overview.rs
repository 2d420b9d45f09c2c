//! The overview.

use api_types::common::ErrorBody;
use api_types::overview::Overview;
use auth::Caller;
use axum::extract::State;
use platform::ApiResult;
use platform::extract::Json;

use crate::app;
use crate::state::AppState;

/// Is anything wrong, where, and since when; counted over what the caller may see.
#[utoipa::path(
    get, path = "/api/v1/overview", tag = "overview",
    responses(
        (status = 200, description = "The overview", body = Overview),
        (status = 503, description = "`database_unavailable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn get_overview(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<Overview>> {
    Ok(Json(app::overview::get(&state, &caller).await?))
}
