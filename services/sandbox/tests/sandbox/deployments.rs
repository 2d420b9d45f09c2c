//! Deployments from creation to removal.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::support::{Stage, deployment, eventually};

async fn ready(api: &Api<Deployment>, name: &str, replicas: i32) -> Deployment {
    eventually(|| async {
        let found = api.get(name).await.map_err(|error| error.to_string())?;
        let status = found.status.clone().unwrap_or_default();
        let settled = status.observed_generation == found.metadata.generation
            && status.available_replicas.unwrap_or(0) == replicas
            && status.updated_replicas.unwrap_or(0) == replicas
            && status.replicas.unwrap_or(0) == replicas;
        if settled {
            Ok(found)
        } else {
            Err(format!("{status:?}"))
        }
    })
    .await
}

#[tokio::test]
async fn a_deployment_runs_is_upgraded_and_goes() {
    let stage = Stage::new().await;
    stage.namespace("shop").await;
    let api: Api<Deployment> = Api::namespaced(stage.client.clone(), "shop");
    stage.deploy("shop", &deployment("web", "web:1", 3)).await;
    ready(&api, "web", 3).await;

    let pods: Api<Pod> = Api::namespaced(stage.client.clone(), "shop");
    let list = pods.list(&ListParams::default().labels("app=web")).await.unwrap();
    assert_eq!(list.items.len(), 3);

    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "web:2"}]}}}});
    api.patch("web", &PatchParams::default(), &Patch::Strategic(patch))
        .await
        .unwrap();
    ready(&api, "web", 3).await;
    let list = pods.list(&ListParams::default()).await.unwrap();
    for pod in &list.items {
        let image = pod.spec.as_ref().unwrap().containers[0].image.as_deref();
        assert!(
            image == Some("web:2") || pod.metadata.deletion_timestamp.is_some(),
            "{image:?}"
        );
    }
    let sets: Api<ReplicaSet> = Api::namespaced(stage.client.clone(), "shop");
    assert_eq!(sets.list(&ListParams::default()).await.unwrap().items.len(), 2);
    let events: Api<Event> = Api::namespaced(stage.client.clone(), "shop");
    let events = events.list(&ListParams::default()).await.unwrap();
    for reason in [
        "ScalingReplicaSet",
        "SuccessfulCreate",
        "Scheduled",
        "Pulled",
        "Started",
        "Killing",
    ] {
        assert!(
            events
                .items
                .iter()
                .any(|event| event.reason.as_deref() == Some(reason)),
            "{reason}"
        );
    }

    api.delete("web", &DeleteParams::default()).await.unwrap();
    eventually(|| async {
        let left = pods
            .list(&ListParams::default())
            .await
            .map_err(|error| error.to_string())?;
        if left.items.is_empty() {
            Ok(())
        } else {
            Err(format!("{} pods left", left.items.len()))
        }
    })
    .await;
    stage.sandbox.stop().await;
}
