//! One pod's life on its node: pulling, starting, probing, crashing, restarting, stopping.

mod probing;
mod starting;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::container::{Container, State, Step};
use super::{Timers, Visible, environment, pod_id, rules};
use crate::cluster::Cluster;
use crate::controllers::events::Said;
use crate::json;
use crate::kinds::core::POD;
use crate::registry::delete::{DeleteOptions, delete};
use crate::store::{Key, Object};

/// How long a healthy process takes to stop when told to.
const STOP: Duration = Duration::from_millis(200);
/// A run longer than this forgives the crashes before it (ten minutes on a real node).
const FORGIVEN: i64 = 60;

pub struct Pod {
    pub key: Key,
    pub uid: Arc<str>,
    pub node: String,
    pub address: Option<Ipv4Addr>,
    pub started: String,
    pub restart_policy: String,
    /// Init containers first, ephemeral ones last.
    pub containers: Vec<Container>,
    pub stopping: bool,
    generation: i64,
    visible: Arc<Visible>,
}

impl Pod {
    /// Begins with a pod that was put on a node, or takes up one from before a restart.
    pub fn take_on(
        cluster: &Cluster,
        object: &Arc<Object>,
        visible: Arc<Visible>,
        timers: &mut Timers,
    ) -> Self {
        let value = object.bare_value();
        let annotations = &value["metadata"]["annotations"];
        let mut containers = Vec::new();
        for (list, init) in [("initContainers", true), ("containers", false)] {
            for (position, spec) in json::items(&value, &format!("/spec/{list}")).iter().enumerate() {
                let spread = spread(cluster.seed, &object.uid, position);
                let behaviour = rules::behaviour(json::text(spec, "/image"), annotations, spread);
                containers.push(Container::new(spec, init, behaviour));
            }
        }
        for spec in json::items(&value, "/spec/ephemeralContainers") {
            containers.push(Container::ephemeral(
                spec,
                spread(cluster.seed, &object.uid, containers.len()),
            ));
        }
        let mut pod = Self {
            key: object.key.clone(),
            uid: object.uid.clone(),
            node: object.field("spec.nodeName").unwrap_or("").to_owned(),
            address: None,
            started: match json::text(&value, "/status/startTime") {
                "" => json::now(),
                started => started.to_owned(),
            },
            restart_policy: json::text(&value, "/spec/restartPolicy").to_owned(),
            containers,
            stopping: false,
            generation: object.generation,
            visible,
        };
        let earlier = json::text(&value, "/status/podIP").parse::<Ipv4Addr>().ok();
        // A light pod that rested has its address still.
        let had = |address: &Ipv4Addr| cluster.config.light_pods || cluster.addresses.retake_pod(*address);
        if let Some(address) = earlier.filter(had) {
            pod.address = Some(address);
        }
        if earlier.is_some() {
            pod.resume(cluster, &value["status"], timers);
        } else {
            pod.begin(timers);
        }
        pod.report(cluster);
        pod
    }

    /// The containers that may run now: the next init container, or all the others.
    fn begin(&mut self, timers: &mut Timers) {
        let next_init = self
            .containers
            .iter()
            .position(|container| container.init && !container.is_done());
        let turn: Vec<usize> = match next_init {
            Some(position) => vec![position],
            None => (0..self.containers.len())
                .filter(|position| !self.containers[*position].init)
                .collect(),
        };
        for position in turn {
            let container = &self.containers[position];
            if matches!(container.state, State::Waiting { .. }) {
                timers.after(Duration::ZERO, position, container.epoch, Step::Pull);
            }
        }
    }

    /// After a restart of the sandbox: what ran still runs, the rest begins again.
    fn resume(&mut self, cluster: &Cluster, status: &Value, timers: &mut Timers) {
        if self.address.is_none() {
            self.address = cluster.addresses.take_pod();
        }
        let lists = [
            "initContainerStatuses",
            "containerStatuses",
            "ephemeralContainerStatuses",
        ];
        let statuses: Vec<&Value> = lists
            .iter()
            .flat_map(|list| json::items(status, &format!("/{list}")))
            .collect();
        for position in 0..self.containers.len() {
            let name = self.containers[position].name.clone();
            let Some(status) = statuses.iter().find(|status| status["name"] == name.as_str()) else {
                continue;
            };
            let container = &mut self.containers[position];
            container.restarts = status["restartCount"]
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(0);
            container.quick_restarts = container.restarts;
            container.last = super::status::read_ended(&status["lastState"]["terminated"]);
            if let Some(ended) = super::status::read_ended(&status["state"]["terminated"]) {
                container.state = State::Terminated(ended);
            }
            let since = json::parse_time(json::text(status, "/state/running/startedAt"));
            if let Some(since) = since {
                container.container_id = json::text(status, "/containerID").to_owned();
                let pod = self
                    .object(cluster)
                    .map(|pod| pod.bare_value())
                    .unwrap_or_default();
                let resolved = environment::resolve(cluster, &pod, environment::spec_of(&pod, &name));
                let environment = resolved.unwrap_or_default();
                let ready = status["ready"] == true;
                self.run(cluster, position, since, &environment);
                if ready {
                    if let State::Running { started, .. } = &mut self.containers[position].state {
                        *started = true;
                    }
                    self.containers[position].set_ready(true);
                }
                self.watch_over(position, timers, !ready);
            }
        }
        let ended: Vec<usize> = (0..self.containers.len())
            .filter(|position| matches!(self.containers[*position].state, State::Terminated(_)))
            .collect();
        for position in ended {
            self.after_end(cluster, position, timers);
        }
        self.begin(timers);
    }

    pub fn step(
        &mut self,
        cluster: &Arc<Cluster>,
        position: usize,
        epoch: u32,
        step: Step,
        timers: &mut Timers,
    ) {
        if step == Step::Stopped {
            self.finish(cluster);
            return;
        }
        let Some(container) = self.containers.get(position) else {
            return;
        };
        if container.epoch != epoch || self.stopping {
            return;
        }
        match step {
            Step::Pull => self.pull(cluster, position, timers),
            Step::Pulled => self.pulled(cluster, position, timers),
            Step::Start => self.start(cluster, position, timers),
            Step::StartedUp => self.started_up(cluster, position, timers),
            Step::BecomeReady => {
                self.containers[position].set_ready(true);
                self.report(cluster);
            }
            Step::Unhealthy => self.unhealthy(cluster, position, timers),
            Step::KillUnhealthy => self.kill_unhealthy(cluster, position, timers),
            Step::Exit => {
                if let Some(exit) = self.containers[position].behaviour.exit {
                    let reason = match (exit.out_of_memory, exit.code) {
                        (true, _) => "OOMKilled",
                        (_, 0) => "Completed",
                        _ => "Error",
                    };
                    self.end(cluster, position, exit.code, reason, timers);
                }
            }
            Step::Restart => {
                self.containers[position].restarts += 1;
                self.containers[position].epoch += 1;
                let epoch = self.containers[position].epoch;
                timers.after(Duration::ZERO, position, epoch, Step::Pull);
            }
            Step::Stopped => {}
        }
    }

    fn end(
        &mut self,
        cluster: &Cluster,
        position: usize,
        code: i64,
        reason: &'static str,
        timers: &mut Timers,
    ) {
        let container = &mut self.containers[position];
        if let State::Running { since, .. } = container.state
            && (crate::clock::now() - since).num_seconds() > FORGIVEN
        {
            container.quick_restarts = 0;
        }
        container.end(code, reason);
        self.hide(position);
        self.report(cluster);
        self.after_end(cluster, position, timers);
    }

    /// The pod's object changed: a container whose image is another now starts anew with it.
    pub fn refresh(&mut self, cluster: &Cluster, object: &Arc<Object>, timers: &mut Timers) {
        if object.generation == self.generation {
            return;
        }
        self.generation = object.generation;
        let value = object.bare_value();
        let lists = ["initContainers", "containers", "ephemeralContainers"];
        let specs = lists
            .iter()
            .flat_map(|list| json::items(&value, &format!("/spec/{list}")));
        for (position, spec) in specs.enumerate() {
            let Some(container) = self.containers.get_mut(position) else {
                let spread = spread(cluster.seed, &object.uid, position);
                self.containers.push(Container::ephemeral(spec, spread));
                timers.after(Duration::ZERO, position, 0, Step::Pull);
                self.report(cluster);
                continue;
            };
            let image = json::text(spec, "/image");
            if image == container.image {
                continue;
            }
            let spread = spread(cluster.seed, &object.uid, position);
            container.change(
                spec,
                rules::behaviour(image, &value["metadata"]["annotations"], spread),
            );
            let name = container.name.clone();
            if container.is_running() {
                let message = format!("Container {name} definition changed, will be restarted");
                self.say(cluster, position, false, "Killing", &message);
                self.end(cluster, position, 0, "Completed", timers);
            }
        }
    }

    /// The log of a run that ended stays readable; nothing runs there any more.
    fn hide(&self, position: usize) {
        let mut visible = self.visible.containers.lock();
        visible.slot(&self.containers[position].name).running = false;
    }

    /// Decides whether a container that ended comes back.
    fn after_end(&mut self, cluster: &Cluster, position: usize, timers: &mut Timers) {
        let container = &mut self.containers[position];
        let State::Terminated(ended) = container.state.clone() else {
            return;
        };
        if container.ephemeral {
            return;
        }
        if container.init && ended.code == 0 {
            self.begin(timers);
            return;
        }
        let again = match self.restart_policy.as_str() {
            "Never" => false,
            "OnFailure" => ended.code != 0,
            _ => !container.init || ended.code != 0,
        };
        if !again {
            return;
        }
        let pause = rules::restart_pause(container.quick_restarts);
        container.quick_restarts += 1;
        container.epoch += 1;
        let epoch = container.epoch;
        container.last = Some(ended);
        if pause.is_zero() {
            timers.after(Duration::from_millis(300), position, epoch, Step::Restart);
            return;
        }
        let container = &mut self.containers[position];
        let name = container.name.clone();
        let id = pod_id(&self.key, &self.uid);
        container.state = State::Waiting {
            reason: "CrashLoopBackOff",
            message: format!(
                "back-off {}s restarting failed container={name} pod={id}",
                pause.as_secs()
            ),
        };
        let message = format!("Back-off restarting failed container {name} in pod {id}");
        self.say(cluster, position, true, "BackOff", &message);
        timers.after(pause, position, epoch, Step::Restart);
        self.report(cluster);
    }

    /// The pod is to go: its processes get their time to stop.
    pub fn terminate(&mut self, cluster: &Cluster, object: &Arc<Object>, timers: &mut Timers) {
        let value = object.bare_value();
        let grace = json::integer(&value, "/metadata/deletionGracePeriodSeconds").unwrap_or(0);
        if self.stopping {
            return;
        }
        self.stopping = true;
        for position in 0..self.containers.len() {
            self.containers[position].epoch += 1;
            if self.containers[position].is_running() {
                let name = self.containers[position].name.clone();
                self.say(
                    cluster,
                    position,
                    false,
                    "Killing",
                    &format!("Stopping container {name}"),
                );
                if let Some(log) = &self.containers[position].log {
                    log.write("stopping");
                }
            }
        }
        let pause = STOP.min(Duration::from_secs(u64::try_from(grace).unwrap_or(0)));
        timers.after(pause, 0, 0, Step::Stopped);
    }

    /// Everything has stopped: the last status, then the pod's removal.
    fn finish(&mut self, cluster: &Arc<Cluster>) {
        for position in 0..self.containers.len() {
            self.containers[position].end(0, "Completed");
            self.hide(position);
        }
        self.report(cluster);
        let options = DeleteOptions {
            uid: Some(self.uid.to_string()),
            ..DeleteOptions::now()
        };
        if let Err(error) = delete(cluster, &POD, &self.key.namespace, &self.key.name, &options)
            && error.code != 404
            && error.code != 409
        {
            tracing::warn!(pod = %pod_id(&self.key, &self.uid), %error, "cannot remove a stopped pod");
        }
    }

    /// Whether it runs, is ready, and will do nothing by itself.
    pub fn has_settled(&self) -> bool {
        !self.stopping
            && self.containers.iter().all(|container| {
                if container.ephemeral {
                    return false;
                }
                if container.init {
                    return container.is_done();
                }
                let liveness = &container.probes["livenessProbe"];
                container.is_ready() && container.behaviour.exit.is_none() && !rules::probe_fails(liveness)
            })
    }

    pub fn run_out_of_memory(&mut self, cluster: &Cluster, container: &str, timers: &mut Timers) {
        let running = |one: &Container| one.name == container && one.is_running();
        if let Some(position) = self.containers.iter().position(running) {
            self.end(cluster, position, 137, "OOMKilled", timers);
        }
    }

    /// The machine under it is gone: nothing runs, nothing is said.
    pub fn power_off(&mut self) {
        for position in 0..self.containers.len() {
            self.containers[position].epoch += 1;
            self.containers[position].end(255, "Unknown");
            self.hide(position);
        }
    }

    /// Its node is heard of again, from a machine that was off or one that ran on.
    pub fn come_back(&mut self, cluster: &Arc<Cluster>, was_off: bool, timers: &mut Timers) {
        if self.stopping {
            self.finish(cluster);
            return;
        }
        if was_off {
            let waiting = self
                .containers
                .iter()
                .all(|container| !container.init || container.is_done());
            for position in 0..self.containers.len() {
                if matches!(self.containers[position].state, State::Terminated(_)) {
                    self.after_end(cluster, position, timers);
                }
            }
            if !waiting {
                self.begin(timers);
            }
        }
        self.report(cluster);
    }

    /// Drops everything the pod holds, without a word.
    pub fn abandon(&mut self) {
        for container in &mut self.containers {
            container.end(137, "Error");
            container.life.cancel();
        }
    }

    fn say(&self, cluster: &Cluster, position: usize, warning: bool, reason: &str, message: &str) {
        let container = &self.containers[position];
        let list = match (container.init, container.ephemeral) {
            (true, _) => "initContainers",
            (_, true) => "ephemeralContainers",
            _ => "containers",
        };
        let field = format!("spec.{list}{{{}}}", container.name);
        let said = Said {
            warning,
            reason,
            message,
            component: "kubelet",
            host: &self.node,
            field: &field,
        };
        if cluster.faults.silence(&self.node).is_none()
            && let Some(object) = self.object(cluster)
        {
            cluster.recorder.say(cluster, &object, said);
        }
    }

    /// The pod's object as it stands in the store.
    fn object(&self, cluster: &Cluster) -> Option<Arc<Object>> {
        let found = cluster.store.get(&POD, &self.key.namespace, &self.key.name)?;
        (found.uid == self.uid).then_some(found)
    }

    /// Writes the pod's status, if it says something new.
    fn report(&self, cluster: &Cluster) {
        super::status::write(cluster, self);
    }
}

/// A number in 0..1 that is the same for the same pod and seed.
fn spread(seed: u64, uid: &str, position: usize) -> f64 {
    let mut sum = seed ^ 0x9e37_79b9_7f4a_7c15;
    for byte in uid.bytes().chain(position.to_le_bytes()) {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let thousandths = u32::try_from((sum >> 20) % 1000).unwrap_or(0);
    f64::from(thousandths) / 1000.0
}
