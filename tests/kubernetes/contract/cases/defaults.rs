//! What a server adds to what it is sent: a client that compares what it wants with what is there has to know.

use serde_json::json;

use super::cases;
use crate::case::Case;
use crate::objects::WEB;

cases![
    fills_in_a_deployment,
    fills_in_a_service,
    fills_in_probes_and_volumes
];

async fn fills_in_a_deployment(case: &Case) {
    let body = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": WEB, "ports": [{"containerPort": 8080}]}]},
            },
        },
    });
    let spec = case.create("deployments.apps", body).await["spec"].clone();
    assert_eq!(spec["replicas"], 1);
    assert_eq!(spec["revisionHistoryLimit"], 10);
    assert_eq!(spec["progressDeadlineSeconds"], 600);
    assert_eq!(
        spec["strategy"],
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})
    );
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "Always");
    assert_eq!(pod["terminationGracePeriodSeconds"], 30);
    assert_eq!(pod["dnsPolicy"], "ClusterFirst");
    assert_eq!(pod["schedulerName"], "default-scheduler");
    assert_eq!(pod["securityContext"], json!({}));
    let container = &pod["containers"][0];
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    assert_eq!(container["resources"], json!({}));
    assert_eq!(container["terminationMessagePath"], "/dev/termination-log");
    assert_eq!(container["terminationMessagePolicy"], "File");
    assert_eq!(
        container["ports"],
        json!([{"containerPort": 8080, "protocol": "TCP"}])
    );
}

async fn fills_in_a_service(case: &Case) {
    let body = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    });
    let spec = case.create("services", body).await["spec"].clone();
    assert_eq!(spec["type"], "ClusterIP");
    assert_eq!(spec["sessionAffinity"], "None");
    assert_eq!(
        spec["ports"],
        json!([{"port": 80, "protocol": "TCP", "targetPort": 80}])
    );
}

async fn fills_in_probes_and_volumes(case: &Case) {
    let body = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {
            "automountServiceAccountToken": false,
            "containers": [{
                "name": "web", "image": "longshore.test/web",
                "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
                "resources": {"limits": {"memory": "64Mi"}},
                "volumeMounts": [{"name": "settings", "mountPath": "/settings"}],
            }],
            "volumes": [{"name": "settings", "configMap": {"name": "settings", "optional": true}}],
        },
    });
    let pod = super::pods::create(case, body).await;
    let container = &pod["spec"]["containers"][0];
    assert_eq!(
        container["imagePullPolicy"], "Always",
        "of an image without a tag"
    );
    assert_eq!(
        container["readinessProbe"],
        json!({
            "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"},
            "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
        })
    );
    assert_eq!(
        container["resources"],
        json!({"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi"}})
    );
    assert_eq!(pod["spec"]["volumes"][0]["configMap"]["defaultMode"], 420);
    assert_eq!(pod["spec"]["serviceAccountName"], "default");
    assert_eq!(pod["status"]["phase"], "Pending");
    assert_eq!(pod["status"]["qosClass"], "Burstable");
}
