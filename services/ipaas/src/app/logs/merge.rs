//! Several logs that are there already, merged in time.

use std::sync::Arc;

use api_types::logs::LogLine;
use chrono::DateTime;

use crate::app::logs::lines::Piece;
use crate::app::logs::position::{Position, Seen, source_key};
use crate::app::logs::reading::Reading;

/// Whose log it is.
#[derive(Clone, Debug)]
pub struct Source {
    pub cluster: Arc<str>,
    pub pod: Arc<str>,
    pub container: Arc<str>,
    pub key: u64,
}

impl Source {
    #[must_use]
    pub fn new(cluster: &Arc<str>, pod: &str, container: &Arc<str>) -> Self {
        Self {
            key: source_key(cluster, pod, container),
            cluster: cluster.clone(),
            pod: Arc::from(pod),
            container: container.clone(),
        }
    }

    #[must_use]
    pub fn line(&self, piece: Piece) -> LogLine {
        LogLine {
            cluster: self.cluster.to_string(),
            pod: self.pod.to_string(),
            container: self.container.to_string(),
            at: DateTime::from_timestamp_nanos(piece.at),
            text: piece.text,
            cut: piece.cut,
        }
    }
}

struct Part {
    source: Source,
    reading: Reading,
    seen: Seen,
    head: Option<Piece>,
    /// The latest time so far. Lines of one log stay in order also where their times don't.
    latest: i64,
    ended: bool,
}

#[derive(Default)]
pub struct Merge {
    parts: Vec<Part>,
    /// The clusters whose logs broke off, and how.
    pub broken: Vec<(Arc<str>, String)>,
}

impl Merge {
    /// Adds a log, of which what is before the position is passed over.
    pub fn add(&mut self, source: Source, reading: Reading, position: Position) {
        self.parts.push(Part {
            source,
            reading,
            seen: position.seen(),
            head: None,
            latest: i64::MIN,
            ended: false,
        });
    }

    /// The source with this number.
    #[must_use]
    pub fn source(&self, number: usize) -> &Source {
        &self.parts[number].source
    }

    /// The logs that were not read to their ends.
    pub fn unread(&self) -> impl Iterator<Item = &Source> {
        self.parts
            .iter()
            .filter(|part| !part.ended)
            .map(|part| &part.source)
    }

    /// The next line of all with its source's number; `None` at the end. May be dropped while it waits.
    pub async fn next(&mut self) -> Option<(usize, Piece)> {
        for part in &mut self.parts {
            while part.head.is_none() && !part.ended {
                match part.reading.next().await {
                    Ok(Some(piece)) if part.seen.is_new(piece.at) => {
                        part.latest = part.latest.max(piece.at);
                        part.head = Some(piece);
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => part.ended = true,
                    Err(error) => {
                        part.ended = true;
                        let what = format!("the log of {} broke off: {}", part.source.pod, error.explain());
                        self.broken.push((part.source.cluster.clone(), what));
                    }
                }
            }
        }
        self.parts
            .iter_mut()
            .enumerate()
            .filter(|(_, part)| part.head.is_some())
            .min_by_key(|(_, part)| part.latest)
            .and_then(|(number, part)| Some((number, part.head.take()?)))
    }
}
