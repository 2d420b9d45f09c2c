//! How much storage projects take of their quotas: the one place that says so.
//!
//! A service counts with all of its volumes on as many clusters as may come to hold it: those that are assigned, and no
//! fewer than it has replicas for, among its environment's clusters. A claim that is kept, of a service or a volume that
//! is gone, or on a cluster that the service left, counts with its size until somebody deletes it.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::db::{Connection, DbErr, assignments, claims, clusters, environments, revisions, services};

/// What a service may come to hold, in bytes.
#[must_use]
pub fn may_hold(on_each: u64, replicas: u32, singleton: bool, clusters: usize, assigned: usize) -> u64 {
    let most = if singleton { replicas.min(1) } else { replicas };
    let reach = clusters.min(most as usize);
    on_each.saturating_mul(reach.max(assigned) as u64)
}

/// Bytes by project: of one project, or of all. `changed` is a service as it is going to be, which may be new.
pub async fn taken(
    connection: &impl Connection,
    project: Option<&str>,
    changed: Option<&services::Model>,
) -> Result<BTreeMap<String, u64>, DbErr> {
    let mut stored = services::with_storage(connection, project).await?;
    if let Some(changed) = changed {
        stored.retain(|service| service.id != changed.id);
        if changed.storage_bytes > 0 && !changed.deleting {
            stored.push(changed.clone());
        }
    }
    let kept = match project {
        Some(project) => claims::of_project(connection, project).await?,
        None => claims::all(connection).await?,
    };
    if stored.is_empty() && kept.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = stored.iter().map(|service| service.id).collect();
    let mut assigned: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
    for row in assignments::of_services(connection, &ids).await? {
        if row.wanted_now() > 0 {
            assigned.entry(row.service_id).or_default().insert(row.cluster_id);
        }
    }
    let all_clusters = clusters::all(connection).await?;
    let all_environments = environments::all(connection).await?;
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    let mut add = |project: &str, bytes: u64| {
        let sum = sums.entry(project.to_owned()).or_default();
        *sum = sum.saturating_add(bytes);
    };
    // What a service's own part stands for already.
    let mut covered: HashSet<(Uuid, Uuid, String)> = HashSet::new();
    for service in &stored {
        let spanned = all_environments
            .iter()
            .find(|row| row.project == service.project && row.name == service.environment)
            .map_or(0, |environment| {
                all_clusters
                    .iter()
                    .filter(|cluster| environment.spans(&cluster.name))
                    .count()
            });
        let holds = assigned.get(&service.id);
        let bytes = may_hold(
            service.storage_bytes.unsigned_abs(),
            service.replicas.unsigned_abs(),
            service.is_singleton(),
            spanned,
            holds.map_or(0, HashSet::len),
        );
        add(&service.project, bytes);
        let (Some(holds), true) = (holds, kept.iter().any(|row| row.service_id == service.id)) else {
            continue;
        };
        if let Some(revision) = revisions::find(connection, service.id, service.revision).await? {
            for volume in revision.spec.0.volumes {
                covered.extend(
                    holds
                        .iter()
                        .map(|cluster| (service.id, *cluster, volume.name.clone())),
                );
            }
        }
    }
    for row in &kept {
        if !covered.contains(&(row.service_id, row.cluster_id, row.claim.0.volume.clone())) {
            add(&row.project, row.bytes());
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_counts_wherever_it_may_come_to_be() {
        for (replicas, singleton, clusters, assigned, expected) in [
            (0, false, 3, 0, 0),
            (1, false, 3, 0, 1),
            (2, false, 3, 1, 2),
            (9, false, 3, 1, 3),
            (1, true, 3, 1, 1),
            // While it moves it is in two places.
            (1, true, 3, 2, 2),
            // Assigned where the environment no longer is.
            (1, false, 1, 2, 2),
        ] {
            let held = may_hold(10, replicas, singleton, clusters, assigned);
            assert_eq!(
                held,
                10 * expected,
                "{replicas} {singleton} {clusters} {assigned}"
            );
        }
        assert_eq!(may_hold(u64::MAX, 2, false, 2, 2), u64::MAX);
    }
}
