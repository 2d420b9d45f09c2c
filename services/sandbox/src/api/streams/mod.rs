//! `exec`, `attach` and `portforward`: streams to a process, a container or a port. Clients of today bring them over a
//! WebSocket, older ones over SPDY; what the streams are connected to is the same.

mod forward;
mod multiplex;
mod spdy;
mod websocket;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, header};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Call;
use super::body::Body;
use super::errors::{ApiError, ApiResult};
use super::logs::{container_of, reach};
use super::path::Resource;
use crate::json;
use crate::kubelet::environment::{self, spec_of};
use crate::kubelet::logs::Log;
use crate::kubelet::process::{self, Command, Output};

/// What the streams are connected to.
enum Work {
    Exec {
        words: Vec<String>,
        environment: Vec<(String, String)>,
        directory: std::path::PathBuf,
    },
    Attach(Arc<Log>),
}

struct Session {
    work: Work,
    terminal: bool,
    wants: Wants,
    life: CancellationToken,
}

#[derive(Clone, Copy)]
struct Wants {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

/// Connects the client's streams to a process or a container, in whichever way it speaks.
pub fn answer(call: &Call, target: &Resource, request: Request<Incoming>) -> ApiResult<Response<Body>> {
    if target.subresource == "portforward" {
        return forward::answer(call, target, request);
    }
    let session = session(call, target)?;
    let upgrade = text_header(&request, header::UPGRADE);
    if upgrade.eq_ignore_ascii_case("websocket") {
        websocket::answer(call, session, request)
    } else if upgrade.eq_ignore_ascii_case("spdy/3.1") {
        multiplex::answer(call, session, request)
    } else {
        Err(ApiError::bad_request("Upgrade request required"))
    }
}

fn text_header(request: &Request<Incoming>, name: header::HeaderName) -> String {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned()
}

/// Checks that there is something to connect to.
fn session(call: &Call, target: &Resource) -> ApiResult<Session> {
    let (cluster, name) = (&call.cluster, target.name());
    let pod = cluster
        .store
        .get(target.kind, target.namespace(), name)
        .ok_or_else(|| ApiError::not_found(target.kind, name))?;
    let value = pod.value();
    let container = container_of(&value, name, call.query.get("container"))?;
    if json::text(&value, "/spec/nodeName").is_empty() {
        return Err(ApiError::bad_request(format!(
            "pod {name} does not have a host assigned"
        )));
    }
    reach(call, &pod)?;
    let found = cluster
        .kubelet
        .find(cluster, &pod, &container)
        .filter(|found| found.running);
    let Some(found) = found else {
        return Err(ApiError::internal(format!(
            "unable to upgrade connection: container not found (\"{container}\")"
        )));
    };
    let terminal = call.query.flag("tty");
    let wants = Wants {
        stdin: call.query.flag("stdin"),
        stdout: call.query.flag("stdout"),
        stderr: call.query.flag("stderr") && !terminal,
    };
    if !(wants.stdin || wants.stdout || wants.stderr) {
        return Err(ApiError::bad_request(
            "you must specify at least 1 of stdin, stdout, stderr",
        ));
    }
    let life = found.life.clone().unwrap_or_default();
    if target.subresource == "attach" {
        let log = found
            .current
            .ok_or_else(|| ApiError::internal("the container has no output"))?;
        return Ok(Session {
            work: Work::Attach(log),
            terminal,
            wants,
            life,
        });
    }
    let words: Vec<String> = call.query.all("command").into_iter().map(str::to_owned).collect();
    if words.is_empty() {
        return Err(ApiError::bad_request(
            "you must specify at least one command for the container",
        ));
    }
    let spec = spec_of(&value, &container);
    let resolved = environment::resolve(cluster, &value, spec).map_err(ApiError::internal)?;
    let directory = process::prepare(cluster, &value, spec)
        .map_err(|error| ApiError::internal(format!("cannot make the pod's directory: {error}")))?;
    let mut environment: Vec<(String, String)> = vec![
        (
            "PATH".into(),
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
        ),
        ("HOSTNAME".into(), name.chars().take(63).collect()),
        ("HOME".into(), directory.display().to_string()),
    ];
    environment.extend(
        resolved
            .into_iter()
            .map(|(name, variable)| (name, variable.value)),
    );
    Ok(Session {
        work: Work::Exec {
            words,
            environment,
            directory,
        },
        terminal,
        wants,
        life,
    })
}

/// The ends of a running session that the client's side holds.
struct Pipes {
    /// Gone when the input is closed, or when there is none.
    input: Option<mpsc::Sender<Bytes>>,
    sizes: mpsc::Sender<(u16, u16)>,
    output: mpsc::Receiver<Output>,
    /// How it ended; comes after the last output was sent.
    status: oneshot::Receiver<Value>,
    stop: CancellationToken,
}

impl Session {
    fn start(self) -> Pipes {
        let stop = self.life.child_token();
        let (to_input, input) = mpsc::channel::<Bytes>(16);
        let (to_sizes, sizes) = mpsc::channel(4);
        let (to_output, output) = mpsc::channel::<Output>(16);
        let (done, status) = oneshot::channel();
        let pipes = Pipes {
            input: self.wants.stdin.then_some(to_input),
            sizes: to_sizes,
            output,
            status,
            stop: stop.clone(),
        };
        let input = self.wants.stdin.then_some(input);
        tokio::spawn(async move {
            let status = match self.work {
                Work::Exec {
                    words,
                    environment,
                    directory,
                } => {
                    let terminal = self.terminal;
                    let output = to_output;
                    process::run(Command {
                        words,
                        environment,
                        directory,
                        terminal,
                        input,
                        output,
                        sizes,
                        stop,
                    })
                    .await
                }
                Work::Attach(log) => attach(&log, input, &to_output, &stop).await,
            };
            let _ = done.send(status);
        });
        pipes
    }
}

/// A size as the resize stream carries it.
fn read_size(bytes: &[u8]) -> Option<(u16, u16)> {
    let size: Value = serde_json::from_slice(bytes).ok()?;
    let side = |name: &str| size[name].as_u64().and_then(|side| u16::try_from(side).ok());
    Some((side("Width")?, side("Height")?))
}

/// What the container writes from now on; what is typed stands in its log.
async fn attach(
    log: &Log,
    mut input: Option<mpsc::Receiver<Bytes>>,
    output: &mpsc::Sender<Output>,
    stop: &CancellationToken,
) -> Value {
    let mut signal = log.signal();
    let mut cursor = crate::clock::now();
    loop {
        let typed = async {
            match &mut input {
                Some(input) => input.recv().await,
                None => std::future::pending().await,
            }
        };
        let pause = (log.next_heartbeat(crate::clock::now()) - crate::clock::now())
            .to_std()
            .unwrap_or_default();
        tokio::select! {
            () = stop.cancelled() => return json!({"metadata": {}, "status": "Success"}),
            typed = typed => match typed {
                Some(bytes) => log.write(format!("input: {}", String::from_utf8_lossy(&bytes).trim_end())),
                None => input = None,
            },
            changed = signal.changed() => if changed.is_err() { return json!({"metadata": {}, "status": "Success"}) },
            () = tokio::time::sleep(pause) => {}
        }
        for (time, text) in log.after(Some(cursor)) {
            cursor = time;
            if output
                .send(Output::Out(format!("{text}\n").into()))
                .await
                .is_err()
            {
                return json!({"metadata": {}, "status": "Success"});
            }
        }
    }
}
