//! Pods: their life, and how they tell what is wrong with them.

use serde_json::{Value, json};

use super::cases;
use super::deployments::condition;
use crate::case::{Case, eventually};
use crate::objects::{CRASH, MISSING, WEB, ending_pod, pod};

cases![
    runs_and_is_ready,
    says_that_an_image_is_missing,
    says_that_a_container_keeps_crashing,
    ends_well_or_badly,
    says_that_it_fits_on_no_node,
    says_that_no_node_matches,
    answers_http_at_its_address,
    is_given_its_environment,
    runs_without_root,
    mounts_configuration,
    waits_for_its_claim,
    runs_init_containers_first,
    refuses_changes_of_its_spec,
];

/// Creates the pod once its namespace has a service account, without which no pod is let in.
pub async fn create(case: &Case, body: Value) -> Value {
    eventually("the default service account", async || {
        let answer = case.get(&case.path("serviceaccounts/default")).await;
        if answer.code == 200 { Ok(()) } else { Err(answer) }
    })
    .await;
    case.create("pods", body).await
}

pub async fn until_ready(case: &Case, name: &str) -> Value {
    case.until(&format!("pods/{name}"), |pod| match condition(pod, "Ready") {
        Some(ready) if ready["status"] == "True" => Ok(pod.clone()),
        _ => Err("not ready"),
    })
    .await
}

/// Until that many pods of the selector run, ready or not.
pub async fn until_all_run(case: &Case, selector: &str, count: usize) -> Vec<Value> {
    eventually("running pods", async || {
        let pods = case
            .list(&format!(
                "pods?labelSelector={selector}&fieldSelector=status.phase%3DRunning"
            ))
            .await;
        if pods.len() == count {
            Ok(pods)
        } else {
            Err(pods.len())
        }
    })
    .await
}

fn state<'a>(pod: &'a Value, state: &str) -> Option<&'a Value> {
    pod["status"]["containerStatuses"][0]["state"].get(state)
}

/// Events about the pod with the reason.
async fn event(case: &Case, pod: &str, reason: &str) -> Value {
    let query = format!("events?fieldSelector=involvedObject.name%3D{pod}%2Creason%3D{reason}");
    eventually(&format!("an event {reason}"), async || {
        case.list(&query).await.into_iter().next().ok_or("none")
    })
    .await
}

async fn runs_and_is_ready(case: &Case) {
    create(case, pod("web", WEB)).await;
    let pod = until_ready(case, "web").await;
    let status = &pod["status"];
    assert_eq!(status["phase"], "Running");
    assert_eq!(status["qosClass"], "BestEffort");
    for field in ["podIP", "hostIP"] {
        let address = status[field].as_str().expect("an address");
        assert!(address.parse::<std::net::IpAddr>().is_ok(), "{field}: {address}");
    }
    assert_eq!(status["podIPs"], json!([{"ip": status["podIP"]}]));
    assert!(status["startTime"].is_string(), "{status:#}");
    for kind in ["PodScheduled", "Initialized", "ContainersReady", "Ready"] {
        let condition = condition(&pod, kind).unwrap_or_else(|| panic!("no condition {kind} in {status:#}"));
        assert_eq!(condition["status"], "True");
        assert!(condition["lastTransitionTime"].is_string(), "{condition:#}");
    }
    let container = &status["containerStatuses"][0];
    assert_eq!(container["name"], "web");
    assert_eq!(
        (&container["ready"], &container["started"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(container["restartCount"], 0);
    assert_eq!(container["image"], WEB);
    assert!(
        container["imageID"]
            .as_str()
            .is_some_and(|id| id.contains("sha256:")),
        "{container:#}"
    );
    assert!(
        container["containerID"]
            .as_str()
            .is_some_and(|id| id.contains("://")),
        "{container:#}"
    );
    assert!(
        container["state"]["running"]["startedAt"].is_string(),
        "{container:#}"
    );
    let node = pod["spec"]["nodeName"].as_str().expect("a node");
    case.get(&format!("/api/v1/nodes/{node}")).await.ok(200);
    let scheduled = event(case, "web", "Scheduled").await;
    assert!(
        scheduled["message"]
            .as_str()
            .is_some_and(|message| message.contains(node)),
        "{scheduled:#}"
    );
    event(case, "web", "Started").await;
}

async fn says_that_an_image_is_missing(case: &Case) {
    create(case, pod("web", MISSING)).await;
    let mut seen = Vec::new();
    let pod = case
        .until("pods/web", |pod| {
            let reason = state(pod, "waiting")
                .and_then(|waiting| waiting["reason"].as_str())
                .unwrap_or("none");
            if !seen.contains(&reason.to_owned()) {
                seen.push(reason.to_owned());
            }
            let both = ["ErrImagePull", "ImagePullBackOff"]
                .iter()
                .all(|reason| seen.contains(&(*reason).to_owned()));
            if both { Ok(pod.clone()) } else { Err(seen.clone()) }
        })
        .await;
    assert_eq!(pod["status"]["phase"], "Pending");
    assert_eq!(condition(&pod, "Ready").expect("a condition")["status"], "False");
    assert_eq!(
        condition(&pod, "Ready").expect("a condition")["reason"],
        "ContainersNotReady"
    );
    let message = state(&pod, "waiting").expect("it waits")["message"]
        .as_str()
        .expect("a message");
    assert!(message.contains(MISSING), "{message}");
    let failed = event(case, "web", "Failed").await;
    assert_eq!(failed["type"], "Warning");
    assert!(failed["message"].is_string(), "{failed:#}");
    event(case, "web", "BackOff").await;
}

async fn says_that_a_container_keeps_crashing(case: &Case) {
    create(case, pod("web", CRASH)).await;
    let pod = case
        .until("pods/web", |pod| {
            let waiting =
                state(pod, "waiting").is_some_and(|waiting| waiting["reason"] == "CrashLoopBackOff");
            if waiting {
                Ok(pod.clone())
            } else {
                Err("no CrashLoopBackOff")
            }
        })
        .await;
    let container = &pod["status"]["containerStatuses"][0];
    assert_eq!(container["ready"], false);
    assert!(
        container["state"]["waiting"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("back-off")),
        "{container:#}"
    );
    let last = &container["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["reason"]), (&json!(1), &json!("Error")));
    assert!(
        last["startedAt"].is_string() && last["finishedAt"].is_string(),
        "{last:#}"
    );
    // A container that ended is no reason to give up on the pod.
    assert_eq!(pod["status"]["phase"], "Running");
    case.until("pods/web", |pod| {
        if pod["status"]["containerStatuses"][0]["restartCount"].as_u64() >= Some(1) {
            Ok(())
        } else {
            Err("not restarted")
        }
    })
    .await;
    let back_off = event(case, "web", "BackOff").await;
    assert_eq!(back_off["type"], "Warning");
    assert_eq!(back_off["involvedObject"]["kind"], "Pod");
}

async fn ends_well_or_badly(case: &Case) {
    create(case, ending_pod("well", 0)).await;
    create(case, ending_pod("badly", 3)).await;
    for (name, phase, code, reason) in [
        ("well", "Succeeded", 0, "Completed"),
        ("badly", "Failed", 3, "Error"),
    ] {
        let pod = case
            .until(&format!("pods/{name}"), |pod| {
                if pod["status"]["phase"] == phase {
                    Ok(pod.clone())
                } else {
                    Err("not ended")
                }
            })
            .await;
        let ended = state(&pod, "terminated").expect("it ended");
        assert_eq!(
            (&ended["exitCode"], &ended["reason"]),
            (&json!(code), &json!(reason))
        );
        assert_eq!(pod["status"]["containerStatuses"][0]["restartCount"], 0);
        assert_eq!(condition(&pod, "Ready").expect("a condition")["status"], "False");
    }
}

async fn unschedulable(case: &Case, body: Value) -> (String, Value) {
    create(case, body).await;
    let pod = case
        .until("pods/web", |pod| {
            let scheduled = condition(pod, "PodScheduled").ok_or("no condition PodScheduled")?;
            if scheduled["status"] == "False" {
                Ok(pod.clone())
            } else {
                Err("scheduled")
            }
        })
        .await;
    assert_eq!(pod["status"]["phase"], "Pending");
    assert_eq!(pod["spec"].get("nodeName"), None);
    let scheduled = condition(&pod, "PodScheduled").expect("the condition");
    assert_eq!(scheduled["reason"], "Unschedulable");
    let event = event(case, "web", "FailedScheduling").await;
    assert_eq!(event["type"], "Warning");
    (
        scheduled["message"].as_str().expect("a message").to_owned(),
        event,
    )
}

async fn says_that_it_fits_on_no_node(case: &Case) {
    let mut body = pod("web", WEB);
    body["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1000", "memory": "64Mi"}});
    let (message, event) = unschedulable(case, body).await;
    assert!(
        message.contains("nodes are available") && message.contains("Insufficient cpu"),
        "{message}"
    );
    assert!(
        event["message"]
            .as_str()
            .is_some_and(|message| message.contains("Insufficient cpu")),
        "{event:#}"
    );
}

async fn says_that_no_node_matches(case: &Case) {
    let mut body = pod("web", WEB);
    body["spec"]["nodeSelector"] = json!({"longshore.test/disk": "none-such"});
    let (message, _) = unschedulable(case, body).await;
    assert!(
        message.contains("nodes are available") && message.contains("node affinity"),
        "{message}"
    );
}

/// GET of a path at an address, with nothing but a socket.
pub async fn http_get(address: &str, path: &str) -> Result<String, std::io::Error> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let work = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await?;
        Ok(reply)
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), work)
        .await
        .map_err(std::io::Error::from)?
}

async fn answers_http_at_its_address(case: &Case) {
    create(case, pod("web", WEB)).await;
    let pod = until_ready(case, "web").await;
    let address = format!("{}:8080", pod["status"]["podIP"].as_str().expect("an address"));
    let reply = eventually("an answer of the pod", async || http_get(&address, "/").await).await;
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.") && head.contains(" 200 "), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["pod"], "web");
}

async fn is_given_its_environment(case: &Case) {
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"COLOUR": "blue"}});
    case.create("configmaps", settings).await;
    let mut body = pod("web", WEB);
    let container = &mut body["spec"]["containers"][0];
    container["envFrom"] = json!([{"configMapRef": {"name": "settings"}}]);
    container["env"] = json!([
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "PAINT", "value": "light $(COLOUR)"},
    ]);
    create(case, body).await;
    let pod = until_ready(case, "web").await;
    let said = super::commands::output(
        case,
        "web",
        &["/bin/sh", "-c", "echo $COLOUR,$PAINT,$NODE,$HOSTNAME"],
    )
    .await;
    let node = pod["spec"]["nodeName"].as_str().expect("a node");
    assert_eq!(said.trim(), format!("blue,light blue,{node},web"));

    // What it is to be given and is not there keeps it from starting, and it says so.
    let mut body = crate::objects::pod("lacks", WEB);
    body["spec"]["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "none"}}]);
    create(case, body).await;
    // A busy kubelet may first say that it has not looked yet.
    case.until("pods/lacks", |pod| match state(pod, "waiting") {
        Some(waiting)
            if waiting["reason"] == "CreateContainerConfigError"
                && waiting["message"] == "configmap \"none\" not found" =>
        {
            Ok(())
        }
        _ => Err("no CreateContainerConfigError that names it"),
    })
    .await;
}

async fn runs_without_root(case: &Case) {
    let mut body = pod("web", WEB);
    body["spec"]["securityContext"] = json!({"runAsUser": 65534, "runAsGroup": 65534, "runAsNonRoot": true});
    create(case, body).await;
    until_ready(case, "web").await;
    let said = super::commands::output(case, "web", &["/bin/sh", "-c", "id -u; ls -d /bin"]).await;
    assert_eq!(said, "65534\n/bin\n");
}

async fn mounts_configuration(case: &Case) {
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "blue"}});
    case.create("configmaps", settings).await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": "open"}});
    case.create("secrets", secret).await;
    let mut body = pod("web", WEB);
    body["spec"]["securityContext"] = json!({"runAsUser": 65534});
    body["spec"]["volumes"] = json!([
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "keys", "secret": {"secretName": "keys"}},
        {"name": "scratch", "emptyDir": {}},
    ]);
    body["spec"]["containers"][0]["volumeMounts"] = json!([
        {"name": "settings", "mountPath": "/settings"},
        {"name": "keys", "mountPath": "/keys", "readOnly": true},
        {"name": "scratch", "mountPath": "/scratch"},
    ]);
    create(case, body).await;
    until_ready(case, "web").await;
    let command =
        "cat /settings/colour; echo; cat /keys/key; echo; echo kept > /scratch/file && cat /scratch/file";
    let said = super::commands::output(case, "web", &["/bin/sh", "-c", command]).await;
    assert_eq!(said, "blue\nopen\nkept\n");
}

async fn waits_for_its_claim(case: &Case) {
    // A class that nothing provides volumes of.
    let class = case.namespace.as_str();
    let size = |field: &str| json!({ field: { "storage": "1Gi" } });
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteMany"], "storageClassName": class, "resources": size("requests")},
    });
    let claim = case.create("persistentvolumeclaims", claim).await;
    assert_eq!(claim["status"]["phase"], "Pending");
    let mut body = pod("web", WEB);
    body["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    body["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    create(case, body).await;
    let words = "unbound immediate PersistentVolumeClaims";
    case.until("pods/web", |pod| match condition(pod, "PodScheduled") {
        Some(waits) if waits["message"].as_str().is_some_and(|text| text.contains(words)) => Ok(()),
        other => Err(other.cloned()),
    })
    .await;
    let said = event(case, "web", "FailedScheduling").await;
    assert!(
        said["message"].as_str().is_some_and(|text| text.contains(words)),
        "{said:#}"
    );
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": class},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": class,
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": format!("/tmp/{class}"), "type": "DirectoryOrCreate"},
        },
    });
    case.post("/api/v1/persistentvolumes", volume).await.ok(201);
    until_ready(case, "web").await;
    let claim = case.read("persistentvolumeclaims/data").await;
    assert_eq!(claim["status"]["phase"], "Bound");
    assert_eq!(claim["spec"]["volumeName"], class);
    assert_eq!(claim["status"]["capacity"]["storage"], "1Gi");
    case.delete(&format!("/api/v1/persistentvolumes/{class}"))
        .await
        .ok(200);
}

async fn runs_init_containers_first(case: &Case) {
    let mut body = pod("web", WEB);
    body["spec"]["initContainers"] =
        json!([{"name": "prepare", "image": WEB, "command": ["/bin/sh", "-c", "sleep 1"]}]);
    create(case, body).await;
    let pod = until_ready(case, "web").await;
    let first = &pod["status"]["initContainerStatuses"][0];
    assert_eq!(first["name"], "prepare");
    assert_eq!(first["state"]["terminated"]["exitCode"], 0, "{first:#}");
    assert_eq!(
        condition(&pod, "Initialized").expect("a condition")["status"],
        "True"
    );
}

async fn refuses_changes_of_its_spec(case: &Case) {
    create(case, pod("web", WEB)).await;
    let patch = json!({"spec": {"terminationGracePeriodSeconds": 9}});
    let status = case
        .patch(&case.path("pods/web"), crate::case::MERGE_PATCH, patch)
        .await
        .refused(422, "Invalid");
    assert_eq!(status["details"]["causes"][0]["field"], "spec", "{status:#}");
}
