//! The volumes of a spec, as far as it can be said without knowing what is there.

use std::collections::BTreeSet;

use api_types::spec::{ServiceSpec, Volume};

use crate::app::quantity::{parse_memory, show_memory};
use crate::app::validation::spec::absolute_path;
use crate::app::validation::{Fields, names};

pub const MOST_VOLUMES: usize = 16;
/// With the service's name it must stay a label of Kubernetes.
const LONGEST_NAME: usize = 20;
const LEAST_SIZE: u64 = 1 << 20;
const MOST_SIZE: u64 = 1 << 50;
/// The container runtime's own.
const RESERVED: [&str; 3] = ["/proc", "/sys", "/dev"];

pub fn check(spec: &ServiceSpec, fields: &mut Fields) {
    if spec.volumes.len() > MOST_VOLUMES {
        fields.refuse("volumes", format!("at most {MOST_VOLUMES}"));
    }
    let mut seen = BTreeSet::new();
    for (index, volume) in spec.volumes.iter().enumerate() {
        let field = |part: &str| format!("volumes[{index}].{part}");
        if fields.check(field("name"), name(&volume.name)).is_some() && !seen.insert(&volume.name) {
            fields.refuse(field("name"), format!("`{}` is there twice", volume.name));
        }
        if fields
            .check(field("mount_path"), absolute_path(&volume.mount_path))
            .is_some()
        {
            fields.check(field("mount_path"), free(spec, index));
        }
        if let Some(bytes) = fields.check(field("size"), parse_memory(&volume.size))
            && !(LEAST_SIZE..=MOST_SIZE).contains(&bytes)
        {
            fields.refuse(field("size"), "must be 1Mi to 1Pi");
        }
        if let Some(class) = &volume.storage_class {
            fields.check(
                field("storage_class"),
                names::hostname(class).map_err(|_| format!("`{class}` can't be the name of a storage class")),
            );
        }
    }
}

/// Without dashes, so that the last one in a claim's name parts service and volume.
fn name(text: &str) -> Result<(), String> {
    if text.is_empty() {
        Err("a name is needed".to_owned())
    } else if text.len() > LONGEST_NAME
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    {
        Err(format!(
            "must be 1 to {LONGEST_NAME} lower-case letters and digits"
        ))
    } else {
        Ok(())
    }
}

/// A folder that holds no other mount, and lies in none. Of two volumes the later is refused.
fn free(spec: &ServiceSpec, index: usize) -> Result<(), String> {
    let path = spec.volumes[index].mount_path.as_str();
    if let Some(reserved) = RESERVED.into_iter().find(|reserved| is_in(path, reserved)) {
        return Err(format!("`{reserved}` is the system's own"));
    }
    let volumes = spec.volumes[..index]
        .iter()
        .map(|other| ("volume", other.mount_path.as_str()));
    let configs = spec.config_files.iter().map(|file| ("file", file.path.as_str()));
    let secrets = spec
        .secrets
        .iter()
        .filter_map(|secret| Some(("file", secret.path.as_deref()?)));
    match volumes
        .chain(configs)
        .chain(secrets)
        .find(|(_, other)| is_in(path, other) || is_in(other, path))
    {
        Some((what, other)) => Err(format!("overlaps the {what} at `{other}`")),
        None => Ok(()),
    }
}

/// Whether a path is a folder or lies in it.
fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Bytes of one claim; the spec was checked before.
#[must_use]
pub fn bytes(volume: &Volume) -> u64 {
    parse_memory(&volume.size).unwrap_or(0)
}

/// A size as a person reads it: `10 GiB`.
#[must_use]
pub fn show(bytes: u64) -> String {
    const TIB: u64 = 1 << 40;
    if bytes >= TIB && bytes.is_multiple_of(TIB) {
        format!("{} TiB", bytes / TIB)
    } else {
        show_memory(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn refused(spec: Value) -> Vec<String> {
        let mut fields = Fields::default();
        check(&serde_json::from_value(spec).unwrap(), &mut fields);
        fields.paths().into_iter().map(str::to_owned).collect()
    }

    fn with(volumes: Value) -> Value {
        json!({ "image": "web", "volumes": volumes })
    }

    #[test]
    fn good_volumes_are_taken() {
        let spec = with(json!([
            { "name": "data", "mount_path": "/var/lib/web", "size": "10Gi" },
            { "name": "up1", "mount_path": "/var/lib/web2", "size": "1Mi", "access": "many_nodes",
              "storage_class": "cephfs.fast" },
        ]));
        assert_eq!(refused(spec), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_refused_at_its_field() {
        let volume =
            |name: &str, path: &str, size: &str| json!({ "name": name, "mount_path": path, "size": size });
        for (volumes, fields) in [
            (json!([volume("a-b", "/a", "1Gi")]), vec!["volumes[0].name"]),
            (json!([volume("", "/a", "1Gi")]), vec!["volumes[0].name"]),
            (
                json!([volume("a", "/a", "1Gi"), volume("a", "/b", "1Gi")]),
                vec!["volumes[1].name"],
            ),
            (json!([volume("a", "a", "1Gi")]), vec!["volumes[0].mount_path"]),
            (json!([volume("a", "/", "1Gi")]), vec!["volumes[0].mount_path"]),
            (
                json!([volume("a", "/proc/x", "1Gi")]),
                vec!["volumes[0].mount_path"],
            ),
            (
                json!([volume("a", "/a/b", "1Gi"), volume("b", "/a", "1Gi")]),
                vec!["volumes[1].mount_path"],
            ),
            (json!([volume("a", "/a", "1Ki")]), vec!["volumes[0].size"]),
            (json!([volume("a", "/a", "2Pi")]), vec!["volumes[0].size"]),
            (json!([volume("a", "/a", "much")]), vec!["volumes[0].size"]),
            (
                json!([{ "name": "a", "mount_path": "/a", "size": "1Gi", "storage_class": "Not A Class" }]),
                vec!["volumes[0].storage_class"],
            ),
        ] {
            assert_eq!(refused(with(volumes.clone())), fields, "{volumes}");
        }
        let many: Vec<Value> = (0..17)
            .map(|number| volume(&format!("v{number}"), &format!("/v{number}"), "1Gi"))
            .collect();
        assert_eq!(refused(with(json!(many))), ["volumes"]);
    }

    #[test]
    fn files_and_volumes_lie_apart() {
        for (config, secret) in [("/data/a.toml", "/x"), ("/x", "/data"), ("/x", "/data/key")] {
            let mut spec = with(json!([{ "name": "data", "mount_path": "/data", "size": "1Gi" }]));
            spec["config_files"] = json!([{ "path": config, "content": "" }]);
            spec["secrets"] = json!([{ "name": "KEY", "path": secret, "value": "" }]);
            assert_eq!(refused(spec), ["volumes[0].mount_path"], "{config} {secret}");
        }
    }

    proptest! {
        #[test]
        fn no_two_taken_paths_overlap(paths in prop::collection::vec("(/[ab]{1,2}){1,3}", 1..6)) {
            let volumes: Vec<Value> = paths
                .iter()
                .enumerate()
                .map(|(number, path)| json!({ "name": format!("v{number}"), "mount_path": path, "size": "1Gi" }))
                .collect();
            if refused(with(json!(volumes))).is_empty() {
                for (number, path) in paths.iter().enumerate() {
                    for other in &paths[..number] {
                        let inside = |a: &str, b: &str| format!("{a}/").starts_with(&format!("{b}/"));
                        prop_assert!(!inside(path, other) && !inside(other, path));
                    }
                }
            }
        }
    }
}
