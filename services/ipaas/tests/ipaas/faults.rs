//! Clusters that go away, histories that are forgotten.

use std::time::{Duration, Instant};

use api_types::common::Page;
use api_types::pods::Pod;
use k8s_openapi::api::core::v1::Pod as LivePod;
use kube::Api;
use sandbox::faults::Fault;
use test_support::wait_for;

use crate::bed::{Bed, PATIENCE, WEB, breakable};
use crate::proxy::Proxy;

#[tokio::test]
async fn a_cluster_that_is_away_is_stale_and_hurts_nobody() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        for cluster in &bed.clusters {
            bed.client
                .apply_workload(cluster.id, &bed.desired("web", 1, WEB))
                .await
                .unwrap();
        }
        bed.wait_rolled_out("web", 1, 2).await;
        wait_for("all pods", PATIENCE, async || {
            let pods = bed.pods_of("web").await;
            if pods.len() == 4 && pods.iter().all(|pod| pod.ready) {
                Ok(())
            } else {
                Err(pods)
            }
        })
        .await;

        bed.handle("alpha").down().await;
        let seen = bed
            .wait_observed("web", "what is known to be stale", |seen| seen.observation.stale)
            .await;
        assert!(seen.present, "what doesn't answer can't say that nothing is left");
        let connections = bed.client.list_connections().await.unwrap();
        let alpha = connections
            .iter()
            .find(|connection| connection.name == "alpha")
            .unwrap();
        assert!(!alpha.reachable && alpha.error.is_some() && alpha.observed.as_ref().unwrap().stale);

        // The list answers at once, with what was known, its gap named, and nothing of it ready.
        let started = Instant::now();
        let path = format!(
            "/api/v1/projects/{}/environments/test/services/web/pods",
            bed.project
        );
        let page: Page<Pod> = bed.get(&path).await;
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(page.items.len(), 4);
        for pod in &page.items {
            let away = pod.cluster == "alpha";
            assert_eq!((pod.stale, pod.ready), (away, !away), "{pod:?}");
            assert_eq!(pod.status, "Running");
        }
        let gaps: Vec<&str> = page.gaps.iter().map(|gap| gap.cluster.as_str()).collect();
        assert_eq!(gaps, ["alpha"]);
        assert!(page.gaps[0].observed_at.is_some());

        // A change is refused at once there, and done elsewhere.
        let started = Instant::now();
        let next = bed.desired("web", 2, WEB);
        let refused = bed
            .client
            .apply_workload(bed.clusters[0].id, &next)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some("cluster_unreachable"));
        let refused = bed
            .client
            .delete_workload(bed.clusters[0].id, (&bed.project, "test", "web"), false)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some("cluster_unreachable"));
        bed.client
            .apply_workload(bed.clusters[1].id, &next)
            .await
            .unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
        let away = page.items.iter().find(|pod| pod.cluster == "alpha").unwrap();
        let (status, body) = bed.send("GET", &bed.pod_path(away), Some(&bed.operator())).await;
        assert_eq!(
            (status, body["code"].as_str()),
            (503, Some("cluster_unreachable"))
        );
        let snapshot = bed.client.list_workloads().await.unwrap();
        assert_eq!(snapshot.complete, [bed.clusters[1].id]);

        bed.handle("alpha").up().await.unwrap();
        bed.wait_observed("web", "it to be fresh again", |seen| !seen.observation.stale)
            .await;
        bed.client
            .apply_workload(bed.clusters[0].id, &next)
            .await
            .unwrap();
        bed.wait_rolled_out("web", 2, 2).await;
        bed.finish().await;
    }
}

#[tokio::test]
async fn what_happened_while_a_cluster_was_away_is_seen_when_it_returns() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let alpha = bed.cluster();
        bed.client
            .apply_workload(alpha.id, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        bed.wait_rolled_out("web", 1, 2).await;
        let before: Vec<String> = bed.pods_of("web").await.into_iter().map(|pod| pod.name).collect();

        // The history is forgotten meanwhile: the watch can't go on and everything is listed again.
        for round in 0..3 {
            bed.handle("alpha").compact();
            bed.handle("alpha").down().await;
            bed.wait_observed("web", "it to be stale", |seen| seen.observation.stale)
                .await;
            bed.handle("alpha").up().await.unwrap();
            bed.handle("alpha").compact();
            let mut desired = bed.desired("web", 1, WEB);
            desired.replicas = 3 + round;
            wait_for("it to be reachable again", PATIENCE, async || {
                bed.client.apply_workload(alpha.id, &desired).await.map(drop)
            })
            .await;
            bed.wait_rolled_out("web", 1, 3 + round).await;
        }
        let after: Vec<String> = bed.pods_of("web").await.into_iter().map(|pod| pod.name).collect();
        assert_eq!(after.len(), 5);
        assert!(before.iter().all(|name| after.contains(name)));
        bed.finish().await;
    }
}

#[tokio::test]
async fn an_ipaas_that_starts_while_a_cluster_is_away_connects_when_it_returns() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        bed.handle("beta").down().await;
        bed.foundation.shutdown.cancel();
        let mut foundation = bed.foundation.clone();
        foundation.shutdown = Default::default();
        foundation.tracker = Default::default();
        let running = ipaas::start(foundation.clone(), bed.config.clone())
            .await
            .unwrap();
        let client = crate::bed::client_of(&foundation, &running);
        let state_of = async |name: &str| {
            let connections = client.list_connections().await.unwrap();
            connections.into_iter().find(|connection| connection.name == name)
        };
        wait_for("alpha to be read", PATIENCE, async || {
            match state_of("alpha").await {
                Some(alpha) if alpha.reachable && alpha.synced => Ok(()),
                other => Err(other),
            }
        })
        .await;
        let beta = state_of("beta").await.unwrap();
        assert!(!beta.reachable && !beta.synced && beta.observed.is_none());
        bed.handle("beta").up().await.unwrap();
        wait_for("beta to be read", PATIENCE, async || {
            match state_of("beta").await {
                Some(beta) if beta.reachable && beta.synced => Ok(()),
                other => Err(other),
            }
        })
        .await;
        foundation.shutdown.cancel();
        bed.finish().await;
    }
}

/// The worst way to go: nothing is refused, nothing is closed, nothing comes.
#[tokio::test]
async fn a_cluster_that_falls_silent_is_stale_and_seen_anew_when_it_speaks_again() {
    for ground in breakable() {
        let mut bed = Bed::bare(ground).await;
        let proxy = Proxy::start(&bed.handle("alpha").url()).await;
        bed.clusters[0].kubeconfig = bed.clusters[0]
            .kubeconfig
            .replace(&bed.handle("alpha").url(), &proxy.url());
        for cluster in &bed.clusters {
            bed.connect(cluster).await;
        }
        bed.wait_connected().await;
        for cluster in &bed.clusters {
            bed.client
                .apply_workload(cluster.id, &bed.desired("web", 1, WEB))
                .await
                .unwrap();
        }
        bed.wait_rolled_out("web", 1, 2).await;

        proxy.freeze();
        bed.wait_observed("web", "what is known to be stale", |seen| seen.observation.stale)
            .await;
        let started = Instant::now();
        bed.client
            .apply_workload(bed.clusters[1].id, &bed.desired("web", 2, WEB))
            .await
            .unwrap();
        assert_eq!(bed.pods_of("web").await.iter().filter(|pod| pod.stale).count(), 2);
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "the other cluster is slowed"
        );

        // What happens meanwhile is unknown; connections from before never speak again.
        let pods: Api<LivePod> = Api::namespaced(bed.cluster().client.clone(), &bed.namespace());
        let gone = bed.a_stale_pod("web").await;
        pods.delete(&gone.name, &Default::default()).await.unwrap();
        proxy.thaw();
        bed.wait_observed("web", "it to be fresh again", |seen| !seen.observation.stale)
            .await;
        wait_for("what happened meanwhile to be seen", PATIENCE, async || {
            let pods = bed.pods_of("web").await;
            let ready = pods
                .iter()
                .filter(|pod| pod.cluster == "alpha" && pod.ready)
                .count();
            let replaced = ready == 2 && pods.iter().all(|pod| pod.name != gone.name);
            if replaced { Ok(()) } else { Err(pods) }
        })
        .await;
        bed.finish().await;
    }
}

/// One that refuses everything with 429 is there, and busy: it is not taken for one that is away.
#[tokio::test]
async fn a_cluster_that_throttles_is_reachable_and_shown_as_busy() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let fault = bed.handle("alpha").faults().put_on(Fault::TooManyRequests {
            share: 1.0,
            retry_after_seconds: 1,
        });
        let alpha = async || {
            let all = bed.client.list_connections().await.unwrap();
            all.into_iter().find(|one| one.name == "alpha").unwrap()
        };
        wait_for("alpha to be busy", PATIENCE, async || {
            let seen = alpha().await;
            let busy = seen.error.as_deref().is_some_and(|error| error.contains("429"));
            if seen.reachable && busy { Ok(()) } else { Err(seen) }
        })
        .await;
        let started = Instant::now();
        let busy = bed
            .client
            .apply_workload(bed.clusters[0].id, &bed.desired("web", 1, WEB))
            .await
            .unwrap_err();
        assert_eq!(busy.code(), Some("cluster_busy"), "{busy}");
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it is told before the caller gives up"
        );
        assert!(alpha().await.reachable);
        assert!(bed.handle("alpha").faults().clear(fault));
        wait_for("alpha to be as before", PATIENCE, async || {
            let seen = alpha().await;
            if seen.reachable && seen.error.is_none() {
                Ok(())
            } else {
                Err(seen)
            }
        })
        .await;
        bed.client
            .apply_workload(bed.clusters[0].id, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        bed.finish().await;
    }
}
