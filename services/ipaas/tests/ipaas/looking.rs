//! What people look at: pods, logs, events, nodes; and who may.

use api_types::access::Role;
use api_types::clusters::Node;
use api_types::common::Page;
use api_types::logs::LogFrame;
use api_types::pods::{Event, Pod, PodDetail};
use futures::StreamExt as _;
use serde_json::json;
use test_support::wait_for;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::bed::{Bed, CRASH, PATIENCE, WEB, grounds};

#[tokio::test]
async fn pods_are_listed_as_far_as_the_caller_may_see() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        bed.client
            .apply_workload(bed.cluster().id, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        bed.wait_rolled_out("web", 1, 2).await;
        let path = format!("/api/v1/pods?project={}", bed.project);
        let count = async |token: String| {
            let (status, body) = bed.send("GET", &path, Some(&token)).await;
            assert_eq!(status, 200, "{body}");
            serde_json::from_value::<Page<Pod>>(body).unwrap().items.len()
        };
        assert_eq!(count(bed.operator()).await, 2);
        assert_eq!(count(bed.token(&[(Role::Viewer, Some(&bed.project))])).await, 2);
        assert_eq!(count(bed.token(&[(Role::Viewer, Some("another"))])).await, 0);
        assert_eq!(count(bed.token(&[])).await, 0);

        let first: Page<Pod> = bed.get(&format!("{path}&limit=1&sort=-name")).await;
        assert_eq!(first.total_estimate, 2);
        let cursor = first.next_cursor.unwrap();
        let second: Page<Pod> = bed
            .get(&format!("{path}&limit=1&sort=-name&cursor={cursor}"))
            .await;
        assert!(second.items[0].name < first.items[0].name);
        assert_eq!(second.next_cursor, None);
        for (query, code) in [
            ("sort=color", "invalid_sort"),
            ("cursor=rubbish", "invalid_cursor"),
            (&format!("sort=name&cursor={cursor}"), "invalid_cursor"),
            ("ready=maybe", "invalid_query"),
        ] {
            let (status, body) = bed
                .send("GET", &format!("{path}&{query}"), Some(&bed.operator()))
                .await;
            assert_eq!((status, body["code"].as_str()), (400, Some(code)), "{query}");
        }

        let (status, body) = bed.send("GET", &path, None).await;
        assert_eq!((status, body["code"].as_str()), (401, Some("not_signed_in")));
        let (status, _) = bed
            .send("GET", "/internal/v1/connections", Some(&bed.operator()))
            .await;
        assert_eq!(status, 404, "people don't reach what is for services");
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_pod_is_shown_replaced_and_hidden_from_others() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        bed.client
            .apply_workload(bed.cluster().id, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        bed.wait_rolled_out("web", 1, 2).await;
        let pod = bed.a_pod("web").await;
        let detail: PodDetail = bed.get(&bed.pod_path(&pod)).await;
        assert_eq!(detail.pod.name, pod.name);
        assert_eq!(detail.containers.len(), 1);
        assert_eq!(detail.containers[0].state, "running");
        assert!(
            detail
                .conditions
                .iter()
                .any(|condition| condition.kind == "Ready")
        );
        assert!(detail.problems.is_empty());

        for path in [
            bed.pod_path(&pod)
                .replace(&format!("projects/{}", bed.project), "projects/another"),
            bed.pod_path(&pod).replace(&pod.name, "nobody"),
            bed.pod_path(&pod).replace(&pod.name, "..%2f..%2fsecrets%2fx"),
            bed.pod_path(&pod).replace("clusters/alpha", "clusters/gamma"),
        ] {
            for (method, suffix) in [("GET", ""), ("DELETE", ""), ("GET", "/log"), ("GET", "/events")] {
                let (status, body) = bed
                    .send(method, &format!("{path}{suffix}"), Some(&bed.operator()))
                    .await;
                assert_eq!(
                    (status, body["code"].as_str()),
                    (404, Some("not_found")),
                    "{path}{suffix}"
                );
            }
        }

        let (status, _) = bed
            .send("DELETE", &bed.pod_path(&pod), Some(&bed.operator()))
            .await;
        assert_eq!(status, 204);
        wait_for("another pod in its place", PATIENCE, async || {
            let pods = bed.pods_of("web").await;
            let replaced = pods.len() == 2 && pods.iter().all(|other| other.name != pod.name && other.ready);
            if replaced { Ok(()) } else { Err(pods) }
        })
        .await;
        bed.finish().await;
    }
}

#[tokio::test]
async fn logs_are_read_and_followed() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        bed.client
            .apply_workload(bed.cluster().id, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        bed.wait_rolled_out("web", 1, 2).await;
        let pod = bed.a_pod("web").await;
        let path = bed.pod_path(&pod);
        let read = async |query: &str| {
            bed.send("GET", &format!("{path}/log?{query}"), Some(&bed.operator()))
                .await
        };
        let (status, text) = read("").await;
        assert_eq!(status, 200);
        let text = text.as_str().unwrap().to_owned();
        assert!(text.ends_with('\n') && text.lines().count() >= 1, "{text:?}");
        let (_, last) = read("tail=1").await;
        assert_eq!(last.as_str().unwrap().lines().count(), 1);
        let (_, timed) = read("timestamps=true&container=web").await;
        assert!(timed.as_str().unwrap().starts_with("20"), "{timed}");
        for (query, wanted, code) in [
            ("previous=true", 404, "log_not_there"),
            ("container=nobody", 404, "not_found"),
            ("tail=0", 400, "invalid_query"),
            ("tail=10001", 400, "invalid_query"),
        ] {
            let (status, body) = read(query).await;
            assert_eq!((status, body["code"].as_str()), (wanted, Some(code)), "{query}");
        }

        let url = bed.running.url().replace("http://", "ws://");
        let mut request = format!("{url}{path}/log/stream?tail=10")
            .into_client_request()
            .unwrap();
        let bearer = format!("Bearer {}", bed.operator()).parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let mut lines = Vec::new();
        let mut ended = None;
        let mut deleted = false;
        let whole = async {
            while ended.is_none() {
                let message = socket.next().await.unwrap().unwrap();
                let Ok(text) = message.to_text() else { continue };
                if !message.is_text() {
                    continue;
                }
                match serde_json::from_str(text).unwrap() {
                    LogFrame::Lines { lines: more, .. } => lines.extend(more),
                    LogFrame::End { reason } => ended = Some(reason),
                }
                if !deleted {
                    deleted = true;
                    bed.send("DELETE", &path, Some(&bed.operator())).await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, whole).await.unwrap();
        let first = text.lines().next().unwrap();
        assert!(
            lines.iter().any(|line| line == first),
            "{lines:?} has not {first:?}"
        );
        assert!(ended.unwrap().contains("web"));
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_crashed_container_shows_the_log_of_its_earlier_run() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        bed.client
            .apply_workload(bed.cluster().id, &bed.desired("crash", 1, CRASH))
            .await
            .unwrap();
        let path = wait_for("a pod that was restarted", PATIENCE, async || {
            let pods = bed.pods_of("crash").await;
            let restarted = pods.iter().find(|pod| pod.restarts > 0);
            restarted.map(|pod| bed.pod_path(pod)).ok_or(pods)
        })
        .await;
        let text = wait_for("the log of the run before", PATIENCE, async || {
            let (status, text) = bed
                .send("GET", &format!("{path}/log?previous=true"), Some(&bed.operator()))
                .await;
            if status == 200 { Ok(text) } else { Err(text) }
        })
        .await;
        assert!(!text.as_str().unwrap().is_empty());
        let detail: PodDetail = bed.get(&path).await;
        assert!(detail.containers[0].restarts > 0);
        let ended = detail.containers[0].last_termination.as_ref().unwrap();
        assert_ne!(ended.exit_code, 0);
        bed.finish().await;
    }
}

#[tokio::test]
async fn events_of_a_service_come_from_all_its_objects() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        for cluster in &bed.clusters {
            bed.client
                .apply_workload(cluster.id, &bed.desired("web", 1, WEB))
                .await
                .unwrap();
            bed.client
                .apply_workload(cluster.id, &bed.desired("web-api", 1, WEB))
                .await
                .unwrap();
        }
        bed.wait_rolled_out("web", 1, 2).await;
        let path = format!(
            "/api/v1/projects/{}/environments/test/services/web/events",
            bed.project
        );
        let page = wait_for("events of every kind", PATIENCE, async || {
            let page: Page<Event> = bed.get(&format!("{path}?limit=500")).await;
            let has = |kind: &str| {
                bed.clusters.iter().all(|cluster| {
                    page.items
                        .iter()
                        .any(|event| event.cluster == cluster.name && event.object.starts_with(kind))
                })
            };
            if ["Deployment/", "ReplicaSet/", "Pod/"].into_iter().all(has) {
                Ok(page)
            } else {
                Err(page.items)
            }
        })
        .await;
        assert!(page.gaps.is_empty());
        assert!(page.items.iter().all(|event| !event.object.contains("web-api")));
        assert!(
            page.items
                .windows(2)
                .all(|pair| pair[0].last_seen >= pair[1].last_seen)
        );
        let pod = bed.a_pod("web").await;
        let of_pod: Page<Event> = bed.get(&format!("{}/events", bed.pod_path(&pod))).await;
        assert!(!of_pod.items.is_empty());
        assert!(
            of_pod
                .items
                .iter()
                .all(|event| event.object == format!("Pod/{}", pod.name))
        );
        bed.finish().await;
    }
}

#[tokio::test]
async fn nodes_show_what_their_pods_ask_for() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        bed.client
            .apply_workload(
                bed.cluster().id,
                &bed.desired_with("web", 1, json!({ "image": WEB })),
            )
            .await
            .unwrap();
        bed.wait_rolled_out("web", 1, 2).await;
        let page: Page<Node> = bed.get("/api/v1/clusters/alpha/nodes").await;
        assert!(!page.items.is_empty() && page.gaps.is_empty());
        assert!(page.items.iter().all(|node| node.ready && !node.stale));
        let pods: u64 = page.items.iter().map(|node| node.requested.pods).sum();
        let cpu: u64 = page.items.iter().map(|node| node.requested.cpu_millicores).sum();
        assert!(pods >= 2 && cpu >= 20, "{:?}", page.items);
        let (status, _) = bed
            .send("GET", "/api/v1/clusters/gamma/nodes", Some(&bed.operator()))
            .await;
        assert_eq!(status, 404);
        bed.finish().await;
    }
}
