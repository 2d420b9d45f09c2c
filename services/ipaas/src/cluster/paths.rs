//! Paths of the Kubernetes API.

use crate::index::workloads::Kind;

#[must_use]
pub fn namespace(name: &str) -> String {
    format!("/api/v1/namespaces/{name}")
}

/// Objects of a kind in a namespace.
#[must_use]
pub fn objects(kind: Kind, namespace: &str) -> String {
    match kind {
        Kind::Deployment => format!("/apis/apps/v1/namespaces/{namespace}/deployments"),
        Kind::ConfigMap => format!("/api/v1/namespaces/{namespace}/configmaps"),
        Kind::Secret => format!("/api/v1/namespaces/{namespace}/secrets"),
        Kind::Service => format!("/api/v1/namespaces/{namespace}/services"),
        Kind::PersistentVolumeClaim => format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims"),
    }
}

#[must_use]
pub fn object(kind: Kind, namespace: &str, name: &str) -> String {
    format!("{}/{name}", objects(kind, namespace))
}

#[must_use]
pub fn replica_sets(namespace: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/replicasets")
}

#[must_use]
pub fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

#[must_use]
pub fn pod(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods/{name}")
}

#[must_use]
pub fn events(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/events")
}

/// Objects of a kind in all namespaces.
#[must_use]
pub fn everywhere(kind: Kind) -> &'static str {
    match kind {
        Kind::Deployment => "/apis/apps/v1/deployments",
        Kind::ConfigMap => "/api/v1/configmaps",
        Kind::Secret => "/api/v1/secrets",
        Kind::Service => "/api/v1/services",
        Kind::PersistentVolumeClaim => "/api/v1/persistentvolumeclaims",
    }
}

/// Appends query parameters.
#[must_use]
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut text = path.to_owned();
    for (number, (name, value)) in parameters.iter().enumerate() {
        text.push(if number == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_escaped() {
        assert_eq!(
            with_query("/x", &[("labelSelector", "a=b,c"), ("limit", "5")]),
            "/x?labelSelector=a%3Db%2Cc&limit=5"
        );
    }
}
