//! Follows the logs of one pod's containers over restarts and cut connections, until the pod is gone.

use std::sync::Arc;
use std::time::Duration;

use api_types::logs::LogSourceState as State;
use futures::future::join_all;
use http::StatusCode;
use tokio::sync::{mpsc, watch};

use crate::app::logs::asked_too_early;
use crate::app::logs::lines::Piece;
use crate::app::logs::merge::Source;
use crate::app::logs::position::{Position, Positions, source_key};
use crate::app::logs::reading::{At, Range, Reading};
use crate::app::logs::selection::{Found, Selection};
use crate::app::pods::{container_names, fetch};
use crate::cluster::member::Member;
use crate::index::wire;
use crate::state::AppState;

const SILENCE: Duration = Duration::from_secs(30);
/// The index is in memory; looking into it costs nothing.
const LOOK: Duration = Duration::from_millis(200);
/// What the index doesn't show is asked of the cluster after this.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// What happens to a log that is followed.
#[derive(Debug)]
pub enum Event {
    Piece {
        source: Arc<Source>,
        run: u32,
        piece: Piece,
    },
    State {
        source: Arc<Source>,
        state: State,
        reason: String,
    },
    /// Nothing more comes of this pod.
    Over(Found),
}

impl std::fmt::Debug for Found {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.member.name, self.pod)
    }
}

pub struct PodFollower {
    pub state: AppState,
    pub selection: Arc<Selection>,
    pub found: Found,
    /// How far its logs were read before.
    pub positions: Positions,
    /// Of logs that were not read before; everything when nothing limits it.
    pub range: Range,
    pub out: mpsc::Sender<Event>,
}

/// Nobody listens any more.
struct Gone;

impl PodFollower {
    pub async fn run(self) {
        if let Ok(containers) = self.containers().await {
            let each = containers.iter().map(|container| self.follow(container));
            join_all(each).await;
            // Fails when nobody listens, which is as good.
            let _ = self.out.send(Event::Over(self.found.clone())).await;
        }
    }

    fn source(&self, container: &Arc<str>) -> Arc<Source> {
        Arc::new(Source::new(&self.found.member.name, &self.found.pod, container))
    }

    async fn containers(&self) -> Result<Vec<Arc<str>>, Gone> {
        let mut teller = Teller::new(self.source(&Arc::from("")), self.out.clone());
        let pod = self.pod(&mut teller).await?;
        Ok(pod.map_or_else(Vec::new, |(_, pod)| {
            self.selection.containers(container_names(&pod))
        }))
    }

    /// The pod as it is, and its cluster's connection; `None` when it is gone. Waits for a cluster that is away.
    async fn pod(&self, teller: &mut Teller) -> Result<Option<(Arc<Member>, wire::Pod)>, Gone> {
        let mut reachable = self.found.member.health.watch();
        loop {
            match fetch(&self.state, &self.selection.place(&self.found)).await {
                Ok(fetched) => return Ok(Some(fetched)),
                Err(error) if error.status == StatusCode::NOT_FOUND => {
                    teller.tell(State::Ended, "the pod is gone").await?;
                    return Ok(None);
                }
                Err(error) => teller.tell(State::Away, &error.message).await?,
            }
            until_reachable(&mut reachable).await;
            tokio::time::sleep(SHORTEST_PAUSE * 5).await;
        }
    }

    async fn follow(&self, container: &Arc<str>) {
        let mut teller = Teller::new(self.source(container), self.out.clone());
        if let Ok(()) = self.follow_runs(container, &mut teller).await {
            tracing::trace!(pod = %self.found.pod, %container, "a log ended");
        }
    }

    async fn follow_runs(&self, container: &Arc<str>, teller: &mut Teller) -> Result<(), Gone> {
        let key = source_key(&self.found.member.name, &self.found.pod, container);
        let known = self.positions.of.get(&key).copied();
        let mut position = known.unwrap_or_default();
        let mut first = known.is_none();
        let mut read_to_the_end = None;
        loop {
            let Some((member, pod)) = self.pod(teller).await? else {
                return Ok(());
            };
            let status = pod.status_of(container).cloned().unwrap_or_default();
            let run = status.restart_count;
            let running = status.state.running.is_some();
            if read_to_the_end == Some(run) && !running {
                if let Some(reason) = over(&pod) {
                    return teller.tell(State::Ended, reason).await;
                }
                teller.tell(State::Waiting, &waiting(&status)).await?;
                self.until_changed().await;
                continue;
            }
            if position.at > 0 && position.run < run && read_to_the_end != Some(position.run) {
                self.catch_up(&member, container, &mut position, run, teller)
                    .await?;
            }
            position.run = run;
            let range = Range {
                follow: true,
                since_time: position.since_time(),
                tail: self.range.tail.filter(|_| first),
                since_seconds: self.range.since_seconds.filter(|_| position.at == 0),
                previous: false,
            };
            let at = At {
                namespace: &pod.metadata.namespace,
                pod: &self.found.pod,
                container,
            };
            match Reading::open(&member.looks, at, &range, None).await {
                Ok(mut reading) => {
                    teller.tell(State::Followed, "").await?;
                    first = false;
                    if self.read(&member, &mut reading, &mut position, teller).await? {
                        read_to_the_end = Some(run);
                    }
                    tokio::time::sleep(SHORTEST_PAUSE).await;
                }
                Err(error) if asked_too_early(&error) => {
                    if let Some(reason) = over(&pod) {
                        return teller.tell(State::Ended, reason).await;
                    }
                    teller.tell(State::Waiting, &waiting(&status)).await?;
                    self.until_changed().await;
                }
                Err(error) => {
                    teller.tell(State::Away, &error.explain()).await?;
                    self.until_changed().await;
                }
            }
        }
    }

    /// What the run before wrote after it was last read, as far as the cluster still has it.
    async fn catch_up(
        &self,
        member: &Member,
        container: &Arc<str>,
        position: &mut Position,
        run: u32,
        teller: &mut Teller,
    ) -> Result<(), Gone> {
        let range = Range {
            since_time: position.since_time(),
            previous: true,
            ..Range::default()
        };
        let at = At {
            namespace: &self.selection.key.namespace(),
            pod: &self.found.pod,
            container,
        };
        let opened = Reading::open(&member.looks, at, &range, Some(SILENCE)).await;
        let whole = match opened {
            Ok(mut reading) => self.read(member, &mut reading, position, teller).await?,
            Err(_) => false,
        };
        if !whole || run - position.run > 1 {
            let what = "it was started again meanwhile, and the cluster keeps the log of one run before only";
            teller.tell(State::Lost, what).await?;
        }
        Ok(())
    }

    /// Reads until it ends or is cut. Returns whether it ended.
    async fn read(
        &self,
        member: &Member,
        reading: &mut Reading,
        position: &mut Position,
        teller: &mut Teller,
    ) -> Result<bool, Gone> {
        let mut seen = position.seen();
        let mut reachable = member.health.watch();
        loop {
            let piece = tokio::select! {
                piece = reading.next() => piece,
                () = until_away(&mut reachable) => return Ok(false),
            };
            match piece {
                Ok(Some(piece)) if seen.is_new(piece.at) => {
                    position.advance(piece.at);
                    teller.piece(position.run, piece).await?;
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok(true),
                Err(error) => {
                    tracing::debug!(pod = %self.found.pod, error = %error.explain(), "a log was cut; it is opened again");
                    return Ok(false);
                }
            }
        }
    }

    /// Until the index shows the pod otherwise than it does now, or a while has passed.
    async fn until_changed(&self) {
        let look = || {
            let table = self.found.member.tables.pods.read();
            table
                .find(&self.selection.key.namespace(), &self.found.pod)
                .map(|row| (row.restarts, row.status, row.phase, row.ready))
        };
        let before = look();
        let until = tokio::time::Instant::now() + LONGEST_WAIT;
        while look() == before && tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn until_reachable(reachable: &mut watch::Receiver<bool>) {
    // A member that was replaced says nothing any more; the caller asks the new one.
    let _ = tokio::time::timeout(LONGEST_WAIT, reachable.wait_for(|reachable| *reachable)).await;
}

async fn until_away(reachable: &mut watch::Receiver<bool>) {
    let _ = reachable.wait_for(|reachable| !*reachable).await;
}

/// Why nothing more comes of a container that doesn't run.
fn over(pod: &wire::Pod) -> Option<&'static str> {
    match pod.status.phase.as_str() {
        _ if pod.metadata.deletion_timestamp.is_some() => Some("the pod was stopped"),
        "Succeeded" => Some("the pod is done"),
        "Failed" => Some("the pod failed"),
        _ => None,
    }
}

fn waiting(status: &wire::ContainerStatus) -> String {
    if let Some(waiting) = &status.state.waiting {
        return format!("it waits: {}", waiting.reason);
    }
    match &status.state.terminated {
        Some(ended) => format!("it ended with {}: {}", ended.exit_code, ended.reason),
        None => "it has not started".to_owned(),
    }
}

/// Tells states that are news.
struct Teller {
    source: Arc<Source>,
    out: mpsc::Sender<Event>,
    told: Option<(State, String)>,
}

impl Teller {
    fn new(source: Arc<Source>, out: mpsc::Sender<Event>) -> Self {
        Self {
            source,
            out,
            told: None,
        }
    }

    async fn tell(&mut self, state: State, reason: &str) -> Result<(), Gone> {
        let news = Some((state, reason.to_owned()));
        if self.told == news {
            return Ok(());
        }
        self.told = news;
        let source = self.source.clone();
        let reason = reason.to_owned();
        self.send(Event::State {
            source,
            state,
            reason,
        })
        .await
    }

    async fn piece(&mut self, run: u32, piece: Piece) -> Result<(), Gone> {
        let source = self.source.clone();
        self.send(Event::Piece { source, run, piece }).await
    }

    async fn send(&mut self, event: Event) -> Result<(), Gone> {
        self.out.send(event).await.map_err(|_| Gone)
    }
}
