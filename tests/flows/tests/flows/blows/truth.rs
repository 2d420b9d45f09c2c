//! What the clusters really run, and what may be shown of it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use api_types::services::{Service, ServiceState};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::{ListParams, PostParams};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::users::NAMES;
use super::world::{Cluster, NAMESPACE, SERVICES, World};

/// What was so may be shown for so long, and something wrong for so long may be on its way out.
const LAG: Duration = Duration::from_secs(6);
const SERVICE_LABEL: &str = "longshore.dev/service";

/// Pods of ours on one cluster.
#[derive(Clone, Debug)]
pub struct Seen {
    pub service: String,
    pub image: String,
    pub ready: bool,
    pub leaving: bool,
}

pub async fn pods(cluster: &Cluster) -> Vec<Seen> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let parameters = ListParams::default().labels(SERVICE_LABEL);
    api.list(&parameters)
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|pod| {
            let conditions = pod
                .status
                .and_then(|status| status.conditions)
                .unwrap_or_default();
            Seen {
                service: pod.metadata.labels.unwrap_or_default()[SERVICE_LABEL].clone(),
                image: pod.spec.unwrap().containers[0].image.clone().unwrap_or_default(),
                ready: conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.status == "True"),
                leaving: pod.metadata.deletion_timestamp.is_some(),
            }
        })
        .collect()
}

/// Ready pods by service and image, at one moment, on the clusters that can be reached.
type Sample = BTreeMap<(String, String), u32>;

async fn sample(world: &World) -> Sample {
    let mut sample = Sample::new();
    for cluster in world.clusters.iter().filter(|cluster| cluster.way.is_open()) {
        for pod in pods(cluster).await.into_iter().filter(|pod| pod.ready) {
            *sample.entry((pod.service, pod.image)).or_default() += 1;
        }
    }
    sample
}

/// Looks until it is told to stop; returns what was shown and wasn't so.
pub async fn watch(world: &World, stop: &CancellationToken) -> Vec<String> {
    let mut samples: VecDeque<(Instant, Sample)> = VecDeque::new();
    let mut wrong_since: BTreeMap<&str, Instant> = BTreeMap::new();
    let mut wrong = Vec::new();
    while !stop.is_cancelled() {
        let now = Instant::now();
        samples.push_back((now, sample(world).await));
        while samples.front().is_some_and(|(at, _)| now - *at > LAG) {
            samples.pop_front();
        }
        for name in NAMES {
            let path = format!("{SERVICES}/{name}");
            let shown = world.call("eve", Method::GET, &path, &[], Value::Null).await;
            let Some(service) = shown
                .ok()
                .filter(|(status, _)| status.is_success())
                .and_then(|(_, body)| serde_json::from_value::<Service>(body).ok())
            else {
                wrong_since.remove(name);
                continue;
            };
            match judge(&service, samples.iter().map(|(_, sample)| sample)) {
                None => drop(wrong_since.remove(name)),
                Some(why) => {
                    let since = *wrong_since.entry(name).or_insert(now);
                    if now - since > LAG {
                        wrong.push(format!("{why}: {service:?}"));
                        wrong_since.remove(name);
                    }
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    wrong
}

/// What is shown as ready and was not at any moment of late.
fn judge<'a>(service: &Service, samples: impl Iterator<Item = &'a Sample> + Clone) -> Option<String> {
    let most = |fits: &dyn Fn(&str) -> bool| {
        samples
            .clone()
            .map(|sample| {
                sample
                    .iter()
                    .filter(|((name, image), _)| *name == service.name && fits(image))
                    .map(|(_, ready)| ready)
                    .sum::<u32>()
            })
            .max()
            .unwrap_or(0)
    };
    let ready = most(&|_| true);
    if service.status.ready > ready {
        return Some(format!("{} shown as ready, {ready} are", service.status.ready));
    }
    let current = most(&|image| image == service.image);
    if service.status.state == ServiceState::Running && service.replicas > current {
        return Some(format!("shown as running, {current} of the release are ready"));
    }
    None
}

/// Things of other owners among ours, which nobody may touch.
pub struct Strangers(Vec<(String, ConfigMap, Deployment)>);

impl Strangers {
    pub async fn settle_in(world: &World) -> Self {
        let mut all = Vec::new();
        for cluster in &world.clusters {
            let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), NAMESPACE);
            let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), NAMESPACE);
            let map = json!({ "metadata": { "name": "not-ours", "labels": { SERVICE_LABEL: "web" } }, "data": { "a": "b" } });
            let deployment = json!({
                "metadata": { "name": "not-ours" },
                "spec": {
                    "replicas": 0,
                    "selector": { "matchLabels": { "app": "not-ours" } },
                    "template": {
                        "metadata": { "labels": { "app": "not-ours" } },
                        "spec": { "containers": [{ "name": "main", "image": "longshore.test/web:other" }] },
                    },
                },
            });
            let parameters = PostParams::default();
            let map = maps
                .create(&parameters, &serde_json::from_value(map).unwrap())
                .await
                .unwrap();
            let deployment = deployments
                .create(&parameters, &serde_json::from_value(deployment).unwrap())
                .await
                .unwrap();
            all.push((cluster.name.to_owned(), map, deployment));
        }
        Self(all)
    }

    pub async fn are_untouched(&self, world: &World) {
        for (name, map, deployment) in &self.0 {
            let cluster = world.clusters.iter().find(|one| one.name == name).unwrap();
            let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), NAMESPACE);
            let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), NAMESPACE);
            let now = maps.get("not-ours").await.unwrap();
            assert_eq!(
                now.metadata.resource_version, map.metadata.resource_version,
                "{name}"
            );
            let now = deployments.get("not-ours").await.unwrap();
            assert_eq!(now.metadata.uid, deployment.metadata.uid, "{name}");
            assert_eq!(now.metadata.generation, deployment.metadata.generation, "{name}");
        }
    }
}
