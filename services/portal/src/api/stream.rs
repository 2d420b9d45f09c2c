//! What changes, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use api_types::changes::{Change, ChangeLine, Topic};
use api_types::common::ErrorBody;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, stream};
use http::{HeaderMap, HeaderValue};
use platform::extract::Query;
use platform::{ApiError, ApiResult};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::{Shared, Who};
use crate::app::grants::may_see;
use crate::app::identity::Identity;
use crate::app::live::{Batch, Entry};
use crate::state::AppState;

/// How many browsers follow.
const STREAMS: &str = "longshore_event_streams";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct StreamQuery {
    /// Topics, comma-separated; all when absent.
    pub topics: Option<String>,
    /// Go on after this event; the header `Last-Event-ID` wins.
    pub cursor: Option<String>,
}

/// Follows what changes.
///
/// Events: `change` with a `Change` as data, filtered by what the caller may see; `reset` when changes
/// were missed and everything must be read again; `ping` every 15 s. Each has an id to go on after.
#[utoipa::path(
    get, path = "/api/v1/stream", tag = "live",
    params(StreamQuery),
    responses(
        (status = 200, description = "Events", body = Change, content_type = "text/event-stream"),
        (status = 400, description = "`invalid_topic`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn stream_changes(
    State(state): Shared,
    Who(identity): Who,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let topics = topics(query.topics.as_deref())?;
    let cursor = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .or(query.cursor)
        .filter(|cursor| !cursor.is_empty());
    let follower = Follower::new(state, identity, topics, cursor.as_deref());
    let mut response = Sse::new(follower.events()).into_response();
    // A proxy that collects what it passes on would hold the events back.
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn topics(asked: Option<&str>) -> ApiResult<Option<Vec<Topic>>> {
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return Ok(None);
    };
    asked
        .split(',')
        .map(|name| {
            serde_json::from_value(json!(name.trim()))
                .map_err(|_| ApiError::invalid("invalid_topic", format!("there is no topic `{name}`")))
        })
        .collect::<ApiResult<_>>()
        .map(Some)
}

/// One browser's place in the ring.
struct Follower {
    state: AppState,
    identity: Arc<Identity>,
    topics: Option<Vec<Topic>>,
    place: u64,
    news: watch::Receiver<u64>,
    pings: tokio::time::Interval,
    ready: VecDeque<Event>,
}

impl Follower {
    fn new(
        state: AppState,
        identity: Arc<Identity>,
        topics: Option<Vec<Topic>>,
        cursor: Option<&str>,
    ) -> Self {
        metrics::gauge!(STREAMS).increment(1);
        let news = state.hub.watch();
        let head = state.hub.head();
        let known = cursor.map(|cursor| state.hub.place(cursor));
        let mut pings = tokio::time::interval(state.config.ping_period);
        pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut follower = Self {
            identity,
            topics,
            place: known.flatten().unwrap_or(head),
            news,
            pings,
            ready: VecDeque::new(),
            state,
        };
        if known == Some(None) {
            follower.ready.push_back(follower.reset(head));
        }
        follower
    }

    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut follower| async move {
            let event = follower.next().await?;
            Some((Ok(event), follower))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            self.news.borrow_and_update();
            match self.state.hub.after(self.place) {
                Batch::TooOld(head) => {
                    self.place = head;
                    return Some(self.reset(head));
                }
                Batch::Entries(entries) if entries.is_empty() => {
                    if let Some(end) = self.wait().await {
                        return end;
                    }
                }
                Batch::Entries(entries) => self.take(entries),
            }
        }
    }

    fn take(&mut self, entries: Vec<(u64, Entry)>) {
        for (sequence, entry) in entries {
            self.place = sequence;
            let event = match entry {
                Entry::Reset => Some(self.reset(sequence)),
                Entry::Change(change) => self
                    .wanted(&change)
                    .then(|| event("change", &change.cursor, &*change)),
            };
            self.ready.extend(event);
        }
    }

    fn wanted(&self, change: &Change) -> bool {
        let asked = self
            .topics
            .as_ref()
            .is_none_or(|topics| topics.contains(&change.topic));
        asked && may_see(&self.identity.caller, change)
    }

    fn reset(&self, sequence: u64) -> Event {
        let cursor = self.state.hub.cursor(sequence);
        let line = ChangeLine::Reset {
            cursor: cursor.clone(),
        };
        event("reset", &cursor, &line)
    }

    /// Waits for news, or for what the stream itself has to do: a ping, its end.
    async fn wait(&mut self) -> Option<Option<Event>> {
        let shutdown = self.state.foundation.shutdown.clone();
        tokio::select! {
            () = shutdown.cancelled() => Some(None),
            _ = self.news.changed() => None,
            _ = self.pings.tick() => {
                if !self.still_signed_in().await {
                    return Some(None);
                }
                let cursor = self.state.hub.cursor(self.place);
                Some(Some(event("ping", &cursor, &json!({})).comment("ping")))
            }
        }
    }

    async fn still_signed_in(&mut self) -> bool {
        let found = self
            .state
            .identities
            .find_by_digest(self.identity.via, &self.identity.digest)
            .await;
        match found {
            Ok(Some(identity)) => {
                self.identity = identity;
                true
            }
            Ok(None) => false,
            // The database is away: nobody was turned away by that.
            Err(_) => true,
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        metrics::gauge!(STREAMS).decrement(1);
    }
}

fn event(name: &str, cursor: &str, data: &impl serde::Serialize) -> Event {
    let data = serde_json::to_string(data).expect("an event is plain data");
    Event::default().event(name).id(cursor).data(data)
}
