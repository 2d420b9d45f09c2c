//! What a change is made on: the path at which the API shows it, before and after.
//!
//! One rule for every operation: the longest part of the path that ends in a name and that can be read
//! is the object. A change that makes something of a collection whose members can be read is on the new
//! member, by the name in its body; without a name, or where nothing can be read, the answer tells what
//! was made. What there is only one of, such as the prices, is read where it is put.

use http::Method;
use serde_json::Value;

use super::routes::{Matched, RouteTable};

/// What is only seen, or moves by itself; a difference in it is nobody's doing.
const SEEN: &[&str] = &[
    "status",
    "observed",
    "state",
    "state_reason",
    "state_since",
    "operation",
    "assigned_replicas",
    "requested",
    "updated_at",
    "last_sign_in_at",
];

/// Where to read what a change is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// It is there already.
    Present(String),
    /// It is made; where it will be, when that is known.
    Made(Option<String>),
    /// Nothing that can be read.
    None,
}

/// Finds the object of a change.
#[must_use]
pub fn of(routes: &RouteTable, matched: &Matched, path: &str, body: &Value) -> Object {
    if matched.operation.method == Method::POST && readable(routes, &format!("{path}/x")) {
        let named = body["name"].as_str().map(|name| format!("{path}/{name}"));
        return Object::Made(named.filter(|path| readable(routes, path)));
    }
    let template: Vec<&str> = matched.operation.template.split('/').collect();
    let parts: Vec<&str> = path.split('/').collect();
    (1..=parts.len().min(template.len()))
        .rev()
        .filter(|length| template[length - 1].starts_with('{'))
        .map(|length| parts[..length].join("/"))
        .find(|path| readable(routes, path))
        .or_else(|| is_single(routes, matched, path).then(|| path.to_owned()))
        .map(Object::Present)
        .unwrap_or(if matched.operation.id.starts_with("create_") {
            Object::Made(None)
        } else {
            Object::None
        })
}

/// Whether the document has a GET of one object there.
fn readable(routes: &RouteTable, path: &str) -> bool {
    routes
        .find(&Method::GET, path)
        .is_ok_and(|found| found.operation.template.ends_with('}'))
}

/// Whether a change is on what can be read at its own path and is no collection.
fn is_single(routes: &RouteTable, matched: &Matched, path: &str) -> bool {
    matched.operation.method == Method::PUT && routes.find(&Method::GET, path).is_ok()
}

/// An object without what is only seen.
#[must_use]
pub fn wanted(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|name, _| !SEEN.contains(&name.as_str()));
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::routes::Target;

    fn table() -> RouteTable {
        let operation = |id: &str| json!({ "operationId": id, "x-permission": "signed-in" });
        let document = json!({ "paths": {
            "/api/v1/session": { "post": operation("create_session") },
            "/api/v1/users": { "post": operation("create_user") },
            "/api/v1/users/{user}": { "get": operation("get_user"), "patch": operation("update_user") },
            "/api/v1/users/{user}/password": { "post": operation("set_user_password") },
            "/api/v1/bindings": { "post": operation("create_binding") },
            "/api/v1/bindings/{binding}": { "get": operation("get_binding"), "delete": operation("delete_binding") },
            "/api/v1/api-tokens/{token}": { "delete": operation("delete_api_token") },
            "/api/v1/projects/{project}": { "get": operation("get_project") },
            "/api/v1/projects/{project}/pods/{pod}": { "delete": operation("delete_pod") },
            "/api/v1/projects/{project}/services/{service}/releases": { "post": operation("create_release") },
            "/api/v1/prices": { "get": operation("get_prices"), "put": operation("put_prices") },
            "/api/v1/projects/{project}/services/{service}": { "get": operation("get_service") },
        } });
        RouteTable::build(&[(Target::Portal, &document)]).unwrap()
    }

    #[test]
    fn a_change_has_the_object_that_its_path_names() {
        let table = table();
        let object = |method: Method, path: &str, body: Value| {
            let path = format!("/api/v1{path}");
            of(&table, &table.find(&method, &path).unwrap(), &path, &body)
        };
        let present = |path: &str| Object::Present(format!("/api/v1{path}"));
        assert_eq!(
            object(Method::PATCH, "/users/ann", json!({ "name": "x" })),
            present("/users/ann")
        );
        assert_eq!(
            object(Method::POST, "/users/ann/password", json!({})),
            present("/users/ann")
        );
        assert_eq!(object(Method::PUT, "/prices", json!({})), present("/prices"));
        assert_eq!(
            object(Method::DELETE, "/bindings/7", Value::Null),
            present("/bindings/7")
        );
        assert_eq!(
            object(
                Method::POST,
                "/projects/a/services/b/releases",
                json!({ "name": "x" })
            ),
            present("/projects/a/services/b")
        );
        assert_eq!(
            object(Method::POST, "/users", json!({ "name": "ann" })),
            Object::Made(Some("/api/v1/users/ann".to_owned()))
        );
        assert_eq!(
            object(Method::POST, "/users", json!({ "name": "../x" })),
            Object::Made(None)
        );
        assert_eq!(
            object(Method::POST, "/bindings", json!({ "user": "ann" })),
            Object::Made(None)
        );
        assert_eq!(
            object(Method::POST, "/session", json!({ "username": "ann" })),
            Object::Made(None)
        );
        assert_eq!(object(Method::DELETE, "/api-tokens/7", Value::Null), Object::None);
        assert_eq!(
            object(Method::DELETE, "/projects/a/pods/b", Value::Null),
            present("/projects/a")
        );
    }

    #[test]
    fn what_is_only_seen_is_left_out() {
        let object = json!({ "name": "web", "status": { "ready": 1 }, "spec": { "status": 2 } });
        assert_eq!(wanted(object), json!({ "name": "web", "spec": { "status": 2 } }));
        assert_eq!(wanted(json!([1])), json!([1]));
    }
}
