//! What pods use, by their cluster's Prometheus.

use api_types::internal::{MeasurementQuery, Measurements, RangeMeasurements, RangeQuery, ServicePlace};
use api_types::pods::PodPhase;
use test_support::wait_for;

use crate::bed::{Bed, PATIENCE, WEB, breakable};

const CPU: &str = r#"sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!="",container!="POD"}[1m]))"#;
const MEMORY: &str =
    r#"sum by (namespace, pod) (container_memory_working_set_bytes{container!="",container!="POD"})"#;
const RECEIVED: &str = "sum by (namespace, pod) (rate(container_network_receive_bytes_total[1m]))";

fn query(bed: &Bed, url: Option<String>, queries: &[&str], services: &[&str]) -> MeasurementQuery {
    MeasurementQuery {
        prometheus_url: url,
        queries: queries.iter().map(|text| (*text).to_owned()).collect(),
        services: services
            .iter()
            .map(|service| ServicePlace {
                project: bed.project.clone(),
                environment: "test".to_owned(),
                service: (*service).to_owned(),
            })
            .collect(),
    }
}

async fn measure(bed: &Bed, query: &MeasurementQuery) -> Measurements {
    bed.client.measure(bed.cluster().id, query).await.unwrap()
}

#[tokio::test]
async fn each_query_is_asked_once_and_divided_among_the_pods() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        for service in ["web", "api"] {
            let desired = bed.desired(service, 1, WEB);
            bed.client.apply_workload(cluster.id, &desired).await.unwrap();
            bed.wait_rolled_out(service, 1, 2).await;
        }
        let url = Some(bed.prometheus(&cluster.name));
        let everything = query(
            &bed,
            url.clone(),
            &[CPU, MEMORY, RECEIVED],
            &["web", "nowhere", "api"],
        );
        let seen = wait_for("all pods to be measured", PATIENCE, async || {
            let seen = measure(&bed, &everything).await;
            let whole = [0, 2].iter().all(|at| {
                let pods = &seen.services[*at].pods;
                pods.len() == 2 && pods.iter().all(|pod| pod.values.len() == 3)
            });
            if whole { Ok(seen) } else { Err(seen) }
        })
        .await;
        assert!(!seen.stale);
        assert!(seen.queries.iter().all(|query| query.error.is_none()));
        assert!(seen.services[1].pods.is_empty());
        for pod in &seen.services[0].pods {
            assert_eq!(
                (pod.phase, pod.ready, pod.stopping),
                (PodPhase::Running, true, false)
            );
            assert_eq!((pod.cpu_millicores, pod.memory_bytes), (10, 16 << 20));
            let [(0, cpu), (1, memory), (2, received)] = pod.values[..] else {
                panic!("{pod:?}")
            };
            assert!((0.0..0.5).contains(&cpu), "{cpu}");
            assert!((1e6..64e6).contains(&memory), "{memory}");
            assert!(received >= 0.0, "{received}");
        }

        // What can't be had is said where it belongs, and takes nothing else along.
        let partly = measure(&bed, &query(&bed, url, &["nonsense(", MEMORY, "1 + 1"], &["web"])).await;
        assert!(partly.queries[0].error.as_deref().unwrap().contains("refused"));
        assert_eq!(partly.queries[2].value, Some(2.0));
        assert!(partly.services[0].pods.iter().all(|pod| pod.values.len() == 1));
        for (url, why) in [
            (None, "has no Prometheus"),
            (Some("http://127.0.0.1:1".to_owned()), "doesn't answer"),
        ] {
            let blind = measure(&bed, &query(&bed, url, &[CPU], &["web"])).await;
            assert_eq!(blind.services[0].pods.len(), 2);
            assert!(blind.services[0].pods.iter().all(|pod| pod.values.is_empty()));
            let error = blind.queries[0].error.as_deref().unwrap();
            assert!(error.contains(why), "{error}");
        }

        // The cluster away: the pods that were known are marked so.
        bed.handle(&cluster.name).down().await;
        let url = Some(bed.prometheus(&cluster.name));
        wait_for("the pods to be stale", PATIENCE, async || {
            let seen = measure(&bed, &query(&bed, url.clone(), &[CPU], &["web"])).await;
            if seen.stale { Ok(()) } else { Err(seen) }
        })
        .await;
        bed.handle(&cluster.name).up().await.unwrap();
        bed.finish().await;
    }
}

#[tokio::test]
async fn what_was_used_over_a_time_counts_pods_that_are_gone() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        for service in ["web", "web-api"] {
            let desired = bed.desired(service, 1, WEB);
            bed.client.apply_workload(cluster.id, &desired).await.unwrap();
            bed.wait_rolled_out(service, 1, 2).await;
        }
        let range = |url: Option<String>, queries: &[&str]| {
            let to = chrono::Utc::now().timestamp();
            RangeQuery {
                prometheus_url: url,
                running: CPU.to_owned(),
                queries: queries.iter().map(|text| (*text).to_owned()).collect(),
                service: ServicePlace {
                    project: bed.project.clone(),
                    environment: "test".to_owned(),
                    service: "web".to_owned(),
                },
                from: to - 300,
                to,
                step_seconds: 1,
            }
        };
        let url = Some(bed.prometheus(&cluster.name));
        let ask = async |query: RangeQuery| -> RangeMeasurements {
            bed.client.measure_range(cluster.id, &query).await.unwrap()
        };
        wait_for("both pods to be seen", PATIENCE, async || {
            let seen = ask(range(url.clone(), &[MEMORY])).await;
            let last = seen.queries[0].moments.last().map(|moment| moment.pods);
            if last == Some(2) { Ok(()) } else { Err(seen) }
        })
        .await;
        bed.client
            .delete_workload(cluster.id, (&bed.project, "test", "web"), false)
            .await
            .unwrap();
        let queries = [MEMORY, "1 + 1", "nonsense("];
        let seen = wait_for("them to be gone", PATIENCE, async || {
            let query = range(url.clone(), &queries);
            let to = query.to;
            let seen = ask(query).await;
            let last = seen.queries[0].moments.last().map(|moment| moment.at);
            if last.is_some_and(|last| last < to) {
                Ok(seen)
            } else {
                Err(seen)
            }
        })
        .await;
        let [memory, two, nonsense] = &seen.queries[..] else {
            panic!("{seen:?}")
        };
        assert!(memory.moments.iter().any(|moment| moment.pods == 2), "{memory:?}");
        assert!(memory.moments.iter().all(|moment| moment.pods <= 2), "{memory:?}");
        for moment in memory.moments.iter().filter(|moment| moment.pods == 2) {
            assert!((2e6..128e6).contains(&moment.of_pods), "{moment:?}");
        }
        assert_eq!(two.moments.len(), 301);
        assert!(two.moments.iter().all(|moment| moment.total == Some(2.0)));
        assert!(nonsense.error.as_deref().unwrap().contains("refused"));
        let ran: Vec<u32> = seen.running.moments.iter().map(|moment| moment.pods).collect();
        assert!(ran.contains(&2), "{ran:?}");

        let blind = ask(range(None, &[MEMORY])).await;
        assert!(blind.running.error.unwrap().contains("has no Prometheus"));
        let mut long = range(url.clone(), &[]);
        long.from -= 1_000;
        let refused = bed.client.measure_range(cluster.id, &long).await.unwrap_err();
        assert!(refused.to_string().contains("invalid_range"), "{refused}");
        bed.finish().await;
    }
}
