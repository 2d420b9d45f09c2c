//! Logs of containers: whole, the tail, since a time, as they come.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use http::{Response, StatusCode};
use serde_json::Value;
use tokio::sync::mpsc;

use super::Call;
use super::body::{self, Body};
use super::errors::{ApiError, ApiResult, FieldErrors};
use super::path::Resource;
use crate::json;
use crate::kubelet::logs::{Line, Log, stamp};

const TEXT: &str = "text/plain";

/// The container of a request: the one named, or the only one.
pub fn container_of(pod: &Value, name: &str, asked: Option<&str>) -> ApiResult<String> {
    let mut known: Vec<&str> = json::items(pod, "/spec/containers")
        .iter()
        .map(|one| json::text(one, "/name"))
        .collect();
    match asked.filter(|asked| !asked.is_empty()) {
        Some(asked) => {
            known.extend(
                ["initContainers", "ephemeralContainers"]
                    .iter()
                    .flat_map(|list| json::items(pod, &format!("/spec/{list}")))
                    .map(|one| json::text(one, "/name")),
            );
            if known.contains(&asked) {
                Ok(asked.to_owned())
            } else {
                Err(ApiError::bad_request(format!(
                    "container {asked} is not valid for pod {name}"
                )))
            }
        }
        None => match known.as_slice() {
            [only] => Ok((*only).to_owned()),
            several => {
                let annotated =
                    pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"].as_str();
                if let Some(annotated) = annotated.filter(|annotated| several.contains(annotated)) {
                    return Ok(annotated.to_owned());
                }
                Err(ApiError::bad_request(format!(
                    "a container name must be specified for pod {name}, choose one of: [{}]",
                    several.join(" ")
                )))
            }
        },
    }
}

struct Wanted {
    timestamps: bool,
    tail: Option<usize>,
    since: Option<DateTime<Utc>>,
    limit: Option<usize>,
}

fn wanted(call: &Call) -> ApiResult<Wanted> {
    let mut errors = FieldErrors::default();
    let tail = call.query.number("tailLines")?;
    if tail.is_some_and(|tail| tail < 0) {
        errors.invalid(
            "tailLines",
            tail.unwrap_or(0),
            "must be greater than or equal to 0",
        );
    }
    let limit = call.query.number("limitBytes")?;
    if limit.is_some_and(|limit| limit < 1) {
        errors.invalid("limitBytes", limit.unwrap_or(0), "must be greater than 0");
    }
    let seconds = call.query.number("sinceSeconds")?;
    if seconds.is_some_and(|seconds| seconds < 1) {
        errors.invalid("sinceSeconds", seconds.unwrap_or(0), "must be greater than 0");
    }
    let time = call.query.get("sinceTime").and_then(json::parse_time);
    if time.is_some() && seconds.is_some() {
        errors.forbidden(
            "",
            "at most one of `sinceTime` or `sinceSeconds` may be specified",
        );
    }
    if !errors.is_empty() {
        return Err(ApiError::invalid_named(
            "PodLogOptions",
            "",
            "PodLogOptions",
            "",
            errors,
        ));
    }
    Ok(Wanted {
        timestamps: call.query.flag("timestamps"),
        tail: tail.and_then(|tail| usize::try_from(tail).ok()),
        since: time.or_else(|| seconds.map(|seconds| crate::clock::now() - Duration::seconds(seconds))),
        limit: limit.and_then(|limit| usize::try_from(limit).ok()),
    })
}

/// Logs and commands are the kubelet's, which must be in reach.
pub fn reach(call: &Call, pod: &crate::store::Object) -> ApiResult<()> {
    let node = pod.field("spec.nodeName").unwrap_or("");
    match call.cluster.faults.silence(node) {
        None => Ok(()),
        Some(_) => Err(ApiError::internal(format!(
            "error dialing backend: dial tcp {node}:10250: i/o timeout"
        ))),
    }
}

pub fn answer(call: &Call, target: &Resource) -> ApiResult<Response<Body>> {
    let (kind, namespace, name) = (target.kind, target.namespace(), target.name());
    let pod = call
        .cluster
        .store
        .get(kind, namespace, name)
        .ok_or_else(|| ApiError::not_found(kind, name))?;
    let value = pod.bare_value();
    let container = container_of(&value, name, call.query.get("container"))?;
    let wanted = wanted(call)?;
    reach(call, &pod)?;
    let found = call
        .cluster
        .kubelet
        .find(&call.cluster, &pod, &container)
        .unwrap_or_default();
    if call.query.flag("previous") {
        // While it waits for its next run, the run that ended last is the previous one.
        let waits =
            status_of(&value, &container).is_some_and(|status| status["state"]["waiting"].is_object());
        let previous = if waits { found.current } else { found.previous };
        let log = previous
            .filter(|_| restarted(&value, &container))
            .ok_or_else(|| {
                ApiError::bad_request(format!(
                    "previous terminated container {container:?} in pod {name:?} not found"
                ))
            })?;
        return Ok(whole(&log, &wanted));
    }
    let Some(log) = found.current else {
        let reason = waiting_reason(&value, &container);
        return Err(ApiError::bad_request(format!(
            "container {container:?} in pod {name:?} is waiting to start: {reason}"
        )));
    };
    if call.query.flag("follow") {
        return Ok(follow(call, log, wanted));
    }
    Ok(whole(&log, &wanted))
}

fn status_of<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    ["containerStatuses", "initContainerStatuses"]
        .iter()
        .flat_map(|list| json::items(pod, &format!("/status/{list}")))
        .find(|status| status["name"] == container)
}

fn restarted(pod: &Value, container: &str) -> bool {
    status_of(pod, container).is_some_and(|status| status["lastState"]["terminated"].is_object())
}

fn waiting_reason(pod: &Value, container: &str) -> String {
    let status = status_of(pod, container);
    let reason = status.map_or("", |status| json::text(status, "/state/waiting/reason"));
    match reason {
        "" => "ContainerCreating".into(),
        "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image".into(),
        reason => reason.to_owned(),
    }
}

fn written(lines: &[Line], timestamps: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (time, text) in lines {
        if timestamps {
            out.extend_from_slice(stamp(*time).as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    }
    out
}

fn chosen(log: &Log, wanted: &Wanted) -> Vec<Line> {
    let mut lines = log.after(wanted.since);
    if let Some(tail) = wanted.tail {
        let surplus = lines.len().saturating_sub(tail);
        lines.drain(..surplus);
    }
    lines
}

fn whole(log: &Log, wanted: &Wanted) -> Response<Body> {
    let mut out = written(&chosen(log, wanted), wanted.timestamps);
    if let Some(limit) = wanted.limit {
        out.truncate(limit);
    }
    body::full(StatusCode::OK, TEXT, out)
}

fn follow(call: &Call, log: Arc<Log>, wanted: Wanted) -> Response<Body> {
    let (out, mut receiver) = mpsc::channel::<Bytes>(64);
    let token = call.token.clone();
    call.cluster.spawn(async move {
        let mut signal = log.signal();
        let mut left = wanted.limit.unwrap_or(usize::MAX);
        let first = chosen(&log, &wanted);
        let mut cursor = first
            .last()
            .map_or_else(|| wanted.since.unwrap_or_else(Utc::now), |(time, _)| *time);
        if wanted.tail == Some(0) {
            cursor = crate::clock::now();
        }
        let mut lines = first;
        loop {
            if !lines.is_empty() {
                let mut bytes = written(&lines, wanted.timestamps);
                bytes.truncate(left);
                left -= bytes.len();
                if out.send(bytes.into()).await.is_err() || left == 0 {
                    return;
                }
            }
            let ended = log.has_ended();
            let pause = (log.next_heartbeat(crate::clock::now()) - crate::clock::now())
                .to_std()
                .unwrap_or_default();
            if !ended {
                tokio::select! {
                    () = token.cancelled() => return,
                    () = out.closed() => return,
                    changed = signal.changed() => if changed.is_err() { return },
                    () = tokio::time::sleep(pause + std::time::Duration::from_millis(5)) => {}
                }
            }
            lines = log.after(Some(cursor));
            if let Some((time, _)) = lines.last() {
                cursor = *time;
            }
            if ended && lines.is_empty() {
                return;
            }
        }
    });
    let stream = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
    body::stream(TEXT, stream)
}
