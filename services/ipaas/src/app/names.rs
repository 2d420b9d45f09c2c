//! How a service's objects are named and labelled in a cluster. Changing any of this loses what runs.

use std::collections::BTreeMap;

pub use api_types::projects::namespace;
use serde::{Deserialize, Serialize};

/// The field manager of everything we apply, and the value of [`MANAGED_BY`].
pub const MANAGER: &str = "longshore";

pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub const NAME: &str = "app.kubernetes.io/name";
pub const PROJECT: &str = "longshore.dev/project";
pub const ENVIRONMENT: &str = "longshore.dev/environment";
pub const SERVICE: &str = "longshore.dev/service";
/// Label of a claim: the volume that it is of.
pub const VOLUME: &str = "longshore.dev/volume";
/// Annotation of a claim: that it stays until somebody deletes it by its name.
pub const KEPT: &str = "longshore.dev/kept";
/// On pods and their template: the revision they run. On the Deployment an annotation.
pub const REVISION: &str = "longshore.dev/revision";
/// Annotation of the Deployment: digest of the desired state it was made from.
pub const SPEC_HASH: &str = "longshore.dev/spec-hash";
/// Annotation of the pod template: a change of it restarts every replica.
pub const RESTARTED_AT: &str = "longshore.dev/restarted-at";
/// The Deployment controller's own count of templates, on Deployments and ReplicaSets.
pub const ROLLOUT_NUMBER: &str = "deployment.kubernetes.io/revision";

/// Selects everything of ours.
pub const SELECT_OURS: &str = "app.kubernetes.io/managed-by=longshore";

/// A service of an environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceKey {
    pub project: String,
    pub environment: String,
    pub service: String,
}

impl ServiceKey {
    #[must_use]
    pub fn new(project: &str, environment: &str, service: &str) -> Self {
        Self {
            project: project.to_owned(),
            environment: environment.to_owned(),
            service: service.to_owned(),
        }
    }

    /// Whose object this is by its labels; only when the namespace fits, since labels are easily copied.
    #[must_use]
    pub fn of_labels(labels: &BTreeMap<String, String>, namespace: &str) -> Option<Self> {
        if labels.get(MANAGED_BY).map(String::as_str) != Some(MANAGER) {
            return None;
        }
        let key = Self::new(
            labels.get(PROJECT)?,
            labels.get(ENVIRONMENT)?,
            labels.get(SERVICE)?,
        );
        (key.namespace() == namespace).then_some(key)
    }

    #[must_use]
    pub fn namespace(&self) -> String {
        namespace(&self.project, &self.environment)
    }

    /// Labels of every object of the service.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = namespace_labels(&self.project, &self.environment);
        labels.insert(NAME.to_owned(), self.service.clone());
        labels.insert(SERVICE.to_owned(), self.service.clone());
        labels
    }

    /// What the Deployment and the Service select pods by. Immutable in Kubernetes.
    #[must_use]
    pub fn selector(&self) -> BTreeMap<String, String> {
        [
            (PROJECT, &self.project),
            (ENVIRONMENT, &self.environment),
            (SERVICE, &self.service),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
    }

    /// Selects every object of the service in a list.
    #[must_use]
    pub fn select(&self) -> String {
        format!(
            "{SELECT_OURS},{PROJECT}={},{ENVIRONMENT}={},{SERVICE}={}",
            self.project, self.environment, self.service
        )
    }
}

impl std::fmt::Display for ServiceKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}/{}/{}",
            self.project, self.environment, self.service
        )
    }
}

/// Labels of an environment's namespace.
#[must_use]
pub fn namespace_labels(project: &str, environment: &str) -> BTreeMap<String, String> {
    [
        (MANAGED_BY, MANAGER),
        (PROJECT, project),
        (ENVIRONMENT, environment),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// The ConfigMap and the Secret of a revision.
#[must_use]
pub fn revision_object(service: &str, revision: i64) -> String {
    format!("{service}-r{revision}")
}

/// The claim of a service's volume. A volume's name has no dash, so the last one parts the two.
#[must_use]
pub fn claim_name(service: &str, volume: &str) -> String {
    format!("{service}-{volume}")
}

/// Whether Kubernetes could have an object of this name; anything else isn't put into a path.
#[must_use]
pub fn is_object_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    name.len() <= 253
        && edge(name.as_bytes().first())
        && edge(name.as_bytes().last())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_ours_only_in_the_namespace_its_labels_tell() {
        let key = ServiceKey::new("shop", "test", "web");
        assert_eq!(
            ServiceKey::of_labels(&key.labels(), "shop-test"),
            Some(key.clone())
        );
        assert_eq!(ServiceKey::of_labels(&key.labels(), "bank-test"), None);
        let mut foreign = key.labels();
        foreign.insert(MANAGED_BY.into(), "helm".into());
        assert_eq!(ServiceKey::of_labels(&foreign, "shop-test"), None);
    }

    #[test]
    fn what_is_no_name_never_becomes_a_path() {
        for good in ["web", "web-7c9f-x2x1", "a.b", "0"] {
            assert!(is_object_name(good), "{good}");
        }
        for bad in [
            "",
            "..",
            ".",
            "../secrets/x",
            "a/b",
            "Web",
            "a?b",
            "-a",
            "a-",
            "a%2f",
            "ä",
        ] {
            assert!(!is_object_name(bad), "{bad}");
        }
    }
}
