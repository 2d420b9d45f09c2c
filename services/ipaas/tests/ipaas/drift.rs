//! What somebody else changes is found, named, and put right by the next apply.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::bed::{Bed, WEB, grounds};

#[tokio::test]
async fn changed_and_deleted_objects_are_named_and_put_right() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        let desired = bed.desired_with(
            "web",
            1,
            json!({
                "image": WEB,
                "ports": [{ "name": "http", "port": 8080 }],
                "config_files": [{ "path": "/etc/a", "content": "a" }],
            }),
        );
        bed.client.apply_workload(cluster.id, &desired).await.unwrap();
        bed.wait_rolled_out("web", 1, 2).await;

        let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let services: Api<Service> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        // What others add beside ours is no drift.
        let added = json!({ "metadata": { "annotations": { "somebody": "else" } } });
        deployments
            .patch("web", &PatchParams::default(), &Patch::Merge(&added))
            .await
            .unwrap();
        let scaled = json!({ "spec": { "replicas": 1 } });
        deployments
            .patch("web", &PatchParams::default(), &Patch::Merge(&scaled))
            .await
            .unwrap();
        services.delete("web", &Default::default()).await.unwrap();
        let key = maps
            .get("web-r1")
            .await
            .unwrap()
            .data
            .unwrap()
            .into_keys()
            .next()
            .unwrap();
        let edited = json!({ "data": { key: "edited" } });
        maps.patch("web-r1", &PatchParams::default(), &Patch::Merge(&edited))
            .await
            .unwrap();

        let seen = bed
            .wait_observed("web", "the drift", |seen| seen.observation.drift.len() == 3)
            .await;
        let drift = &seen.observation.drift;
        assert!(drift[0].starts_with("ConfigMap/web-r1: data"), "{drift:?}");
        assert_eq!(drift[1], "Service/web: deleted");
        assert_eq!(drift[2], "Deployment/web: spec.replicas");

        let applied = bed.client.apply_workload(cluster.id, &desired).await.unwrap();
        assert!(
            applied
                .taken_over
                .iter()
                .any(|taken| taken.contains("spec.replicas")),
            "{applied:?}"
        );
        let seen = bed.wait_rolled_out("web", 1, 2).await;
        assert!(seen.observation.drift.is_empty(), "{:?}", seen.observation.drift);
        assert!(services.get_opt("web").await.unwrap().is_some());
        let annotations = deployments
            .get("web")
            .await
            .unwrap()
            .metadata
            .annotations
            .unwrap();
        assert_eq!(annotations.get("somebody").map(String::as_str), Some("else"));
        bed.finish().await;
    }
}

#[tokio::test]
async fn drift_that_happened_while_we_were_away_is_found() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        let desired = bed.desired("web", 1, WEB);
        bed.client.apply_workload(cluster.id, &desired).await.unwrap();
        bed.wait_rolled_out("web", 1, 2).await;
        // A second replica of ipaas on the same database knows only what the first wrote down.
        bed.foundation.shutdown.cancel();
        let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        deployments.delete("web", &Default::default()).await.unwrap();
        let mut foundation = bed.foundation.clone();
        foundation.shutdown = Default::default();
        foundation.tracker = Default::default();
        let running = ipaas::start(foundation.clone(), bed.config.clone())
            .await
            .unwrap();
        let client = crate::bed::client_of(&foundation, &running);
        test_support::wait_for("the drift", crate::bed::PATIENCE, async || {
            let snapshot = client.list_workloads().await.unwrap();
            let seen = snapshot
                .workloads
                .into_iter()
                .find(|seen| seen.project == bed.project && seen.cluster_id == cluster.id);
            match seen {
                Some(seen) if seen.observation.drift == ["Deployment/web: deleted"] => Ok(()),
                other => Err(other),
            }
        })
        .await;
        client.apply_workload(cluster.id, &desired).await.unwrap();
        assert!(deployments.get_opt("web").await.unwrap().is_some());
        foundation.shutdown.cancel();
        bed.finish().await;
    }
}
