//! Pods: pages from the index; one pod asked of its cluster.

use std::sync::Arc;

use api_types::common::{ListQuery, Page};
use api_types::pods::{Container, Pod, PodCondition, PodDetail, PodFilter, Termination};
use auth::{Caller, Permission, Visible};
use platform::page::{decode_cursor, encode_cursor, limit, sort};
use platform::{ApiError, ApiResult};
use serde_json::json;

use crate::app::names::{ENVIRONMENT, PROJECT, is_object_name, namespace};
use crate::app::problems::{Troubled, gather};
use crate::cluster::member::Member;
use crate::cluster::paths;
use crate::index::best::Part;
use crate::index::pods::PodTable;
use crate::index::query::{Cursor, PodQuery, SORTS, page};
use crate::index::wire;
use crate::state::AppState;

/// A pod of an environment on a cluster, as a path names it.
#[derive(Clone, Debug)]
pub struct PodPlace {
    pub project: String,
    pub environment: String,
    pub cluster: String,
    pub pod: String,
}

impl PodPlace {
    #[must_use]
    pub fn namespace(&self) -> String {
        namespace(&self.project, &self.environment)
    }

    fn not_found(&self) -> ApiError {
        ApiError::not_found(format!(
            "pod {} of {}/{} on cluster {}",
            self.pod, self.project, self.environment, self.cluster
        ))
    }
}

/// A page of what the caller may see.
///
/// # Errors
/// 400 `invalid_cursor`, `invalid_sort`.
pub fn list(state: &AppState, caller: &Caller, filter: PodFilter, query: &ListQuery) -> ApiResult<Page<Pod>> {
    read_page(state, caller.visible(Permission::PodRead), filter, query)
}

/// A page of one service's pods; the portal has authorised its environment.
///
/// # Errors
/// 400 `invalid_cursor`, `invalid_sort`.
pub fn list_of_service(
    state: &AppState,
    project: String,
    environment: String,
    service: String,
    query: &ListQuery,
) -> ApiResult<Page<Pod>> {
    let visible = Visible::Only(vec![(project.clone(), Some(environment.clone()))]);
    let filter = PodFilter {
        project: Some(project),
        environment: Some(environment),
        service: Some(service),
        ..PodFilter::default()
    };
    read_page(state, visible, filter, query)
}

fn read_page(
    state: &AppState,
    visible: Visible,
    filter: PodFilter,
    query: &ListQuery,
) -> ApiResult<Page<Pod>> {
    let names: Vec<&str> = SORTS.iter().map(|(name, _)| *name).collect();
    let (field, descending) = sort(query.sort.as_deref(), &names, "name")?;
    let order = SORTS
        .iter()
        .find(|(name, _)| *name == field)
        .map_or(SORTS[0].1, |(_, order)| *order);
    let after: Option<Cursor> = decode_cursor(query.cursor.as_deref())?;
    if after
        .as_ref()
        .is_some_and(|cursor| !cursor.fits(order, descending))
    {
        return Err(ApiError::invalid(
            "invalid_cursor",
            "the cursor is of a list in another order; start again without it",
        ));
    }
    let wanted = PodQuery {
        visible,
        project: given(filter.project),
        environment: given(filter.environment),
        service: given(filter.service),
        node: given(filter.node),
        statuses: words(filter.status.as_deref()),
        ready: filter.ready,
        text: given(query.q.clone()),
        sort: order,
        descending,
        after,
        limit: limit(query.limit),
    };
    let cluster = given(filter.cluster);
    let members: Vec<Arc<Member>> = state
        .members
        .all()
        .into_iter()
        .filter(|member| cluster.as_deref().is_none_or(|wanted| wanted == &*member.name))
        .collect();
    let now = state.now();
    // Read locks only, each held for this one pass; a cluster's writer waits some milliseconds.
    let tables: Vec<_> = members
        .iter()
        .map(|member| (member.tables.pods.read(), member.freshness(now)))
        .collect();
    let parts: Vec<Part<'_>> = members
        .iter()
        .zip(&tables)
        .map(|(member, (table, freshness))| Part {
            cluster: &member.name,
            table,
            observed_at: freshness.observed_at,
            stale: freshness.stale,
        })
        .collect();
    let found = page(&parts, &wanted);
    Ok(Page {
        items: found.items,
        next_cursor: found.next.as_ref().map(encode_cursor),
        total_estimate: found.total,
        gaps: members.iter().filter_map(|member| member.gap(now)).collect(),
    })
}

/// An empty parameter is none.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A pod as its cluster has it now, if it is of this environment.
///
/// # Errors
/// 404; 503 `cluster_unreachable` and its like.
pub async fn fetch(state: &AppState, place: &PodPlace) -> ApiResult<(Arc<Member>, wire::Pod)> {
    let member = state.members.require_by_name(&place.cluster)?;
    if !is_object_name(&place.pod) || !is_object_name(&place.namespace()) {
        return Err(place.not_found());
    }
    member.require_reachable()?;
    let path = paths::pod(&place.namespace(), &place.pod);
    let pod: wire::Pod = match member.looks.get(&path).await {
        Ok(pod) => pod,
        Err(error) if error.is_not_found() => return Err(place.not_found()),
        Err(error) => return Err(error.on(&member.name)),
    };
    // `a-b` + `c` and `a` + `b-c` name the same namespace; the labels tell whose it is.
    let label = |name| pod.metadata.label(name);
    if label(PROJECT) != place.project || label(ENVIRONMENT) != place.environment {
        return Err(place.not_found());
    }
    Ok((member, pod))
}

/// One pod with its containers.
///
/// # Errors
/// As [`fetch`].
pub async fn get(state: &AppState, place: &PodPlace) -> ApiResult<PodDetail> {
    let (member, pod) = fetch(state, place).await?;
    let now = state.now();
    let mut table = PodTable::default();
    table.upsert(&pod);
    let row = table
        .find(&pod.metadata.namespace, &pod.metadata.name)
        .ok_or_else(|| place.not_found())?;
    let problems = gather(row.trouble.as_deref().map(|trouble| Troubled {
        pod: table.name(row),
        trouble,
        unready_seconds: now.timestamp() - row.unready_since,
    }));
    Ok(PodDetail {
        pod: table.shown(row, &member.name, now, false),
        containers: containers(&pod),
        conditions: pod
            .status
            .conditions
            .iter()
            .map(|condition| PodCondition {
                kind: condition.kind.clone(),
                status: condition.status.clone(),
                reason: given(Some(condition.reason.clone())),
                message: given(Some(condition.message.clone())),
            })
            .collect(),
        problems,
    })
}

/// Destroys one instance.
///
/// # Errors
/// As [`fetch`].
pub async fn delete(state: &AppState, place: &PodPlace) -> ApiResult<()> {
    let (member, pod) = fetch(state, place).await?;
    let path = paths::pod(&place.namespace(), &place.pod);
    let options = json!({ "preconditions": { "uid": pod.metadata.uid } });
    match member.looks.delete(&path, &options).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_conflict() => Err(place.not_found()),
        Err(error) => Err(error.on(&member.name)),
    }
}

fn containers(pod: &wire::Pod) -> Vec<Container> {
    pod.spec
        .containers
        .iter()
        .map(|container| {
            let status = pod
                .status
                .container_statuses
                .iter()
                .find(|status| status.name == container.name);
            let empty = wire::ContainerStatus::default();
            let status = status.unwrap_or(&empty);
            let (state, reason, message, exit_code, started_at) = state_of(&status.state);
            Container {
                name: container.name.clone(),
                image: container.image.clone(),
                ready: status.ready,
                restarts: status.restart_count,
                state,
                reason,
                message,
                exit_code,
                started_at,
                last_termination: status.last_state.terminated.as_ref().map(|ended| Termination {
                    reason: ended.reason.clone(),
                    exit_code: ended.exit_code,
                    message: given(Some(ended.message.clone())),
                    finished_at: ended.finished_at,
                }),
            }
        })
        .collect()
}

type StateParts = (
    String,
    Option<String>,
    Option<String>,
    Option<i32>,
    Option<chrono::DateTime<chrono::Utc>>,
);

fn state_of(state: &wire::ContainerState) -> StateParts {
    if let Some(running) = &state.running {
        return ("running".to_owned(), None, None, None, running.started_at);
    }
    if let Some(ended) = &state.terminated {
        return (
            "terminated".to_owned(),
            given(Some(ended.reason.clone())),
            given(Some(ended.message.clone())),
            Some(ended.exit_code),
            ended.started_at,
        );
    }
    let waiting = state.waiting.clone().unwrap_or_default();
    (
        "waiting".to_owned(),
        given(Some(waiting.reason)),
        given(Some(waiting.message)),
        None,
        None,
    )
}

/// The containers by name, for a log of which must be chosen.
#[must_use]
pub fn container_names(pod: &wire::Pod) -> Vec<&str> {
    pod.spec
        .containers
        .iter()
        .map(|container| container.name.as_str())
        .collect()
}
