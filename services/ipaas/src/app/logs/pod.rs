//! The log of one container: a piece, a file, or as it is written.

use std::time::Duration;

use api_types::logs::{LogFrame, LogQuery};
use bytes::Bytes;
use futures::Stream;
use http::StatusCode;
use platform::{ApiError, ApiResult};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::app::logs::lines::Piece;
use crate::app::logs::position::{Position, Positions, Seen, source_key};
use crate::app::logs::reading::{At, Range, Reading};
use crate::app::logs::{DEFAULT_TAIL, LONGEST_DOWNLOAD, asked_too_early, cut_note, require_tail, stamp};
use crate::app::pods::{PodPlace, container_names, fetch};
use crate::cluster::error::KubeError;
use crate::state::AppState;

/// A piece of a log is there already; a cluster that stops in the midst of it is not waited for longer.
const SILENCE: Duration = Duration::from_secs(30);
const BATCH_LINES: usize = 100;
const BATCH_TIME: Duration = Duration::from_millis(50);

/// A log on its way from a cluster.
pub struct PodLog {
    cluster: String,
    pub container: String,
    /// What is left of the run before, when that is to be read first.
    before: Option<Reading>,
    reading: Reading,
    key: u64,
    position: Position,
    /// Of `reading`.
    run: u32,
    seen: Seen,
    timestamps: bool,
    /// Turns false when the cluster goes away; a log that is followed may then hang without a word.
    reachable: watch::Receiver<bool>,
    lines: Vec<String>,
    due: Instant,
    /// Why, until it was told.
    ended: Option<Option<String>>,
}

/// A piece of a log as text, sent on as it comes.
///
/// # Errors
/// 404; 400 `container_required`, `invalid_query`, `invalid_cursor`; 404 `log_not_there`; 503.
pub async fn read(
    state: &AppState,
    place: &PodPlace,
    query: &LogQuery,
) -> ApiResult<(
    String,
    impl Stream<Item = Result<Bytes, KubeError>> + Send + use<>,
)> {
    let log = open(state, place, query, false).await?;
    let container = log.container.clone();
    let text = Text {
        log,
        sent: 0,
        within: false,
        ended: false,
    };
    Ok((container, futures::stream::unfold(text, Text::next)))
}

/// A log from its tail, or where a cursor says, on as it is written.
///
/// # Errors
/// As [`read`].
pub async fn follow(state: &AppState, place: &PodPlace, query: &LogQuery) -> ApiResult<PodLog> {
    open(state, place, query, !query.previous).await
}

async fn open(state: &AppState, place: &PodPlace, query: &LogQuery, follow: bool) -> ApiResult<PodLog> {
    let tail = require_tail(query.tail)?.or((!query.download).then_some(DEFAULT_TAIL));
    let cursor = query.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let positions = cursor.map(Positions::decode).transpose()?;
    let (member, pod) = fetch(state, place).await?;
    let container = choose(&container_names(&pod), query.container.as_deref())?.to_owned();
    let key = source_key(&member.name, &place.pod, &container);
    let known = positions.as_ref().and_then(|positions| positions.of.get(&key));
    let run = pod.restarts_of(&container);
    let position = known.copied().unwrap_or(Position {
        run,
        ..Position::default()
    });
    let mut range = Range {
        tail,
        since_seconds: query.since_seconds,
        since_time: position.since_time(),
        previous: query.previous,
        follow,
    };
    if known.is_some() {
        range.tail = None;
    }
    if range.since_time.is_some() {
        range.since_seconds = None;
    }
    let namespace = place.namespace();
    let at = At {
        namespace: &namespace,
        pod: &place.pod,
        container: &container,
    };
    let silence = (!follow).then_some(SILENCE);
    let reading = Reading::open(&member.looks, at, &range, silence)
        .await
        .map_err(|error| refused(error, &member.name, &container, query.previous))?;
    let mut before = None;
    if follow && known.is_some() && position.run < run {
        let range = Range {
            previous: true,
            follow: false,
            ..range
        };
        // When it is not kept any longer there is nothing to be had.
        before = Reading::open(&member.looks, at, &range, Some(SILENCE)).await.ok();
    }
    let position = Position {
        run: if before.is_some() { position.run } else { run },
        ..position
    };
    Ok(PodLog {
        cluster: member.name.to_string(),
        container,
        before,
        reading,
        key,
        seen: position.seen(),
        position,
        run,
        timestamps: query.timestamps,
        reachable: member.health.watch(),
        lines: Vec::new(),
        due: Instant::now(),
        ended: None,
    })
}

impl PodLog {
    /// The next frame; `None` after the last. May be dropped while it waits.
    pub async fn frame(&mut self) -> Option<LogFrame> {
        while self.ended.is_none() && self.lines.len() < BATCH_LINES {
            let reachable = &mut self.reachable;
            let reading = self.before.as_mut().unwrap_or(&mut self.reading);
            let reason = tokio::select! {
                biased;
                () = sleep_until(self.due), if !self.lines.is_empty() => break,
                piece = reading.next() => match piece {
                    Ok(Some(piece)) => {
                        self.take(piece);
                        continue;
                    }
                    Ok(None) if self.before.take().is_some() => {
                        self.position.run = self.run;
                        continue;
                    }
                    Ok(None) => format!("container {} stopped, or its log ended", self.container),
                    Err(error) => format!("cluster {} broke off: {}", self.cluster, error.explain()),
                },
                changed = reachable.changed() => {
                    if changed.is_ok() && *reachable.borrow_and_update() {
                        continue;
                    }
                    format!("cluster {} went away", self.cluster)
                }
            };
            self.ended = Some(Some(reason));
        }
        if !self.lines.is_empty() {
            return Some(self.take_lines());
        }
        let reason = self.ended.as_mut()?.take()?;
        Some(LogFrame::End { reason })
    }

    fn take(&mut self, piece: Piece) {
        if !self.seen.is_new(piece.at) {
            return;
        }
        if self.lines.is_empty() {
            self.due = Instant::now() + BATCH_TIME;
        }
        self.position.advance(piece.at);
        self.lines.push(if self.timestamps {
            format!("{} {}", stamp(piece.at), piece.text)
        } else {
            piece.text
        });
    }

    fn take_lines(&mut self) -> LogFrame {
        let positions = Positions {
            as_of: 0,
            of: [(self.key, self.position)].into(),
        };
        LogFrame::Lines {
            lines: std::mem::take(&mut self.lines),
            cursor: positions.encode(),
        }
    }
}

/// A log as text.
struct Text {
    log: PodLog,
    sent: usize,
    /// A line was begun.
    within: bool,
    ended: bool,
}

impl Text {
    async fn next(mut self) -> Option<(Result<Bytes, KubeError>, Self)> {
        if self.ended {
            return None;
        }
        let mut text = String::new();
        let mut next = self.log.reading.next().await;
        loop {
            match next {
                Ok(Some(piece)) if self.log.seen.is_new(piece.at) => self.write(&piece, &mut text),
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.ended = true;
                    break;
                }
                Err(error) => {
                    self.ended = true;
                    return Some((Err(error), self));
                }
            }
            if self.sent + text.len() > LONGEST_DOWNLOAD {
                text.push_str(&cut_note(LONGEST_DOWNLOAD));
                self.ended = true;
                break;
            }
            match self.log.reading.ready() {
                Some(piece) => next = Ok(Some(piece)),
                None => break,
            }
        }
        self.sent += text.len();
        Some((Ok(Bytes::from(text)), self))
    }

    fn write(&mut self, piece: &Piece, text: &mut String) {
        if self.log.timestamps && !self.within {
            text.push_str(&stamp(piece.at));
            text.push(' ');
        }
        text.push_str(&piece.text);
        self.within = piece.cut;
        if !piece.cut {
            text.push('\n');
        }
    }
}

fn choose<'a>(there: &[&'a str], wanted: Option<&str>) -> ApiResult<&'a str> {
    match wanted.filter(|wanted| !wanted.is_empty()) {
        Some(wanted) => there
            .iter()
            .find(|name| **name == wanted)
            .copied()
            .ok_or_else(|| ApiError::not_found(format!("container {wanted} of this pod"))),
        None => match there {
            [only] => Ok(only),
            _ => Err(ApiError::invalid(
                "container_required",
                format!(
                    "the pod has several containers, choose one of {}",
                    there.join(", ")
                ),
            )
            .with_details(json!({ "containers": there }))),
        },
    }
}

fn refused(error: KubeError, cluster: &str, container: &str, previous: bool) -> ApiError {
    if !asked_too_early(&error) {
        return error.on(cluster);
    }
    let what = if previous {
        format!("container {container} has no earlier run whose log is kept")
    } else {
        format!("container {container} has not started, so it has no log yet")
    };
    ApiError::new(
        StatusCode::NOT_FOUND,
        "log_not_there",
        format!("{what}: {}", error.explain()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_with_several_containers_asks_which() {
        assert_eq!(choose(&["web"], None).unwrap(), "web");
        assert_eq!(choose(&["web", "proxy"], Some("proxy")).unwrap(), "proxy");
        assert_eq!(
            choose(&["web", "proxy"], None).unwrap_err().code,
            "container_required"
        );
        assert_eq!(choose(&["web"], Some("other")).unwrap_err().code, "not_found");
    }
}
