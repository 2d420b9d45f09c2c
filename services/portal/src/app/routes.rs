//! The table of every operation: who serves it, what it needs, where it applies.
//!
//! Built once from the services' OpenAPI documents; what no document names doesn't exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use auth::Permission;
use http::Method;
use percent_encoding::percent_decode_str;
use platform::{ApiError, ApiResult};
use serde_json::Value;

use super::permission::{Access, Scope};
use super::redact::Secrets;

/// Who serves an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Portal,
    ClusterMgr,
    Ipaas,
}

impl Target {
    /// As it calls itself: audience of its tokens, name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::ClusterMgr => "cluster-mgr",
            Self::Ipaas => "ipaas",
        }
    }
}

/// One operation of the API.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The handler's name: `create_service`.
    pub id: String,
    pub method: Method,
    /// `/api/v1/projects/{project}`.
    pub template: String,
    pub target: Target,
    pub access: Access,
    /// Whether it changes nothing, whatever its method.
    pub reads: bool,
    /// What of its body must not be written down.
    pub secrets: Secrets,
    /// What of its answer must not be.
    pub answer_secrets: Secrets,
}

/// An operation that was asked for, with the values of its path.
#[derive(Clone, Debug)]
pub struct Matched {
    pub operation: Arc<Operation>,
    /// Name and value, in the order of the path, percent-decoded.
    pub parameters: Vec<(String, String)>,
}

impl Matched {
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        Scope {
            project: self.parameter("project"),
            environment: self.parameter("environment"),
        }
    }
}

type ByMethod = BTreeMap<String, Arc<Operation>>;

#[derive(Clone, Debug)]
pub struct RouteTable {
    router: matchit::Router<usize>,
    paths: Vec<ByMethod>,
}

impl RouteTable {
    /// From each service's document.
    ///
    /// # Errors
    /// An operation without `x-permission` or id, a permission that doesn't exist, two operations on
    /// one method and path.
    pub fn build(documents: &[(Target, &Value)]) -> anyhow::Result<Self> {
        let mut paths: BTreeMap<String, ByMethod> = BTreeMap::new();
        for (target, document) in documents {
            for operation in operations(*target, document)? {
                let place = paths.entry(operation.template.clone()).or_default();
                let method = operation.method.to_string();
                if let Some(other) = place.insert(method, Arc::new(operation.clone())) {
                    bail!(
                        "{} {} is both {} and {}",
                        operation.method,
                        operation.template,
                        other.id,
                        operation.id
                    );
                }
            }
        }
        let mut table = Self {
            router: matchit::Router::new(),
            paths: Vec::with_capacity(paths.len()),
        };
        for (template, by_method) in paths {
            table
                .router
                .insert(template.clone(), table.paths.len())
                .with_context(|| format!("the path {template}"))?;
            table.paths.push(by_method);
        }
        Ok(table)
    }

    /// Finds what a request asks for.
    ///
    /// # Errors
    /// 404 for a path that no operation has, 405 for a method that none has there, 400 for a path that
    /// services might read otherwise than we do.
    pub fn find(&self, method: &Method, path: &str) -> ApiResult<Matched> {
        let Ok(found) = self.router.at(path) else {
            return Err(ApiError::not_found(format_args!("the API path {path}")));
        };
        let by_method = &self.paths[*found.value];
        let asked = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let Some(operation) = by_method.get(asked.as_str()) else {
            let allowed = by_method
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            return Err(ApiError::new(
                http::StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                format!("{path} takes {allowed}, not {method}"),
            )
            .with_details(serde_json::json!({ "allowed": by_method.keys().collect::<Vec<_>>() })));
        };
        let parameters = found
            .params
            .iter()
            .map(|(name, value)| Ok((name.to_owned(), segment(value)?)))
            .collect::<ApiResult<_>>()?;
        Ok(Matched {
            operation: Arc::clone(operation),
            parameters,
        })
    }

    pub fn operations(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.paths.iter().flat_map(BTreeMap::values)
    }
}

/// Decodes one part of a path. What a URL parser further on could take for another path (`..`, a hidden
/// slash) is refused: the permission was checked on this reading of it.
fn segment(raw: &str) -> ApiResult<String> {
    let refused = || {
        ApiError::invalid(
            "invalid_path",
            format!("`{raw}` can't be a part of a path; use plain names"),
        )
    };
    let text = percent_decode_str(raw).decode_utf8().map_err(|_| refused())?;
    let traverses = matches!(text.as_ref(), "" | "." | "..");
    let hides = text
        .chars()
        .any(|each| matches!(each, '/' | '\\' | '?' | '#' | '%') || each.is_control());
    if traverses || hides {
        return Err(refused());
    }
    Ok(text.into_owned())
}

fn operations(target: Target, document: &Value) -> anyhow::Result<Vec<Operation>> {
    let mut found = Vec::new();
    let paths = document["paths"]
        .as_object()
        .with_context(|| format!("the document of {} has no paths", target.name()))?;
    let document = Arc::new(document.clone());
    for (template, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let method = match method.as_str() {
                "get" => Method::GET,
                "post" => Method::POST,
                "put" => Method::PUT,
                "patch" => Method::PATCH,
                "delete" => Method::DELETE,
                _ => continue,
            };
            let place = format!("{method} {template} of {}", target.name());
            let id = operation["operationId"]
                .as_str()
                .with_context(|| format!("{place} has no operation id"))?;
            let access = match operation["x-permission"].as_str() {
                None => bail!("{place} ({id}) has no x-permission"),
                Some("public") => Access::Public,
                Some("cluster-token") => Access::ClusterToken,
                Some("signed-in") => Access::SignedIn,
                Some(name) => Access::Needs(name.parse::<Permission>().with_context(|| place.clone())?),
            };
            found.push(Operation {
                id: id.to_owned(),
                reads: reads(&method, id, access),
                template: template.clone(),
                target,
                access,
                secrets: Secrets::of(&document, operation),
                answer_secrets: Secrets::of_answer(&document, operation),
                method,
            });
        }
    }
    Ok(found)
}

/// A POST that only looks (`preview_…`, `check_…`) changes nothing, nor does a heartbeat: nobody did anything.
fn reads(method: &Method, id: &str, access: Access) -> bool {
    if access == Access::ClusterToken {
        return true;
    }
    let reading = matches!(access, Access::Needs(permission) if permission.name().ends_with(":read"));
    method == Method::GET || reading || id.starts_with("preview_") || id.starts_with("check_")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(paths: Value) -> Value {
        json!({ "openapi": "3.1.0", "paths": paths })
    }

    fn operation(id: &str, permission: &str) -> Value {
        json!({ "operationId": id, "x-permission": permission })
    }

    fn table() -> RouteTable {
        let portal = document(json!({
            "/api/v1/session": { "post": operation("create_session", "public") },
        }));
        let other = document(json!({
            "/api/v1/projects/{project}/environments/{environment}/services": {
                "get": operation("list_services_of_environment", "service:read"),
                "post": operation("create_service", "service:write"),
            },
            "/api/v1/projects/{project}/environments/{environment}/services/preview": {
                "post": operation("preview_placement", "service:write"),
            },
            "/api/v1/projects/{project}/environments/{environment}/services/{service}": {
                "get": operation("get_service", "service:read"),
            },
        }));
        RouteTable::build(&[(Target::Portal, &portal), (Target::ClusterMgr, &other)]).unwrap()
    }

    #[test]
    fn a_request_finds_its_operation_and_scope() {
        let table = table();
        let found = table
            .find(
                &Method::GET,
                "/api/v1/projects/shop/environments/test/services/web%2Dsite",
            )
            .unwrap();
        assert_eq!(found.operation.id, "get_service");
        assert_eq!(found.operation.target, Target::ClusterMgr);
        assert_eq!(found.parameter("service"), Some("web-site"));
        assert_eq!(found.scope().project, Some("shop"));
        assert_eq!(found.scope().environment, Some("test"));
        let head = table.find(&Method::HEAD, "/api/v1/projects/a/environments/b/services");
        assert_eq!(head.unwrap().operation.id, "list_services_of_environment");
    }

    #[test]
    fn unknown_paths_and_methods_are_told_apart() {
        let table = table();
        assert_eq!(
            table.find(&Method::GET, "/api/v1/nothing").unwrap_err().code,
            "not_found"
        );
        let error = table.find(&Method::DELETE, "/api/v1/session").unwrap_err();
        assert_eq!(error.code, "method_not_allowed");
        assert_eq!(error.details["allowed"], json!(["POST"]));
    }

    #[test]
    fn paths_that_could_be_read_otherwise_are_refused() {
        let table = table();
        for part in [
            "..", "%2e%2e", ".", "a%2Fb", "a%5Cb", "a%00", "%ff", "a%3Fb", "a%252fb",
        ] {
            let path = format!("/api/v1/projects/{part}/environments/test/services");
            let code = table.find(&Method::GET, &path).unwrap_err().code;
            assert_eq!(code, "invalid_path", "{part}");
        }
        let empty = table.find(&Method::GET, "/api/v1/projects//environments/test/services");
        assert!(empty.is_err());
    }

    #[test]
    fn looking_is_not_changing() {
        let table = table();
        let path = "/api/v1/projects/a/environments/b/services/preview";
        assert!(table.find(&Method::POST, path).unwrap().operation.reads);
        let path = "/api/v1/projects/a/environments/b/services";
        assert!(!table.find(&Method::POST, path).unwrap().operation.reads);
    }

    #[test]
    fn an_operation_without_a_permission_is_no_operation() {
        let build = |operation: Value| {
            let document = document(json!({ "/api/v1/x": { "get": operation } }));
            RouteTable::build(&[(Target::Ipaas, &document)]).map(drop)
        };
        assert!(build(operation("x", "signed-in")).is_ok());
        let missing = build(json!({ "operationId": "x" })).unwrap_err();
        assert!(missing.to_string().contains("no x-permission"), "{missing}");
        assert!(build(operation("x", "x:fly")).is_err());
        assert!(build(json!({ "x-permission": "public" })).is_err());
    }

    #[test]
    fn one_operation_has_one_owner() {
        let document = document(json!({ "/api/v1/x": { "get": operation("x", "public") } }));
        let twice = RouteTable::build(&[(Target::Ipaas, &document), (Target::ClusterMgr, &document)]);
        assert!(twice.unwrap_err().to_string().contains("both"));
    }

    proptest::proptest! {
        #[test]
        fn a_decoded_part_holds_no_other_path(raw in "[a-z%0-9A-F./\\\\]{0,12}") {
            if let Ok(text) = segment(&raw) {
                proptest::prop_assert!(!text.contains(['/', '\\', '%']));
                proptest::prop_assert!(!["", ".", ".."].contains(&text.as_str()));
            }
        }
    }
}
