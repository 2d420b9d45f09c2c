//! What the portal has to put in order after another service made a change.

use platform::error::chain;

use super::routes::{Matched, Target};
use crate::db::bindings;
use crate::state::AppState;

/// Roles in what is gone go with it: under the same name something else may be made, by somebody else.
pub async fn of(state: &AppState, matched: &Matched) {
    if matched.operation.target != Target::ClusterMgr {
        return;
    }
    let database = &state.foundation.database;
    let scope = matched.scope();
    let removed = match (matched.operation.id.as_str(), scope.project, scope.environment) {
        ("delete_project", Some(project), _) => bindings::delete_in_project(database, project).await,
        ("delete_environment", Some(project), Some(environment)) => {
            bindings::delete_in_environment(database, project, environment).await
        }
        _ => return,
    };
    match removed {
        Ok(0) => {}
        Ok(count) => {
            tracing::info!(count, "roles ended with what they were held in");
            state.identities.forget();
        }
        Err(error) => {
            tracing::error!(error = %chain(&error), "roles in what is gone could not be removed");
        }
    }
}
