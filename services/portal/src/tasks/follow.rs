//! Follows what changes in the other services and passes it on to the browsers.

use std::time::{Duration, Instant};

use api_types::changes::ChangeLine;
use clients::{ClientError, ClusterMgrClient, IpaasClient};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use platform::error::chain;

use crate::app::routes::Target;
use crate::state::AppState;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A stream that held so long was a good one; one that ends at once is no better than none.
const HELD: Duration = Duration::from_secs(5);

type Lines = BoxStream<'static, Result<ChangeLine, ClientError>>;

pub fn start(state: &AppState) {
    for target in [Target::ClusterMgr, Target::Ipaas] {
        let source = Source::new(state, target);
        let state = state.clone();
        let tracker = state.foundation.tracker.clone();
        tracker.spawn(async move {
            let shutdown = state.foundation.shutdown.clone();
            shutdown.run_until_cancelled(follow(&state, &source)).await;
        });
    }
}

enum Source {
    ClusterMgr(ClusterMgrClient),
    Ipaas(IpaasClient),
}

impl Source {
    fn new(state: &AppState, target: Target) -> Self {
        let endpoint = state.endpoint(target);
        match target {
            Target::Ipaas => Self::Ipaas(IpaasClient::new(endpoint)),
            Target::ClusterMgr | Target::Portal => Self::ClusterMgr(ClusterMgrClient::new(endpoint)),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::ClusterMgr(_) => Target::ClusterMgr.name(),
            Self::Ipaas(_) => Target::Ipaas.name(),
        }
    }

    async fn open(&self, cursor: Option<&str>) -> Result<Lines, ClientError> {
        Ok(match self {
            Self::ClusterMgr(client) => client.follow_changes(cursor).await?.boxed(),
            Self::Ipaas(client) => client.follow_changes(cursor).await?.boxed(),
        })
    }
}

async fn follow(state: &AppState, source: &Source) {
    let mut cursor = None;
    let mut pause = FIRST_PAUSE;
    let mut told = false;
    loop {
        let begun = Instant::now();
        let error = match source.open(cursor.as_deref()).await {
            Ok(lines) => read(state, lines, &mut cursor).await,
            Err(error) => error,
        };
        if begun.elapsed() > HELD {
            (pause, told) = (FIRST_PAUSE, false);
        }
        if !told && !state.foundation.shutdown.is_cancelled() {
            told = true;
            tracing::warn!(
                service = source.name(),
                error = %chain(&error),
                "its changes can't be followed; tried again until they can"
            );
        }
        // Two replicas of the portal must not return in step.
        tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Passes lines on until the stream breaks.
async fn read(state: &AppState, mut lines: Lines, cursor: &mut Option<String>) -> ClientError {
    loop {
        let line = lines.try_next().await;
        // What was read of a service before it was first followed may be old by now.
        if cursor.is_none() && matches!(line, Ok(Some(_))) {
            state.hub.reset();
        }
        match line {
            Ok(Some(ChangeLine::Change(change))) => {
                *cursor = Some(change.cursor.clone());
                state.hub.publish(change);
            }
            Ok(Some(ChangeLine::Alive { cursor: place })) => *cursor = Some(place),
            Ok(Some(ChangeLine::Reset { cursor: place })) => {
                if cursor.replace(place).is_some() {
                    state.hub.reset();
                }
            }
            Ok(None) => {
                return ClientError::Unreadable {
                    service: "the service",
                    source: "the stream ended".into(),
                };
            }
            Err(error) => return error,
        }
    }
}
