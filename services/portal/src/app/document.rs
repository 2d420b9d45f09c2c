//! One OpenAPI document out of all services'.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::routes::Target;

/// The documents as the services committed them.
const CLUSTER_MGR: &str = include_str!("../../../cluster-mgr/openapi.json");
const IPAAS: &str = include_str!("../../../ipaas/openapi.json");

/// Every service's document.
pub struct Documents {
    pub portal: Value,
    pub cluster_mgr: Value,
    pub ipaas: Value,
}

impl Documents {
    /// The portal's own, as its handlers tell, and the others as they were when this was built.
    pub fn new(portal: Value) -> anyhow::Result<Self> {
        Self::of(portal, CLUSTER_MGR, IPAAS)
    }

    /// From texts.
    pub fn of(portal: Value, cluster_mgr: &str, ipaas: &str) -> anyhow::Result<Self> {
        Ok(Self {
            portal,
            cluster_mgr: serde_json::from_str(cluster_mgr).context("the document of cluster-mgr")?,
            ipaas: serde_json::from_str(ipaas).context("the document of ipaas")?,
        })
    }

    #[must_use]
    pub fn each(&self) -> [(Target, &Value); 3] {
        [
            (Target::Portal, &self.portal),
            (Target::ClusterMgr, &self.cluster_mgr),
            (Target::Ipaas, &self.ipaas),
        ]
    }

    /// All in one.
    pub fn merged(&self) -> anyhow::Result<Value> {
        merge(&self.each())
    }
}

/// Joins documents; paths and schemas come out sorted, so that a new operation is a small difference.
///
/// # Errors
/// Two services that mean different things by one name of a schema or operation.
pub fn merge(documents: &[(Target, &Value)]) -> anyhow::Result<Value> {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let mut tags: Vec<Value> = Vec::new();
    let mut ids = Vec::new();
    for (target, document) in documents {
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let place = paths.entry(path.clone()).or_insert_with(|| json!({}));
            let place = place.as_object_mut().context("a path is an object")?;
            for (method, operation) in item.as_object().into_iter().flatten() {
                let mut operation = operation.clone();
                if let Some(id) = operation["operationId"].as_str() {
                    if ids.contains(&id.to_owned()) {
                        bail!("two operations are called {id}");
                    }
                    ids.push(id.to_owned());
                    operation["security"] = security(&operation);
                }
                if place.insert(method.clone(), operation).is_some() {
                    bail!("{method} {path} is served twice");
                }
            }
        }
        for (name, schema) in document["components"]["schemas"]
            .as_object()
            .into_iter()
            .flatten()
        {
            if let Some(other) = schemas.insert(name.clone(), schema.clone())
                && &other != schema
            {
                bail!(
                    "{} has another schema {name} than the services before it",
                    target.name()
                );
            }
        }
        for tag in document["tags"].as_array().into_iter().flatten() {
            if !tags.iter().any(|known| known["name"] == tag["name"]) {
                tags.push(tag.clone());
            }
        }
    }
    paths.sort_keys();
    schemas.sort_keys();
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Longshore",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The public API: the same for the web portal, the command line and machines. \
                Each operation says in `x-permission` which permission it needs; the path's project and \
                environment are where it is needed. Changes made with a session's cookie carry the \
                session's `csrf_token` as `x-csrf-token`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "longshore_session" },
                "token": { "type": "http", "scheme": "bearer", "description": "An API token, `lsp_…`." },
            },
        },
    }))
}

fn security(operation: &Value) -> Value {
    if operation["x-permission"] == "public" {
        json!([])
    } else {
        json!([{ "session": [] }, { "token": [] }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str, id: &str, schema: Value) -> Value {
        json!({
            "paths": { path: { "get": { "operationId": id, "x-permission": "signed-in" } } },
            "components": { "schemas": { "Thing": schema } },
            "tags": [{ "name": "things" }],
        })
    }

    #[test]
    fn what_is_the_same_is_joined() {
        let one = document("/b", "b", json!({ "type": "string" }));
        let two = document("/a", "a", json!({ "type": "string" }));
        let merged = merge(&[(Target::ClusterMgr, &one), (Target::Ipaas, &two)]).unwrap();
        let paths: Vec<&String> = merged["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths, ["/a", "/b"]);
        assert_eq!(merged["tags"].as_array().unwrap().len(), 1);
        assert!(merged["paths"]["/a"]["get"]["security"][0]["session"].is_array());
    }

    #[test]
    fn what_clashes_is_told() {
        let one = document("/a", "a", json!({ "type": "string" }));
        let schema = document("/b", "b", json!({ "type": "integer" }));
        let id = document("/b", "a", json!({ "type": "string" }));
        for other in [&schema, &id, &one] {
            assert!(merge(&[(Target::ClusterMgr, &one), (Target::Ipaas, other)]).is_err());
        }
    }
}
