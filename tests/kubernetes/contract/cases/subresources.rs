//! Scale, status and eviction.

use serde_json::{Value, json};

use super::cases;
use crate::case::{Case, MERGE_PATCH, STRATEGIC_MERGE_PATCH, eventually};
use crate::objects::{WEB, WEB_2, deployment, pod, service};

cases![
    reads_and_writes_the_scale,
    refuses_a_stale_scale,
    keeps_status_and_spec_apart,
    evicts_a_pod,
    evicts_nothing_that_a_budget_protects,
    puts_ephemeral_containers_into_a_pod since 25,
];

async fn reads_and_writes_the_scale(case: &Case) {
    case.create("deployments.apps", deployment("web", 0, WEB)).await;
    let path = case.path("deployments.apps/web/scale");
    let scale = case.get(&path).await.ok(200);
    assert_eq!(
        (&scale["apiVersion"], &scale["kind"]),
        (&json!("autoscaling/v1"), &json!("Scale"))
    );
    assert_eq!(scale["metadata"]["name"], "web");
    assert!(scale["spec"]["replicas"].as_u64().unwrap_or(0) == 0, "{scale:#}");
    assert_eq!(scale["status"]["selector"], "app=web");
    let patched = case
        .patch(&path, MERGE_PATCH, json!({"spec": {"replicas": 2}}))
        .await
        .ok(200);
    assert_eq!(
        (&patched["kind"], &patched["spec"]["replicas"]),
        (&json!("Scale"), &json!(2))
    );
    let deployment = case.read("deployments.apps/web").await;
    assert_eq!(deployment["spec"]["replicas"], 2);
    assert_eq!(deployment["metadata"]["generation"], 2);
    super::deployments::until_complete(case, "web").await;
    let mut scale = case.get(&path).await.ok(200);
    assert_eq!(scale["status"]["replicas"], 2);
    scale["spec"]["replicas"] = json!(1);
    case.put(&path, scale).await.ok(200);
    assert_eq!(case.read("deployments.apps/web").await["spec"]["replicas"], 1);
}

async fn refuses_a_stale_scale(case: &Case) {
    case.create("deployments.apps", deployment("web", 0, WEB)).await;
    let path = case.path("deployments.apps/web/scale");
    let mut stale = case.get(&path).await.ok(200);
    case.patch(
        &case.path("deployments.apps/web"),
        MERGE_PATCH,
        json!({"metadata": {"labels": {"new": "label"}}}),
    )
    .await
    .ok(200);
    stale["spec"]["replicas"] = json!(1);
    case.put(&path, stale).await.refused(409, "Conflict");
    case.get(&case.path("deployments.apps/none/scale"))
        .await
        .refused(404, "NotFound");
}

/// A Service: nothing else writes its status here.
async fn keeps_status_and_spec_apart(case: &Case) {
    let stored = case.create("services", service("web", "web")).await;
    let status = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}});
    let both = json!({"metadata": {"labels": {"by": "status"}}, "spec": {"selector": {"app": "other"}}, "status": status});
    let written = case
        .patch(&case.path("services/web/status"), MERGE_PATCH, both)
        .await
        .ok(200);
    assert_eq!(written["status"]["loadBalancer"]["ingress"][0]["ip"], "192.0.2.7");
    assert_eq!(
        written["spec"], stored["spec"],
        "the spec is not the status' to write"
    );
    let both = json!({"spec": {"selector": {"app": "other"}}, "status": {"loadBalancer": {"ingress": []}}});
    let written = case
        .patch(&case.path("services/web"), MERGE_PATCH, both)
        .await
        .ok(200);
    assert_eq!(written["spec"]["selector"]["app"], "other");
    assert_eq!(
        written["status"]["loadBalancer"]["ingress"][0]["ip"], "192.0.2.7",
        "nor the reverse"
    );
}

async fn first_pod(case: &Case) -> String {
    case.list("pods").await[0]["metadata"]["name"]
        .as_str()
        .expect("a name")
        .to_owned()
}

fn eviction(case: &Case, pod: &str) -> Value {
    let version = if case.minor < 22 {
        "policy/v1beta1"
    } else {
        "policy/v1"
    };
    json!({"apiVersion": version, "kind": "Eviction", "metadata": {"name": pod, "namespace": case.namespace}})
}

async fn evicts_a_pod(case: &Case) {
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    super::deployments::until_complete(case, "web").await;
    let pod = first_pod(case).await;
    let status = case
        .post(&case.path(&format!("pods/{pod}/eviction")), eviction(case, &pod))
        .await
        .ok(201);
    assert_eq!(status["status"], "Success");
    case.until_gone(&format!("pods/{pod}")).await;
    // The status may be from before, so it doesn't tell that the next one is there.
    eventually("another pod", async || {
        let pods = case.list("pods").await;
        let another = pods.iter().any(|other| other["metadata"]["name"] != pod.as_str());
        if another { Ok(()) } else { Err(pods.len()) }
    })
    .await;
    case.post(&case.path("pods/none/eviction"), eviction(case, "none"))
        .await
        .refused(404, "NotFound");
}

async fn evicts_nothing_that_a_budget_protects(case: &Case) {
    case.create("deployments.apps", deployment("web", 2, WEB)).await;
    let version = if case.minor < 21 {
        "policy/v1beta1"
    } else {
        "policy/v1"
    };
    let budget = json!({
        "apiVersion": version, "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    });
    case.create("poddisruptionbudgets.policy", budget).await;
    super::deployments::until_complete(case, "web").await;
    case.until("poddisruptionbudgets.policy/web", |budget| {
        let status = &budget["status"];
        if status["currentHealthy"] == 2 && status["disruptionsAllowed"] == 0 {
            Ok(())
        } else {
            Err(status.clone())
        }
    })
    .await;
    let pod = first_pod(case).await;
    let answer = case
        .post(&case.path(&format!("pods/{pod}/eviction")), eviction(case, &pod))
        .await;
    let status = answer.refused(429, "TooManyRequests");
    assert_eq!(
        status["details"]["causes"][0]["reason"], "DisruptionBudget",
        "{status:#}"
    );
    assert_eq!(
        case.read(&format!("pods/{pod}")).await["metadata"].get("deletionTimestamp"),
        None
    );
}

async fn puts_ephemeral_containers_into_a_pod(case: &Case) {
    super::pods::create(case, pod("web", WEB)).await;
    super::pods::until_ready(case, "web").await;
    let path = case.path("pods/web/ephemeralcontainers");
    let put = async |container: Value| {
        let body = json!({"spec": {"ephemeralContainers": [container]}});
        case.patch(&path, STRATEGIC_MERGE_PATCH, body).await
    };
    let put_in = put(json!({"name": "look", "image": WEB, "targetContainerName": "web"}))
        .await
        .ok(200);
    assert_eq!(put_in["kind"], "Pod");
    let container = &put_in["spec"]["ephemeralContainers"][0];
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    let pod = case
        .until("pods/web", |pod| {
            let status = &pod["status"]["ephemeralContainerStatuses"][0];
            if status["name"] == "look" && status["state"]["running"].is_object() {
                Ok(pod.clone())
            } else {
                Err("it does not run")
            }
        })
        .await;
    let ready = super::deployments::condition(&pod, "Ready").expect("a condition");
    assert_eq!(ready["status"], "True");
    assert_eq!(
        pod["status"]["containerStatuses"].as_array().map(Vec::len),
        Some(1)
    );
    for refused in [
        json!({"name": "look", "image": WEB_2}),
        json!({"$patch": "delete", "name": "look"}),
        json!({"name": "web", "image": WEB}),
        json!({"name": "other"}),
        json!({"name": "other", "image": WEB, "targetContainerName": "none"}),
        json!({"name": "other", "image": WEB, "ports": [{"containerPort": 80}]}),
    ] {
        let answer = put(refused.clone()).await;
        assert_eq!(answer.code, 422, "{refused}: {:#}", answer.body);
        answer.refused(422, "Invalid");
    }
    let body = json!({"spec": {"ephemeralContainers": [{"name": "other", "image": WEB}]}});
    case.patch(&case.path("pods/web"), STRATEGIC_MERGE_PATCH, body)
        .await
        .refused(422, "Invalid");
}
