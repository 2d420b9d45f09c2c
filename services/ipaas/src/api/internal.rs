//! What other services call; never part of the public document.

use std::time::Duration;

use api_types::changes::ChangeLine;
use api_types::clusters::{ConnectionCheck, Kubeconfig};
use api_types::common::ClusterId;
use api_types::internal::{
    Applied, Connection, DesiredWorkload, MeasurementQuery, Measurements, PutConnection, RangeMeasurements,
    RangeQuery, WorkloadQuery, WorkloadSnapshot,
};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use futures::{Stream, stream};
use http::StatusCode;
use platform::extract::{Json, Path, Query};
use platform::lease::Fenced;
use platform::{ApiError, ApiResult};
use serde::Deserialize;

use crate::app::apply::{self, require_current};
use crate::app::names::ServiceKey;
use crate::app::{claims, connections, measured_range, measurements};
use crate::cluster::member::Member;
use crate::state::AppState;

/// A follower is told that nothing happened this often.
const ALIVE_PERIOD: Duration = Duration::from_secs(5);

pub fn router() -> Router<AppState> {
    let service =
        "/internal/v1/connections/{id}/projects/{project}/environments/{environment}/services/{service}";
    Router::new()
        .route("/internal/v1/connections", get(list_connections))
        .route("/internal/v1/connections/check", post(check_kubeconfig))
        .route(
            "/internal/v1/connections/{id}",
            put(put_connection).delete(delete_connection),
        )
        .route("/internal/v1/connections/{id}/measurements", post(measure))
        .route(
            "/internal/v1/connections/{id}/measurements/range",
            post(measure_range),
        )
        .route(service, put(apply_workload).delete(delete_workload))
        .route(&format!("{service}/claims/{{claim}}"), delete(delete_claim))
        .route("/internal/v1/workloads", get(list_workloads))
        .route("/internal/v1/workloads/query", post(query_workloads))
        .route("/internal/v1/changes", get(follow_changes))
}

async fn list_connections(State(state): State<AppState>) -> Json<Vec<Connection>> {
    Json(connections::list(&state))
}

async fn check_kubeconfig(
    State(state): State<AppState>,
    Json(body): Json<Kubeconfig>,
) -> ApiResult<Json<ConnectionCheck>> {
    Ok(Json(connections::try_kubeconfig(&state, &body.kubeconfig).await?))
}

async fn put_connection(
    State(state): State<AppState>,
    Path(id): Path<ClusterId>,
    Json(body): Json<PutConnection>,
) -> ApiResult<Json<ConnectionCheck>> {
    Ok(Json(connections::put(&state, id, body).await?))
}

async fn delete_connection(
    State(state): State<AppState>,
    Path(id): Path<ClusterId>,
    Fenced(fence): Fenced,
) -> ApiResult<StatusCode> {
    require_current(&state, fence.as_ref()).await?;
    connections::delete(&state, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn measure(
    State(state): State<AppState>,
    Path(id): Path<ClusterId>,
    Json(query): Json<MeasurementQuery>,
) -> ApiResult<Json<Measurements>> {
    let member = state.members.require(id)?;
    Ok(Json(measurements::measure(&state, &member, &query).await))
}

async fn measure_range(
    State(state): State<AppState>,
    Path(id): Path<ClusterId>,
    Json(query): Json<RangeQuery>,
) -> ApiResult<Json<RangeMeasurements>> {
    let member = state.members.require(id)?;
    Ok(Json(measured_range::measure(&state, &member, &query).await?))
}

#[derive(Deserialize)]
struct WorkloadPath {
    id: ClusterId,
    project: String,
    environment: String,
    service: String,
}

impl WorkloadPath {
    fn key(&self) -> ServiceKey {
        ServiceKey::new(&self.project, &self.environment, &self.service)
    }
}

async fn apply_workload(
    State(state): State<AppState>,
    Path(path): Path<WorkloadPath>,
    Fenced(fence): Fenced,
    Json(desired): Json<DesiredWorkload>,
) -> ApiResult<Json<Applied>> {
    let key = ServiceKey::new(&desired.project, &desired.environment, &desired.service);
    if key != path.key() {
        return Err(ApiError::invalid(
            "invalid_path",
            "the path names another service than the body",
        ));
    }
    let member = state.members.require(path.id)?;
    Ok(Json(
        apply::apply(&state, &member, &desired, fence.as_ref()).await?,
    ))
}

/// What goes with a service.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Removal {
    /// Its claims too, and so its data.
    volumes: bool,
}

async fn delete_workload(
    State(state): State<AppState>,
    Path(path): Path<WorkloadPath>,
    Query(removal): Query<Removal>,
    Fenced(fence): Fenced,
) -> ApiResult<StatusCode> {
    let member = state.members.require(path.id)?;
    apply::remove(&state, &member, &path.key(), removal.volumes, fence.as_ref()).await?;
    Ok(StatusCode::OK)
}

#[derive(Deserialize)]
struct ClaimPath {
    id: ClusterId,
    project: String,
    environment: String,
    service: String,
    claim: String,
}

async fn delete_claim(State(state): State<AppState>, Path(path): Path<ClaimPath>) -> ApiResult<StatusCode> {
    let member = state.members.require(path.id)?;
    let key = ServiceKey::new(&path.project, &path.environment, &path.service);
    claims::delete(&state, &member, &key, &path.claim).await?;
    Ok(StatusCode::OK)
}

async fn list_workloads(State(state): State<AppState>) -> Json<WorkloadSnapshot> {
    Json(snapshot(&state, |_| true, |member| member.services()))
}

async fn query_workloads(
    State(state): State<AppState>,
    Json(query): Json<WorkloadQuery>,
) -> Json<WorkloadSnapshot> {
    Json(match query {
        WorkloadQuery::Services(places) => {
            let keys: Vec<ServiceKey> = places
                .iter()
                .map(|place| ServiceKey::new(&place.project, &place.environment, &place.service))
                .collect();
            snapshot(&state, |_| true, |_| keys.clone())
        }
        WorkloadQuery::Clusters(ids) => snapshot(&state, |id| ids.contains(&id), |member| member.services()),
    })
}

/// What these clusters show of these services. A cluster that is being read for the first time is left out: half a list is
/// no news.
fn snapshot(
    state: &AppState,
    looks_at: impl Fn(ClusterId) -> bool,
    services: impl Fn(&Member) -> Vec<ServiceKey>,
) -> WorkloadSnapshot {
    // Before the first read: what changes meanwhile is told again rather than lost.
    let cursor = state.changes.cursor();
    let now = state.now();
    let mut workloads = Vec::new();
    let mut claims = Vec::new();
    let mut complete = Vec::new();
    for member in state.members.all() {
        if !looks_at(member.id) || member.is_being_read(now) {
            continue;
        }
        let freshness = member.freshness(now);
        if !freshness.stale {
            complete.push(member.id);
        }
        for key in services(&member) {
            workloads.extend(member.observed(&key, freshness, now));
            claims.extend(member.claims(&key));
        }
    }
    WorkloadSnapshot {
        cursor,
        workloads,
        claims,
        complete,
    }
}

#[derive(Deserialize)]
struct Since {
    cursor: Option<String>,
}

async fn follow_changes(State(state): State<AppState>, Query(since): Query<Since>) -> Response {
    platform::stream::ndjson(lines(state, since.cursor))
}

fn lines(state: AppState, cursor: Option<String>) -> impl Stream<Item = ChangeLine> + Send {
    let news = state.changes.watch();
    let ready: std::vec::IntoIter<ChangeLine> = Vec::new().into_iter();
    stream::unfold(
        (state, news, cursor, ready),
        |(state, mut news, mut cursor, mut ready)| async move {
            loop {
                if let Some(line) = ready.next() {
                    return Some((line, (state, news, cursor, ready)));
                }
                news.mark_unchanged();
                let (lines, next) = state.changes.after(cursor.as_deref());
                cursor = Some(next.clone());
                ready = lines.into_iter();
                if ready.len() > 0 {
                    continue;
                }
                tokio::select! {
                    () = state.foundation.shutdown.cancelled() => return None,
                    changed = news.changed() => changed.ok()?,
                    () = tokio::time::sleep(ALIVE_PERIOD) => {
                        let alive = ChangeLine::Alive { cursor: next };
                        return Some((alive, (state, news, cursor, ready)));
                    }
                }
            }
        },
    )
}
