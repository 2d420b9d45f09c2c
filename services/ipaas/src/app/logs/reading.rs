//! The log of one container on its way from a cluster, line by line.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use crate::app::logs::lines::{LineReader, Piece};
use crate::cluster::error::KubeError;
use crate::cluster::paths;
use crate::cluster::rest::Rest;

/// Which part of it.
#[derive(Clone, Debug, Default)]
pub struct Range {
    pub tail: Option<u32>,
    pub since_seconds: Option<u32>,
    pub since_time: Option<String>,
    pub previous: bool,
    pub follow: bool,
}

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    pub namespace: &'a str,
    pub pod: &'a str,
    pub container: &'a str,
}

pub struct Reading {
    body: Pin<Box<dyn Stream<Item = Result<Bytes, KubeError>> + Send>>,
    reader: LineReader,
    ready: VecDeque<Piece>,
    ended: bool,
    /// How long a log that is there already may keep silent.
    silence: Option<Duration>,
}

impl Reading {
    pub async fn open(
        rest: &Rest,
        at: At<'_>,
        range: &Range,
        silence: Option<Duration>,
    ) -> Result<Self, KubeError> {
        let tail = range.tail.map(|tail| tail.to_string());
        let since = range.since_seconds.map(|seconds| seconds.max(1).to_string());
        let mut parameters = vec![("container", at.container), ("timestamps", "true")];
        for (name, value) in [
            ("tailLines", &tail),
            ("sinceSeconds", &since),
            ("sinceTime", &range.since_time),
        ] {
            if let Some(value) = value {
                parameters.push((name, value));
            }
        }
        for (name, wanted) in [("follow", range.follow), ("previous", range.previous)] {
            if wanted {
                parameters.push((name, "true"));
            }
        }
        let path = format!("{}/log", paths::pod(at.namespace, at.pod));
        let body = rest.stream(&paths::with_query(&path, &parameters)).await?;
        Ok(Self {
            body: Box::pin(body),
            reader: LineReader::default(),
            ready: VecDeque::new(),
            ended: false,
            silence,
        })
    }

    /// The next piece; `None` at the end. What a cut connection left of a line is dropped: it comes again. May be
    /// dropped while it waits.
    pub async fn next(&mut self) -> Result<Option<Piece>, KubeError> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            if self.ended {
                return Ok(None);
            }
            let part = match self.silence {
                None => self.body.next().await,
                Some(silence) => tokio::time::timeout(silence, self.body.next())
                    .await
                    .map_err(|_| KubeError::Timeout(silence))?,
            };
            match part {
                Some(bytes) => self.ready.extend(self.reader.feed(&bytes?)),
                None => {
                    self.ended = true;
                    self.ready.extend(self.reader.finish());
                }
            }
        }
    }

    /// A piece that needs no waiting.
    pub fn ready(&mut self) -> Option<Piece> {
        self.ready.pop_front()
    }
}
