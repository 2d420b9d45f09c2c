//! The agent inside a real cluster: the image that people make of the program, the manifest that they apply, heartbeats
//! over the node's own way out; and what its word is worth when the API server is gone, or the way out is.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use api_types::clusters::{Cluster, ClusterAgentInstallation, ClusterState, WitnessKind};
use api_types::services::{ServiceAccepted, ServiceState};
use flows::clusters::TestCluster;
use flows::process::program;
use flows::proxy::{Mode, Proxy};
use flows::system::LONG;
use flows::{Kind, System};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use test_support::{Backend, wait_for};

use crate::{WEB_1, start, web};

const IMAGE: &str = "longshore.test/longshore:test";
const NAMESPACE: &str = "longshore-system";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_is_the_second_witness_of_a_real_cluster() {
    let Some((system, clusters)) = start(Kind::Real, Backend::Postgres).await else {
        return;
    };
    let watched = &clusters.all[0];
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("longshore.tar");
    make_image(&archive);
    clusters.load_image(watched, &archive);
    let way_out = Proxy::start_at(watched.host(), Some(system.portal())).await;
    let path = format!("/clusters/{}/agent", watched.name);
    let portal_url = format!("http://{}", way_out.address);
    let installation: ClusterAgentInstallation = system
        .api
        .post(&path, &json!({ "portal_url": portal_url, "image": IMAGE }))
        .await;
    apply(watched, &installation.manifest, folder.path());
    let both = cluster_when(&system, watched, "both witnesses to speak", |cluster| {
        cluster.state == ClusterState::Ready && agent_is_fresh(cluster)
    })
    .await;
    assert!(both.witnesses.iter().all(|witness| witness.fresh), "{both:?}");

    let accepted: ServiceAccepted = system.api.post(&system.services(), &web("web", WEB_1, 2)).await;
    system.finished(&accepted.operation.unwrap().to_string()).await;

    // The way out is cut: the API server answers still, so what runs there goes on and counts.
    way_out.set(Mode::Shut);
    let suspect = cluster_when(&system, watched, "suspect without its agent", |cluster| {
        cluster.state == ClusterState::Suspect
    })
    .await;
    assert!(
        suspect.state_reason.contains("has not been heard"),
        "{}",
        suspect.state_reason
    );
    let service = system.service_when("web", "there", |_| true).await;
    assert_eq!(
        (service.status.state, service.status.ready),
        (ServiceState::Running, 2)
    );
    way_out.set(Mode::Pass);
    cluster_when(
        &system,
        watched,
        "ready once the agent is heard again",
        |cluster| cluster.state == ClusterState::Ready,
    )
    .await;

    // The API server is killed: the agent lives, and says that it can't renew its Lease.
    clusters.take_down(watched).await;
    let lost = cluster_when(&system, watched, "lost without its API server", |cluster| {
        cluster.state == ClusterState::Unreachable
            && cluster
                .state_reason
                .contains("its nodes and its way out are alive")
    })
    .await;
    assert!(lost.witnesses.iter().all(|witness| !witness.fresh), "{lost:?}");
    clusters.bring_back(watched).await;
    cluster_when(&system, watched, "ready once its API server is back", |cluster| {
        cluster.state == ClusterState::Ready && agent_is_fresh(cluster)
    })
    .await;
    assert_restarted(watched, 0).await;
    remove(&system, watched).await;
    clusters.stop().await;
}

fn agent_is_fresh(cluster: &Cluster) -> bool {
    let fresh = |kind| cluster.witnesses.iter().any(|one| one.kind == kind && one.fresh);
    fresh(WitnessKind::Agent)
}

/// As a person makes it.
fn make_image(archive: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/image");
    let output = Command::new(script)
        .args([IMAGE.as_ref(), archive.as_os_str(), program().as_os_str()])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn apply(cluster: &TestCluster, manifest: &str, folder: &Path) {
    let kubeconfig = folder.join("kubeconfig");
    std::fs::write(&kubeconfig, &cluster.kubeconfig).unwrap();
    let mut kubectl = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(&kubeconfig)
        .args(["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    kubectl
        .stdin
        .take()
        .unwrap()
        .write_all(manifest.as_bytes())
        .unwrap();
    let output = kubectl.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn cluster_when(
    system: &System,
    cluster: &TestCluster,
    what: &str,
    condition: impl Fn(&Cluster) -> bool,
) -> Cluster {
    wait_for(&format!("cluster {}: {what}", cluster.name), LONG, async || {
        let seen: Cluster = system.api.get(&format!("/clusters/{}", cluster.name)).await;
        if condition(&seen) { Ok(seen) } else { Err(seen) }
    })
    .await
}

/// The agent outlives the API server.
async fn assert_restarted(cluster: &TestCluster, times: i32) {
    let pods: Api<Pod> = Api::namespaced(cluster.client().await, NAMESPACE);
    let pods = pods.list(&ListParams::default()).await.unwrap().items;
    let restarts: Vec<i32> = pods
        .iter()
        .filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref())
        .flatten()
        .map(|container| container.restart_count)
        .collect();
    assert_eq!(restarts, [times], "{pods:?}");
}

async fn remove(system: &System, cluster: &TestCluster) {
    system.api.delete(&system.service("web")).await;
    let namespaces: Api<Namespace> = Api::all(cluster.client().await);
    namespaces
        .delete(NAMESPACE, &DeleteParams::default())
        .await
        .unwrap();
    wait_for("what the test made to be gone", LONG * 2, async || {
        let request = system.api.request(reqwest::Method::GET, &system.service("web"));
        let answer = system
            .api
            .send(request)
            .await
            .map_err(|error| error.to_string())?;
        let namespace = namespaces
            .get_opt(NAMESPACE)
            .await
            .map_err(|error| error.to_string())?;
        match (answer.status, namespace) {
            (reqwest::StatusCode::NOT_FOUND, None) => Ok(()),
            (status, namespace) => Err(format!("{status} {namespace:?}")),
        }
    })
    .await;
}
