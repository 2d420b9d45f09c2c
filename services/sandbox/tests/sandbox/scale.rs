//! Many light pods: there from the start, served, removed, replaced.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams, LogParams};
use sandbox::{ClusterConfig, Fill};

use crate::support::{Stage, config, eventually, is_ready};

async fn filled() -> Stage {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = config(&directory);
    settings.clusters = vec![ClusterConfig {
        name: "east".into(),
        nodes: 4,
        node_pods: 500,
        light_pods: true,
        keep: false,
        fill: Some(Fill::pods(1000)),
        ..ClusterConfig::default()
    }];
    Stage::with(settings, directory).await
}

#[tokio::test]
async fn a_filled_cluster_runs_from_the_start_and_keeps_itself() {
    let stage = filled().await;
    let pods: Api<Pod> = Api::all(stage.client.clone());
    let list = pods.list(&ListParams::default()).await.unwrap();
    assert_eq!(list.items.len(), 1000);
    assert!(list.items.iter().all(is_ready));
    let deployments: Api<Deployment> = Api::namespaced(stage.client.clone(), "fill-1");
    eventually(|| async {
        let list = deployments.list(&ListParams::default()).await.unwrap();
        let available = |one: &Deployment| one.status.as_ref().and_then(|status| status.available_replicas);
        if list.items.len() == 50 && list.items.iter().all(|one| available(one) == Some(20)) {
            Ok(())
        } else {
            Err(list.items.iter().map(available).collect::<Vec<_>>())
        }
    })
    .await;
    let own: Api<Pod> = Api::namespaced(stage.client.clone(), "fill-1");
    let one = list.items[0].metadata.name.clone().unwrap();
    assert!(
        own.logs(&one, &LogParams::default())
            .await
            .unwrap()
            .starts_with("started app")
    );
    own.delete(&one, &DeleteParams::default()).await.unwrap();
    eventually(|| async {
        let list = pods.list(&ListParams::default()).await.unwrap();
        let ready = list.items.iter().filter(|pod| is_ready(pod)).count();
        let gone = list
            .items
            .iter()
            .all(|pod| pod.metadata.name.as_deref() != Some(&one));
        if gone && ready == 1000 {
            Ok(())
        } else {
            Err((gone, ready))
        }
    })
    .await;
}

#[tokio::test]
async fn pods_come_and_go_by_themselves() {
    let stage = filled().await;
    let pods: Api<Pod> = Api::all(stage.client.clone());
    let names = async || -> std::collections::BTreeSet<String> {
        let list = pods.list(&ListParams::default()).await.unwrap();
        list.items
            .into_iter()
            .filter_map(|pod| pod.metadata.name)
            .collect()
    };
    let before = names().await;
    stage.cluster().churn(50.0);
    eventually(|| async {
        let new = names().await.difference(&before).count();
        if new >= 20 { Ok(()) } else { Err(new) }
    })
    .await;
    stage.cluster().churn(0.0);
    eventually(|| async {
        let list = pods.list(&ListParams::default()).await.unwrap();
        let ready = list.items.iter().filter(|pod| is_ready(pod)).count();
        if list.items.len() == 1000 && ready == 1000 {
            Ok(())
        } else {
            Err((list.items.len(), ready))
        }
    })
    .await;
}
