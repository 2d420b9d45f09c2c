//! A whole service's log as it is written: what its pods have written already, then each line as it comes; pods that
//! come join, pods that go say so.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use api_types::logs::{LeftOutPod, LogLine, ServiceLogFrame, ServiceLogQuery};
use platform::ApiResult;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::logs::DEFAULT_TAIL;
use crate::app::logs::follower::{Event, PodFollower};
use crate::app::logs::lines::Piece;
use crate::app::logs::merge::Source;
use crate::app::logs::piece::{Asked, Collected, collect, open};
use crate::app::logs::position::Positions;
use crate::app::logs::reading::Range;
use crate::app::logs::selection::{Found, MOST_PODS, Selection};
use crate::app::names::ServiceKey;
use crate::state::AppState;

const BATCH_LINES: usize = 100;
/// A frame is about as large as this at most.
const BATCH_BYTES: usize = 256 * 1024;
/// How long a line waits for earlier ones of other pods.
const HOLD: Duration = Duration::from_millis(200);
/// How much may wait here; beyond, the clusters wait.
const HELD_BYTES: usize = 4 * 1024 * 1024;
const EVENTS_WAITING: usize = 256;
/// How often it is looked for pods that came.
const LOOK_PERIOD: Duration = Duration::from_millis(500);

/// Something to be told, in its place in time.
struct Held {
    at: i64,
    number: u64,
    arrived: Instant,
    source: Arc<Source>,
    what: What,
}

enum What {
    Piece { run: u32, piece: Piece },
    Frame(ServiceLogFrame),
}

/// A pod that is followed, or was.
struct Followed {
    runs: bool,
    created_at: i64,
}

struct Log {
    /// So that its lines stay in order.
    latest: i64,
    pod: LeftOutPod,
}

impl Log {
    fn new(source: &Source) -> Self {
        Self {
            latest: 0,
            pod: LeftOutPod {
                cluster: source.cluster.to_string(),
                pod: source.pod.to_string(),
            },
        }
    }
}

pub struct ServiceStream {
    state: AppState,
    selection: Arc<Selection>,
    range: Range,
    positions: Positions,
    /// What is over once the lines that are there were told.
    only_history: bool,
    started: i64,
    events: mpsc::Receiver<Event>,
    out: mpsc::Sender<Event>,
    stop: CancellationToken,
    _stop: DropGuard,
    /// Pods that are followed, and those that are over, so that they are not followed again.
    followed: BTreeMap<LeftOutPod, Followed>,
    left_out: Vec<LeftOutPod>,
    held: Vec<Held>,
    held_bytes: usize,
    count: u64,
    logs: HashMap<u64, Log>,
    ready: VecDeque<ServiceLogFrame>,
    look: Interval,
    over: bool,
}

/// Opens it: from its tail, or on from a cursor.
///
/// # Errors
/// 400 `invalid_query`, `invalid_cursor`.
pub async fn follow(state: &AppState, key: ServiceKey, query: &ServiceLogQuery) -> ApiResult<ServiceStream> {
    let mut asked = Asked::read(key, query)?;
    let tail = *asked.range.tail.get_or_insert(DEFAULT_TAIL);
    let (out, events) = mpsc::channel(EVENTS_WAITING);
    let stop = CancellationToken::new();
    let mut look = interval(LOOK_PERIOD);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let now = state.now().timestamp();
    let mut stream = ServiceStream {
        state: state.clone(),
        selection: Arc::new(asked.selection.clone()),
        range: asked.range.clone(),
        positions: asked.positions.clone().unwrap_or_default(),
        only_history: query.previous,
        started: now,
        events,
        out,
        _stop: stop.clone().drop_guard(),
        stop,
        followed: BTreeMap::new(),
        left_out: Vec::new(),
        held: Vec::new(),
        held_bytes: 0,
        count: 0,
        logs: HashMap::new(),
        ready: VecDeque::new(),
        look,
        over: false,
    };
    if asked.positions.is_some() && !query.previous {
        // Pods that came while nobody listened are read from their beginning.
        stream.started = stream.positions.as_of;
        let meanwhile = u32::try_from(now - stream.started).unwrap_or(0);
        stream.range.since_seconds = stream
            .range
            .since_seconds
            .map(|own| own.saturating_add(meanwhile));
    } else {
        let collected = collect(open(state, &asked).await, tail as usize).await;
        stream.tell_history(collected);
    }
    stream.positions.as_of = now;
    Ok(stream)
}

impl ServiceStream {
    /// The next frame; `None` after the last. May be dropped while it waits.
    pub async fn frame(&mut self) -> Option<ServiceLogFrame> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            if self.over {
                return None;
            }
            if self.only_history {
                self.over = true;
                return Some(ServiceLogFrame::End {
                    reason: "these are the logs of the runs before; nothing is added to them".to_owned(),
                });
            }
            let due = self.held.first().map(|first| first.arrived + HOLD);
            tokio::select! {
                biased;
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.release(),
                _ = self.look.tick() => self.look_for_pods(),
                Some(event) = self.events.recv() => self.take(event),
            }
            if self.held_bytes > HELD_BYTES {
                self.release();
            }
        }
    }

    fn tell_history(&mut self, collected: Collected) {
        self.positions = collected.positions;
        let mut lines = Lines::default();
        for (source, piece) in collected.lines {
            self.positions.of.entry(source.key).or_default().advance(piece.at);
            let log = self.logs.entry(source.key).or_insert_with(|| Log::new(&source));
            log.latest = log.latest.max(piece.at);
            lines.push(source.line(piece));
            if lines.is_full() {
                self.ready.push_back(lines.take(&self.positions));
            }
        }
        // Also without lines there is a cursor from the first moment on.
        self.ready.push_back(lines.take(&self.positions));
        for gap in collected.gaps {
            self.ready.push_back(ServiceLogFrame::Source {
                cluster: gap.cluster,
                pod: String::new(),
                container: String::new(),
                state: api_types::logs::LogSourceState::Away,
                reason: gap.reason,
            });
        }
    }

    fn take(&mut self, event: Event) {
        let (source, at, size, what) = match event {
            Event::Piece { source, run, piece } => {
                let at = piece.at;
                (source, at, piece.text.len(), What::Piece { run, piece })
            }
            Event::State {
                source,
                state,
                reason,
            } => {
                let frame = ServiceLogFrame::Source {
                    cluster: source.cluster.to_string(),
                    pod: source.pod.to_string(),
                    container: source.container.to_string(),
                    state,
                    reason,
                };
                (source, 0, 0, What::Frame(frame))
            }
            Event::Over(found) => {
                if let Some(followed) = self.followed.get_mut(&found.id()) {
                    followed.runs = false;
                }
                return;
            }
        };
        let log = self.logs.entry(source.key).or_insert_with(|| Log::new(&source));
        log.latest = log.latest.max(at);
        let at = log.latest;
        self.count += 1;
        self.held_bytes += size;
        self.held.push(Held {
            at,
            number: self.count,
            arrived: Instant::now(),
            source,
            what,
        });
    }

    /// Tells what has waited long enough, and what is earlier than that.
    fn release(&mut self) {
        let now = Instant::now();
        let all = self.held_bytes > HELD_BYTES;
        let due = |held: &&Held| all || held.arrived + HOLD <= now;
        let Some(until) = self.held.iter().filter(due).map(|held| held.at).max() else {
            return;
        };
        let (mut due, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.at <= until);
        self.held = kept;
        due.sort_by_key(|held| (held.at, held.number));
        let mut lines = Lines::default();
        self.positions.as_of = self.state.now().timestamp();
        for held in due {
            match held.what {
                What::Piece { run, piece } => {
                    self.held_bytes -= piece.text.len();
                    let position = self.positions.of.entry(held.source.key).or_default();
                    position.advance(piece.at);
                    position.run = run;
                    lines.push(held.source.line(piece));
                }
                What::Frame(frame) => {
                    if !lines.lines.is_empty() {
                        self.ready.push_back(lines.take(&self.positions));
                    }
                    self.ready.push_back(frame);
                }
            }
            if lines.is_full() {
                self.ready.push_back(lines.take(&self.positions));
            }
        }
        if !lines.lines.is_empty() {
            self.ready.push_back(lines.take(&self.positions));
        }
    }

    /// Follows the pods that came, as far as there is room.
    fn look_for_pods(&mut self) {
        let found = self.selection.find(&self.state);
        let there: BTreeMap<LeftOutPod, i64> =
            found.iter().map(|found| (found.id(), found.created_at)).collect();
        // One that is over is not followed again, unless another pod has its name by now.
        self.followed
            .retain(|pod, followed| followed.runs || there.get(pod) == Some(&followed.created_at));
        self.forget(&there);
        let mut left_out = Vec::new();
        for found in found {
            let id = found.id();
            if self.followed.contains_key(&id) {
                continue;
            }
            if self.followed.values().filter(|followed| followed.runs).count() >= MOST_PODS {
                left_out.push(id);
                continue;
            }
            let created_at = found.created_at;
            self.followed.insert(
                id,
                Followed {
                    runs: true,
                    created_at,
                },
            );
            self.start(found);
        }
        left_out.sort();
        if left_out != self.left_out {
            self.left_out.clone_from(&left_out);
            self.ready.push_back(ServiceLogFrame::LeftOut { pods: left_out });
        }
    }

    /// Forgets the logs of pods that are gone, or cursors would grow for ever.
    fn forget(&mut self, there: &BTreeMap<LeftOutPod, i64>) {
        let (followed, held) = (&self.followed, &self.held);
        let gone: Vec<u64> = self
            .logs
            .iter()
            .filter(|(key, log)| {
                !there.contains_key(&log.pod)
                    && !followed.contains_key(&log.pod)
                    && held.iter().all(|held| held.source.key != **key)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            self.logs.remove(&key);
            self.positions.of.remove(&key);
        }
    }

    fn start(&self, found: Found) {
        let mut range = self.range.clone();
        // A second for clocks that differ.
        if found.created_at >= self.started - 1 {
            range.tail = None;
            range.since_seconds = None;
        }
        let follower = PodFollower {
            state: self.state.clone(),
            selection: self.selection.clone(),
            found,
            positions: self.positions.clone(),
            range,
            out: self.out.clone(),
        };
        let stop = self.stop.clone();
        let shutdown = self.state.foundation.shutdown.clone();
        self.state.foundation.tracker.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = shutdown.cancelled() => {}
                () = follower.run() => {}
            }
        });
    }
}

/// Lines on their way into a frame.
#[derive(Default)]
struct Lines {
    lines: Vec<LogLine>,
    bytes: usize,
}

impl Lines {
    fn push(&mut self, line: LogLine) {
        self.bytes += line.text.len();
        self.lines.push(line);
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= BATCH_LINES || self.bytes >= BATCH_BYTES
    }

    fn take(&mut self, positions: &Positions) -> ServiceLogFrame {
        self.bytes = 0;
        ServiceLogFrame::Lines {
            lines: std::mem::take(&mut self.lines),
            cursor: positions.encode(),
        }
    }
}
