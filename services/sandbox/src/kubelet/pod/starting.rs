//! From the pull of an image to a container that runs.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::super::container::{Container, State, Step};
use super::super::environment::Environment;
use super::super::http::{self, Face};
use super::super::logs::Log;
use super::super::{Timers, VisibleContainer, environment, rules};
use super::Pod;
use crate::cluster::Cluster;
use crate::controllers::events::Said;
use crate::json;
use crate::store::Key;

/// How soon something that was not there is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl Pod {
    pub(super) fn pull(&mut self, cluster: &Cluster, position: usize, timers: &mut Timers) {
        if self.address.is_none() {
            let object = self.object(cluster);
            let missing = object
                .as_ref()
                .and_then(|pod| environment::missing_volume(cluster, &pod.bare_value()));
            if let (Some(why), Some(object)) = (missing, object) {
                let said = Said {
                    warning: true,
                    reason: "FailedMount",
                    message: &why,
                    component: "kubelet",
                    host: &self.node,
                    field: "",
                };
                cluster.recorder.say(cluster, &object, said);
                timers.after(LOOK_AGAIN, position, self.containers[position].epoch, Step::Pull);
                return;
            }
            self.address = cluster.addresses.take_pod();
        }
        let container = &self.containers[position];
        let present = container.restarts > 0 || !container.pulls_always;
        if !present || !container.behaviour.pulls {
            self.say(
                cluster,
                position,
                false,
                "Pulling",
                &format!("Pulling image {:?}", container.image),
            );
        }
        let pause = container.behaviour.start / 2;
        let pause = if container.restarts > 0 {
            Duration::ZERO
        } else {
            pause
        };
        timers.after(pause, position, container.epoch, Step::Pulled);
    }

    pub(super) fn pulled(&mut self, cluster: &Cluster, position: usize, timers: &mut Timers) {
        let container = &self.containers[position];
        let image = container.image.clone();
        if !container.behaviour.pulls {
            self.pull_failed(cluster, position, &image, timers);
            return;
        }
        let took = container.behaviour.start / 2;
        let message = if container.pulls_always && container.restarts == 0 {
            let took = format!("{}ms", took.as_millis());
            format!(
                "Successfully pulled image {image:?} in {took} ({took} including waiting). Image size: 12582912 bytes."
            )
        } else {
            format!("Container image {image:?} already present on machine")
        };
        self.say(cluster, position, false, "Pulled", &message);
        let container = &mut self.containers[position];
        let epoch = container.epoch;
        let pause = if container.restarts > 0 {
            took.min(Duration::from_millis(100))
        } else {
            took
        };
        timers.after(pause, position, epoch, Step::Start);
    }

    pub(super) fn pull_failed(
        &mut self,
        cluster: &Cluster,
        position: usize,
        image: &str,
        timers: &mut Timers,
    ) {
        let why = format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image {image:?}: failed to resolve reference {image:?}: {image}: not found"
        );
        let failures = self.containers[position].pull_failures;
        self.containers[position].pull_failures += 1;
        self.say(
            cluster,
            position,
            true,
            "Failed",
            &format!("Failed to pull image {image:?}: {why}"),
        );
        self.say(cluster, position, true, "Failed", "Error: ErrImagePull");
        let container = &mut self.containers[position];
        container.epoch += 1;
        let epoch = container.epoch;
        if failures == 0 {
            container.state = State::Waiting {
                reason: "ErrImagePull",
                message: format!("failed to pull image {image:?}: {why}"),
            };
        } else {
            container.state = State::Waiting {
                reason: "ImagePullBackOff",
                message: format!("Back-off pulling image {image:?}: ErrImagePull: {why}"),
            };
            self.say(
                cluster,
                position,
                false,
                "BackOff",
                &format!("Back-off pulling image {image:?}"),
            );
            self.say(cluster, position, true, "Failed", "Error: ImagePullBackOff");
        }
        self.report(cluster);
        let pause = rules::restart_pause(failures + 1);
        timers.after(pause, position, epoch, Step::Pull);
    }

    /// The pod as the downward API shows it, with the address it has by now.
    pub(super) fn with_address(&self, mut pod: Value) -> Value {
        if let Some(address) = self.address {
            json::set(&mut pod, &["status", "podIP"], address.to_string());
        }
        pod
    }

    /// Brings the process up: its log, its ports.
    pub(super) fn run(
        &mut self,
        cluster: &Cluster,
        position: usize,
        since: chrono::DateTime<Utc>,
        environment: &Environment,
    ) {
        let container = &mut self.containers[position];
        let log = Arc::new(Log::new(since));
        log.write_at(
            since,
            format!(
                "started {} from image {} in {} on {}",
                container.name, container.image, self.key.name, self.node
            ),
        );
        container.life = CancellationToken::new();
        container.log = Some(log.clone());
        let listens = !container.ports.is_empty() && !cluster.config.light_pods;
        if let (Some(address), true) = (self.address, listens) {
            let identity = identity(cluster, &self.key, &self.node, container, address, environment);
            let face = Arc::new(Face {
                identity,
                ready: AtomicBool::new(false),
                log: log.clone(),
            });
            http::listen(address, &container.ports, &face, &container.life);
            container.face = Some(face);
        }
        container.state = State::Running {
            since,
            started: false,
            ready: false,
        };
        let mut visible = self.visible.containers.lock();
        let slot = visible.slot(&container.name);
        let previous = slot.current.take().or_else(|| slot.previous.take());
        *slot = VisibleContainer {
            current: Some(log),
            previous,
            running: true,
            life: Some(container.life.clone()),
        };
    }

    pub(super) fn start(&mut self, cluster: &Cluster, position: usize, timers: &mut Timers) {
        let Some(object) = self.object(cluster) else {
            return;
        };
        let pod = self.with_address(object.bare_value());
        let resolved = environment::resolve(
            cluster,
            &pod,
            environment::spec_of(&pod, &self.containers[position].name),
        );
        let environment = match resolved {
            Ok(environment) => environment,
            Err(why) => {
                self.say(cluster, position, true, "Failed", &format!("Error: {why}"));
                let container = &mut self.containers[position];
                container.state = State::Waiting {
                    reason: "CreateContainerConfigError",
                    message: why,
                };
                timers.after(LOOK_AGAIN, position, container.epoch, Step::Start);
                self.report(cluster);
                return;
            }
        };
        let id = format!(
            "sandbox://{}{}",
            uuid::Uuid::new_v4().simple(),
            uuid::Uuid::new_v4().simple()
        );
        self.containers[position].container_id = id;
        let name = self.containers[position].name.clone();
        self.say(
            cluster,
            position,
            false,
            "Created",
            &format!("Created container: {name}"),
        );
        self.say(
            cluster,
            position,
            false,
            "Started",
            &format!("Started container {name}"),
        );
        self.run(cluster, position, crate::clock::now(), &environment);
        self.watch_over(position, timers, true);
        self.report(cluster);
    }
}

/// The tag of an image, or "latest".
fn tag(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split('@').next().unwrap_or(name);
    name.split_once(':').map_or("latest", |(_, tag)| tag)
}

/// What the answers of a container say about it.
fn identity(
    cluster: &Cluster,
    pod: &Key,
    node: &str,
    container: &Container,
    address: Ipv4Addr,
    environment: &Environment,
) -> Box<str> {
    let shown: serde_json::Map<String, Value> = environment
        .iter()
        .filter(|(_, variable)| !variable.secret)
        .map(|(name, variable)| (name.clone(), variable.value.as_str().into()))
        .collect();
    json!({
        "pod": &*pod.name,
        "namespace": &*pod.namespace,
        "cluster": cluster.config.name,
        "region": cluster.config.region,
        "node": node,
        "container": container.name,
        "image": container.image,
        "version": tag(&container.image),
        "environment": shown,
        "address": address.to_string(),
    })
    .to_string()
    .into_boxed_str()
}
