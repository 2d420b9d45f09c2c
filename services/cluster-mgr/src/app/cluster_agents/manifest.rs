//! What is applied to a cluster so that an agent runs there. Pure.

use serde_json::{Value, json};

/// Where the agent lives, and how all that belongs to it is called.
const NAMESPACE: &str = "longshore-system";
const NAME: &str = "longshore-agent";
const TOKEN_FOLDER: &str = "/var/run/secrets/longshore";
/// Nobody: it needs no rights on its node.
const USER: u32 = 65_534;

/// What an agent is told.
#[derive(Clone, Copy)]
pub struct Agent<'a> {
    pub cluster: &'a str,
    pub portal_url: &'a str,
    pub image: &'a str,
    pub token: &'a str,
    /// Time between two heartbeats.
    pub interval_seconds: u64,
}

/// The objects as YAML, for `kubectl apply -f -`.
#[must_use]
pub fn manifest(agent: &Agent<'_>) -> String {
    objects(agent)
        .iter()
        .map(|object| {
            let yaml = serde_saphyr::to_string(object).expect("plain JSON is YAML");
            format!("---\n{}\n", yaml.trim_end())
        })
        .collect()
}

fn objects(agent: &Agent<'_>) -> [Value; 6] {
    let Agent {
        cluster,
        portal_url,
        image,
        token,
        interval_seconds,
    } = *agent;
    let labels = json!({ "app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "longshore" });
    let metadata = json!({ "name": NAME, "namespace": NAMESPACE, "labels": labels });
    [
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata,
            // Making can't be narrowed to a name.
            "rules": [
                { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"] },
                {
                    "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [NAME],
                    "verbs": ["get", "patch", "update"],
                },
            ],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME },
            "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE }],
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque",
            "stringData": { "token": token },
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {
                "replicas": 1,
                // Two at once would do no harm; none at all would be silence.
                "strategy": { "type": "RollingUpdate" },
                "selector": { "matchLabels": { "app.kubernetes.io/name": NAME } },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": {
                        "serviceAccountName": NAME,
                        "securityContext": { "runAsNonRoot": true, "runAsUser": USER, "seccompProfile": { "type": "RuntimeDefault" } },
                        "containers": [{
                            "name": "agent",
                            "image": image,
                            "command": ["longshore", "cluster-agent"],
                            "args": [
                                "--portal", portal_url, "--cluster", cluster,
                                "--token-file", format!("{TOKEN_FOLDER}/token"),
                                "--lease-namespace", NAMESPACE, "--lease-name", NAME,
                                "--interval", format!("{interval_seconds}s"),
                            ],
                            "resources": {
                                "requests": { "cpu": "10m", "memory": "32Mi" },
                                "limits": { "memory": "64Mi" },
                            },
                            "securityContext": {
                                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                                "capabilities": { "drop": ["ALL"] },
                            },
                            "volumeMounts": [{ "name": "token", "mountPath": TOKEN_FOLDER, "readOnly": true }],
                        }],
                        "volumes": [{ "name": "token", "secret": { "secretName": NAME } }],
                    },
                },
            },
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_reads_back_as_the_objects_it_was_made_of() {
        let image = "registry.example.com/longshore:1.0";
        let agent = Agent {
            cluster: "east-1",
            portal_url: "https://longshore.example.com",
            image,
            token: "lsa_secret",
            interval_seconds: 10,
        };
        let text = manifest(&agent);
        let read: Vec<Value> = text
            .split("---\n")
            .filter(|part| !part.is_empty())
            .map(|part| serde_saphyr::from_str(part).unwrap())
            .collect();
        assert_eq!(read, objects(&agent));
        let kinds: Vec<&str> = read
            .iter()
            .map(|object| object["kind"].as_str().unwrap())
            .collect();
        assert_eq!(
            kinds,
            [
                "Namespace",
                "ServiceAccount",
                "Role",
                "RoleBinding",
                "Secret",
                "Deployment"
            ]
        );
        let container = &read[5]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], image);
        assert!(
            !container.to_string().contains("lsa_secret"),
            "the token is in the Secret alone"
        );
    }
}
