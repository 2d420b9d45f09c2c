//! One container of a pod: its configuration and where it is in its life.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::http::Face;
use super::logs::Log;
use super::rules::{self, Behaviour};
use crate::json;

/// What a timer brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Begin to pull the image.
    Pull,
    /// The image is there, or is not.
    Pulled,
    Start,
    /// The startup probe passes.
    StartedUp,
    /// The readiness probe passes.
    BecomeReady,
    /// The readiness probe fails once more.
    Unhealthy,
    /// The liveness (or startup) probe has failed often enough.
    KillUnhealthy,
    /// The process ends by itself.
    Exit,
    /// The pause before a restart is over.
    Restart,
    /// The pod was told to stop, and its processes have.
    Stopped,
}

/// Where a container is.
#[derive(Debug, Clone)]
pub enum State {
    Waiting {
        reason: &'static str,
        message: String,
    },
    Running {
        since: DateTime<Utc>,
        started: bool,
        ready: bool,
    },
    Terminated(Ended),
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Ended {
    pub code: i64,
    pub reason: &'static str,
    pub since: DateTime<Utc>,
    pub at: DateTime<Utc>,
    pub container_id: String,
}

pub struct Container {
    pub name: String,
    pub image: String,
    pub init: bool,
    /// Put into a running pod to look into it: never restarted, and no part of the pod's state.
    pub ephemeral: bool,
    pub ports: Vec<u16>,
    /// The three probes, as far as there are any.
    pub probes: Value,
    pub pulls_always: bool,
    pub behaviour: Behaviour,
    pub state: State,
    pub last: Option<Ended>,
    pub restarts: u32,
    /// Restarts in a row, which the pause grows with.
    pub quick_restarts: u32,
    pub pull_failures: u32,
    /// Counts up with every turn, so that timers of the turn before do nothing.
    pub epoch: u32,
    pub container_id: String,
    pub log: Option<Arc<Log>>,
    /// What answers on the ports, if there are ports.
    pub face: Option<Arc<Face>>,
    pub life: CancellationToken,
}

impl Container {
    /// The image alone says how it behaves: the annotations are about the pod.
    pub fn ephemeral(spec: &Value, spread: f64) -> Self {
        let behaviour = rules::behaviour(json::text(spec, "/image"), &Value::Null, spread);
        Self {
            ephemeral: true,
            ..Self::new(spec, false, behaviour)
        }
    }

    pub fn new(spec: &Value, init: bool, behaviour: Behaviour) -> Self {
        let ports = json::items(spec, "/ports")
            .iter()
            .filter(|port| port["protocol"] == "TCP")
            .filter_map(|port| {
                port["containerPort"]
                    .as_u64()
                    .and_then(|port| u16::try_from(port).ok())
            })
            .collect();
        Self {
            name: json::text(spec, "/name").to_owned(),
            image: json::text(spec, "/image").to_owned(),
            init,
            ephemeral: false,
            ports,
            probes: probes_of(spec),
            pulls_always: spec["imagePullPolicy"] == "Always",
            behaviour,
            state: State::Waiting {
                reason: if init {
                    "PodInitializing"
                } else {
                    "ContainerCreating"
                },
                message: String::new(),
            },
            last: None,
            restarts: 0,
            quick_restarts: 0,
            pull_failures: 0,
            epoch: 0,
            container_id: String::new(),
            log: None,
            face: None,
            life: CancellationToken::new(),
        }
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Running { ready: true, .. })
    }

    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// An init container that did its work.
    pub fn is_done(&self) -> bool {
        matches!(&self.state, State::Terminated(ended) if ended.code == 0)
    }

    pub fn set_ready(&mut self, value: bool) {
        if let State::Running { ready, .. } = &mut self.state {
            *ready = value;
        }
        if let Some(face) = &self.face {
            face.ready.store(value, Ordering::Relaxed);
        }
    }

    /// Ends the current run, if there is one.
    pub fn end(&mut self, code: i64, reason: &'static str) {
        let State::Running { since, .. } = self.state else {
            return;
        };
        self.epoch += 1;
        self.face = None;
        if let Some(log) = self.log.take() {
            log.write(match code {
                0 => "stopped".to_owned(),
                code => format!("exited with code {code}"),
            });
            log.end();
        }
        self.life.cancel();
        self.state = State::Terminated(Ended {
            code,
            reason,
            since,
            at: crate::clock::now(),
            container_id: self.container_id.clone(),
        });
    }

    /// Seconds of a probe's field, with the API's default.
    pub fn probe_seconds(probe: &Value, field: &str, default: u64) -> u64 {
        json::integer(probe, &format!("/{field}"))
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or(default)
    }

    pub fn image_id(&self) -> String {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(self.image.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = self.image.split('@').next().unwrap_or(&self.image);
        let tag = name
            .rfind(':')
            .filter(|position| !name[*position..].contains('/'));
        format!("{}@sha256:{hex}", &name[..tag.unwrap_or(name.len())])
    }
}

/// Only what is there: most containers have no probes, and there are many containers.
fn probes_of(spec: &Value) -> Value {
    let mut probes = Value::Null;
    for name in ["startupProbe", "readinessProbe", "livenessProbe"] {
        if spec[name].is_object() {
            json::set(&mut probes, &[name], spec[name].clone());
        }
    }
    probes
}

impl Container {
    /// Takes another image and its configuration.
    pub fn change(&mut self, spec: &Value, behaviour: Behaviour) {
        self.image = json::text(spec, "/image").to_owned();
        self.probes = probes_of(spec);
        self.pulls_always = spec["imagePullPolicy"] == "Always";
        self.behaviour = behaviour;
    }
}
