//! Events, asked of the clusters when someone looks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api_types::common::{Gap, ListQuery, Page};
use api_types::pods::Event;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use platform::page::{decode_cursor, encode_cursor, limit};
use platform::{ApiError, ApiResult};
use serde::{Deserialize, Serialize};

use crate::app::names::{ServiceKey, is_object_name};
use crate::app::pods::{PodPlace, fetch};
use crate::cluster::error::KubeError;
use crate::cluster::member::Member;
use crate::cluster::paths;
use crate::index::wire::{List, Metadata};
use crate::state::AppState;

/// Kubernetes keeps events for an hour; a namespace with more of them than this has other worries.
const PAGES: usize = 10;
/// A page waits for no cluster longer than this.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireEvent {
    metadata: Metadata,
    #[serde(rename = "type")]
    kind: String,
    reason: String,
    message: String,
    count: u32,
    first_timestamp: Option<DateTime<Utc>>,
    last_timestamp: Option<DateTime<Utc>>,
    event_time: Option<DateTime<Utc>>,
    series: Option<Series>,
    involved_object: Involved,
    source: Source,
    reporting_component: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    count: u32,
    last_observed_time: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Involved {
    kind: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    component: String,
}

/// An event with what its order and its identity rest on.
struct Found {
    place: Place,
    event: Event,
}

/// Newest first; then by identity, so that pages neither repeat nor skip.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    microseconds: std::cmp::Reverse<i64>,
    cluster: String,
    name: String,
}

/// Events of one pod.
///
/// # Errors
/// 404; 400 `invalid_cursor`; 503 `cluster_unreachable` and its like.
pub async fn of_pod(state: &AppState, place: &PodPlace, query: &ListQuery) -> ApiResult<Page<Event>> {
    let (member, pod) = fetch(state, place).await?;
    let selector = format!(
        "involvedObject.kind=Pod,involvedObject.name={},involvedObject.uid={}",
        pod.metadata.name, pod.metadata.uid
    );
    let events = read(&member, &place.namespace(), Some(&selector))
        .await
        .map_err(|error| error.on(&member.name))?;
    let found = events
        .into_iter()
        .map(|event| shape(&member.name, event))
        .collect();
    page(found, Vec::new(), query)
}

/// Events of a service's objects and pods on every cluster; one that doesn't answer is a gap.
///
/// # Errors
/// 400 `invalid_cursor`.
pub async fn of_service(state: &AppState, key: &ServiceKey, query: &ListQuery) -> ApiResult<Page<Event>> {
    if !is_object_name(&key.namespace()) || !is_object_name(&key.service) {
        return page(Vec::new(), Vec::new(), query);
    }
    let members = state.members.all();
    let asked = join_all(members.iter().map(|member| async {
        let told = tokio::time::timeout(PATIENCE, ask(state, member, key)).await;
        match told {
            Ok(told) => told,
            Err(_) => Err(gap(
                member,
                format!("it did not answer within {} s", PATIENCE.as_secs()),
            )),
        }
    }))
    .await;
    let mut found = Vec::new();
    let mut gaps = Vec::new();
    for answer in asked {
        match answer {
            Ok(events) => found.extend(events),
            Err(gap) => gaps.push(gap),
        }
    }
    page(found, gaps, query)
}

async fn ask(state: &AppState, member: &Arc<Member>, key: &ServiceKey) -> Result<Vec<Found>, Gap> {
    if let Err(error) = member.require_reachable() {
        // A cluster that never had anything of the service leaves no gap in its events.
        let now = state.now();
        if member.is_synced() && member.observed(key, member.freshness(now), now).is_none() {
            return Ok(Vec::new());
        }
        return Err(gap(member, error.message));
    }
    let events = read(member, &key.namespace(), None)
        .await
        .map_err(|error| gap(member, error.explain()))?;
    let sets: BTreeSet<String> = member
        .tables
        .workloads
        .read()
        .get(key)
        .map(|workload| workload.replica_sets.keys().cloned().collect())
        .unwrap_or_default();
    Ok(events
        .into_iter()
        .filter(|event| is_of_service(&event.involved_object, &key.service, &sets))
        .map(|event| shape(&member.name, event))
        .collect())
}

fn gap(member: &Member, reason: String) -> Gap {
    Gap {
        cluster: member.name.to_string(),
        reason,
        observed_at: None,
    }
}

async fn read(member: &Member, namespace: &str, selector: Option<&str>) -> Result<Vec<WireEvent>, KubeError> {
    let mut events = Vec::new();
    let mut continues = String::new();
    for _ in 0..PAGES {
        let mut parameters = vec![("limit", "500")];
        if let Some(selector) = selector {
            parameters.push(("fieldSelector", selector));
        }
        if !continues.is_empty() {
            parameters.push(("continue", &continues));
        }
        let path = paths::with_query(&paths::events(namespace), &parameters);
        let list: List<WireEvent> = member.looks.get(&path).await?;
        events.extend(list.items);
        continues = list.metadata.continues;
        if continues.is_empty() {
            break;
        }
    }
    Ok(events)
}

/// Pods and ReplicaSets are gone sooner than their events; then their names tell whose they were: a
/// Deployment's ReplicaSet has one more part, and its pod two, made of letters that no word is made of.
fn is_of_service(object: &Involved, service: &str, sets: &BTreeSet<String>) -> bool {
    let rest = || object.name.strip_prefix(service)?.strip_prefix('-');
    match object.kind.as_str() {
        "Deployment" | "Service" | "Endpoints" => object.name == service,
        "ReplicaSet" => sets.contains(&object.name) || rest().is_some_and(is_hash),
        "Pod" => rest()
            .and_then(|rest| rest.rsplit_once('-'))
            .is_some_and(|(set, pod)| is_hash(set) && pod.len() == 5 && is_random(pod)),
        _ => false,
    }
}

fn is_hash(text: &str) -> bool {
    (6..=10).contains(&text.len()) && is_random(text)
}

fn is_random(text: &str) -> bool {
    text.bytes()
        .all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
}

fn shape(cluster: &str, event: WireEvent) -> Found {
    let series_seen = event.series.as_ref().and_then(|series| series.last_observed_time);
    let last_seen = series_seen
        .or(event.last_timestamp)
        .or(event.event_time)
        .or(event.first_timestamp)
        .or(event.metadata.creation_timestamp);
    let count = event
        .series
        .as_ref()
        .map_or(event.count, |series| series.count)
        .max(1);
    let source = if event.source.component.is_empty() {
        event.reporting_component
    } else {
        event.source.component
    };
    Found {
        place: Place {
            microseconds: std::cmp::Reverse(last_seen.map_or(0, |at| at.timestamp_micros())),
            cluster: cluster.to_owned(),
            name: event.metadata.name,
        },
        event: Event {
            cluster: cluster.to_owned(),
            namespace: event.metadata.namespace,
            kind: event.kind,
            reason: event.reason,
            message: event.message,
            object: format!("{}/{}", event.involved_object.kind, event.involved_object.name),
            source,
            count,
            first_seen: event
                .first_timestamp
                .or(event.event_time)
                .or(event.metadata.creation_timestamp),
            last_seen,
        },
    }
}

fn page(mut found: Vec<Found>, gaps: Vec<Gap>, query: &ListQuery) -> ApiResult<Page<Event>> {
    let after: Option<Place> = decode_cursor(query.cursor.as_deref())?;
    if query
        .sort
        .as_deref()
        .is_some_and(|sort| !sort.is_empty() && sort != "-last_seen")
    {
        return Err(ApiError::invalid(
            "invalid_sort",
            "events come newest first: `-last_seen`",
        ));
    }
    if let Some(text) = query
        .q
        .as_deref()
        .map(str::to_lowercase)
        .filter(|text| !text.is_empty())
    {
        found.retain(|found| {
            [&found.event.reason, &found.event.message, &found.event.object]
                .into_iter()
                .any(|field| field.to_lowercase().contains(&text))
        });
    }
    let total_estimate = found.len() as u64;
    found.sort_by(|a, b| a.place.cmp(&b.place));
    if let Some(after) = after {
        found.retain(|found| found.place > after);
    }
    let limit = limit(query.limit);
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.place));
    Ok(Page {
        items: found.into_iter().map(|found| found.event).collect(),
        next_cursor,
        total_estimate,
        gaps,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn involved(kind: &str, name: &str) -> Involved {
        Involved {
            kind: kind.into(),
            name: name.into(),
        }
    }

    #[test]
    fn names_tell_whose_an_object_was() {
        let none = BTreeSet::new();
        for (kind, name) in [
            ("Deployment", "web"),
            ("ReplicaSet", "web-7c9f8d6b5"),
            ("Pod", "web-7c9f8d6b5-x2xzp"),
        ] {
            assert!(is_of_service(&involved(kind, name), "web", &none), "{name}");
        }
        for (kind, name) in [
            ("Deployment", "web-api"),
            ("ReplicaSet", "web-backend"),
            ("ReplicaSet", "web-api-7c9f8d6b5"),
            ("Pod", "web-api-7c9f8d6b5-x2xzp"),
            ("Pod", "web"),
            ("Node", "web"),
        ] {
            assert!(!is_of_service(&involved(kind, name), "web", &none), "{name}");
        }
    }

    fn event(name: &str, minute: u32) -> Found {
        let event: WireEvent = serde_json::from_value(json!({
            "metadata": { "name": name, "namespace": "shop-test" },
            "type": "Warning", "reason": "BackOff", "message": "back-off",
            "lastTimestamp": format!("2026-01-01T00:{minute:02}:00Z"),
            "involvedObject": { "kind": "Pod", "name": "web-1" },
            "source": { "component": "kubelet" },
        }))
        .unwrap();
        shape("alpha", event)
    }

    #[test]
    fn pages_go_from_new_to_old_without_repeating() {
        let all = || {
            (0..5)
                .map(|minute| event(&format!("e{minute}"), minute))
                .collect::<Vec<_>>()
        };
        let mut query = ListQuery {
            limit: Some(2),
            ..ListQuery::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = page(all(), Vec::new(), &query).unwrap();
            assert_eq!(page.total_estimate, 5);
            seen.extend(page.items.into_iter().map(|event| event.last_seen.unwrap()));
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 5);
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn newer_kinds_of_events_have_their_times_elsewhere() {
        let event: WireEvent = serde_json::from_value(json!({
            "metadata": { "name": "e" },
            "eventTime": "2026-01-01T00:00:00.123456Z",
            "lastTimestamp": null,
            "series": { "count": 7, "lastObservedTime": "2026-01-01T00:05:00.000000Z" },
            "reportingComponent": "kubelet",
        }))
        .unwrap();
        let event = shape("alpha", event).event;
        assert_eq!((event.count, event.source.as_str()), (7, "kubelet"));
        assert_eq!(event.last_seen.unwrap().to_rfc3339(), "2026-01-01T00:05:00+00:00");
    }
}
