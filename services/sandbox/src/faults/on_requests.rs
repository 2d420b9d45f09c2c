//! Faults that requests run into.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use rand::RngExt as _;
use tokio_util::sync::CancellationToken;

use super::kinds::{Fault, Manner, Only};
use super::state::Faults;
use crate::api::body::Body;

/// A request, as faults see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub user: &'a str,
    pub agent: &'a str,
    pub path: &'a str,
    pub method: &'a str,
}

/// What happens to a request.
#[derive(Debug, Default)]
pub(crate) struct Effect {
    pub delay: Duration,
    pub cut: Option<Manner>,
    /// Refused with 429, to come again after so many seconds.
    pub retry_after: Option<u64>,
    /// The connection breaks after so many bytes of the answer.
    pub breaks_after: Option<usize>,
}

impl Only {
    fn covers(&self, asked: &Asked<'_>) -> bool {
        let one_of = |list: &[String], fits: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|one| fits(one))
        };
        one_of(&self.users, &|user| user == asked.user)
            && one_of(&self.agents, &|agent| asked.agent.starts_with(agent))
            && one_of(&self.paths, &|path| asked.path.starts_with(path))
            && one_of(&self.methods, &|method| method.eq_ignore_ascii_case(asked.method))
    }
}

impl Faults {
    /// Whether requests can run into anything at all.
    pub(crate) fn is_quiet(&self) -> bool {
        self.look(|inner| inner.on.is_empty())
    }

    pub(crate) fn on_request(&self, asked: &Asked<'_>) -> Effect {
        self.look(|inner| {
            let mut effect = Effect::default();
            for on in inner.on.values().filter(|on| on.order.only.covers(asked)) {
                match &on.order.fault {
                    Fault::Slow { latency } => effect.delay += latency.draw(&mut inner.random),
                    Fault::ClientsCut { manner } => effect.cut = Some(*manner),
                    Fault::TooManyRequests {
                        share,
                        retry_after_seconds,
                    } if inner.random.random::<f64>() < *share => {
                        effect.retry_after = Some(*retry_after_seconds);
                    }
                    Fault::DroppedBodies { share, after_bytes } if inner.random.random::<f64>() < *share => {
                        let known = effect.breaks_after.unwrap_or(usize::MAX);
                        effect.breaks_after = Some(known.min(*after_bytes));
                    }
                    _ => {}
                }
            }
            effect
        })
    }
}

/// Lets so many bytes of an answer go out and then breaks its connection.
pub(crate) fn break_off(
    response: Response<Body>,
    after: usize,
    connection: CancellationToken,
) -> Response<Body> {
    response.map(|body| {
        Breaking {
            body,
            left: after,
            connection,
            flush: Box::pin(tokio::time::sleep(FLUSH)),
        }
        .boxed_unsync()
    })
}

struct Breaking {
    body: Body,
    left: usize,
    connection: CancellationToken,
    flush: Pin<Box<tokio::time::Sleep>>,
}

/// How long what still goes out has to get onto the wire.
const FLUSH: Duration = Duration::from_millis(20);

impl hyper::body::Body for Breaking {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            if self.flush.as_mut().poll(context).is_ready() {
                self.connection.cancel();
            }
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map(|frame| {
            frame.map(|frame| {
                frame.map(|frame| {
                    frame.map_data(|data| {
                        let kept = data.slice(..data.len().min(self.left));
                        self.left -= kept.len();
                        if self.left == 0 {
                            self.flush.as_mut().reset(tokio::time::Instant::now() + FLUSH);
                        }
                        kept
                    })
                })
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    // The whole length is still promised: the client is to notice that something is missing.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
