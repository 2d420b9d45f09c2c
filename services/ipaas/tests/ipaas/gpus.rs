//! Nodes that a taint keeps for pods with GPUs.

use api_types::clusters::ClusterObservation;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use test_support::wait_for;

use crate::bed::{Bed, PATIENCE, breakable};

async fn observation(bed: &Bed) -> Option<ClusterObservation> {
    let connections = bed.client.list_connections().await.unwrap();
    let own = connections.into_iter().find(|one| one.id == bed.cluster().id);
    own.and_then(|connection| connection.observed)
}

#[tokio::test]
async fn a_node_tainted_for_gpus_takes_those_who_ask_for_them() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let nodes: Api<Node> = Api::all(bed.cluster().client.clone());
        let (kept, open) = ("alpha-node-1", "alpha-node-2");
        let amounts = json!({ "nvidia.com/gpu": "4" });
        let status = json!({ "status": { "capacity": amounts, "allocatable": amounts } });
        let taint = json!({ "key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule" });
        let spec = json!({ "spec": { "taints": [taint] } });
        let parameters = PatchParams::default();
        nodes
            .patch_status(kept, &parameters, &Patch::Merge(status))
            .await
            .unwrap();
        nodes.patch(kept, &parameters, &Patch::Merge(spec)).await.unwrap();
        let seen = wait_for(
            "the node to be told apart",
            PATIENCE,
            async || match observation(&bed).await {
                Some(seen) if seen.gpu_nodes.is_some() => Ok(seen),
                other => Err(other),
            },
        )
        .await;
        let apart = seen.gpu_nodes.unwrap();
        assert_eq!((apart.nodes, apart.allocatable.gpus), (1, 4));
        assert_eq!((seen.allocatable.gpus, seen.nodes_ready), (4, 2));
        assert_eq!(seen.largest_node.unwrap().gpus, 0);
        let mut kinds: Vec<(u64, bool)> = seen
            .free
            .unwrap()
            .nodes
            .iter()
            .map(|kind| (kind.free.gpus, kind.gpus_only))
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [(0, false), (4, true)]);

        let resources = |gpus: u32| {
            json!({ "resources": {
                "cpu_request": "10m", "cpu_limit": "500m", "memory_request": "16Mi", "memory_limit": "64Mi", "gpus": gpus,
            } })
        };
        for (service, gpus, node) in [("train", 1, kept), ("web", 0, open)] {
            let desired = bed.desired_with(service, 1, resources(gpus));
            bed.client
                .apply_workload(bed.cluster().id, &desired)
                .await
                .unwrap();
            bed.wait_rolled_out(service, 1, 2).await;
            for pod in bed.pods_of(service).await {
                assert_eq!(pod.node.as_deref(), Some(node), "{service}");
            }
        }
        let requested = wait_for("the GPUs to be requested", PATIENCE, async || {
            let seen = observation(&bed).await.unwrap();
            let apart = seen.gpu_nodes.unwrap();
            if apart.requested.gpus == 2 {
                Ok(apart.requested)
            } else {
                Err(seen)
            }
        })
        .await;
        assert_eq!(requested.cpu_millicores, 20);
        bed.finish().await;
    }
}
