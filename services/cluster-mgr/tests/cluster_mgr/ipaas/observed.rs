//! What it tells of what it sees: snapshots, and the stream of changes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use api_types::changes::ChangeLine;
use api_types::common::ClusterId;
use api_types::internal::{ObservedWorkload, WorkloadQuery, WorkloadSnapshot};
use api_types::storage::ObservedClaim;
use axum::extract::{Query, State};
use axum::response::Response;
use futures::stream;
use platform::extract::Json;
use serde::Deserialize;

use super::Ipaas;

pub(super) async fn list_workloads(State(ipaas): State<Ipaas>) -> Json<WorkloadSnapshot> {
    snapshot(&ipaas, |_| true, |_| true)
}

pub(super) async fn query_workloads(
    State(ipaas): State<Ipaas>,
    Json(query): Json<WorkloadQuery>,
) -> Json<WorkloadSnapshot> {
    match query {
        WorkloadQuery::Services(wanted) => snapshot(
            &ipaas,
            |_| true,
            |(project, environment, service)| {
                wanted.iter().any(|wanted| {
                    (&wanted.project, &wanted.environment, &wanted.service) == (project, environment, service)
                })
            },
        ),
        WorkloadQuery::Clusters(wanted) => snapshot(&ipaas, |id| wanted.contains(id), |_| true),
    }
}

fn snapshot(
    ipaas: &Ipaas,
    looks_at: impl Fn(&ClusterId) -> bool,
    takes: impl Fn(&(String, String, String)) -> bool,
) -> Json<WorkloadSnapshot> {
    let world = ipaas.world.lock();
    let mut workloads = Vec::new();
    let mut claims = Vec::new();
    let mut complete = Vec::new();
    for (id, registered) in world.connections.iter().filter(|(id, _)| looks_at(id)) {
        let cluster = &world.clusters[&registered.cluster];
        if cluster.up {
            complete.push(*id);
        }
        for ((project, environment, service, _), claim) in &cluster.claims {
            if takes(&(project.clone(), environment.clone(), service.clone())) {
                claims.push(ObservedClaim {
                    cluster_id: *id,
                    cluster: registered.name.clone(),
                    project: project.clone(),
                    environment: environment.clone(),
                    service: service.clone(),
                    claim: claim.clone(),
                });
            }
        }
        for (place, workload) in &cluster.workloads {
            if takes(place) {
                let (project, environment, service) = place;
                workloads.push(ObservedWorkload {
                    cluster_id: *id,
                    cluster: registered.name.clone(),
                    project: project.clone(),
                    environment: environment.clone(),
                    service: service.clone(),
                    observation: cluster.observed(workload),
                    present: true,
                });
            }
        }
    }
    Json(WorkloadSnapshot {
        cursor: world.cursor(),
        workloads,
        claims,
        complete,
    })
}

#[derive(Deserialize)]
pub(super) struct Since {
    cursor: Option<String>,
}

pub(super) async fn follow(State(ipaas): State<Ipaas>, Query(since): Query<Since>) -> Response {
    let news = ipaas.news.subscribe();
    let cursor = since.cursor.unwrap_or_default();
    let lines = stream::unfold(
        (ipaas, news, cursor, Vec::<ChangeLine>::new()),
        |(ipaas, mut news, mut cursor, mut ready)| async move {
            loop {
                if !ready.is_empty() {
                    let line = ready.remove(0);
                    return Some((line, (ipaas, news, cursor, ready)));
                }
                if ipaas.away.load(Ordering::SeqCst) {
                    return None;
                }
                news.borrow_and_update();
                {
                    let world = ipaas.world.lock();
                    ready = world.after(&cursor);
                    cursor = world.cursor();
                }
                if ready.is_empty() {
                    tokio::select! {
                        changed = news.changed() => changed.ok()?,
                        () = tokio::time::sleep(Duration::from_secs(2)) => {
                            ready.push(ChangeLine::Alive { cursor: cursor.clone() });
                        }
                    }
                }
            }
        },
    );
    platform::stream::ndjson(lines)
}
