//! Volumes: what may change of them, what is there of them on clusters, and deleting what nothing uses.
//!
//! A claim is never deleted as a consequence of something else: not when replicas leave a cluster, not when a revision
//! has the volume no longer, and with its service only where the deletion says so.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use api_types::common::{ListQuery, Page};
use api_types::evacuations::StoredVolume;
use api_types::placement::{Placement, PlacementReason, VolumeLeft};
use api_types::spec::{ServiceSpec, VolumeAccess};
use api_types::storage::{VolumeClaim, VolumeDeletion, VolumeFilter};
use chrono::{DateTime, Utc};
use http::StatusCode;
use platform::{ApiError, ApiResult};
use serde_json::json;
use uuid::Uuid;

use crate::app::clusters as cluster_logic;
use crate::app::environments as environment_logic;
use crate::app::listing::paginate;
use crate::app::reconcile::places::assigned as assigned_anew;
use crate::app::validation::volumes::{bytes, show};
use crate::db::columns::StoredReason;
use crate::db::{
    Connection, DbErr, Unit, assignments, claims, clusters, environments, put, revisions, services,
};
use crate::paths::{ClaimPath, EnvironmentPath};
use crate::state::AppState;

/// Claims named one by one where a sentence names them; the rest is counted.
const NAMED: usize = 5;

/// How often, and for how long at most, a deletion looks whether it was seen.
const SEEN_POLL: Duration = Duration::from_millis(50);
const SEEN_WITHIN: Duration = Duration::from_secs(3);

/// A volume as it is already, in an earlier revision or on a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    name: String,
    bytes: u64,
    /// None where that is the cluster's own choice.
    storage_class: Option<String>,
    access: VolumeAccess,
    /// The cluster whose claim this is; None of a revision.
    cluster: Option<String>,
}

impl Known {
    fn place(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("its claim on cluster {cluster}"),
            None => "the revision before".to_owned(),
        }
    }
}

/// 422 `volume_needs_singleton` for a volume that one node at a time can mount, unless the service is a singleton: only
/// then the old replica ends before the new one starts, and there is never a second one.
pub fn require_singleton(spec: &ServiceSpec, placement: &Placement) -> ApiResult<()> {
    let mut volumes = spec.volumes.iter().enumerate();
    match volumes.find(|(_, volume)| volume.access == VolumeAccess::OneNode) {
        Some((index, volume)) if !placement.singleton => Err(refused(
            "volume_needs_singleton",
            &format!("spec.volumes[{index}].access"),
            format!(
                "volume `{}` can be mounted by one node at a time, so the service must be a singleton, or the volume have access `many_nodes`",
                volume.name
            ),
        )),
        _ => Ok(()),
    }
}

/// Bytes of all volumes of a spec, as they are on each cluster.
#[must_use]
pub fn on_each(spec: &ServiceSpec) -> i64 {
    let sum = spec.volumes.iter().map(bytes).fold(0, u64::saturating_add);
    i64::try_from(sum).unwrap_or(i64::MAX)
}

/// Whether the service needs what is in its volumes wherever it runs.
#[must_use]
pub fn keep_data(spec: &ServiceSpec) -> bool {
    !spec.volumes.iter().all(|volume| volume.may_start_empty)
}

/// What is known of a service's volumes: those of the given specs, and the claims that clusters have.
pub async fn known(
    connection: &impl Connection,
    service: &services::Model,
    specs: &[&ServiceSpec],
) -> Result<Vec<Known>, DbErr> {
    let mut found: Vec<Known> = specs
        .iter()
        .flat_map(|spec| &spec.volumes)
        .map(|volume| Known {
            name: volume.name.clone(),
            bytes: bytes(volume),
            storage_class: volume.storage_class.clone(),
            access: volume.access,
            cluster: None,
        })
        .collect();
    let rows = claims::of_service(connection, &service.project, &service.environment, &service.name).await?;
    if rows.is_empty() {
        return Ok(found);
    }
    let names = cluster_names(connection).await?;
    found.extend(rows.into_iter().map(|row| Known {
        name: row.claim.0.volume.clone(),
        bytes: row.claim.0.requested_bytes,
        storage_class: row.claim.0.storage_class.clone(),
        access: row.claim.0.access,
        cluster: names.get(&row.cluster_id).cloned(),
    }));
    Ok(found)
}

async fn cluster_names(connection: &impl Connection) -> Result<HashMap<Uuid, String>, DbErr> {
    let all = clusters::all(connection).await?;
    Ok(all
        .into_iter()
        .map(|cluster| (cluster.id, cluster.name))
        .collect())
}

/// Refuses a spec whose volumes are not what they were before, larger at most: 422 `volume_shrinks`,
/// `volume_immutable`. The size of a claim counts only where no earlier revision has the volume: somebody may have made
/// the claim larger by hand, which is no reason to refuse every further revision.
pub fn check_change(spec: &ServiceSpec, known: &[Known]) -> ApiResult<()> {
    check_release(spec, known)?;
    for (index, volume) in spec.volumes.iter().enumerate() {
        let (of_specs, of_claims): (Vec<&Known>, Vec<&Known>) = known
            .iter()
            .filter(|known| known.name == volume.name)
            .partition(|known| known.cluster.is_none());
        let counted = if of_specs.is_empty() { of_claims } else { of_specs };
        let largest = counted.into_iter().max_by_key(|known| known.bytes);
        if let Some(known) = largest.filter(|known| bytes(volume) < known.bytes) {
            return Err(refused(
                "volume_shrinks",
                &format!("spec.volumes[{index}].size"),
                format!(
                    "volume `{}` has {} in {} and can't become smaller",
                    volume.name,
                    show(known.bytes),
                    known.place()
                ),
            ));
        }
    }
    Ok(())
}

/// Refuses to run a revision whose volumes can't be what is there: 422 `volume_immutable`. An older one may have a smaller
/// size, since claims then stay as large as they are.
pub fn check_release(spec: &ServiceSpec, known: &[Known]) -> ApiResult<()> {
    for (index, volume) in spec.volumes.iter().enumerate() {
        for known in known.iter().filter(|known| known.name == volume.name) {
            // A claim has a class also where the spec left it to the cluster.
            let other_class = match &known.cluster {
                None => volume.storage_class != known.storage_class,
                Some(_) => volume.storage_class.is_some() && volume.storage_class != known.storage_class,
            };
            let part = if volume.access != known.access {
                "access"
            } else if other_class {
                "storage_class"
            } else {
                continue;
            };
            return Err(refused(
                "volume_immutable",
                &format!("spec.volumes[{index}].{part}"),
                format!(
                    "volume `{}` has another {} in {}, which can't be changed; give the new volume another name",
                    volume.name,
                    if part == "access" {
                        "access"
                    } else {
                        "storage class"
                    },
                    known.place()
                ),
            ));
        }
    }
    Ok(())
}

/// 422 with a code of its own, at its field.
fn refused(code: &'static str, field: &str, message: String) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message.clone())
        .with_details(json!({ "fields": [{ "field": field, "message": message }] }))
}

/// The claims of an environment, also those that are kept of services that are gone.
pub async fn list(
    state: &AppState,
    path: &EnvironmentPath,
    filter: &VolumeFilter,
    query: &ListQuery,
) -> ApiResult<Page<VolumeClaim>> {
    let database = &state.foundation.database;
    if environments::find(database, &path.project, &path.environment)
        .await?
        .is_none()
    {
        return Err(environment_logic::missing(&path.project, &path.environment));
    }
    let rows = match &filter.service {
        Some(service) => claims::of_service(database, &path.project, &path.environment, service).await?,
        None => claims::of_environment(database, &path.project, &path.environment).await?,
    };
    let items = present(database, rows).await?;
    let all = cluster_logic::all(state, database).await?;
    let mut page = paginate(
        items,
        query,
        &[
            ("name", |item| format!("{}\u{0}{}", item.claim.name, item.cluster)),
            ("cluster", |item| item.cluster.clone()),
            ("size", |item| {
                format!(
                    "{:020}",
                    item.claim.capacity_bytes.unwrap_or(item.claim.requested_bytes)
                )
            }),
        ],
    )?;
    page.gaps = cluster_logic::gaps(&all);
    Ok(page)
}

/// Rows as the API shows them.
async fn present(connection: &impl Connection, rows: Vec<claims::Model>) -> Result<Vec<VolumeClaim>, DbErr> {
    let wanted = wanted(connection, &rows).await?;
    let all = clusters::all(connection).await?;
    let mut items = Vec::new();
    for (row, wanted) in rows.into_iter().zip(wanted) {
        let Some(cluster) = all.iter().find(|cluster| cluster.id == row.cluster_id) else {
            continue;
        };
        items.push(VolumeClaim {
            cluster: cluster.name.clone(),
            project: row.project,
            environment: row.environment,
            service: row.service,
            claim: row.claim.0,
            wanted,
            observed_at: cluster.last_contact,
            stale: !cluster.answers()?,
        });
    }
    Ok(items)
}

/// Of each claim, whether its service has the volume and is assigned to the cluster.
async fn wanted(connection: &impl Connection, rows: &[claims::Model]) -> Result<Vec<bool>, DbErr> {
    let mut ids: Vec<Uuid> = rows.iter().map(|row| row.service_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let current: Vec<(Uuid, i64)> = services::find_many(connection, &ids, false)
        .await?
        .into_iter()
        .filter(|service| !service.deleting)
        .map(|service| (service.id, service.revision))
        .collect();
    let mut volumes: HashMap<Uuid, HashSet<String>> = HashMap::new();
    for revision in revisions::find_many(connection, &current).await? {
        let names = revision.spec.0.volumes.into_iter().map(|volume| volume.name);
        volumes.insert(revision.service_id, names.collect());
    }
    let used: HashSet<(Uuid, Uuid)> = assignments::find_many(connection, &ids, false)
        .await?
        .into_iter()
        .filter(|assignment| assignment.wanted_now() > 0)
        .map(|assignment| (assignment.service_id, assignment.cluster_id))
        .collect();
    let is_wanted = |row: &claims::Model| {
        used.contains(&(row.service_id, row.cluster_id))
            && volumes
                .get(&row.service_id)
                .is_some_and(|names| names.contains(&row.claim.0.volume))
    };
    Ok(rows.iter().map(is_wanted).collect())
}

/// Deletes a claim and its data, at once, and waits for a moment until that is seen.
///
/// # Errors
/// 404; 409 `volume_wanted` while the service has the volume there, `volume_in_use` while a pod mounts it; 422
/// `not_confirmed`; 503 `cluster_unreachable`.
pub async fn delete(state: &AppState, path: &ClaimPath, deletion: &VolumeDeletion) -> ApiResult<()> {
    let database = &state.foundation.database;
    let cluster = clusters::find(database, &path.cluster)
        .await?
        .ok_or_else(|| cluster_logic::missing(&path.cluster))?;
    let ClaimPath {
        project,
        environment,
        claim,
        ..
    } = path;
    let key = (cluster.id, project.clone(), environment.clone(), claim.clone());
    let row = claims::find(database, key.clone()).await?.ok_or_else(|| {
        ApiError::not_found(format!(
            "claim {claim} of {project}/{environment} on cluster {}",
            cluster.name
        ))
    })?;
    if deletion.confirm != row.name {
        return Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not_confirmed",
            format!(
                "the data in {} would be gone for good; give its name as `confirm` to say that this is meant",
                row.name
            ),
        ));
    }
    if wanted(database, std::slice::from_ref(&row)).await? == [true] {
        return Err(ApiError::conflict(
            "volume_wanted",
            format!(
                "service {} has volume `{}` on cluster {}; release a revision without it, or move the service away, first",
                row.service, row.claim.0.volume, cluster.name
            ),
        ));
    }
    state
        .ipaas
        .delete_claim(
            api_types::common::ClusterId(cluster.id),
            (&row.project, &row.environment, &row.service),
            &row.name,
        )
        .await?;
    tracing::info!(cluster.name = %cluster.name, claim, project, environment, "a claim was deleted");
    // Who reads the list next finds it going or gone.
    let seen = async {
        loop {
            match claims::find(database, key.clone()).await? {
                Some(row) if !row.claim.0.deleting => tokio::time::sleep(SEEN_POLL).await,
                _ => return Ok::<_, DbErr>(()),
            }
        }
    };
    match tokio::time::timeout(SEEN_WITHIN, seen).await {
        Ok(seen) => seen?,
        Err(_) => tracing::info!(cluster.name = %cluster.name, claim, "its deletion was not seen yet"),
    }
    Ok(())
}

/// Has a service removed also where only its claims are left.
pub async fn reach(unit: &Unit, service: &services::Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    let assigned = assignments::find_many(&**unit, &[service.id], true).await?;
    let rows = claims::of_service(&**unit, &service.project, &service.environment, &service.name).await?;
    let mut added: Vec<assignments::Model> = Vec::new();
    for row in rows {
        let known = |assignment: &assignments::Model| assignment.cluster_id == row.cluster_id;
        if assigned.iter().any(known) || added.iter().any(known) {
            continue;
        }
        let reason = PlacementReason {
            strategy: String::new(),
            weight: 0,
            capacity: None,
            previous: 0,
            bounds: Vec::new(),
            message: "its data there is deleted".to_owned(),
        };
        added.push(assigned_anew(
            service,
            row.cluster_id,
            0,
            StoredReason(reason),
            now,
        ));
    }
    put::<assignments::Entity>(&**unit, &added).await
}

/// A service's claims in one sentence part: `web-data on east-1 (10 GiB), and 3 more`; empty when there are none.
pub async fn named(connection: &impl Connection, service: &services::Model) -> Result<String, DbErr> {
    let rows = claims::of_service(connection, &service.project, &service.environment, &service.name).await?;
    let names = cluster_names(connection).await?;
    let words = rows.iter().filter_map(|row| {
        let cluster = names.get(&row.cluster_id)?;
        Some(format!("{} on {cluster} ({})", row.name, show(row.bytes())))
    });
    Ok(first_named(words.collect()))
}

/// What is stored on a cluster, by service.
pub async fn stored_on(
    connection: &impl Connection,
    cluster: Uuid,
) -> Result<HashMap<Uuid, Vec<StoredVolume>>, DbErr> {
    let mut stored: HashMap<Uuid, Vec<StoredVolume>> = HashMap::new();
    for row in claims::of_cluster(connection, cluster).await? {
        let bytes = row.bytes();
        stored.entry(row.service_id).or_default().push(StoredVolume {
            claim: row.name,
            bytes,
        });
    }
    Ok(stored)
}

/// What is stored of a service on these clusters.
pub async fn left_on(
    connection: &impl Connection,
    service: &services::Model,
    clusters: &HashSet<&str>,
) -> Result<Vec<VolumeLeft>, DbErr> {
    let names = cluster_names(connection).await?;
    let rows = claims::of_service(connection, &service.project, &service.environment, &service.name).await?;
    let mut left: Vec<VolumeLeft> = rows
        .into_iter()
        .filter_map(|row| {
            let cluster = names.get(&row.cluster_id)?;
            clusters.contains(cluster.as_str()).then(|| VolumeLeft {
                cluster: cluster.clone(),
                bytes: row.bytes(),
                claim: row.name,
            })
        })
        .collect();
    left.sort_by(|one, other| (&one.cluster, &one.claim).cmp(&(&other.cluster, &other.claim)));
    Ok(left)
}

/// What a cluster keeps in one sentence part: `web-data of shop/test/web (10 GiB), and 3 more`.
#[must_use]
pub fn kept(rows: &[claims::Model]) -> String {
    let words = rows.iter().map(|row| {
        let (project, environment, service) = (&row.project, &row.environment, &row.service);
        let size = show(row.bytes());
        format!("{} of {project}/{environment}/{service} ({size})", row.name)
    });
    first_named(words.collect())
}

fn first_named(mut words: Vec<String>) -> String {
    words.sort();
    let more = words.len().saturating_sub(NAMED);
    words.truncate(NAMED);
    if more > 0 {
        words.push(format!("{more} more"));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn spec(volume: Value) -> ServiceSpec {
        serde_json::from_value(json!({ "image": "web", "volumes": [volume] })).unwrap()
    }

    fn code(outcome: ApiResult<()>) -> String {
        outcome
            .err()
            .map_or_else(String::new, |error| error.code.into_owned())
    }

    fn of(spec: &ServiceSpec, cluster: Option<&str>) -> Vec<Known> {
        spec.volumes
            .iter()
            .map(|volume| Known {
                name: volume.name.clone(),
                bytes: bytes(volume),
                storage_class: volume.storage_class.clone(),
                access: volume.access,
                cluster: cluster.map(str::to_owned),
            })
            .collect()
    }

    #[test]
    fn one_node_needs_a_singleton() {
        let one = spec(json!({ "name": "data", "mount_path": "/d", "size": "1Gi" }));
        let many = spec(json!({ "name": "data", "mount_path": "/d", "size": "1Gi", "access": "many_nodes" }));
        let free = Placement::default();
        let single = Placement {
            singleton: true,
            ..Placement::default()
        };
        assert_eq!(code(require_singleton(&one, &free)), "volume_needs_singleton");
        assert_eq!(code(require_singleton(&one, &single)), "");
        assert_eq!(code(require_singleton(&many, &free)), "");
    }

    #[test]
    fn a_volume_grows_and_changes_in_nothing_else() {
        let volume = json!({ "name": "data", "mount_path": "/d", "size": "2Gi", "storage_class": "nfs" });
        let before = spec(volume.clone());
        let known = of(&before, None);
        let with = |part: &str, value: Value| {
            let mut volume = volume.clone();
            volume[part] = value;
            spec(volume)
        };
        assert_eq!(code(check_change(&before, &known)), "");
        assert_eq!(code(check_change(&with("size", json!("3Gi")), &known)), "");
        assert_eq!(code(check_change(&with("mount_path", json!("/e")), &known)), "");
        assert_eq!(
            code(check_change(&with("size", json!("1Gi")), &known)),
            "volume_shrinks"
        );
        assert_eq!(code(check_release(&with("size", json!("1Gi")), &known)), "");
        for (part, value) in [
            ("access", json!("many_nodes")),
            ("storage_class", json!("ceph")),
            ("storage_class", Value::Null),
        ] {
            let changed = with(part, value);
            assert_eq!(code(check_change(&changed, &known)), "volume_immutable", "{part}");
            assert_eq!(
                code(check_release(&changed, &known)),
                "volume_immutable",
                "{part}"
            );
        }
        assert_eq!(code(check_change(&with("name", json!("other")), &known)), "");
    }

    #[test]
    fn a_claim_that_is_kept_binds_the_volume_that_comes_back() {
        let kept = of(
            &spec(json!({ "name": "data", "mount_path": "/d", "size": "2Gi", "storage_class": "standard" })),
            Some("east"),
        );
        let back = |size: &str| spec(json!({ "name": "data", "mount_path": "/d", "size": size }));
        assert_eq!(code(check_change(&back("2Gi"), &kept)), "");
        assert_eq!(code(check_change(&back("1Gi"), &kept)), "volume_shrinks");
        // Made larger by hand: the revisions go on with what they say.
        let mut both = of(&back("1Gi"), None);
        both.extend(kept);
        assert_eq!(code(check_change(&back("1Gi"), &both)), "");
    }
}
