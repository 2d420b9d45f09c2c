//! What a path is about.

use super::metrics;
use super::query::decode;
use crate::kinds::KindRef;
use crate::store::Store;

#[derive(Debug, PartialEq)]
pub enum Target {
    Resource(Resource),
    /// A question that is posted and answered, never stored.
    Review {
        group: String,
        resource: String,
    },
    Metrics(metrics::Target),
    /// Discovery, health, and what does not exist.
    Other,
}

#[derive(Debug, PartialEq, Clone)]
pub struct Resource {
    pub kind: KindRef,
    /// None: all namespaces, or a kind without.
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub subresource: String,
}

impl Resource {
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("")
    }

    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("")
    }
}

pub fn parse(store: &Store, path: &str) -> Target {
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decode)
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Target::Other,
    };
    if rest.is_empty() {
        return Target::Other;
    }
    if let [resource] | ["namespaces", _, resource] = rest
        && super::reviews::is_review(group, resource)
        && version == "v1"
    {
        return Target::Review {
            group: group.to_owned(),
            resource: (*resource).to_owned(),
        };
    }
    if (group, version) == (metrics::GROUP, metrics::VERSION) {
        return metrics_target(rest);
    }
    let (namespace, rest) = match rest {
        // `/namespaces/a/status` is about the namespace, `/namespaces/a/pods` about what is in it.
        ["namespaces", _, "status" | "finalize"] => (None, rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, None, String::new()),
        [plural, name] => (*plural, Some(*name), String::new()),
        [plural, name, sub @ ..] => (*plural, Some(*name), sub.join("/")),
        [] => return Target::Other,
    };
    let Some(kind) = store.kind_by_path(group, version, plural) else {
        return Target::Other;
    };
    // A namespaced object has its namespace in the path; a cluster-wide one has none.
    if kind.namespaced != namespace.is_some() && (namespace.is_some() || name.is_some()) {
        return Target::Other;
    }
    Target::Resource(Resource {
        kind,
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        subresource,
    })
}

fn metrics_target(rest: &[&str]) -> Target {
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] => (Some((*namespace).to_owned()), rest),
        rest => (None, rest),
    };
    let (resource, name) = match rest {
        [resource] => (*resource, None),
        [resource, name] => (*resource, Some((*name).to_owned())),
        _ => return Target::Other,
    };
    if metrics::measured(resource, namespace.is_some()).is_none() {
        return Target::Other;
    }
    Target::Metrics(metrics::Target {
        resource: resource.to_owned(),
        namespace,
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(path: &str) -> (String, Option<String>, Option<String>, String) {
        match parse(&Store::default(), path) {
            Target::Resource(found) => (
                found.kind.resource(),
                found.namespace,
                found.name,
                found.subresource,
            ),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn resources() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            resource("/api/v1/pods"),
            ("pods".into(), None, None, String::new())
        );
        assert_eq!(
            resource("/api/v1/namespaces/a/pods/b/log"),
            ("pods".into(), some("a"), some("b"), "log".into())
        );
        assert_eq!(
            resource("/api/v1/namespaces/a"),
            ("namespaces".into(), None, some("a"), String::new())
        );
        assert_eq!(
            resource("/api/v1/namespaces/a/finalize"),
            ("namespaces".into(), None, some("a"), "finalize".into())
        );
        assert_eq!(
            resource("/apis/apps/v1/namespaces/a/deployments/b/scale"),
            ("deployments.apps".into(), some("a"), some("b"), "scale".into())
        );
    }

    #[test]
    fn what_is_no_resource() {
        for path in [
            "/api",
            "/api/v1",
            "/apis/apps/v1",
            "/version",
            "/api/v1/pods/a",
            "/api/v1/namespaces/a/nodes",
            "/apis/x/v1/pods",
        ] {
            assert_eq!(parse(&Store::default(), path), Target::Other, "{path}");
        }
    }
}
