//! Registering a cluster, in an order that survives a crash at any line: a row that says "registering"
//! first, then the connection in ipaas, then the row becomes active. What stops in between is swept away.

use api_types::clusters::{Cluster, ClusterState, ConnectionCheck, Kubeconfig, NewCluster};
use api_types::common::ClusterId;
use api_types::internal::PutConnection;
use auth::Caller;
use clients::ClientError;
use platform::idempotency::Once;
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::app::clusters::{check_region, check_url, locked, witnesses};
use crate::app::validation::{Fields, names};
use crate::db::clusters::Left;
use crate::db::columns::{Labels, word};
use crate::db::{Record, cluster_states, clusters};
use crate::state::AppState;

/// Tries a kubeconfig without keeping it.
pub async fn check(state: &AppState, kubeconfig: &Kubeconfig) -> ApiResult<ConnectionCheck> {
    Ok(state.ipaas.check_kubeconfig(kubeconfig).await?)
}

fn validate(new: &NewCluster) -> ApiResult<()> {
    let mut fields = Fields::default();
    fields.check("name", names::cluster(&new.name));
    check_region(&new.region, &mut fields);
    fields.check("zone", names::label_value(&new.zone));
    names::labels("labels", &new.labels, &mut fields);
    if let Some(url) = &new.prometheus_url {
        check_url(url, &mut fields);
    }
    if new.kubeconfig.trim().is_empty() {
        fields.refuse("kubeconfig", "paste the whole kubeconfig");
    }
    fields.done()
}

/// Registers a cluster once its kubeconfig was tried.
pub async fn register(
    state: &AppState,
    caller: &Caller,
    key: Option<&str>,
    new: NewCluster,
) -> ApiResult<Cluster> {
    validate(&new)?;
    let once = state.once(caller, key, "create_cluster", &new);
    let row = row(state, caller, &new);
    let unit = state.unit().await?;
    if let Some(reply) = once.replay(&unit).await? {
        return Ok(reply);
    }
    match clusters::insert(&*unit, row.clone()).await {
        Err(error) if platform::database::is_unique_violation(&error) => {
            return Err(ApiError::conflict(
                "cluster_exists",
                format!(
                    "there is a cluster {} already, or it is being registered",
                    new.name
                ),
            ));
        }
        outcome => outcome?,
    }
    unit.commit().await?;

    let connection = PutConnection {
        name: new.name,
        kubeconfig: new.kubeconfig,
    };
    // A task of its own: a caller who goes away in the middle leaves no half of a cluster behind.
    let state = state.clone();
    let tracker = state.foundation.tracker.clone();
    tracker
        .spawn(async move { Box::pin(connect(&state, row, &connection, &once)).await })
        .await
        .map_err(ApiError::internal)?
}

/// Gives the connection to ipaas, and makes the row active when it was taken.
async fn connect(
    state: &AppState,
    row: clusters::Model,
    connection: &PutConnection,
    once: &Once,
) -> ApiResult<Cluster> {
    if let Err(error) = state.ipaas.put_connection(row.cluster_id(), connection).await {
        forget(state, row.id, &error).await;
        return Err(error.into());
    }
    let mut unit = state.unit().await?;
    let Some(mut row) = clusters::find_by_id_locked(&*unit, row.id)
        .await?
        .filter(|row| row.phase == clusters::REGISTERING)
    else {
        return Err(ApiError::unavailable(
            "registration_timeout",
            format!("registering cluster {} took too long; try again", row.name),
        ));
    };
    row.phase = clusters::ACTIVE.to_owned();
    clusters::save(&*unit, &row).await?;
    let health = row.health()?;
    cluster_states::note(&*unit, row.id, health, &row.state_reason, row.state_since).await?;
    let cluster = row.to_cluster(0, 0, Left::default(), None, witnesses(state, &row, None)?)?;
    once.store(&unit, &cluster).await?;
    unit.record(Record::cluster(&row.name).intended());
    unit.commit().await?;
    state.work.health.wake();
    Ok(cluster)
}

fn row(state: &AppState, caller: &Caller, new: &NewCluster) -> clusters::Model {
    let now = state.now();
    clusters::Model {
        id: Uuid::now_v7(),
        name: new.name.clone(),
        region: new.region.clone(),
        zone: new.zone.clone(),
        labels: Labels(new.labels.clone()),
        cordoned: false,
        taints: None,
        prometheus_url: new.prometheus_url.clone().filter(|url| !url.is_empty()),
        phase: clusters::REGISTERING.to_owned(),
        state: word(ClusterState::Pending),
        state_reason: "registered just now; waiting for the first probe".to_owned(),
        state_since: now,
        flaps: 0,
        probe_silent: false,
        observed: None,
        last_contact: None,
        evacuation: None,
        failback: None,
        removal_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: caller.name.clone(),
    }
}

/// Takes a registration back. When ipaas's answer isn't known, the row stays for the sweep, which takes
/// the connection back too.
async fn forget(state: &AppState, id: Uuid, error: &ClientError) {
    let perhaps_taken = !matches!(error, ClientError::Refused { .. }) && !error.never_arrived();
    if perhaps_taken && state.ipaas.delete_connection(ClusterId(id)).await.is_err() {
        return;
    }
    if let Err(error) = clusters::delete(&state.foundation.database, id).await {
        tracing::warn!(cluster.id = %id, %error, "a refused registration stays until it is swept away");
    }
}

/// Replaces the kubeconfig by another one of the same cluster.
pub async fn replace_kubeconfig(
    state: &AppState,
    caller: &Caller,
    name: &str,
    new: Kubeconfig,
) -> ApiResult<ConnectionCheck> {
    let unit = state.unit().await?;
    let id = locked(&unit, name).await?.cluster_id();
    drop(unit);
    match state.ipaas.check_kubeconfig(&new).await {
        // It is registered already: as this cluster, as it should be.
        Err(ClientError::Refused { body, .. })
            if body.code == "cluster_registered_twice" && body.details["id"] == id.to_string() => {}
        Err(error) => return Err(error.into()),
        Ok(found) => refuse_other(state, name, id, &found).await?,
    }
    let connection = PutConnection {
        name: name.to_owned(),
        kubeconfig: new.kubeconfig,
    };
    let check = state.ipaas.put_connection(id, &connection).await?;
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, name).await?;
    row.updated_at = state.now();
    row.updated_by.clone_from(&caller.name);
    clusters::save(&*unit, &row).await?;
    unit.record(Record::cluster(name));
    unit.commit().await?;
    state.work.health.wake();
    Ok(check)
}

/// Another cluster under the same name would be taken for this one with everything on it gone.
async fn refuse_other(state: &AppState, name: &str, id: ClusterId, found: &ConnectionCheck) -> ApiResult<()> {
    let known = state
        .ipaas
        .list_connections()
        .await?
        .into_iter()
        .find(|connection| connection.id == id);
    match known {
        Some(known) if known.check.cluster_uid != found.cluster_uid => Err(ApiError::conflict(
            "other_cluster",
            format!(
                "this kubeconfig reaches another cluster than {name} (at {}); register it as a cluster of its own",
                found.server
            ),
        )),
        _ => Ok(()),
    }
}
