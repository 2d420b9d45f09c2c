//! Changes to a service that are made once, however often they are sent.

use std::ops::ControlFlow;

use api_types::services::ServiceAccepted;
use auth::Caller;
use platform::ApiResult;
use platform::idempotency::Once;
use serde::Serialize;

use crate::app::services::locked;
use crate::db::{Unit, services};
use crate::paths::ServicePath;
use crate::state::AppState;

/// Begins a change to a service. Breaks with the reply of the first call, if this is not it; else the service is locked
/// until the unit of work ends.
///
/// # Errors
/// 404 for a service that isn't there, 409 `service_deleting`, 422 `idempotency_key_reused`.
pub async fn begin(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    key: Option<&str>,
    operation: &str,
    body: &impl Serialize,
) -> ApiResult<ControlFlow<ServiceAccepted, (Once, Unit, services::Model)>> {
    let operation = format!(
        "{operation} {}/{}/{}",
        path.project, path.environment, path.service
    );
    let once = state.once(caller, key, &operation, body);
    let unit = state.unit().await?;
    if let Some(reply) = once.replay(&unit).await? {
        return Ok(ControlFlow::Break(reply));
    }
    let row = locked(&unit, path).await?;
    Ok(ControlFlow::Continue((once, unit, row)))
}
