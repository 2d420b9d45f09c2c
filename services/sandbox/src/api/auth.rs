//! Who asks, and whether they may: client certificates, bearer tokens, and the RBAC objects.

use serde_json::Value;

use super::errors::{ApiError, ApiResult};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::others::{CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING};

const MASTERS: &str = "system:masters";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub groups: Vec<String>,
}

/// What is asked for, as authorization sees it.
#[derive(Debug, Clone, Default)]
pub struct Attributes<'a> {
    pub verb: &'a str,
    pub group: &'a str,
    pub resource: &'a str,
    pub subresource: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
    /// For requests that are about no resource.
    pub path: &'a str,
}

impl User {
    pub fn named(name: String, mut groups: Vec<String>) -> Self {
        groups.push("system:authenticated".into());
        Self { name, groups }
    }

    pub fn admin() -> Self {
        Self::named("kubernetes-admin".into(), vec![MASTERS.into()])
    }

    pub fn anonymous() -> Self {
        Self {
            name: "system:anonymous".into(),
            groups: vec!["system:unauthenticated".into()],
        }
    }

    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::named(
            format!("system:serviceaccount:{namespace}:{name}"),
            vec![
                "system:serviceaccounts".into(),
                format!("system:serviceaccounts:{namespace}"),
            ],
        )
    }

    fn is(&self, subject: &Value, namespace: &str) -> bool {
        let name = json::text(subject, "/name");
        match json::text(subject, "/kind") {
            "User" => self.name == name,
            "Group" => self.groups.iter().any(|group| group == name),
            "ServiceAccount" => {
                let namespace = match json::text(subject, "/namespace") {
                    "" => namespace,
                    stated => stated,
                };
                self.name == format!("system:serviceaccount:{namespace}:{name}")
            }
            _ => false,
        }
    }
}

/// Who a request comes from: a bearer token goes before the certificate.
pub fn authenticate(
    cluster: &Cluster,
    certificate: Option<&User>,
    headers: &http::HeaderMap,
) -> ApiResult<User> {
    if let Some(user) = certificate {
        return Ok(user.clone());
    }
    let header = headers
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(|header| header.strip_prefix("Bearer ")) else {
        return if header.is_some() {
            Err(ApiError::unauthorized())
        } else {
            Ok(User::anonymous())
        };
    };
    let token = token.trim();
    let known = cluster.tokens.read().get(token).cloned();
    known
        .or_else(|| super::tokens::verify(cluster, token))
        .ok_or_else(ApiError::unauthorized)
}

/// The rules that hold for a user: cluster-wide ones, and those of a namespace.
pub fn rules_of(cluster: &Cluster, user: &User, namespace: &str) -> Vec<Value> {
    let mut rules = Vec::new();
    let bindings = cluster.store.list(&CLUSTER_ROLE_BINDING, None).0;
    let local = if namespace.is_empty() {
        Vec::new()
    } else {
        cluster.store.list(&ROLE_BINDING, Some(namespace)).0
    };
    for binding in bindings.into_iter().chain(local) {
        let (namespace, binding) = (binding.key.namespace.clone(), binding.value());
        if !json::items(&binding, "/subjects")
            .iter()
            .any(|subject| user.is(subject, &namespace))
        {
            continue;
        }
        let name = json::text(&binding, "/roleRef/name");
        let role = if json::text(&binding, "/roleRef/kind") == "ClusterRole" {
            cluster.store.get(&CLUSTER_ROLE, "", name)
        } else {
            cluster.store.get(&ROLE, &namespace, name)
        };
        if let Some(role) = role {
            rules.extend(json::items(&role.value(), "/rules").iter().cloned());
        }
    }
    rules
}

pub fn is_allowed(cluster: &Cluster, user: &User, attributes: &Attributes<'_>) -> bool {
    if user.groups.iter().any(|group| group == MASTERS) {
        return true;
    }
    if !attributes.path.is_empty() && is_open_path(user, attributes) {
        return true;
    }
    let is_review = attributes.verb == "create"
        && matches!(attributes.group, "authorization.k8s.io" | "authentication.k8s.io")
        && attributes.resource.starts_with("self");
    if is_review && user.groups.iter().any(|group| group == "system:authenticated") {
        return true;
    }
    rules_of(cluster, user, attributes.namespace)
        .iter()
        .any(|rule| permits(rule, attributes))
}

/// What `system:public-info-viewer` and `system:discovery` open on a real cluster.
fn is_open_path(user: &User, attributes: &Attributes<'_>) -> bool {
    if attributes.verb != "get" {
        return false;
    }
    let path = attributes.path;
    let under =
        |root: &str| path == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    if ["/healthz", "/livez", "/readyz", "/version"]
        .iter()
        .any(|root| under(root))
    {
        return true;
    }
    let signed_in = user.groups.iter().any(|group| group == "system:authenticated");
    signed_in && ["/api", "/apis", "/openapi"].iter().any(|root| under(root))
}

fn permits(rule: &Value, attributes: &Attributes<'_>) -> bool {
    let has = |field: &str, wanted: &str| {
        rule[field]
            .as_array()
            .is_some_and(|list| list.iter().any(|item| item == "*" || item == wanted))
    };
    if !has("verbs", attributes.verb) {
        return false;
    }
    if !attributes.path.is_empty() {
        return rule["nonResourceURLs"].as_array().is_some_and(|list| {
            list.iter()
                .filter_map(Value::as_str)
                .any(|pattern| match pattern.strip_suffix('*') {
                    Some(prefix) => attributes.path.starts_with(prefix),
                    None => pattern == attributes.path,
                })
        });
    }
    let resource = if attributes.subresource.is_empty() {
        attributes.resource.to_owned()
    } else {
        format!("{}/{}", attributes.resource, attributes.subresource)
    };
    let any_parent = format!("*/{}", attributes.subresource);
    let named = json::items(rule, "/resourceNames");
    has("apiGroups", attributes.group)
        && (has("resources", &resource)
            || (!attributes.subresource.is_empty() && has("resources", &any_parent)))
        && (named.is_empty() || named.iter().any(|name| name == attributes.name))
}

/// The refusal of the real authorizer.
pub fn forbidden(user: &User, attributes: &Attributes<'_>) -> ApiError {
    if !attributes.path.is_empty() {
        let message = format!(
            "forbidden: User {:?} cannot {} path {:?}",
            user.name, attributes.verb, attributes.path
        );
        return ApiError::new(403, "Forbidden", message).with_details(serde_json::json!({}));
    }
    let resource = if attributes.subresource.is_empty() {
        attributes.resource.to_owned()
    } else {
        format!("{}/{}", attributes.resource, attributes.subresource)
    };
    let scope = if attributes.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {:?}", attributes.namespace)
    };
    let qualified = if attributes.group.is_empty() {
        attributes.resource.to_owned()
    } else {
        format!("{}.{}", attributes.resource, attributes.group)
    };
    let object = if attributes.name.is_empty() {
        qualified
    } else {
        format!("{qualified} {:?}", attributes.name)
    };
    let mut details = serde_json::json!({"kind": attributes.resource});
    if !attributes.name.is_empty() {
        details["name"] = attributes.name.into();
    }
    if !attributes.group.is_empty() {
        details["group"] = attributes.group.into();
    }
    ApiError::new(
        403,
        "Forbidden",
        format!(
            "{object} is forbidden: User {:?} cannot {} resource {resource:?} in API group {:?} {scope}",
            user.name, attributes.verb, attributes.group
        ),
    )
    .with_details(details)
}
