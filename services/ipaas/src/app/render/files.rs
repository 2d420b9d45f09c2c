//! Config files and secrets, and where they are mounted.

use std::collections::BTreeMap;

use api_types::internal::DesiredWorkload;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, KeyToPath, Secret, SecretVolumeSource, Volume, VolumeMount,
};

use crate::app::names::{ServiceKey, revision_object};

const CONFIG_VOLUME: &str = "config-files";
const SECRET_VOLUME: &str = "secret-files";

/// A config file under the key it has in the ConfigMap.
pub struct File {
    pub key: String,
    pub path: String,
    pub content: String,
}

/// The config files with their keys.
pub fn gather(desired: &DesiredWorkload) -> Vec<File> {
    desired
        .spec
        .config_files
        .iter()
        .enumerate()
        .map(|(number, file)| File {
            key: key(number, &file.path),
            path: file.path.clone(),
            content: file.content.clone(),
        })
        .collect()
}

/// A key says which file it is to whoever reads the ConfigMap; the number keeps `/a/x` and `/b/x` apart.
fn key(number: usize, path: &str) -> String {
    let name: String = path
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.') {
                character
            } else {
                '_'
            }
        })
        .take(200)
        .collect();
    format!("{number}-{name}")
}

pub fn config_map(key: &ServiceKey, desired: &DesiredWorkload, files: &[File]) -> Option<ConfigMap> {
    (!files.is_empty()).then(|| ConfigMap {
        metadata: super::metadata(key, &revision_object(&key.service, desired.revision)),
        data: Some(
            files
                .iter()
                .map(|file| (file.key.clone(), file.content.clone()))
                .collect(),
        ),
        ..ConfigMap::default()
    })
}

pub fn secret(key: &ServiceKey, desired: &DesiredWorkload) -> Option<Secret> {
    let data: BTreeMap<String, ByteString> = desired
        .spec
        .secrets
        .iter()
        .map(|secret| {
            let value = secret.value.clone().unwrap_or_default();
            (secret.name.clone(), ByteString(value.into_bytes()))
        })
        .collect();
    (!data.is_empty()).then(|| Secret {
        metadata: super::metadata(key, &revision_object(&key.service, desired.revision)),
        type_: Some("Opaque".to_owned()),
        data: Some(data),
        ..Secret::default()
    })
}

/// Volumes and mounts. Each file is mounted by itself, so that it may lie beside files of the image; that
/// such a mount doesn't follow changes is as wanted, since a revision's files never change.
pub fn mounts(
    key: &ServiceKey,
    desired: &DesiredWorkload,
    files: &[File],
) -> (Vec<Volume>, Vec<VolumeMount>) {
    let source = revision_object(&key.service, desired.revision);
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    let mount = |volume: &str, path: &str, key: &str| VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        sub_path: Some(key.to_owned()),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    if !files.is_empty() {
        volumes.push(Volume {
            name: CONFIG_VOLUME.to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: source.clone(),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        });
        mounts.extend(
            files
                .iter()
                .map(|file| mount(CONFIG_VOLUME, &file.path, &file.key)),
        );
    }
    let secret_files: Vec<_> = desired
        .spec
        .secrets
        .iter()
        .filter_map(|secret| secret.path.as_ref().map(|path| (&secret.name, path)))
        .collect();
    if !secret_files.is_empty() {
        volumes.push(Volume {
            name: SECRET_VOLUME.to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(source),
                items: Some(
                    secret_files
                        .iter()
                        .map(|(name, _)| KeyToPath {
                            key: (*name).clone(),
                            path: (*name).clone(),
                            mode: None,
                        })
                        .collect(),
                ),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        });
        mounts.extend(
            secret_files
                .iter()
                .map(|(name, path)| mount(SECRET_VOLUME, path, name)),
        );
    }
    (volumes, mounts)
}
