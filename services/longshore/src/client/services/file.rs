//! The file that `apply` takes: what the API takes for a new service, and where it belongs. Pure.

use api_types::placement::Placement;
use api_types::services::{NewService, Service, ServiceKind, ServicePatch};
use api_types::spec::ServiceSpec;
use serde::{Deserialize, Serialize};

/// One service of a file. What is absent stays as it is, or is the default of a new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    pub name: String,
    #[serde(default)]
    pub kind: ServiceKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    pub spec: ServiceSpec,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// Reads every document of a file.
///
/// # Errors
/// Says where it can't be read, and why.
pub fn read(text: &str) -> Result<Vec<ServiceFile>, String> {
    // An empty document, as a `---` at either end makes, is nothing.
    let documents: Vec<Option<ServiceFile>> =
        serde_saphyr::from_multiple(text).map_err(|error| error.to_string())?;
    let services: Vec<ServiceFile> = documents.into_iter().flatten().collect();
    if services.is_empty() {
        return Err("there is no service in it".to_owned());
    }
    Ok(services)
}

impl ServiceFile {
    /// A service as it is, so that applying this changes nothing.
    #[must_use]
    pub fn of(service: &Service, mut spec: ServiceSpec) -> Self {
        for secret in &mut spec.secrets {
            secret.fingerprint = None;
        }
        Self {
            project: Some(service.project.clone()),
            environment: Some(service.environment.clone()),
            name: service.name.clone(),
            kind: service.kind,
            description: Some(service.description.clone()),
            replicas: Some(service.replicas),
            placement: Some(service.placement.clone()),
            spec,
            comment: String::new(),
        }
    }

    #[must_use]
    pub fn to_new(&self) -> NewService {
        NewService {
            name: self.name.clone(),
            kind: self.kind,
            description: self.description.clone().unwrap_or_default(),
            replicas: self.replicas.unwrap_or(1),
            placement: self.placement.clone().unwrap_or_default(),
            spec: self.spec.clone(),
            comment: self.comment.clone(),
        }
    }

    /// What of a service beside its spec is not as the file says; each with what it is and becomes, in words.
    #[must_use]
    pub fn patch(&self, service: &Service) -> (ServicePatch, Vec<String>) {
        let mut said = Vec::new();
        let mut patch = ServicePatch::default();
        if let Some(description) = self
            .description
            .as_ref()
            .filter(|text| **text != service.description)
        {
            said.push(format!(
                "description: {:?} -> {description:?}",
                service.description
            ));
            patch.description = Some(description.clone());
        }
        if let Some(placement) = self.placement.as_ref().filter(|own| **own != service.placement) {
            let text = |placement| serde_json::to_string(placement).expect("a placement is plain data");
            said.push(format!(
                "placement: {} -> {}",
                text(&service.placement),
                text(placement)
            ));
            patch.placement = Some(placement.clone());
        }
        if let Some(replicas) = self.replicas.filter(|count| *count != service.replicas) {
            said.push(format!("replicas: {} -> {replicas}", service.replicas));
            patch.replicas = Some(replicas);
        }
        (patch, said)
    }
}

#[cfg(test)]
#[path = "file_fuzz.rs"]
mod fuzz;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service() -> Service {
        serde_json::from_value(json!({
            "id": "01890000-0000-7000-8000-000000000000", "project": "shop", "environment": "test", "name": "web",
            "kind": "Deployment", "description": "the shop", "replicas": 3, "revision": 2, "latest_revision": 2,
            "placement": { "strategy": { "type": "weights", "weights": { "east": 2 } }, "min_per_cluster": 1 },
            "image": "web:1", "operation": null, "deleting": false, "version": 4,
            "status": { "state": "running", "message": "", "ready": 3, "updated": 3, "wanted": 3, "unknown": 0,
                "since": "2026-01-01T00:00:00Z", "observed_at": null },
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "updated_by": "ann",
        }))
        .unwrap()
    }

    const SPEC: &str = "
image: web:1
command: [sh, -c, 'echo \"on\"; exec yes']
env:
  - { name: A, value: 'true' }
  - { name: NUMBER, value: '012' }
secrets:
  - { name: TOKEN, fingerprint: abc }
config_files:
  - path: /etc/app
    content: |
      one: 1

      # two
annotations: { note: 'no' }
";

    #[test]
    fn what_is_exported_says_the_same_when_it_is_read() {
        let spec: ServiceSpec = serde_saphyr::from_str(SPEC).unwrap();
        let file = ServiceFile::of(&service(), spec.clone());
        let text = crate::client::output::yaml(&file).unwrap();
        assert!(!text.contains("abc"), "{text}");
        let read = read(&text).unwrap();
        assert_eq!(read, std::slice::from_ref(&file));
        assert_eq!(read[0].spec.env, spec.env);
        assert_eq!(read[0].spec.config_files, spec.config_files);
        let (patch, said) = file.patch(&service());
        assert_eq!((patch, said), (ServicePatch::default(), vec![]));
    }

    #[test]
    fn what_is_absent_stays() {
        let files = read("name: web\nspec: { image: web:2 }").unwrap();
        assert_eq!(files[0].patch(&service()).0, ServicePatch::default());
        let new = files[0].to_new();
        assert_eq!((new.replicas, new.placement), (1, Placement::default()));
        let files =
            read("name: web\nreplicas: 5\ndescription: ''\nplacement: {}\nspec: { image: web:2 }").unwrap();
        let (patch, said) = files[0].patch(&service());
        assert_eq!(
            (patch.replicas, patch.description),
            (Some(5), Some(String::new()))
        );
        assert_eq!(patch.placement, Some(Placement::default()));
        assert_eq!(said.len(), 3);
    }

    #[test]
    fn several_documents_are_several_services() {
        let text = "---\nname: a\nspec: { image: a }\n---\nname: b\nspec: { image: b }\n---\n";
        let names: Vec<String> = read(text).unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["a", "b"]);
        let json: Value = json!({ "name": "c", "spec": { "image": "c" } });
        assert_eq!(read(&json.to_string()).unwrap()[0].name, "c");
    }

    #[test]
    fn a_bad_file_says_where() {
        for (text, part) in [
            ("", "no service"),
            ("# nothing", "no service"),
            ("name: web\nspec:\n  image: a\n  imgae: b", "imgae"),
            ("name: web\nspec:\n  image: a\n  imgae: b", "line 4"),
            ("name: web", "spec"),
            ("name: [", "line"),
            ("name: web\nreplicas: many\nspec: { image: a }", "line 2"),
            ("name: web\nreplicas: -1\nspec: { image: a }", "line 2"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
