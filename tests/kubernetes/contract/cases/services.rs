//! Services and what they lead to.

use serde_json::{Value, json};

use super::cases;
use super::deployments::until_complete;
use crate::case::{Case, MERGE_PATCH, eventually};
use crate::objects::{WEB, deployment, service, unready_deployment};

cases![
    gives_an_address,
    gives_no_address_when_headless,
    keeps_its_address,
    gives_a_port_of_the_nodes,
    leads_to_ready_pods,
    leads_to_no_pod_that_is_not_ready,
    follows_pods_that_come_and_go,
    slices_its_endpoints since 21,
    finds_ports_by_name,
    answers_at_its_address,
];

async fn gives_an_address(case: &Case) {
    let one = case.create("services", service("one", "web")).await;
    let two = case.create("services", service("two", "web")).await;
    let address = |service: &Value| {
        service["spec"]["clusterIP"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(address(&one).parse::<std::net::IpAddr>().is_ok(), "{one:#}");
    assert_ne!(address(&one), address(&two));
    assert_eq!(one["spec"]["clusterIPs"], json!([address(&one)]));
    assert_eq!(one["status"], json!({"loadBalancer": {}}));
}

async fn gives_no_address_when_headless(case: &Case) {
    let mut body = service("web", "web");
    body["spec"]["clusterIP"] = json!("None");
    let stored = case.create("services", body).await;
    assert_eq!(stored["spec"]["clusterIP"], "None");
}

async fn keeps_its_address(case: &Case) {
    let stored = case.create("services", service("web", "web")).await;
    let patch = json!({"spec": {"selector": {"app": "other"}}});
    let patched = case
        .patch(&case.path("services/web"), MERGE_PATCH, patch)
        .await
        .ok(200);
    assert_eq!(patched["spec"]["clusterIP"], stored["spec"]["clusterIP"]);
    let patch = json!({"spec": {"clusterIP": "None", "clusterIPs": ["None"]}});
    let status = case
        .patch(&case.path("services/web"), MERGE_PATCH, patch)
        .await
        .refused(422, "Invalid");
    let field = status["details"]["causes"][0]["field"].as_str();
    assert!(
        field.is_some_and(|field| field.starts_with("spec.clusterIP")),
        "{status:#}"
    );
    let broken = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "broken"}, "spec": {"ports": [{"port": 0}]}});
    let status = case
        .post(&case.path("services"), broken)
        .await
        .refused(422, "Invalid");
    assert_eq!(
        status["details"]["causes"][0]["field"], "spec.ports[0].port",
        "{status:#}"
    );
}

async fn gives_a_port_of_the_nodes(case: &Case) {
    let mut body = service("web", "web");
    body["spec"]["type"] = json!("NodePort");
    let stored = case.create("services", body).await;
    let port = stored["spec"]["ports"][0]["nodePort"].as_u64().expect("a port");
    assert!((30000..=32767).contains(&port), "{port}");
}

fn addresses(endpoints: &Value, field: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for subset in endpoints["subsets"].as_array().into_iter().flatten() {
        for address in subset[field].as_array().into_iter().flatten() {
            found.push(address["ip"].as_str().expect("an address").to_owned());
        }
    }
    found.sort();
    found
}

async fn pod_addresses(case: &Case) -> Vec<String> {
    let pods = case.list("pods").await;
    let staying = pods
        .iter()
        .filter(|pod| pod["metadata"].get("deletionTimestamp").is_none());
    let mut found: Vec<String> = staying
        .map(|pod| pod["status"]["podIP"].as_str().unwrap_or_default().to_owned())
        .collect();
    found.sort();
    found
}

async fn endpoints(case: &Case) -> Value {
    let answer = case.get(&case.path("endpoints/web")).await;
    if answer.code == 200 {
        answer.body
    } else {
        json!({})
    }
}

async fn until_follows(case: &Case) {
    eventually("endpoints that follow the pods", async || {
        let (pods, ready) = (
            pod_addresses(case).await,
            addresses(&endpoints(case).await, "addresses"),
        );
        if pods == ready { Ok(()) } else { Err((pods, ready)) }
    })
    .await;
}

async fn leads_to_ready_pods(case: &Case) {
    case.create("services", service("web", "web")).await;
    case.create("deployments.apps", deployment("web", 2, WEB)).await;
    until_complete(case, "web").await;
    until_follows(case).await;
    let endpoints = endpoints(case).await;
    let subset = &endpoints["subsets"][0];
    assert_eq!(
        subset["ports"],
        json!([{"name": "http", "port": 8080, "protocol": "TCP"}])
    );
    let address = &subset["addresses"][0];
    assert!(address["nodeName"].is_string(), "{address:#}");
    assert_eq!(address["targetRef"]["kind"], "Pod");
    assert_eq!(address["targetRef"]["namespace"], case.namespace.as_str());
}

async fn leads_to_no_pod_that_is_not_ready(case: &Case) {
    case.create("services", service("web", "web")).await;
    case.create("deployments.apps", unready_deployment("web", 1))
        .await;
    let pods = super::pods::until_all_run(case, "app%3Dweb", 1).await;
    let address = pods[0]["status"]["podIP"]
        .as_str()
        .expect("an address")
        .to_owned();
    let endpoints = case
        .until("endpoints/web", |endpoints| {
            let waiting = addresses(endpoints, "notReadyAddresses");
            if waiting == [address.clone()] {
                Ok(endpoints.clone())
            } else {
                Err(waiting)
            }
        })
        .await;
    assert_eq!(addresses(&endpoints, "addresses"), Vec::<String>::new());
}

async fn follows_pods_that_come_and_go(case: &Case) {
    case.create("services", service("web", "web")).await;
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    for replicas in [2, 1, 0] {
        let patch = json!({"spec": {"replicas": replicas}});
        case.patch(&case.path("deployments.apps/web"), MERGE_PATCH, patch)
            .await
            .ok(200);
        until_complete(case, "web").await;
        until_follows(case).await;
        assert_eq!(addresses(&endpoints(case).await, "addresses").len(), replicas);
    }
}

async fn slices_its_endpoints(case: &Case) {
    case.create("services", service("web", "web")).await;
    case.create("deployments.apps", deployment("web", 2, WEB)).await;
    until_complete(case, "web").await;
    let pods = pod_addresses(case).await;
    eventually("slices that follow the pods", async || {
        let slices = case
            .list("endpointslices.discovery.k8s.io?labelSelector=kubernetes.io%2Fservice-name%3Dweb")
            .await;
        let mut ready = Vec::new();
        for endpoint in slices
            .iter()
            .flat_map(|slice| slice["endpoints"].as_array().cloned().unwrap_or_default())
        {
            if endpoint["conditions"]["ready"] == true && endpoint["conditions"]["serving"] == true {
                ready.push(endpoint["addresses"][0].as_str().expect("an address").to_owned());
            }
        }
        ready.sort();
        if ready == pods { Ok(()) } else { Err(ready) }
    })
    .await;
    let slices = case.list("endpointslices.discovery.k8s.io").await;
    assert_eq!(slices[0]["addressType"], "IPv4");
    assert_eq!(
        slices[0]["ports"],
        json!([{"name": "http", "port": 8080, "protocol": "TCP"}])
    );
    assert_eq!(slices[0]["metadata"]["ownerReferences"][0]["kind"], "Service");
}

async fn finds_ports_by_name(case: &Case) {
    let mut body = service("web", "web");
    body["spec"]["ports"][0]["targetPort"] = json!("http");
    case.create("services", body).await;
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    until_complete(case, "web").await;
    until_follows(case).await;
    assert_eq!(endpoints(case).await["subsets"][0]["ports"][0]["port"], 8080);
}

async fn answers_at_its_address(case: &Case) {
    let mut body = service("web", "web");
    // In the sandbox this is a port of this machine, and those below 1024 are for root.
    body["spec"]["ports"][0]["port"] = json!(8000);
    let stored = case.create("services", body).await;
    case.create("deployments.apps", deployment("web", 2, WEB)).await;
    until_complete(case, "web").await;
    until_follows(case).await;
    let address = format!(
        "{}:8000",
        stored["spec"]["clusterIP"].as_str().expect("an address")
    );
    let mut answered = std::collections::BTreeSet::new();
    eventually("answers of both pods", async || {
        let reply = super::pods::http_get(&address, "/")
            .await
            .map_err(|error| error.to_string())?;
        let body = reply.split_once("\r\n\r\n").ok_or("no body")?.1;
        let body: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
        answered.insert(body["pod"].to_string());
        if answered.len() == 2 {
            Ok(())
        } else {
            Err(format!("{answered:?}"))
        }
    })
    .await;
}
