//! Probes of a running container, as timers.

use std::time::Duration;

use serde_json::Value;

use super::super::container::{Container, State, Step};
use super::super::{Timers, rules};
use super::Pod;
use crate::cluster::Cluster;

impl Pod {
    /// Sets the timers of a running container.
    pub(super) fn watch_over(&mut self, position: usize, timers: &mut Timers, fresh: bool) {
        let container = &self.containers[position];
        let epoch = container.epoch;
        if container.init {
            let after = container
                .behaviour
                .exit
                .map_or(Duration::from_millis(200), |exit| exit.after);
            self.containers[position]
                .behaviour
                .exit
                .get_or_insert(rules::Exit {
                    after,
                    code: 0,
                    out_of_memory: false,
                });
            timers.after(after, position, epoch, Step::Exit);
            return;
        }
        if let Some(exit) = container.behaviour.exit {
            timers.after(exit.after, position, epoch, Step::Exit);
        }
        let startup = &container.probes["startupProbe"];
        if !startup.is_object() || !fresh {
            if fresh {
                timers.after(Duration::ZERO, position, epoch, Step::StartedUp);
            } else {
                self.watch_probes(position, timers, false);
            }
        } else if rules::probe_fails(startup) {
            timers.after(probe_deadline(startup), position, epoch, Step::KillUnhealthy);
        } else {
            timers.after(probe_delay(startup), position, epoch, Step::StartedUp);
        }
    }

    pub(super) fn started_up(&mut self, cluster: &Cluster, position: usize, timers: &mut Timers) {
        if let State::Running { started, .. } = &mut self.containers[position].state {
            *started = true;
        }
        self.watch_probes(position, timers, true);
        self.report(cluster);
    }

    pub(super) fn watch_probes(&mut self, position: usize, timers: &mut Timers, fresh: bool) {
        let container = &mut self.containers[position];
        let epoch = container.epoch;
        let readiness = container.probes["readinessProbe"].clone();
        let liveness = container.probes["livenessProbe"].clone();
        let fails = !container.behaviour.ready || (readiness.is_object() && rules::probe_fails(&readiness));
        if fails {
            if readiness.is_object() {
                timers.after(probe_delay(&readiness), position, epoch, Step::Unhealthy);
            }
        } else if fresh {
            if readiness.is_object() {
                timers.after(probe_delay(&readiness), position, epoch, Step::BecomeReady);
            } else {
                container.set_ready(true);
            }
        }
        if liveness.is_object() && rules::probe_fails(&liveness) {
            timers.after(probe_deadline(&liveness), position, epoch, Step::KillUnhealthy);
        }
    }

    pub(super) fn unhealthy(&mut self, cluster: &Cluster, position: usize, timers: &mut Timers) {
        let container = &self.containers[position];
        let probe = &container.probes["readinessProbe"];
        let pause = Duration::from_secs(Container::probe_seconds(probe, "periodSeconds", 10).max(1));
        timers.after(pause, position, container.epoch, Step::Unhealthy);
        let message = format!("Readiness probe failed: {}", probe_failure(probe));
        self.say(cluster, position, true, "Unhealthy", &message);
    }

    pub(super) fn kill_unhealthy(&mut self, cluster: &Cluster, position: usize, timers: &mut Timers) {
        let container = &self.containers[position];
        let startup = &container.probes["startupProbe"];
        let is_startup = startup.is_object() && rules::probe_fails(startup);
        let (kind, probe) = if is_startup {
            ("Startup", startup)
        } else {
            ("Liveness", &container.probes["livenessProbe"])
        };
        let message = format!("{kind} probe failed: {}", probe_failure(probe));
        let name = container.name.clone();
        self.say(cluster, position, true, "Unhealthy", &message);
        let message = format!(
            "Container {name} failed {} probe, will be restarted",
            kind.to_lowercase()
        );
        self.say(cluster, position, false, "Killing", &message);
        self.end(cluster, position, 137, "Error", timers);
    }
}

/// When a probe that passes has passed.
fn probe_delay(probe: &Value) -> Duration {
    let period = Container::probe_seconds(probe, "periodSeconds", 10).max(1);
    let needed = Container::probe_seconds(probe, "successThreshold", 1).max(1);
    let initial = Container::probe_seconds(probe, "initialDelaySeconds", 0);
    Duration::from_secs(initial + (needed - 1) * period) + Duration::from_millis(100)
}

/// When a probe that fails has failed often enough.
fn probe_deadline(probe: &Value) -> Duration {
    let period = Container::probe_seconds(probe, "periodSeconds", 10).max(1);
    let needed = Container::probe_seconds(probe, "failureThreshold", 3).max(1);
    Duration::from_secs(Container::probe_seconds(probe, "initialDelaySeconds", 0) + needed * period)
}

fn probe_failure(probe: &Value) -> &'static str {
    if probe["httpGet"].is_object() {
        "HTTP probe failed with statuscode: 503"
    } else if probe["tcpSocket"].is_object() {
        "dial tcp: connect: connection refused"
    } else {
        "command failed"
    }
}
