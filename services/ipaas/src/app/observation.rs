//! What a cluster shows of a service, in the words of the platform.

use api_types::services::{Problem, RolloutState, WorkloadObservation};
use chrono::{DateTime, Utc};

use crate::app::names::ServiceKey;
use crate::app::pod_status::UNSCHEDULABLE;
use crate::app::problems::{self, Troubled};
use crate::index::pods::PodTable;
use crate::index::workloads::{DeploymentRow, Workload};

/// How far what is known of a cluster can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    pub observed_at: DateTime<Utc>,
    pub stale: bool,
}

/// The observation of a service on a cluster.
#[must_use]
pub fn observe(
    key: &ServiceKey,
    workload: Option<&Workload>,
    pods: &PodTable,
    freshness: Freshness,
    now: DateTime<Utc>,
) -> WorkloadObservation {
    let deployment = workload.and_then(|workload| workload.deployment.as_ref());
    let current = deployment.filter(|row| row.is_current());
    let updated_ready = current
        .and(workload)
        .and_then(Workload::newest_replica_set)
        .map_or(0, |set| set.ready);
    let (unschedulable, unschedulable_since) = unschedulable(key, pods);
    WorkloadObservation {
        observed_at: freshness.observed_at,
        stale: freshness.stale,
        revision: deployment.and_then(|row| row.revision),
        desired_hash: deployment.and_then(|row| row.spec_hash.clone()),
        replicas: deployment.map_or(0, |row| row.wanted),
        updated: current.map_or(0, |row| row.updated),
        updated_ready: updated_ready.min(current.map_or(0, |row| row.updated)),
        ready: deployment.map_or(0, |row| row.ready),
        available: deployment.map_or(0, |row| row.available),
        rollout: rollout(deployment),
        unschedulable,
        unschedulable_since,
        problems: problems_of(key, deployment, pods, now),
        drift: workload
            .map(|workload| workload.drift.clone())
            .unwrap_or_default(),
    }
}

/// How many pods no node takes, and since when the first of them waits.
fn unschedulable(key: &ServiceKey, pods: &PodTable) -> (u32, Option<DateTime<Utc>>) {
    let mut waiting = (0, None);
    for row in pods.of_service(key) {
        let trouble = row.trouble.as_deref();
        if trouble.is_some_and(|trouble| &*trouble.reason == UNSCHEDULABLE) {
            let since = waiting
                .1
                .map_or(row.unready_since, |known: i64| known.min(row.unready_since));
            waiting = (waiting.0 + 1, Some(since));
        }
    }
    (
        waiting.0,
        waiting.1.and_then(|since| DateTime::from_timestamp(since, 0)),
    )
}

fn rollout(deployment: Option<&DeploymentRow>) -> RolloutState {
    match deployment {
        Some(row) if row.is_complete() => RolloutState::Complete,
        Some(row) if row.is_current() && row.progress_deadline_passed.is_some() => RolloutState::Failed,
        _ => RolloutState::Progressing,
    }
}

fn problems_of(
    key: &ServiceKey,
    deployment: Option<&DeploymentRow>,
    pods: &PodTable,
    now: DateTime<Utc>,
) -> Vec<Problem> {
    let mut found = problems::gather(pods.of_service(key).filter_map(|row| {
        row.trouble.as_deref().map(|trouble| Troubled {
            pod: pods.name(row),
            trouble,
            unready_seconds: now.timestamp() - row.unready_since,
        })
    }));
    let Some(row) = deployment else { return found };
    if let Some((reason, message)) = &row.replica_failure {
        found.insert(0, problems::of_deployment(reason, message));
    }
    if let Some(message) = row
        .progress_deadline_passed
        .as_ref()
        .filter(|_| row.is_current() && !row.is_complete())
    {
        found.push(problems::of_deployment("ProgressDeadlineExceeded", message));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::names::{REVISION, ROLLOUT_NUMBER};
    use crate::index::wire;
    use crate::index::workloads::WorkloadTable;

    fn key() -> ServiceKey {
        ServiceKey::new("shop", "test", "web")
    }

    fn observed(deployment: DeploymentRow, newest_ready: u32, pods: &PodTable) -> WorkloadObservation {
        let mut table = WorkloadTable::default();
        let set: wire::ReplicaSet = serde_json::from_value(json!({
            "metadata": { "name": "web-2", "annotations": { ROLLOUT_NUMBER: "2" } },
            "spec": { "replicas": 3, "template": { "metadata": { "labels": { REVISION: "2" } } } },
            "status": { "replicas": 3, "readyReplicas": newest_ready },
        }))
        .unwrap();
        table.upsert_replica_set(&key(), &set);
        table.change(&key(), |workload| workload.deployment = Some(deployment));
        let now = Utc::now();
        observe(
            &key(),
            table.get(&key()),
            pods,
            Freshness {
                observed_at: now,
                stale: false,
            },
            now,
        )
    }

    fn deployment() -> DeploymentRow {
        DeploymentRow {
            generation: 4,
            observed_generation: 4,
            wanted: 3,
            replicas: 3,
            updated: 3,
            ready: 3,
            available: 3,
            revision: Some(2),
            rollout_number: "2".into(),
            ..DeploymentRow::default()
        }
    }

    #[test]
    fn a_rollout_is_over_when_all_replicas_are_new_and_available() {
        let done = observed(deployment(), 3, &PodTable::default());
        assert_eq!(done.rollout, RolloutState::Complete);
        assert_eq!((done.updated, done.updated_ready, done.ready), (3, 3, 3));
        for unfinished in [
            DeploymentRow {
                updated: 2,
                ..deployment()
            },
            DeploymentRow {
                replicas: 4,
                ..deployment()
            },
            DeploymentRow {
                available: 2,
                ..deployment()
            },
        ] {
            assert_eq!(
                observed(unfinished, 2, &PodTable::default()).rollout,
                RolloutState::Progressing
            );
        }
    }

    #[test]
    fn a_status_that_speaks_of_the_spec_before_counts_nothing_as_updated() {
        let behind = observed(
            DeploymentRow {
                generation: 5,
                progress_deadline_passed: Some("of the one before".into()),
                ..deployment()
            },
            3,
            &PodTable::default(),
        );
        assert_eq!(behind.rollout, RolloutState::Progressing);
        assert_eq!((behind.updated, behind.updated_ready), (0, 0));
        assert_eq!(behind.ready, 3);
        assert!(behind.problems.is_empty());
    }

    #[test]
    fn a_passed_deadline_is_a_failure_with_the_cause_before_it() {
        let mut pods = PodTable::default();
        let pod: wire::Pod = serde_json::from_value(json!({
            "metadata": { "name": "web-2-a", "namespace": "shop-test", "labels": key().labels(),
                "creationTimestamp": "2026-01-01T00:00:00Z" },
            "spec": { "containers": [{ "name": "web", "image": "missing:1" }] },
            "status": { "phase": "Pending", "containerStatuses": [{ "name": "web",
                "state": { "waiting": { "reason": "ErrImagePull", "message": "not found" } } }] },
        }))
        .unwrap();
        pods.upsert(&pod);
        let failed = observed(
            DeploymentRow {
                updated: 1,
                replicas: 4,
                progress_deadline_passed: Some("has timed out progressing".into()),
                ..deployment()
            },
            0,
            &pods,
        );
        assert_eq!(failed.rollout, RolloutState::Failed);
        let reasons: Vec<&str> = failed
            .problems
            .iter()
            .map(|problem| problem.reason.as_str())
            .collect();
        assert_eq!(reasons, ["ImagePullBackOff", "ProgressDeadlineExceeded"]);
    }

    #[test]
    fn pods_that_no_node_takes_are_counted_with_the_time_since_the_first_waits() {
        let mut pods = PodTable::default();
        for (name, created, scheduled) in [
            ("web-2-a", "2026-01-01T00:05:00Z", "False"),
            ("web-2-b", "2026-01-01T00:01:00Z", "False"),
            ("web-2-c", "2026-01-01T00:00:00Z", "True"),
        ] {
            let pod: wire::Pod = serde_json::from_value(json!({
                "metadata": { "name": name, "namespace": "shop-test", "labels": key().labels(),
                    "creationTimestamp": created },
                "spec": { "containers": [{ "name": "web", "image": "web:1" }] },
                "status": { "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": scheduled,
                    "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu." }] },
            }))
            .unwrap();
            pods.upsert(&pod);
        }
        let seen = observed(deployment(), 1, &pods);
        assert_eq!(seen.unschedulable, 2);
        assert_eq!(
            seen.unschedulable_since.map(|since| since.to_rfc3339()),
            Some("2026-01-01T00:01:00+00:00".to_owned())
        );
    }

    #[test]
    fn nothing_there_shows_nothing_ready() {
        let now = Utc::now();
        let nothing = observe(
            &key(),
            None,
            &PodTable::default(),
            Freshness {
                observed_at: now,
                stale: true,
            },
            now,
        );
        assert_eq!((nothing.replicas, nothing.ready, nothing.revision), (0, 0, None));
        assert_eq!(nothing.rollout, RolloutState::Progressing);
        assert!(nothing.stale);
    }
}
