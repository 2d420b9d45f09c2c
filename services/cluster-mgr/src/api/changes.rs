//! The change stream for the platform's other services.

use axum::extract::State;
use axum::response::Response;
use platform::extract::Query;
use serde::Deserialize;

use crate::app;
use crate::state::AppState;

#[derive(Debug, Default, Deserialize)]
pub struct FollowQuery {
    cursor: Option<String>,
}

/// What changes from `cursor` on, a line each.
pub async fn follow(State(state): State<AppState>, Query(query): Query<FollowQuery>) -> Response {
    platform::stream::ndjson(app::changes::follow(state, query.cursor))
}
