//! Is anything wrong, where, and since when.

use api_types::overview::{Overview, StateCounts};
use api_types::services::ServiceState;
use auth::{Caller, Permission};
use platform::ApiResult;

use crate::app::{clusters, services as service_logic};
use crate::db::columns::read_word;
use crate::db::{operations, service_pages, services};
use crate::state::AppState;

const ATTENTION: u64 = 20;
const RECENT: u64 = 10;

pub async fn get(state: &AppState, caller: &Caller) -> ApiResult<Overview> {
    let database = &state.foundation.database;
    let visible = caller.visible(Permission::ServiceRead);
    let condition = service_pages::Filter::everything(&visible).condition();
    let mut counts = StateCounts::default();
    let (mut wanted, mut ready, mut unknown) = (0, 0, 0);
    for sum in services::state_sums(database, condition.clone()).await? {
        let count = sum.services.max(0) as u64;
        match read_word(&sum.state)? {
            ServiceState::Running => counts.running = count,
            ServiceState::Progressing => counts.progressing = count,
            ServiceState::Degraded => counts.degraded = count,
            ServiceState::Failed => counts.failed = count,
            ServiceState::Stopped => counts.stopped = count,
            ServiceState::Unknown => counts.unknown = count,
        }
        wanted += sum.wanted.max(0) as u64;
        ready += sum.ready.max(0) as u64;
        unknown += sum.unknown.max(0) as u64;
    }
    let worst = services::worst(database, condition, ATTENTION).await?;
    let seen = caller.visible(Permission::OperationRead);
    let recent = operations::Filter::everything(&seen).condition();
    Ok(Overview {
        services: counts,
        replicas_wanted: wanted,
        replicas_ready: ready,
        replicas_unknown: unknown,
        clusters: clusters::all(state, database).await?,
        attention: service_logic::present(database, &worst).await?,
        recent_operations: operations::page(database, recent, None, RECENT)
            .await?
            .iter()
            .map(operations::Model::to_operation)
            .collect::<Result<_, _>>()?,
    })
}
