//! Several ipaas on one database, and a database that goes away.

use api_types::internal::{ServicePlace, WorkloadQuery};
use platform::Foundation;
use sandbox::faults::{Fault, Latency};
use test_support::{Backend, wait_for};

use crate::bed::{Bed, Ground, PATIENCE, WEB, WEB_2, breakable, client_of, grounds};
use crate::proxy::Proxy;

/// Another process as far as it can tell: its own loops and memory, on this database.
fn beside(bed: &Bed, foundation: &Foundation) -> Foundation {
    let mut foundation = foundation.clone();
    foundation.database = bed.database.connection.clone();
    foundation.shutdown = Default::default();
    foundation.tracker = Default::default();
    foundation
}

#[tokio::test]
async fn two_replicas_do_the_work_of_one() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let other = beside(&bed, &bed.foundation);
        let running = ipaas::start(other.clone(), bed.config.clone()).await.unwrap();
        let second = client_of(&other, &running);
        wait_for("the second to have read all clusters", PATIENCE, async || {
            let connections = second.list_connections().await.unwrap();
            let ready = connections.len() == 2 && connections.iter().all(|one| one.reachable && one.synced);
            if ready { Ok(()) } else { Err(connections) }
        })
        .await;

        // What one applies both see, and neither takes the other's work for drift.
        let alpha = bed.cluster().id;
        bed.client
            .apply_workload(alpha, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        second
            .apply_workload(alpha, &bed.desired("web", 2, WEB_2))
            .await
            .unwrap();
        // Both at once, the same: the last word is the same too.
        let desired = bed.desired("web", 3, WEB);
        let (one, two) = tokio::join!(
            bed.client.apply_workload(alpha, &desired),
            second.apply_workload(alpha, &desired)
        );
        one.unwrap();
        two.unwrap();
        bed.wait_rolled_out("web", 3, 2).await;
        wait_for("both to see the same, without drift", PATIENCE, async || {
            let mut seen = Vec::new();
            for client in [&bed.client, &second] {
                let snapshot = client
                    .query_workloads(&WorkloadQuery::Services(vec![ServicePlace {
                        project: bed.project.clone(),
                        environment: "test".into(),
                        service: "web".into(),
                    }]))
                    .await
                    .unwrap();
                seen.extend(
                    snapshot
                        .workloads
                        .into_iter()
                        .filter(|one| one.cluster_id == alpha),
                );
            }
            let fine = seen.len() == 2
                && seen
                    .iter()
                    .all(|one| one.observation.revision == Some(3) && one.observation.drift.is_empty());
            if fine { Ok(()) } else { Err(seen) }
        })
        .await;

        // A connection that one drops the other drops too, and no removal is lost.
        second
            .delete_workload(alpha, (&bed.project, "test", "web"), false)
            .await
            .unwrap();
        wait_for("nothing to be left", PATIENCE, async || {
            let pods = bed.pods_of("web").await;
            if pods.is_empty() { Ok(()) } else { Err(pods) }
        })
        .await;
        second.delete_connection(alpha).await.unwrap();
        wait_for("the first to have dropped it", PATIENCE, async || {
            let connections = bed.client.list_connections().await.unwrap();
            if connections.len() == 1 {
                Ok(())
            } else {
                Err(connections)
            }
        })
        .await;
        other.shutdown.cancel();
        bed.finish().await;
    }
}

/// Half a list is no news: what was known before a start isn't called stale, nor smaller, while a cluster is read.
#[tokio::test]
async fn a_cluster_that_is_being_read_for_the_first_time_is_left_out() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let alpha = bed.cluster().id;
        bed.client
            .apply_workload(alpha, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        bed.wait_rolled_out("web", 1, 2).await;
        bed.handle("alpha").faults().put_on(Fault::Slow {
            latency: Latency::Fixed(700.0),
        });
        let other = beside(&bed, &bed.foundation);
        let running = ipaas::start(other.clone(), bed.config.clone()).await.unwrap();
        let second = client_of(&other, &running);
        let mut left_out = false;
        let seen = wait_for("the second to have read it", PATIENCE, async || {
            let snapshot = second.list_workloads().await.unwrap();
            let seen = snapshot.workloads.into_iter().find(|one| one.cluster_id == alpha);
            left_out |= seen.is_none() && !snapshot.complete.contains(&alpha);
            seen.ok_or("nothing yet")
        })
        .await;
        assert!(left_out);
        assert!(
            !seen.observation.stale && seen.observation.ready == 2,
            "the first word is whole: {seen:?}"
        );
        other.shutdown.cancel();
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for_and_nothing_is_lost() {
    for ground in breakable() {
        let Ground::Sandbox(Backend::Postgres) = ground else {
            continue;
        };
        let mut bed = Bed::new(ground).await;
        bed.client
            .apply_workload(bed.cluster().id, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        bed.wait_rolled_out("web", 1, 2).await;

        // The same on a way to the database that can be cut.
        let (before, rest) = bed.database.url.split_once('@').unwrap();
        let (address, name) = rest.split_once('/').unwrap();
        let proxy = Proxy::start(address).await;
        let url = format!("{before}@{}/{name}", proxy.url().trim_start_matches("https://"));
        let mut foundation = beside(&bed, &bed.foundation);
        foundation.database = platform::database::connect(&url).await.unwrap();
        bed.foundation.shutdown.cancel();
        bed.running = ipaas::start(foundation.clone(), bed.config.clone())
            .await
            .unwrap();
        bed.foundation = foundation;
        bed.client = client_of(&bed.foundation, &bed.running);
        bed.wait_connected().await;

        proxy.cut();
        let next = bed.desired("web", 2, WEB_2);
        let refused = wait_for("a refusal", PATIENCE, async || {
            match bed.client.apply_workload(bed.cluster().id, &next).await {
                Err(error) if error.code().is_some() => Ok(error),
                other => Err(other.map(drop)),
            }
        })
        .await;
        assert_eq!(refused.code(), Some("database_unavailable"));
        // What is known is shown as ever: it is in memory, and the clusters are there.
        let pods = bed.pods_of("web").await;
        assert!(!pods.is_empty() && pods.iter().all(|pod| !pod.stale));
        assert!(
            bed.client
                .list_connections()
                .await
                .unwrap()
                .iter()
                .all(|one| one.reachable)
        );

        proxy.thaw();
        wait_for("the apply to be taken", PATIENCE, async || {
            bed.client.apply_workload(bed.cluster().id, &next).await.map(drop)
        })
        .await;
        let seen = bed.wait_rolled_out("web", 2, 2).await;
        assert!(seen.observation.drift.is_empty(), "{seen:?}");
        bed.finish().await;
    }
}
