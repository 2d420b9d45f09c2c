//! Faults: what callers see while one is on, and that all is well when it is over.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Event, Node, Pod};
use kube::api::{Api, DeleteParams, ListParams, PostParams, WatchEvent, WatchParams};
use sandbox::faults::{Fault, Latency, Only, Order};
use sandbox::{AccessRule, ClusterConfig};
use serde_json::{Value, json};

use crate::support::{Stage, client, config, eventually, http_with, is_ready, pod};

async fn reads(client: &kube::Client) -> Result<usize, String> {
    let pods: Api<Pod> = Api::all(client.clone());
    let everything = ListParams::default();
    match tokio::time::timeout(Duration::from_secs(1), pods.list(&everything)).await {
        Ok(Ok(list)) => Ok(list.items.len()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("hangs".into()),
    }
}

fn ready_of(node: &Node) -> String {
    let conditions = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let mut ready = conditions
        .into_iter()
        .filter(|condition| condition.type_ == "Ready");
    ready.next().map(|ready| ready.status.clone()).unwrap_or_default()
}

/// A stage whose nodes are given up quickly.
async fn impatient() -> Stage {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = config(&directory);
    settings.clusters = vec![ClusterConfig {
        name: "east".into(),
        nodes: 2,
        node_grace_seconds: 0.5,
        ..ClusterConfig::default()
    }];
    Stage::with(settings, directory).await
}

#[tokio::test]
async fn the_admin_endpoint_puts_faults_on_and_clears_them() {
    let stage = Stage::new().await;
    let admin = stage.sandbox.admin_address().unwrap().to_string();
    let call = async |method: &str, path: &str, body: Value| {
        let (status, text) = http_with(method, &admin, path, &body.to_string()).await.unwrap();
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, on) = call("POST", "/clusters/east/faults", json!({"type": "down"})).await;
    assert_eq!(status, 201, "{on}");
    eventually(|| async {
        if reads(&stage.client).await.is_err() {
            Ok(())
        } else {
            Err("up")
        }
    })
    .await;
    let (_, shown) = call("GET", "/clusters/east/faults", Value::Null).await;
    assert_eq!(shown["items"][0]["type"], "down");
    let (status, shown) = call(
        "DELETE",
        &format!("/clusters/east/faults/{}", on["id"]),
        Value::Null,
    )
    .await;
    assert_eq!((status, &shown["items"]), (200, &json!([])));
    eventually(|| reads(&stage.client)).await;

    let plan = json!({"seed": 5, "seconds": 600, "types": ["slow"]});
    let (status, shown) = call("POST", "/clusters/east/faults/schedule", plan).await;
    assert_eq!(status, 200, "{shown}");
    assert!(
        shown["planned"]
            .as_array()
            .is_some_and(|planned| planned.len() > 2),
        "{shown}"
    );
    let (_, shown) = call("DELETE", "/clusters/east/faults", Value::Null).await;
    assert_eq!(shown, json!({"items": [], "planned": []}));
    let (status, refused) = call("POST", "/clusters/east/faults", json!({"type": "earthquake"})).await;
    assert_eq!((status, &refused["code"]), (422, &json!("invalid")), "{refused}");
    let (status, _) = call("DELETE", "/clusters/east/faults/77", Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_cluster_flaps_and_a_fault_ends_by_itself() {
    let stage = Stage::new().await;
    let faults = stage.cluster().faults();
    faults.put_on(Fault::Flapping {
        up_seconds: 0.5,
        down_seconds: 0.5,
    });
    for up in [false, true, false, true] {
        eventually(|| async {
            let is = reads(&stage.client).await.is_ok();
            if is == up { Ok(()) } else { Err(is) }
        })
        .await;
    }
    faults.clear_all();
    faults.put_on(Order::from(Fault::Down {}).for_seconds(0.5));
    eventually(|| async {
        if reads(&stage.client).await.is_err() {
            Ok(())
        } else {
            Err("up")
        }
    })
    .await;
    eventually(|| reads(&stage.client)).await;
    assert_eq!(faults.describe()["items"], json!([]));
}

#[tokio::test]
async fn one_caller_is_cut_off_and_the_others_get_through() {
    let stage = Stage::new().await;
    let rules = [AccessRule {
        group: "*",
        resources: &["*"],
        verbs: &["*"],
    }];
    let other = client(&stage.cluster().limited_kubeconfig("platform", &rules).unwrap()).await;
    reads(&other).await.unwrap();
    let only = Only {
        users: vec!["platform".into()],
        ..Only::default()
    };
    let faults = stage.cluster().faults();
    let number = faults.put_on(
        Order::from(Fault::ClientsCut {
            manner: Default::default(),
        })
        .only(only.clone()),
    );
    assert_eq!(reads(&other).await, Err("hangs".into()));
    reads(&stage.client).await.unwrap();
    faults.clear(number);
    eventually(|| reads(&other)).await;
    faults.put_on(
        Order::from(Fault::ClientsCut {
            manner: sandbox::faults::Manner::Close,
        })
        .only(only),
    );
    assert_ne!(reads(&other).await.unwrap_err(), "hangs");
    reads(&stage.client).await.unwrap();
}

#[tokio::test]
async fn requests_are_slow_refused_and_broken_off() {
    let stage = Stage::new().await;
    let faults = stage.cluster().faults();
    let number = faults.put_on(Fault::Slow {
        latency: Latency::Fixed(300.0),
    });
    let started = Instant::now();
    reads(&stage.client).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));
    faults.clear(number);

    let number = faults.put_on(Fault::TooManyRequests {
        share: 1.0,
        retry_after_seconds: 7,
    });
    let request = http::Request::get("/api/v1/pods")
        .body(kube::client::Body::empty())
        .unwrap();
    let response = stage.client.send(request).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    faults.clear(number);

    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), "default");
    let large = json!({"metadata": {"name": "large"}, "data": {"text": "x".repeat(100_000)}});
    maps.create(&PostParams::default(), &serde_json::from_value(large).unwrap())
        .await
        .unwrap();
    faults.put_on(Fault::DroppedBodies {
        share: 1.0,
        after_bytes: 5000,
    });
    let request = http::Request::get("/api/v1/namespaces/default/configmaps/large");
    let response = stage
        .client
        .send(request.body(kube::client::Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 200, "the head still comes");
    let body = http_body_util::BodyExt::collect(response.into_body());
    let body = tokio::time::timeout(Duration::from_secs(10), body)
        .await
        .expect("the connection breaks");
    assert!(body.is_err(), "the body is whole");
    faults.clear_all();
    maps.get("large").await.unwrap();
}

#[tokio::test]
async fn a_running_watch_is_told_that_its_history_is_gone() {
    let stage = Stage::new().await;
    let pods = stage.pods();
    let stream = pods.watch(&WatchParams::default(), "0").await.unwrap();
    futures::pin_mut!(stream);
    stage.cluster().faults().put_on(Fault::ExpiredWatches {
        every_seconds: Some(0.2),
    });
    let last = tokio::time::timeout(Duration::from_secs(10), async {
        while let Some(event) = stream.try_next().await.unwrap() {
            if let WatchEvent::Error(status) = event {
                return status.code;
            }
        }
        0
    });
    assert_eq!(last.await.unwrap(), 410);
    assert!(stream.next().await.is_none(), "the watch ends");
}

#[tokio::test]
async fn the_clock_is_wrong_while_it_is_and_right_afterwards() {
    let stage = Stage::new().await;
    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), "default");
    let created = async |name: &str| {
        let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        let made = maps.create(&PostParams::default(), &map).await.unwrap();
        let time = made.metadata.creation_timestamp.unwrap().0.to_string();
        let time = chrono::DateTime::parse_from_rfc3339(&time).unwrap();
        (chrono::Utc::now() - time.to_utc()).num_seconds()
    };
    let number = stage
        .cluster()
        .faults()
        .put_on(Fault::ClockSkew { seconds: -600.0 });
    let round = std::sync::atomic::AtomicU32::new(0);
    let next = || format!("map-{}", round.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    eventually(|| async {
        match created(&next()).await {
            behind @ 595..=605 => Ok(behind),
            other => Err(other),
        }
    })
    .await;
    stage.cluster().faults().clear(number);
    eventually(|| async {
        match created(&next()).await {
            right @ -1..=5 => Ok(right),
            other => Err(other),
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_node_is_unknown_its_pods_move_and_it_catches_up() {
    let stage = impatient().await;
    let mut wanted = pod("web", "shop/web:1");
    wanted["spec"]["tolerations"] = json!([
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1},
    ]);
    stage.run(wanted).await;
    let web = stage.until("web", is_ready).await;
    let node = web.spec.unwrap().node_name.unwrap();
    let nodes: Api<Node> = Api::all(stage.client.clone());
    let node_is = async |status: &str| {
        eventually(|| async {
            let is = ready_of(&nodes.get(&node).await.unwrap());
            if is == status { Ok(()) } else { Err(is) }
        })
        .await;
    };
    let number = stage.cluster().faults().put_on(Fault::KubeletsCut {
        nodes: vec![node.clone()],
    });
    node_is("Unknown").await;
    stage.until("web", |pod| !is_ready(pod)).await;
    let gone = stage
        .until("web", |pod| pod.metadata.deletion_timestamp.is_some())
        .await;
    let logs = stage
        .pods()
        .logs("web", &kube::api::LogParams::default())
        .await
        .unwrap_err();
    assert!(logs.to_string().contains("i/o timeout"), "{logs}");
    let events: Api<Event> = Api::all(stage.client.clone());
    eventually(|| async {
        let list = events.list(&ListParams::default()).await.unwrap();
        let said = list
            .items
            .iter()
            .any(|event| event.reason.as_deref() == Some("NodeNotReady"));
        if said { Ok(()) } else { Err("not said") }
    })
    .await;
    let unschedulable = nodes.get(&node).await.unwrap().spec.unwrap().taints.unwrap();
    assert_eq!(unschedulable.len(), 2, "{unschedulable:?}");
    stage.cluster().faults().clear(number);
    node_is("True").await;
    eventually(|| async {
        match stage.pods().get_opt("web").await.unwrap() {
            Some(pod) if pod.metadata.uid == gone.metadata.uid => Err(pod.status),
            _ => Ok(()),
        }
    })
    .await;
    assert!(nodes.get(&node).await.unwrap().spec.unwrap().taints.is_none());
}

#[tokio::test]
async fn a_lost_node_starts_its_pods_anew_when_it_is_back() {
    let stage = impatient().await;
    stage.run(pod("web", "shop/web:1")).await;
    let web = stage.until("web", is_ready).await;
    let address = format!("{}:8080", web.status.unwrap().pod_ip.unwrap());
    assert_eq!(crate::support::http("GET", &address, "/").await.unwrap().0, 200);
    let node = web.spec.unwrap().node_name.unwrap();
    let number = stage.cluster().faults().put_on(Fault::NodeLost { node });
    eventually(|| async {
        match crate::support::http("GET", &address, "/").await {
            Ok(answer) => Err(answer),
            Err(_) => Ok(()),
        }
    })
    .await;
    stage.until("web", |pod| !is_ready(pod)).await;
    stage.cluster().faults().clear(number);
    let web = stage
        .until("web", |pod| is_ready(pod) && crate::support::restarts(pod) == 1)
        .await;
    assert!(web.metadata.deletion_timestamp.is_none());
    eventually(|| crate::support::http("GET", &address, "/")).await;
    stage
        .pods()
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    eventually(|| async {
        match stage.pods().get_opt("web").await.unwrap() {
            Some(pod) => Err(pod.status),
            None => Ok(()),
        }
    })
    .await;
}
