//! What survives: restarts, and clusters that go away and come back.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use sandbox::ClusterConfig;
use serde_json::json;

use crate::support::{Stage, client, config, deployment, eventually, http, is_ready, pod};

#[tokio::test]
async fn a_restart_keeps_objects_certificates_port_and_what_runs() {
    let stage = Stage::new().await;
    stage.run(pod("web", "shop/web:1")).await;
    let before = stage.until("web", is_ready).await;
    let (kubeconfig, url) = (stage.cluster().kubeconfig(), stage.cluster().url());
    let Stage {
        sandbox,
        client: old,
        directory,
    } = stage;
    sandbox.stop().await;
    let pods: Api<Pod> = Api::namespaced(old, "default");
    assert!(pods.get("web").await.is_err(), "nothing answers any more");

    let sandbox = sandbox::start(config(&directory)).await.unwrap();
    assert_eq!(sandbox.clusters()[0].url(), url);
    let pods: Api<Pod> = Api::namespaced(client(&kubeconfig).await, "default");
    let after = pods.get("web").await.unwrap();
    assert_eq!(after.metadata.uid, before.metadata.uid);
    assert!(is_ready(&after));
    let address = format!("{}:8080", after.status.unwrap().pod_ip.unwrap());
    let (status, _) = http("GET", &address, "/").await.unwrap();
    assert_eq!(status, 200);
    let log = pods.logs("web", &Default::default()).await.unwrap();
    assert!(log.starts_with("started app"), "{log}");
    sandbox.stop().await;
}

/// How a pod's line in the snapshot begins.
const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","#;

#[tokio::test]
async fn a_kill_loses_only_the_last_moments() {
    let stage = Stage::new().await;
    stage.deploy("default", &deployment("web", "web:1", 2)).await;
    let state = stage.directory.path().join("clusters/east/state.json");
    let copy = eventually(|| async {
        let text = tokio::fs::read_to_string(&state).await.unwrap_or_default();
        if text.lines().filter(|line| line.starts_with(POD)).count() == 2 {
            Ok(text)
        } else {
            Err(text.len())
        }
    })
    .await;
    // What a kill would leave: the files as they are at this moment.
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().join("clusters/east");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("state.json"), copy).unwrap();
    std::fs::copy(
        stage.directory.path().join("clusters/east/pki.json"),
        folder.join("pki.json"),
    )
    .unwrap();
    stage.sandbox.stop().await;
    let sandbox = sandbox::start(config(&elsewhere)).await.unwrap();
    let client = client(&sandbox.clusters()[0].kubeconfig()).await;
    let deployments: Api<Deployment> = Api::namespaced(client, "default");
    eventually(|| async {
        let status = deployments.get("web").await.unwrap().status.unwrap_or_default();
        if status.available_replicas == Some(2) {
            Ok(())
        } else {
            Err(format!("{status:?}"))
        }
    })
    .await;
    sandbox.stop().await;
}

#[tokio::test]
async fn a_cluster_goes_away_and_the_other_does_not_notice() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(&directory);
    config.clusters.push(ClusterConfig {
        name: "west".into(),
        nodes: 1,
        ..ClusterConfig::default()
    });
    let stage = Stage::with(config, directory).await;
    let west = stage.sandbox.cluster("west").unwrap();
    let west_client = client(&west.kubeconfig()).await;
    stage.run(pod("web", "shop/web:1")).await;
    let running = stage.until("web", is_ready).await;

    stage.cluster().down().await;
    assert!(!stage.cluster().is_up());
    assert!(stage.pods().list(&ListParams::default()).await.is_err());
    Api::<Pod>::all(west_client.clone())
        .list(&ListParams::default())
        .await
        .unwrap();
    let address = format!("{}:8080", running.status.unwrap().pod_ip.unwrap());
    let (status, _) = http("GET", &address, "/").await.unwrap();
    assert_eq!(status, 200, "the pods run on");

    stage.cluster().up().await.unwrap();
    eventually(|| async { stage.pods().get("web").await }).await;
    let other = client(
        &stage
            .cluster()
            .kubeconfig()
            .replace(&stage.cluster().url(), &west.url()),
    )
    .await;
    assert!(
        other.apiserver_version().await.is_err(),
        "each cluster has its own authority"
    );
    stage.sandbox.stop().await;
}

#[tokio::test]
async fn a_namespace_empties_before_it_goes() {
    let stage = Stage::new().await;
    stage.namespace("shop").await;
    let pods: Api<Pod> = Api::namespaced(stage.client.clone(), "shop");
    stage.deploy("shop", &deployment("web", "web:1", 2)).await;
    let first = eventually(|| async {
        pods.list(&ListParams::default())
            .await
            .unwrap()
            .items
            .into_iter()
            .next()
            .ok_or("none")
    })
    .await;
    let name = first.metadata.name.unwrap();
    let hold = json!({"metadata": {"finalizers": ["longshore.dev/hold"]}});
    pods.patch(&name, &PatchParams::default(), &Patch::Merge(hold))
        .await
        .unwrap();
    let namespaces: Api<Namespace> = Api::all(stage.client.clone());
    namespaces.delete("shop", &DeleteParams::default()).await.unwrap();
    eventually(|| async {
        let namespace = namespaces.get("shop").await.unwrap();
        let conditions = namespace.status.unwrap().conditions.unwrap_or_default();
        let held = conditions
            .iter()
            .any(|one| one.type_ == "NamespaceFinalizersRemaining" && one.status == "True");
        let left = pods.list(&ListParams::default()).await.unwrap().items.len();
        if held && left == 1 {
            Ok(())
        } else {
            Err(format!("{left} pods, {conditions:?}"))
        }
    })
    .await;
    let refused = pods
        .create(
            &Default::default(),
            &serde_json::from_value(pod("x", "web:1")).unwrap(),
        )
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("being terminated"), "{refused}");
    let free = json!({"metadata": {"finalizers": null}});
    pods.patch(&name, &PatchParams::default(), &Patch::Merge(free))
        .await
        .unwrap();
    eventually(|| async {
        if namespaces.get_opt("shop").await.unwrap().is_none() {
            Ok(())
        } else {
            Err("is there")
        }
    })
    .await;
}
