//! What the loops of this replica did last.

use std::collections::BTreeMap;

use axum::extract::State;
use platform::driver::TaskStatus;
use platform::extract::Json;

use crate::state::AppState;

/// Every loop by name; empty on a replica that never led.
pub async fn list_tasks(State(state): State<AppState>) -> Json<BTreeMap<&'static str, TaskStatus>> {
    Json(state.statuses.all())
}
