//! Load on services, and the figures that follow from it, by every way they are shown.

use std::process::Stdio;

use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use crate::support::{Stage, deployment, eventually, http, http_with};

/// A service `web` with two pods that may use half a core and 64Mi.
async fn web() -> (Stage, String) {
    let stage = Stage::new().await;
    let admin = stage.sandbox.admin_address().unwrap().to_string();
    let mut wanted = serde_json::to_value(deployment("web", "shop/web:1", 2)).unwrap();
    wanted["spec"]["template"]["spec"]["containers"][0]["resources"] =
        json!({"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}});
    stage
        .deploy("default", &serde_json::from_value(wanted).unwrap())
        .await;
    let service = json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 8000, "targetPort": 8080}]}});
    let services: Api<Service> = Api::namespaced(stage.client.clone(), "default");
    let service: Service = serde_json::from_value(service).unwrap();
    services.create(&PostParams::default(), &service).await.unwrap();
    eventually(|| async {
        let ready = ask(
            &admin,
            "sum(kube_pod_status_ready{namespace=\"default\",condition=\"true\"})",
        )
        .await;
        if first(&ready) == Some(2.0) {
            Ok(())
        } else {
            Err(ready)
        }
    })
    .await;
    (stage, admin)
}

async fn put(admin: &str, load: Value) {
    let (status, body) = http_with("PUT", admin, "/clusters/east/load/default/web", &load.to_string())
        .await
        .unwrap();
    assert_eq!(status, 200, "{body}");
}

async fn ask(admin: &str, query: &str) -> Value {
    let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let path = format!("/clusters/east/prometheus/api/v1/query?query={escaped}");
    let (_, body) = http("GET", admin, &path).await.unwrap();
    serde_json::from_str(&body).unwrap()
}

fn first(answer: &Value) -> Option<f64> {
    answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

/// Asks until the first value is as wanted.
async fn until(admin: &str, query: &str, wanted: impl Fn(f64) -> bool) -> f64 {
    eventually(|| async {
        let answer = ask(admin, query).await;
        match first(&answer) {
            Some(value) if wanted(value) => Ok(value),
            _ => Err(answer),
        }
    })
    .await
}

#[tokio::test]
async fn load_is_shared_among_the_ready_pods_and_shown_everywhere() {
    let (stage, admin) = web().await;
    // 40 requests of 10 ms: 0.2 cores for each of the two pods, besides what they use at rest.
    put(
        &admin,
        json!({"shape": {"type": "constant", "rps": 40}, "cpu_milliseconds": 10, "memory_bytes": 1048576}),
    )
    .await;
    let rate = "min by (pod) (rate(container_cpu_usage_seconds_total{namespace=\"default\"}[5s]))";
    until(&admin, rate, |cores| (0.18..0.23).contains(&cores)).await;
    until(&admin, "sum(rate(sandbox_requests_total[5s]))", |rate| {
        (38.0..42.0).contains(&rate)
    })
    .await;
    until(
        &admin,
        "sum(rate(container_network_transmit_bytes_total[5s])) / 40",
        |bytes| (4000.0..4300.0).contains(&bytes),
    )
    .await;
    let memory = until(&admin, "max(container_memory_working_set_bytes)", |_| true).await;
    assert!((40.0..46.0).contains(&(memory / 1048576.0)), "{memory}");
    let request = http::Request::get("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods");
    let metrics: Value = stage
        .client
        .request(request.body(Vec::new()).unwrap())
        .await
        .unwrap();
    for item in metrics["items"].as_array().unwrap() {
        let cpu = item["containers"][0]["usage"]["cpu"]
            .as_str()
            .unwrap()
            .trim_end_matches('u');
        let cores = cpu.parse::<f64>().unwrap() / 1e6;
        assert!((0.2..0.21).contains(&cores), "{item}");
    }
    let request = http::Request::get("/apis/metrics.k8s.io/v1beta1/nodes");
    let nodes: Value = stage
        .client
        .request(request.body(Vec::new()).unwrap())
        .await
        .unwrap();
    let nodes = nodes["items"].as_array().unwrap();
    let used = |node: &Value| {
        let cpu = node["usage"]["cpu"].as_str().unwrap().trim_end_matches('u');
        cpu.parse::<f64>().unwrap() / 1e6 - 0.05
    };
    let total: f64 = nodes.iter().map(used).sum();
    assert!((0.4..0.42).contains(&total), "both pods and no more: {nodes:?}");
    let (_, shown) = http("GET", &admin, "/clusters/east/load").await.unwrap();
    assert!(shown.contains("\"rps\":40"), "{shown}");
    let (status, _) = http("DELETE", &admin, "/clusters/east/load/default/web")
        .await
        .unwrap();
    assert_eq!(status, 200);
    until(&admin, rate, |cores| cores < 0.01).await;
    let (status, body) = http_with("PUT", &admin, "/clusters/east/load/default/web", "{\"shape\": 3}")
        .await
        .unwrap();
    assert_eq!(status, 422, "{body}");
}

#[tokio::test]
async fn too_much_load_throttles_and_too_much_memory_kills() {
    let (stage, admin) = web().await;
    put(
        &admin,
        json!({"shape": {"type": "constant", "rps": 200}, "cpu_milliseconds": 10}),
    )
    .await;
    until(
        &admin,
        "min(rate(container_cpu_usage_seconds_total[5s]))",
        |cores| (0.49..0.51).contains(&cores),
    )
    .await;
    let share = "min(rate(container_cpu_cfs_throttled_periods_total[5s]) / rate(container_cpu_cfs_periods_total[5s]))";
    until(&admin, share, |share| share > 0.9).await;
    put(
        &admin,
        json!({"shape": {"type": "constant", "rps": 2}, "memory_bytes": 209715200}),
    )
    .await;
    until(
        &admin,
        "max(kube_pod_container_status_restarts_total)",
        |restarts| restarts >= 1.0,
    )
    .await;
    let list = stage
        .pods()
        .list(&kube::api::ListParams::default())
        .await
        .unwrap();
    let killed = list.items.iter().any(|pod| {
        serde_json::to_value(pod).unwrap()["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"]
            == "OOMKilled"
    });
    assert!(killed, "{list:?}");
}

#[tokio::test]
async fn queries_over_a_range_and_queries_that_are_refused() {
    let (stage, admin) = web().await;
    let now = chrono::Utc::now().timestamp();
    let query = "sum%20by%20(namespace)(container_memory_working_set_bytes)";
    let path = format!(
        "/clusters/east/prometheus/api/v1/query_range?query={query}&start={}&end={now}&step=1s",
        now - 30
    );
    let (status, body) = http("GET", &admin, &path).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["data"]["resultType"], "matrix");
    assert_eq!(
        body["data"]["result"][0]["metric"],
        json!({"namespace": "default"})
    );
    assert!(!body["data"]["result"][0]["values"].as_array().unwrap().is_empty());
    for query in ["topk(1,%20kube_pod_info)", "up", "rate(kube_pod_info)"] {
        let path = format!("/clusters/east/prometheus/api/v1/query?query={query}");
        let (status, body) = http("GET", &admin, &path).await.unwrap();
        assert_eq!(status, 400, "{body}");
        assert!(body.contains("bad_data"), "{body}");
    }
    // At the API server too, with the cluster's own rights.
    let request = http::Request::post("/api/v1/query")
        .body(b"query=count(kube_node_info)".to_vec())
        .unwrap();
    let answer: Value = stage.client.request(request).await.unwrap();
    assert_eq!(first(&answer), Some(2.0));
}

#[tokio::test]
async fn pods_that_are_gone_are_looked_back_at() {
    let (stage, admin) = web().await;
    put(
        &admin,
        json!({"shape": {"type": "constant", "rps": 40}, "cpu_milliseconds": 10}),
    )
    .await;
    let rate = "min by (pod) (rate(container_cpu_usage_seconds_total{namespace=\"default\"}[5s]))";
    until(&admin, rate, |cores| cores > 0.18).await;
    let pods = stage.pods();
    let list = pods.list(&kube::api::ListParams::default()).await.unwrap();
    let name = list.items[0].metadata.name.clone().unwrap();
    pods.delete(&name, &kube::api::DeleteParams::default())
        .await
        .unwrap();
    eventually(|| async {
        match pods.get_opt(&name).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let own = format!("sum by (pod) (rate(container_cpu_usage_seconds_total{{pod=\"{name}\"}}[5s]))");
    eventually(|| async {
        let now = ask(&admin, &own).await;
        if now["data"]["result"] == json!([]) {
            Ok(())
        } else {
            Err(now)
        }
    })
    .await;
    let escaped: String = own.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let values = eventually(|| async {
        let end = chrono::Utc::now().timestamp();
        let path = format!(
            "/clusters/east/prometheus/api/v1/query_range?query={escaped}&start={}&end={end}&step=1",
            end - 600
        );
        let (_, body) = http("GET", &admin, &path).await.unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        body["data"]["result"][0]["values"]
            .as_array()
            .cloned()
            .ok_or(body)
    })
    .await;
    let cores = |value: &Value| value[1].as_str().unwrap().parse::<f64>().unwrap();
    assert!(values.iter().any(|value| cores(value) > 0.1), "{values:?}");
}

/// Ends with the test.
struct Prometheus(#[expect(dead_code, reason = "is killed when it is dropped")] tokio::process::Child);

#[tokio::test]
async fn a_real_prometheus_scrapes_it() {
    let (stage, admin) = web().await;
    put(
        &admin,
        json!({"shape": {"type": "constant", "rps": 40}, "cpu_milliseconds": 10}),
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig: Value = serde_saphyr::from_str(&stage.cluster().token_kubeconfig()).unwrap();
    let token = kubeconfig["users"][0]["user"]["token"].as_str().unwrap();
    let target = stage.cluster().url().replace("https://", "");
    let config = json!({"global": {"scrape_interval": "1s"}, "scrape_configs": [{
        "job_name": "east", "scheme": "https", "authorization": {"credentials": token},
        "tls_config": {"insecure_skip_verify": true}, "static_configs": [{"targets": [target]}],
    }]});
    std::fs::write(folder.path().join("prometheus.yml"), config.to_string()).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let child = tokio::process::Command::new("prometheus")
        .arg(format!(
            "--config.file={}",
            folder.path().join("prometheus.yml").display()
        ))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("prometheus is installed: tests/setup/packages prometheus");
    let _running = Prometheus(child);
    let query =
        "sum%28rate%28container_cpu_usage_seconds_total%7Bnamespace%3D%22default%22%7D%5B10s%5D%29%29";
    let address = port.to_string();
    eventually(|| async {
        let (_, body) = http("GET", &address, &format!("/api/v1/query?query={query}"))
            .await
            .map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&body).map_err(|_| body.clone())?;
        match first(&answer) {
            Some(cores) if (0.35..0.45).contains(&cores) => Ok(()),
            _ => Err(body),
        }
    })
    .await;
}

/// Cores of a list of `metrics.k8s.io`, summed over what each item lists.
async fn cores_of(stage: &Stage, what: &str, read: impl Fn(&Value) -> &Value) -> f64 {
    let request = http::Request::get(format!("/apis/metrics.k8s.io/v1beta1/{what}"));
    let list: Value = stage
        .client
        .request(request.body(Vec::new()).unwrap())
        .await
        .unwrap();
    let cores = |item: &Value| {
        let cpu = read(item)["cpu"].as_str().unwrap().trim_end_matches('u');
        cpu.parse::<f64>().unwrap() / 1e6
    };
    list["items"].as_array().unwrap().iter().map(cores).sum()
}

/// Of pods that are alike one is read for the nodes; each counts all the same.
#[tokio::test]
async fn nodes_use_at_rest_what_their_pods_use() {
    let (stage, _) = web().await;
    let pods = cores_of(&stage, "pods", |pod| &pod["containers"][0]["usage"]).await;
    let nodes = cores_of(&stage, "nodes", |node| &node["usage"]).await;
    let all: Api<k8s_openapi::api::core::v1::Node> = Api::all(stage.client.clone());
    let count = all.list(&Default::default()).await.unwrap().items.len() as f64;
    assert!(pods > 0.004, "two pods at rest: {pods}");
    assert!(
        (nodes - 0.05 * count - pods).abs() < 0.0005,
        "{nodes} of {count} beside {pods}"
    );
}
