//! Volumes: a claim for each, and where it is mounted.

use std::collections::BTreeMap;

use api_types::common::FieldError;
use api_types::internal::DesiredWorkload;
use api_types::spec::VolumeAccess;
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimVolumeSource, Volume, VolumeMount,
    VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::app::names::{KEPT, ServiceKey, VOLUME, claim_name};
use crate::app::quantity;

pub fn claims(
    key: &ServiceKey,
    desired: &DesiredWorkload,
    errors: &mut Vec<FieldError>,
) -> Vec<PersistentVolumeClaim> {
    desired
        .spec
        .volumes
        .iter()
        .enumerate()
        .map(|(index, volume)| {
            let size = quantity::canonical(&volume.size).unwrap_or_else(|| {
                errors.push(FieldError {
                    field: format!("volumes[{index}].size"),
                    message: format!("`{}` is no quantity such as 10Gi", volume.size),
                });
                String::new()
            });
            let mode = match volume.access {
                VolumeAccess::OneNode => "ReadWriteOnce",
                VolumeAccess::ManyNodes => "ReadWriteMany",
            };
            let metadata = super::metadata(key, &claim_name(&key.service, &volume.name));
            let mut labels = key.labels();
            labels.insert(VOLUME.to_owned(), volume.name.clone());
            PersistentVolumeClaim {
                metadata: ObjectMeta {
                    labels: Some(labels),
                    // For whoever looks at the cluster: nothing of ours deletes it unasked.
                    annotations: Some(BTreeMap::from([(
                        KEPT.to_owned(),
                        "until-deleted-by-name".to_owned(),
                    )])),
                    ..metadata
                },
                spec: Some(PersistentVolumeClaimSpec {
                    access_modes: Some(vec![mode.to_owned()]),
                    storage_class_name: volume.storage_class.clone(),
                    resources: Some(VolumeResourceRequirements {
                        requests: Some(BTreeMap::from([("storage".to_owned(), Quantity(size))])),
                        limits: None,
                    }),
                    ..PersistentVolumeClaimSpec::default()
                }),
                status: None,
            }
        })
        .collect()
}

pub fn mounts(key: &ServiceKey, desired: &DesiredWorkload) -> (Vec<Volume>, Vec<VolumeMount>) {
    desired
        .spec
        .volumes
        .iter()
        .map(|volume| {
            let source = Volume {
                name: volume.name.clone(),
                persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                    claim_name: claim_name(&key.service, &volume.name),
                    read_only: None,
                }),
                ..Volume::default()
            };
            let mount = VolumeMount {
                name: volume.name.clone(),
                mount_path: volume.mount_path.clone(),
                ..VolumeMount::default()
            };
            (source, mount)
        })
        .unzip()
}
