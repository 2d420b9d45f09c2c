//! Dividing a service's replicas anew, when somebody asks for it.
//!
//! Decisions keep what is where it is, so a cluster that came later, or whose room came back, stays empty until
//! something grows. A rebalance is explicit, tells its moves before, and can be limited.

use std::ops::ControlFlow;

use api_types::common::FieldError;
use api_types::operations::OperationKind;
use api_types::placement::{NewRebalance, PlannedAssignment, RebalancePlan, ReplicaMove};
use api_types::services::ServiceAccepted;
use auth::Caller;
use platform::{ApiError, ApiResult};

use crate::app::ground::Ground;
use crate::app::placement::rebalance::moves;
use crate::app::services::accept;
use crate::app::{once, operations, volumes};
use crate::db::{Connection, Record, services};
use crate::paths::ServicePath;
use crate::state::AppState;

/// What a rebalance would move now; nothing is stored.
pub async fn plan(state: &AppState, path: &ServicePath) -> ApiResult<RebalancePlan> {
    plan_on(state, &state.foundation.database, path).await
}

async fn plan_on(
    state: &AppState,
    connection: &impl Connection,
    path: &ServicePath,
) -> ApiResult<RebalancePlan> {
    let ground = Ground::load(connection, path).await?;
    let applicant = ground.applicant(state);
    let candidates = applicant.candidates(&ground.fleet);
    let seed = ground.service.path();
    let decision = ground.decide(&seed, &candidates, true);
    let held: Vec<u32> = candidates.iter().map(|candidate| candidate.held).collect();
    let target: Vec<u32> = decision.replicas().collect();
    let name = |index: usize| candidates[index].name.to_owned();
    let moves: Vec<ReplicaMove> = moves(&held, &target)
        .into_iter()
        .map(|one| ReplicaMove {
            from: name(one.from),
            to: name(one.to),
            replicas: one.replicas,
        })
        .collect();
    // Where it is now, and would be no more.
    let emptied = held.iter().zip(&target).zip(&candidates);
    let emptied = emptied
        .filter(|((held, target), _)| **held > 0 && **target == 0)
        .map(|(_, candidate)| candidate.name)
        .collect();
    Ok(RebalancePlan {
        volumes: volumes::left_on(connection, &ground.service, &emptied).await?,
        replicas: moves.iter().map(|one| one.replicas).sum(),
        moves,
        assignments: decision
            .places()
            .filter(|place| place.replicas > 0 || place.reason.previous > 0)
            .map(|place| PlannedAssignment {
                cluster: place.cluster,
                replicas: place.replicas,
                reason: place.reason,
            })
            .collect(),
    })
}

/// Has the next decision divide everything anew.
///
/// # Errors
/// 409 `already_balanced` when nothing would move.
pub async fn begin(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    key: Option<&str>,
    new: NewRebalance,
) -> ApiResult<ServiceAccepted> {
    if new.max_moves == Some(0) {
        return Err(ApiError::fields(vec![FieldError {
            field: "max_moves".to_owned(),
            message: "at least 1; leave it out to move all".to_owned(),
        }]));
    }
    let (once, mut unit, mut row) =
        match once::begin(state, caller, path, key, "rebalance_service", &new).await? {
            ControlFlow::Break(reply) => return Ok(reply),
            ControlFlow::Continue(begun) => begun,
        };
    let plan = plan_on(state, &*unit, path).await?;
    if plan.moves.is_empty() {
        return Err(ApiError::conflict(
            "already_balanced",
            format!("a new division of {} would move nothing", row.path()),
        ));
    }
    row.place_afresh = true;
    row.most_moves = new.max_moves.map(|most| i32::try_from(most).unwrap_or(i32::MAX));
    let title = format!("rebalance {}", row.path());
    operations::begin(
        &mut unit,
        &mut row,
        OperationKind::ScaleService,
        title,
        caller,
        state.now(),
    )
    .await?;
    // No edit: nothing that an editor sees in a form changed.
    services::save(&*unit, &row).await?;
    unit.record(Record::service(&row).intended());
    accept(unit, &row, Some(&once)).await
}
