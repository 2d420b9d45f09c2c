//! What a kubeconfig must be allowed to do, and asking whether it is.

use api_types::clusters::Right;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;

use crate::cluster::error::KubeError;
use crate::cluster::rest::Rest;

const AT_A_TIME: usize = 12;

/// Group, resource, subresource, verbs.
const NEEDED: &[(&str, &str, &str, &[&str])] = &[
    (
        "apps",
        "deployments",
        "",
        &["get", "list", "watch", "create", "patch", "delete"],
    ),
    ("apps", "replicasets", "", &["list", "watch", "delete"]),
    (
        "",
        "services",
        "",
        &["get", "list", "watch", "create", "patch", "delete"],
    ),
    (
        "",
        "configmaps",
        "",
        &["get", "list", "watch", "create", "patch", "delete"],
    ),
    (
        "",
        "secrets",
        "",
        &["get", "list", "watch", "create", "patch", "delete"],
    ),
    (
        "",
        "persistentvolumeclaims",
        "",
        &["get", "list", "watch", "create", "patch", "delete"],
    ),
    ("", "namespaces", "", &["get", "create", "patch"]),
    ("", "pods", "", &["get", "list", "watch", "delete"]),
    ("", "pods", "log", &["get"]),
    ("", "pods", "exec", &["create"]),
    ("", "events", "", &["list"]),
    ("", "nodes", "", &["list", "watch"]),
];

#[derive(Deserialize)]
struct Review {
    #[serde(default)]
    status: ReviewStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReviewStatus {
    allowed: bool,
}

/// Every needed right, with whether it is there.
pub async fn ask(rest: &Rest) -> Result<Vec<Right>, KubeError> {
    let mut questions = Vec::new();
    for (group, resource, subresource, verbs) in NEEDED {
        for verb in *verbs {
            questions.push(ask_one(rest, group, resource, subresource, verb));
        }
    }
    stream::iter(questions).buffered(AT_A_TIME).try_collect().await
}

async fn ask_one(
    rest: &Rest,
    group: &str,
    resource: &str,
    subresource: &str,
    verb: &str,
) -> Result<Right, KubeError> {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "group": group, "resource": resource, "subresource": subresource, "verb": verb,
        } },
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let review: Review = rest.post(path, &body).await?;
    Ok(Right {
        action: action(group, resource, subresource, verb),
        allowed: review.status.allowed,
    })
}

/// `patch deployments.apps`, `get pods/log`.
fn action(group: &str, resource: &str, subresource: &str, verb: &str) -> String {
    let mut text = format!("{verb} {resource}");
    if !group.is_empty() {
        text.push('.');
        text.push_str(group);
    }
    if !subresource.is_empty() {
        text.push('/');
        text.push_str(subresource);
    }
    text
}
