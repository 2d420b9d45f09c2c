//! Somebody changes a cluster behind the platform's back: it is found and put right, and nothing that
//! belongs to others is touched.

use api_types::services::{ServiceAccepted, ServiceState};
use flows::system::LONG;
use flows::{System, TestClusters};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use test_support::wait_for;

use crate::{WEB_1, runs, web};

runs!(drift);

async fn drift(system: &mut System, clusters: &TestClusters) {
    let accepted: ServiceAccepted = system.api.post(&system.services(), &web("web", WEB_1, 2)).await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    system
        .service_when("web", "running", |service| {
            service.status.state == ServiceState::Running
        })
        .await;
    let client = clusters.all[0].client().await;
    let namespace = system.namespace();
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    let foreign: ConfigMap =
        serde_json::from_value(json!({ "metadata": { "name": "not-ours" }, "data": { "a": "b" } })).unwrap();
    config_maps
        .create(&PostParams::default(), &foreign)
        .await
        .unwrap();

    let parameters = PatchParams {
        field_manager: Some("somebody".into()),
        ..PatchParams::default()
    };
    let other_image = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "web", "image": "longshore.test/web:2" }] } } } });
    let names: Vec<String> = deployments
        .get("web")
        .await
        .unwrap()
        .spec
        .unwrap()
        .template
        .spec
        .unwrap()
        .containers
        .into_iter()
        .map(|one| one.name)
        .collect();
    let mut patch = other_image.clone();
    patch["spec"]["template"]["spec"]["containers"][0]["name"] = json!(names[0]);
    deployments
        .patch("web", &parameters, &Patch::Strategic(&patch))
        .await
        .unwrap();
    wait_for("the image to be put right", LONG, async || {
        let image = deployments
            .get("web")
            .await
            .unwrap()
            .spec
            .unwrap()
            .template
            .spec
            .unwrap()
            .containers[0]
            .image
            .clone();
        if image.as_deref() == Some(WEB_1) {
            Ok(())
        } else {
            Err(image)
        }
    })
    .await;

    let wanted = deployments
        .get("web")
        .await
        .unwrap()
        .spec
        .unwrap()
        .replicas
        .unwrap();
    deployments
        .patch_scale(
            "web",
            &PatchParams::default(),
            &Patch::Merge(json!({ "spec": { "replicas": wanted + 2 } })),
        )
        .await
        .unwrap();
    wait_for("the replicas to be put right", LONG, async || {
        let replicas = deployments
            .get("web")
            .await
            .unwrap()
            .spec
            .unwrap()
            .replicas
            .unwrap();
        if replicas == wanted { Ok(()) } else { Err(replicas) }
    })
    .await;

    let services: Api<Service> = Api::namespaced(client.clone(), &namespace);
    services.delete("web", &DeleteParams::default()).await.unwrap();
    let old = deployments.get("web").await.unwrap().metadata.uid;
    deployments
        .delete("web", &DeleteParams::background())
        .await
        .unwrap();
    wait_for("what was deleted to come back", LONG, async || {
        let deployment = deployments.get_opt("web").await.unwrap();
        let service = services.get_opt("web").await.unwrap();
        match (deployment, service) {
            (Some(deployment), Some(_)) if deployment.metadata.uid != old => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    system
        .service_when("web", "running again", |service| {
            service.status.state == ServiceState::Running
        })
        .await;

    system.api.delete(&system.service("web")).await;
    wait_for("our objects to be gone", LONG, async || {
        let left = config_maps
            .list(&ListParams::default().labels("longshore.dev/service=web"))
            .await
            .unwrap()
            .items
            .len();
        let deployment = deployments.get_opt("web").await.unwrap();
        if left == 0 && deployment.is_none() {
            Ok(())
        } else {
            Err(left)
        }
    })
    .await;
    assert!(
        config_maps.get_opt("not-ours").await.unwrap().is_some(),
        "what isn't ours stays"
    );
}
