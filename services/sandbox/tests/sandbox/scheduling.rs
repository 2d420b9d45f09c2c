//! The scheduler: what fits, and why something does not.

use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Stage, config, eventually, is_ready, pod};

fn hungry(name: &str, cpu: &str) -> Value {
    let mut pod = pod(name, "shop/web:1");
    pod["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": cpu, "memory": "1Gi"}});
    pod
}

fn node(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref())
}

#[tokio::test]
async fn a_full_cluster_leaves_pods_pending_and_says_why() {
    let stage = Stage::new().await;
    // Two nodes of 8 CPUs each.
    for name in ["a", "b"] {
        stage.run(hungry(name, "6")).await;
        stage.until(name, is_ready).await;
    }
    let (a, b) = (
        stage.pods().get("a").await.unwrap(),
        stage.pods().get("b").await.unwrap(),
    );
    assert_ne!(node(&a), node(&b), "the emptier node is taken");
    stage.run(hungry("c", "4")).await;
    let events: Api<Event> = Api::namespaced(stage.client.clone(), "default");
    let list = ListParams::default().fields("involvedObject.name=c,reason=FailedScheduling");
    let event = eventually(|| async {
        events
            .list(&list)
            .await
            .unwrap()
            .items
            .into_iter()
            .next()
            .ok_or("none")
    })
    .await;
    assert_eq!(
        event.message.as_deref(),
        Some(
            "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
        )
    );
    let pending = stage.pods().get("c").await.unwrap();
    assert_eq!(pending.status.as_ref().unwrap().phase.as_deref(), Some("Pending"));
    let condition = &pending.status.as_ref().unwrap().conditions.as_ref().unwrap()[0];
    assert_eq!(
        (condition.type_.as_str(), condition.reason.as_deref()),
        ("PodScheduled", Some("Unschedulable"))
    );
    stage.pods().delete("a", &DeleteParams::default()).await.unwrap();
    stage.until("c", is_ready).await;
}

#[tokio::test]
async fn cordons_taints_and_selectors_are_kept_to() {
    let stage = Stage::new().await;
    let nodes: Api<Node> = Api::all(stage.client.clone());
    let patch = |name: &'static str, value: Value| {
        let nodes = nodes.clone();
        async move {
            nodes
                .patch(name, &PatchParams::default(), &Patch::Merge(value))
                .await
                .unwrap()
        }
    };
    patch("east-node-1", json!({"spec": {"unschedulable": true}})).await;
    stage.run(pod("first", "shop/web:1")).await;
    let placed = stage.until("first", is_ready).await;
    assert_eq!(node(&placed), Some("east-node-2"));

    patch(
        "east-node-2",
        json!({"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}),
    )
    .await;
    stage.run(pod("second", "shop/web:1")).await;
    let mut tolerant = pod("third", "shop/web:1");
    tolerant["spec"]["tolerations"] = json!([{"key": "gpu", "operator": "Exists"}]);
    stage.run(tolerant).await;
    assert_eq!(node(&stage.until("third", is_ready).await), Some("east-node-2"));
    assert_eq!(node(&stage.pods().get("second").await.unwrap()), None);
    patch("east-node-1", json!({"spec": {"unschedulable": null}})).await;
    assert_eq!(node(&stage.until("second", is_ready).await), Some("east-node-1"));
}

#[tokio::test]
async fn gpus_are_whole_devices_of_the_nodes_that_have_them() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = config(&directory);
    settings.clusters[0].gpu_nodes = 1;
    settings.clusters[0].node_gpus = 2;
    let stage = Stage::with(settings, directory).await;
    let asks = |name: &str, resources: Value| {
        let mut pod = pod(name, "shop/web:1");
        pod["spec"]["containers"][0]["resources"] = resources;
        pod
    };
    // What is only a limit is asked for as well.
    for name in ["a", "b", "c"] {
        stage
            .run(asks(name, json!({"limits": {"nvidia.com/gpu": "1"}})))
            .await;
        if name != "c" {
            let placed = stage.until(name, is_ready).await;
            assert_eq!(node(&placed), Some("east-node-1"), "{name}");
        }
    }
    let unschedulable = |pod: &Pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.clone());
        conditions.unwrap_or_default().iter().any(|condition| {
            condition
                .message
                .as_deref()
                .is_some_and(|message| message.contains("2 Insufficient nvidia.com/gpu"))
        })
    };
    stage.until("c", unschedulable).await;
    stage.pods().delete("a", &DeleteParams::default()).await.unwrap();
    stage.until("c", is_ready).await;

    for (resources, why) in [
        (
            json!({"limits": {"nvidia.com/gpu": "500m"}}),
            "must be an integer",
        ),
        (
            json!({"requests": {"nvidia.com/gpu": "1"}}),
            "Limit must be set for non overcommitable resources",
        ),
        (
            json!({"requests": {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "2"}}),
            "must be equal to nvidia.com/gpu limit of 2",
        ),
    ] {
        let bad: Pod = serde_json::from_value(asks("bad", resources)).unwrap();
        let error = stage
            .pods()
            .create(&PostParams::default(), &bad)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error}");
    }
}
