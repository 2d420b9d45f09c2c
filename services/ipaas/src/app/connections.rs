//! The connections: checked, kept sealed, listed with their state.

use api_types::clusters::ConnectionCheck;
use api_types::common::ClusterId;
use api_types::internal::{Connection, PutConnection};
use platform::error::chain;
use platform::{ApiError, ApiResult};
use serde_json::json;

use crate::app::check::check;
use crate::cluster::kubeconfig;
use crate::db;
use crate::db::connections::{Stored, seal_context};
use crate::state::AppState;
use crate::tasks::members::reload;

/// Tries a kubeconfig without keeping it.
///
/// # Errors
/// As [`kubeconfig::read`] and [`check`]; 409 `cluster_registered_twice`.
pub async fn try_kubeconfig(state: &AppState, text: &str) -> ApiResult<ConnectionCheck> {
    let target = kubeconfig::read(text).await?;
    let checked = check(&target, &state.config).await?;
    refuse_twice(state, None, &checked).await?;
    Ok(checked)
}

/// Checks and keeps a connection; the same id again replaces it.
///
/// # Errors
/// As [`try_kubeconfig`].
pub async fn put(state: &AppState, id: ClusterId, body: PutConnection) -> ApiResult<ConnectionCheck> {
    let target = kubeconfig::read(&body.kubeconfig).await?;
    let checked = check(&target, &state.config).await?;
    refuse_twice(state, Some(id), &checked).await?;
    let before = db::connections::find(&state.foundation.database, id).await?;
    let stored = Stored {
        id,
        name: body.name,
        kubeconfig: state
            .foundation
            .master_key
            .seal(&seal_context(id), target.minimal.as_bytes()),
        check: checked.clone(),
        updated_at: state.now(),
    };
    let transaction = platform::database::begin(&state.foundation.database).await?;
    if before.is_some_and(|before| before.check.cluster_uid != checked.cluster_uid) {
        // Another cluster under the same id: nothing of ours was left there.
        db::applied::delete_all(&transaction, id).await?;
    }
    match db::connections::put(&transaction, &stored).await {
        Ok(()) => transaction.commit().await?,
        Err(error) if platform::database::is_unique_violation(&error) => {
            transaction.rollback().await?;
            refuse_twice(state, Some(id), &checked).await?;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    }
    soon(state).await;
    Ok(checked)
}

/// Forgets a connection and what was left on its cluster. One that isn't there is fine.
///
/// # Errors
/// The database's.
pub async fn delete(state: &AppState, id: ClusterId) -> ApiResult<()> {
    let transaction = platform::database::begin(&state.foundation.database).await?;
    db::connections::delete(&transaction, id).await?;
    db::applied::delete_all(&transaction, id).await?;
    transaction.commit().await?;
    soon(state).await;
    Ok(())
}

/// Every connection with its state.
#[must_use]
pub fn list(state: &AppState) -> Vec<Connection> {
    let now = state.now();
    let working = state
        .members
        .all()
        .into_iter()
        .map(|member| member.connection(now));
    let broken = state.members.broken().into_iter().map(|(id, broken)| Connection {
        id,
        name: broken.name.clone(),
        check: broken.check.clone(),
        reachable: false,
        error: Some(broken.error.clone()),
        last_probe_at: None,
        last_success_at: None,
        reachable_since: None,
        synced: false,
        observed: None,
    });
    working.chain(broken).collect()
}

/// The change is kept; connecting follows at once here, and at the next reload elsewhere.
async fn soon(state: &AppState) {
    if let Err(error) = reload(state).await {
        tracing::warn!(error = %chain(&error), "the connections can't be read; it is tried again");
    }
}

/// The same cluster under two names would have two owners of the same objects.
async fn refuse_twice(state: &AppState, own: Option<ClusterId>, checked: &ConnectionCheck) -> ApiResult<()> {
    let other = db::connections::find_by_uid(&state.foundation.database, &checked.cluster_uid)
        .await?
        .filter(|other| Some(other.id) != own);
    match other {
        None => Ok(()),
        Some(other) => Err(ApiError::conflict(
            "cluster_registered_twice",
            format!(
                "this is cluster {}, which is registered already (the UID of its kube-system is the same)",
                other.name
            ),
        )
        .with_details(json!({ "cluster": other.name, "id": other.id }))),
    }
}
