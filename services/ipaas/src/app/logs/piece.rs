//! A piece of a service's log: what all its pods have written, merged in time.

use std::collections::VecDeque;
use std::time::Duration;

use api_types::common::Gap;
use api_types::logs::{LeftOutPod, ServiceLog, ServiceLogQuery};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::StatusCode;
use platform::ApiResult;

use crate::app::logs::lines::Piece;
use crate::app::logs::merge::{Merge, Source};
use crate::app::logs::position::{Position, Positions, source_key};
use crate::app::logs::reading::{At, Range, Reading};
use crate::app::logs::selection::{Found, MOST_PODS, Selection};
use crate::app::logs::{DEFAULT_TAIL, LONGEST_DOWNLOAD, asked_too_early, cut_note, require_tail, stamp};
use crate::app::names::ServiceKey;
use crate::app::pods::{container_names, fetch};
use crate::state::AppState;

const OPENED_AT_A_TIME: usize = 20;
/// A cluster that stops in the midst of a log is not waited for longer.
const SILENCE: Duration = Duration::from_secs(5);
/// A reply is given within this.
const LONGEST_READING: Duration = Duration::from_secs(12);
const LARGEST_REPLY: usize = 8 * 1024 * 1024;
const DOWNLOAD_CHUNK: usize = 64 * 1024;

/// What was asked for, checked.
pub struct Asked {
    pub selection: Selection,
    pub range: Range,
    pub positions: Option<Positions>,
}

impl Asked {
    /// # Errors
    /// 400 `invalid_query`, `invalid_cursor`.
    pub fn read(key: ServiceKey, query: &ServiceLogQuery) -> ApiResult<Self> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let names = given(&query.pods).unwrap_or_default();
        Ok(Self {
            selection: Selection {
                key,
                cluster: given(&query.cluster),
                pods: names
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect(),
                container: given(&query.container),
            },
            range: Range {
                tail: require_tail(query.tail)?,
                since_seconds: query.since_seconds,
                previous: query.previous,
                ..Range::default()
            },
            positions: given(&query.cursor)
                .map(|cursor| Positions::decode(&cursor))
                .transpose()?,
        })
    }
}

/// Logs that are open, with what is missing.
#[derive(Default)]
pub struct Opened {
    pub merge: Merge,
    /// How far each was read before.
    pub positions: Positions,
    pub left_out: Vec<LeftOutPod>,
    pub gaps: Vec<Gap>,
}

/// Opens the logs of the newest pods, all at once.
pub async fn open(state: &AppState, asked: &Asked) -> Opened {
    let mut found = asked.selection.find(state);
    let beyond = found.split_off(found.len().min(MOST_PODS));
    let mut opened = Opened {
        left_out: beyond.iter().map(Found::id).collect(),
        gaps: asked.selection.gaps(state),
        ..Opened::default()
    };
    opened.left_out.sort();
    opened.positions.as_of = state.now().timestamp();
    let mut parts = futures::stream::iter(found)
        .map(|pod| async move { (pod.member.name.clone(), open_pod(state, asked, &pod).await) })
        .buffer_unordered(OPENED_AT_A_TIME);
    while let Some((cluster, part)) = parts.next().await {
        match part {
            Ok(readings) => {
                for (source, reading, position) in readings {
                    opened.positions.of.insert(source.key, position);
                    opened.merge.add(source, reading, position);
                }
            }
            Err(reason) => opened.gaps.push(Gap {
                cluster: cluster.to_string(),
                reason,
                observed_at: None,
            }),
        }
    }
    opened
}

/// The logs of a pod's containers; those that have none yet are passed over.
async fn open_pod(
    state: &AppState,
    asked: &Asked,
    found: &Found,
) -> Result<Vec<(Source, Reading, Position)>, String> {
    let place = asked.selection.place(found);
    let (member, pod) = match fetch(state, &place).await {
        Ok(fetched) => fetched,
        Err(error) if error.status == StatusCode::NOT_FOUND => return Ok(Vec::new()),
        Err(error) => return Err(error.message),
    };
    let mut readings = Vec::new();
    for container in asked.selection.containers(container_names(&pod)) {
        let run = pod.restarts_of(&container);
        let key = source_key(&member.name, &found.pod, &container);
        let known = asked
            .positions
            .as_ref()
            .and_then(|positions| positions.of.get(&key));
        let position = known.copied().unwrap_or_default();
        let mut range = asked.range.clone();
        if known.is_some() {
            range.tail = None;
            range.since_time = position.since_time();
            range.since_seconds = range.since_seconds.filter(|_| range.since_time.is_none());
        }
        let at = At {
            namespace: &pod.metadata.namespace,
            pod: &found.pod,
            container: &container,
        };
        let source = Source::new(&member.name, &found.pod, &container);
        if known.is_some_and(|known| known.run < run) && !range.previous {
            let before = Range {
                previous: true,
                ..range.clone()
            };
            // What is no longer kept can't be had.
            if let Ok(reading) = Reading::open(&member.looks, at, &before, Some(SILENCE)).await {
                readings.push((source.clone(), reading, position));
            }
        }
        match Reading::open(&member.looks, at, &range, Some(SILENCE)).await {
            Ok(reading) => {
                readings.push((source, reading, Position { run, ..position }));
            }
            Err(error) if asked_too_early(&error) => {}
            Err(error) => {
                return Err(format!(
                    "the log of {} can't be read: {}",
                    found.pod,
                    error.explain()
                ));
            }
        }
    }
    Ok(readings)
}

/// The newest lines of what is open.
pub struct Collected {
    pub lines: Vec<(Source, Piece)>,
    /// Just before them.
    pub positions: Positions,
    pub shortened: bool,
    pub left_out: Vec<LeftOutPod>,
    pub gaps: Vec<Gap>,
}

/// Reads what is open, and keeps the last so many lines.
pub async fn collect(mut opened: Opened, tail: usize) -> Collected {
    let until = tokio::time::Instant::now() + LONGEST_READING;
    let mut kept: VecDeque<(usize, Piece)> = VecDeque::new();
    let (mut size, mut shortened) = (0, false);
    let mut positions = opened.positions;
    let merge = &mut opened.merge;
    let mut too_long = false;
    loop {
        let Ok(next) = tokio::time::timeout_at(until, merge.next()).await else {
            too_long = true;
            break;
        };
        let Some((number, piece)) = next else { break };
        size += piece.text.len();
        kept.push_back((number, piece));
        while kept.len() > tail || size > LARGEST_REPLY {
            shortened |= kept.len() <= tail;
            let Some((number, piece)) = kept.pop_front() else {
                break;
            };
            size -= piece.text.len();
            let key = merge.source(number).key;
            positions.of.entry(key).or_default().advance(piece.at);
        }
    }
    let lines: Vec<(Source, Piece)> = kept
        .into_iter()
        .map(|(number, piece)| (merge.source(number).clone(), piece))
        .collect();
    for (source, piece) in &lines {
        let position = positions.of.entry(source.key).or_default();
        if position.at == 0 {
            *position = Position::before(piece.at, position.run);
        }
    }
    let slow = merge.unread().filter(|_| too_long).map(|source| {
        let what = format!("the log of {} takes too long to read", source.pod);
        (source.cluster.clone(), what)
    });
    let broken: Vec<_> = merge.broken.iter().cloned().chain(slow).collect();
    opened
        .gaps
        .extend(broken.into_iter().map(|(cluster, reason)| Gap {
            cluster: cluster.to_string(),
            reason,
            observed_at: None,
        }));
    Collected {
        lines,
        positions,
        shortened,
        left_out: opened.left_out,
        gaps: one_a_cluster(opened.gaps),
    }
}

fn one_a_cluster(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort_by(|a, b| a.cluster.cmp(&b.cluster));
    gaps.dedup_by(|a, b| a.cluster == b.cluster);
    gaps
}

/// The last lines of a service.
///
/// # Errors
/// 400 `invalid_query`, `invalid_cursor`.
pub async fn read(state: &AppState, key: ServiceKey, query: &ServiceLogQuery) -> ApiResult<ServiceLog> {
    let mut asked = Asked::read(key, query)?;
    let tail = *asked.range.tail.get_or_insert(DEFAULT_TAIL);
    let collected = collect(open(state, &asked).await, tail as usize).await;
    let mut positions = collected.positions;
    for (source, piece) in &collected.lines {
        positions.of.entry(source.key).or_default().advance(piece.at);
    }
    Ok(ServiceLog {
        lines: collected
            .lines
            .into_iter()
            .map(|(source, piece)| source.line(piece))
            .collect(),
        cursor: positions.encode(),
        shortened: collected.shortened,
        left_out: collected.left_out,
        gaps: collected.gaps,
    })
}

/// The log as text to keep, as it comes.
///
/// # Errors
/// 400 `invalid_query`, `invalid_cursor`.
pub async fn download(
    state: &AppState,
    key: ServiceKey,
    query: &ServiceLogQuery,
) -> ApiResult<impl Stream<Item = Bytes> + Send + use<>> {
    let asked = Asked::read(key, query)?;
    let opened = open(state, &asked).await;
    let mut head = String::new();
    for pod in &opened.left_out {
        head.push_str(&format!("--- left out: {}/{}\n", pod.cluster, pod.pod));
    }
    for gap in one_a_cluster(opened.gaps) {
        head.push_str(&format!("--- missing: {}: {}\n", gap.cluster, gap.reason));
    }
    let file = File {
        merge: opened.merge,
        sent: 0,
        told: 0,
        ended: false,
    };
    let first = futures::stream::iter((!head.is_empty()).then(|| Bytes::from(head)));
    Ok(first.chain(futures::stream::unfold(file, File::next)))
}

struct File {
    merge: Merge,
    sent: usize,
    /// Broken logs that were named.
    told: usize,
    ended: bool,
}

impl File {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        let mut text = String::new();
        while !self.ended && text.len() < DOWNLOAD_CHUNK {
            let next = self.merge.next().await;
            for (cluster, reason) in &self.merge.broken[self.told..] {
                text.push_str(&format!("--- missing: {cluster}: {reason}\n"));
            }
            self.told = self.merge.broken.len();
            let Some((number, piece)) = next else {
                self.ended = true;
                break;
            };
            let source = self.merge.source(number);
            let Source {
                cluster,
                pod,
                container,
                ..
            } = source;
            text.push_str(&format!(
                "{} {cluster}/{pod}/{container} {}\n",
                stamp(piece.at),
                piece.text
            ));
            if self.sent + text.len() > LONGEST_DOWNLOAD {
                text.push_str(&cut_note(LONGEST_DOWNLOAD));
                self.ended = true;
            }
        }
        self.sent += text.len();
        (!text.is_empty()).then(|| (Bytes::from(text), self))
    }
}
