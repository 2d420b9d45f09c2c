//! Questions that are posted and answered: who am I, may I, may they.

use serde_json::{Value, json};

use super::Call;
use super::auth::{self, Attributes, User};
use super::errors::{ApiError, ApiResult};
use crate::json;

pub const GROUPS: [&str; 2] = ["authentication.k8s.io", "authorization.k8s.io"];

/// Group, path name, kind, whether it lies in a namespace.
const REVIEWS: [(&str, &str, &str, bool); 6] = [
    (
        "authentication.k8s.io",
        "selfsubjectreviews",
        "SelfSubjectReview",
        false,
    ),
    ("authentication.k8s.io", "tokenreviews", "TokenReview", false),
    (
        "authorization.k8s.io",
        "localsubjectaccessreviews",
        "LocalSubjectAccessReview",
        true,
    ),
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        false,
    ),
    (
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        false,
    ),
    (
        "authorization.k8s.io",
        "subjectaccessreviews",
        "SubjectAccessReview",
        false,
    ),
];

pub fn is_review(group: &str, resource: &str) -> bool {
    REVIEWS
        .iter()
        .any(|(known, name, _, _)| (*known, *name) == (group, resource))
}

pub fn of_group(group: &str) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    REVIEWS
        .iter()
        .filter(move |(known, ..)| *known == group)
        .map(|(_, name, kind, namespaced)| (*name, *kind, *namespaced))
}

pub fn answer(call: &Call, resource: &str, mut body: Value) -> ApiResult<Value> {
    let (group, _, kind, _) = REVIEWS
        .iter()
        .find(|(_, name, ..)| *name == resource)
        .ok_or_else(ApiError::no_such_path)?;
    let stated = json::text(&body, "/kind");
    if !stated.is_empty() && stated != *kind {
        return Err(ApiError::bad_request(format!(
            "expected kind {kind}, found {stated}"
        )));
    }
    let status = match *kind {
        "SelfSubjectReview" => json!({"userInfo": {"username": call.user.name, "groups": call.user.groups}}),
        "SelfSubjectAccessReview" => access(call, &call.user, &body["spec"]),
        "SelfSubjectRulesReview" => rules(call, json::text(&body, "/spec/namespace")),
        "TokenReview" => token(call, json::text(&body, "/spec/token")),
        _ => {
            let spec = &body["spec"];
            let groups = json::items(spec, "/groups").iter();
            let groups = groups
                .filter_map(|group| group.as_str().map(str::to_owned))
                .collect();
            let user = User {
                name: json::text(spec, "/user").to_owned(),
                groups,
            };
            access(call, &user, spec)
        }
    };
    json::set(&mut body, &["apiVersion"], format!("{group}/v1"));
    json::set(&mut body, &["kind"], *kind);
    json::nested(&mut body, &["metadata"])
        .entry("creationTimestamp")
        .or_insert(Value::Null);
    json::set(&mut body, &["status"], status);
    Ok(body)
}

fn access(call: &Call, user: &User, spec: &Value) -> Value {
    let about = &spec["resourceAttributes"];
    let path = json::text(spec, "/nonResourceAttributes/path");
    let verb = match json::text(about, "/verb") {
        "" => json::text(spec, "/nonResourceAttributes/verb"),
        verb => verb,
    };
    let attributes = Attributes {
        verb,
        group: json::text(about, "/group"),
        resource: json::text(about, "/resource"),
        subresource: json::text(about, "/subresource"),
        namespace: json::text(about, "/namespace"),
        name: json::text(about, "/name"),
        path,
    };
    if auth::is_allowed(&call.cluster, user, &attributes) {
        json!({"allowed": true, "reason": "RBAC: allowed"})
    } else {
        json!({"allowed": false})
    }
}

fn rules(call: &Call, namespace: &str) -> Value {
    let mut resource_rules = vec![json!({
        "verbs": ["create"], "apiGroups": GROUPS,
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"],
    })];
    let mut path_rules = vec![json!({
        "verbs": ["get"],
        "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"],
    })];
    if call.user.groups.iter().any(|group| group == "system:masters") {
        resource_rules.push(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        path_rules.push(json!({"verbs": ["*"], "nonResourceURLs": ["*"]}));
    }
    for rule in auth::rules_of(&call.cluster, &call.user, namespace) {
        if rule["nonResourceURLs"].is_array() {
            path_rules.push(rule);
        } else {
            resource_rules.push(rule);
        }
    }
    json!({"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": false})
}

fn token(call: &Call, token: &str) -> Value {
    let mut headers = http::HeaderMap::new();
    if let Ok(value) = format!("Bearer {token}").parse() {
        headers.insert(http::header::AUTHORIZATION, value);
    }
    match auth::authenticate(&call.cluster, None, &headers) {
        Ok(user) => json!({"authenticated": true, "user": {"username": user.name, "groups": user.groups}}),
        Err(_) => json!({"authenticated": false, "error": "invalid bearer token"}),
    }
}
