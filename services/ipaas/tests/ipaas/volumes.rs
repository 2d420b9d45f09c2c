//! Claims: made, bound, mounted, kept, and deleted by name.

use api_types::storage::{ClaimPhase, ObservedClaim};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::Api;
use kube::api::{AttachParams, DeleteParams, PostParams};
use serde_json::{Value, json};
use test_support::wait_for;
use tokio::io::AsyncReadExt as _;

use crate::bed::{Bed, PATIENCE, WEB, breakable, grounds};

fn with_volume(class: Option<&str>, size: &str) -> Value {
    let mut volume = json!({ "name": "data", "mount_path": "/stored", "size": size, "access": "many_nodes" });
    if let Some(class) = class {
        volume["storage_class"] = json!(class);
    }
    json!({ "volumes": [volume] })
}

async fn claims(bed: &Bed) -> Vec<ObservedClaim> {
    let snapshot = bed.client.list_workloads().await.unwrap();
    let own = snapshot.claims.into_iter();
    own.filter(|claim| claim.project == bed.project).collect()
}

/// Waits until the one claim is as wanted.
async fn claim_is(bed: &Bed, what: &str, wanted: impl Fn(&ObservedClaim) -> bool) -> ObservedClaim {
    wait_for(what, PATIENCE, async || {
        let mut found = claims(bed).await;
        match found.pop() {
            Some(claim) if found.is_empty() && wanted(&claim) => Ok(claim),
            other => Err(other),
        }
    })
    .await
}

/// Runs a shell command in the only pod, where the volume is `$stored`: a simulated pod has it below its directory.
async fn shell(bed: &Bed, command: &str) -> String {
    let pod = bed.a_pod("web").await;
    let pods: Api<Pod> = Api::namespaced(bed.cluster().client.clone(), &bed.namespace());
    let command = format!("stored=/stored; [ -d $stored ] || stored=./stored; {command}");
    let mut process = pods
        .exec(
            &pod.name,
            ["/bin/sh", "-c", command.as_str()],
            &AttachParams::default().stderr(false),
        )
        .await
        .unwrap();
    let mut text = String::new();
    let mut output = process.stdout().unwrap();
    tokio::time::timeout(PATIENCE, output.read_to_string(&mut text))
        .await
        .unwrap()
        .unwrap();
    text.trim().to_owned()
}

#[tokio::test]
async fn what_is_written_outlives_pods_revisions_and_the_service() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        // Nothing provides volumes of this class but this test.
        let class = bed.project.clone();
        let mut desired = bed.desired_with("web", 1, with_volume(Some(&class), "1Gi"));
        desired.replicas = 1;
        bed.client.apply_workload(cluster.id, &desired).await.unwrap();
        let waits = bed
            .wait_observed("web", "the pod to wait for its volume", |seen| {
                seen.observation.unschedulable == 1
            })
            .await;
        let said = format!("{:?}", waits.observation.problems);
        assert!(
            said.contains("unbound immediate PersistentVolumeClaims"),
            "{said}"
        );
        let pending = claim_is(&bed, "a claim", |_| true).await;
        assert_eq!(pending.claim.name, "web-data");
        assert_eq!(
            (pending.claim.phase, pending.claim.capacity_bytes),
            (ClaimPhase::Pending, None)
        );

        let volumes: Api<PersistentVolume> = Api::all(cluster.client.clone());
        let volume: PersistentVolume = serde_json::from_value(json!({
            "metadata": { "name": class },
            "spec": {
                "capacity": { "storage": "2Gi" }, "accessModes": ["ReadWriteMany"], "storageClassName": class,
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": { "path": format!("/tmp/longshore-volume-{class}"), "type": "DirectoryOrCreate" },
            },
        }))
        .unwrap();
        volumes.create(&PostParams::default(), &volume).await.unwrap();
        bed.wait_rolled_out("web", 1, 1).await;
        let bound = claim_is(&bed, "the claim to be bound and used", |seen| {
            seen.claim.phase == ClaimPhase::Bound && seen.claim.in_use
        })
        .await;
        assert_eq!(
            (bound.claim.requested_bytes, bound.claim.capacity_bytes),
            (1 << 30, Some(2 << 30))
        );
        shell(&bed, "echo kept > $stored/file").await;

        // Another pod finds it.
        let first = bed.a_pod("web").await.name;
        desired.restarted_at = Some(chrono::Utc::now());
        desired.hash = "restarted".into();
        bed.client.apply_workload(cluster.id, &desired).await.unwrap();
        wait_for("another pod", PATIENCE, async || {
            let pods = bed.pods_of("web").await;
            match pods.as_slice() {
                [only] if only.ready && only.name != first => Ok(()),
                _ => Err(pods),
            }
        })
        .await;
        assert_eq!(shell(&bed, "cat $stored/file").await, "kept");
        let busy = bed
            .client
            .delete_claim(cluster.id, (&bed.project, "test", "web"), "web-data")
            .await
            .unwrap_err();
        assert_eq!(busy.code(), Some("volume_in_use"), "{busy}");

        // A revision without it leaves it, and so does the removal of the service.
        let mut without = bed.desired("web", 2, WEB);
        without.replicas = 1;
        let applied = bed.client.apply_workload(cluster.id, &without).await.unwrap();
        assert!(applied.pruned.is_empty(), "{applied:?}");
        bed.wait_rolled_out("web", 2, 1).await;
        claim_is(&bed, "the claim to be kept", |seen| !seen.claim.in_use).await;
        desired.revision = 3;
        desired.hash = "again".into();
        bed.client.apply_workload(cluster.id, &desired).await.unwrap();
        bed.wait_rolled_out("web", 3, 1).await;
        wait_for("its old pod to be gone", PATIENCE, async || {
            let pods = bed.pods_of("web").await;
            if pods.len() == 1 { Ok(()) } else { Err(pods) }
        })
        .await;
        assert_eq!(shell(&bed, "cat $stored/file").await, "kept");
        let service = (bed.project.as_str(), "test", "web");
        bed.client
            .delete_workload(cluster.id, service, false)
            .await
            .unwrap();
        wait_for("the service to be gone", PATIENCE, async || {
            match bed.observed(cluster, "web").await {
                None => Ok(()),
                Some(seen) => Err(seen),
            }
        })
        .await;
        let kept: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let there = kept.get("web-data").await.unwrap();
        assert!(there.metadata.deletion_timestamp.is_none());
        assert!(
            !claim_is(&bed, "the claim that is kept", |_| true)
                .await
                .claim
                .in_use
        );

        // Only this deletes it.
        wait_for("the claim to be free", PATIENCE, async || {
            bed.client.delete_claim(cluster.id, service, "web-data").await
        })
        .await;
        wait_for("the claim to be gone", PATIENCE, async || {
            let left = claims(&bed).await;
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
        volumes.delete(&class, &DeleteParams::default()).await.unwrap();
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_claim_grows_and_never_shrinks_and_goes_with_its_service_where_that_is_said() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        for (revision, size, left) in [(1, "1Gi", 1), (2, "3Gi", 3), (3, "2Gi", 3)] {
            let desired = bed.desired_with("web", revision, with_volume(None, size));
            bed.client.apply_workload(cluster.id, &desired).await.unwrap();
            bed.wait_rolled_out("web", revision, 2).await;
            let claim = claim_is(&bed, "the claim to have its size", |seen| {
                seen.claim.capacity_bytes == Some(left << 30)
            })
            .await;
            assert_eq!(claim.claim.storage_class.as_deref(), Some("standard"));
        }
        bed.client
            .delete_workload(cluster.id, (&bed.project, "test", "web"), true)
            .await
            .unwrap();
        wait_for("the claim to be gone", PATIENCE, async || {
            let left = claims(&bed).await;
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
        bed.finish().await;
    }
}
