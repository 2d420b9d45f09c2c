//! One service against a few imagined clusters.

mod handover;
mod random;
mod schedules;
mod turns;

use std::time::Duration;

use api_types::clusters::{ClusterObservation, ClusterState, ResourceAmounts};
use api_types::operations::{OperationKind, OperationState};
use api_types::services::{RolloutState, ServiceState, WorkloadObservation};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::fleet::{ClusterView, Fleet};
use super::sync::{Action, Look, Pace};
use super::{Outcome, Subject, reconcile};
use crate::db::columns::{Names, StoredObservation, StoredPlacement, read_word, word};
use crate::db::{assignments, environments, observations, operations, services};

const PACE: Pace = Pace {
    echo: Duration::from_secs(10),
    drift: Duration::from_secs(5),
    removal: Duration::from_secs(60),
    look: Duration::from_secs(1),
    settle: Duration::from_secs(10),
    give_back: Duration::from_secs(300),
    give_back_pause: Duration::from_secs(1800),
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn cluster(name: &str) -> ClusterView {
    let amounts = ResourceAmounts {
        cpu_millicores: 100_000,
        memory_bytes: 100 << 30,
        pods: 500,
        gpus: 0,
    };
    ClusterView {
        id: Uuid::from_u128(u128::from(name.bytes().map(u64::from).sum::<u64>())),
        name: name.to_owned(),
        region: name.to_owned(),
        zone: String::new(),
        removing: false,
        evacuating: None,
        evacuating_data: false,
        cordoned: false,
        taints: vec![],
        health: ClusterState::Ready,
        probe_silent: false,
        observed: Some(ClusterObservation {
            observed_at: at(0),
            stale: false,
            kubernetes_version: String::new(),
            nodes: 1,
            nodes_ready: 1,
            pods: 0,
            allocatable: amounts,
            requested: ResourceAmounts::default(),
            used: None,
            largest_node: Some(amounts),
            gpu_nodes: None,
            free: None,
        }),
        last_contact: Some(at(0)),
    }
}

fn fleet(clusters: Vec<ClusterView>) -> Fleet {
    Fleet {
        clusters,
        ..Fleet::default()
    }
}

/// A service of four replicas that was asked for just now.
fn subject(kind: OperationKind) -> Subject {
    let id = Uuid::from_u128(1);
    let operation = operations::Model {
        id: Uuid::from_u128(2),
        kind: word(kind),
        state: word(OperationState::Running),
        title: String::new(),
        message: String::new(),
        project: None,
        environment: None,
        service: None,
        service_id: Some(id),
        cluster: None,
        cluster_id: None,
        revision: Some(1),
        progress: 0,
        steps: crate::db::columns::Steps(vec![]),
        requested_by: String::new(),
        created_at: at(0),
        updated_at: at(0),
        finished_at: None,
    };
    Subject {
        service: services::Model {
            id,
            project: "shop".to_owned(),
            environment: "test".to_owned(),
            name: "web".to_owned(),
            kind: "Deployment".to_owned(),
            description: String::new(),
            replicas: 4,
            placement: StoredPlacement(Default::default()),
            revision: 1,
            latest_revision: 1,
            image: "web:1".to_owned(),
            cpu_millicores: 1000,
            memory_bytes: 1 << 30,
            gpus: 0,
            storage_bytes: 0,
            keeps_data: false,
            restarted_at: None,
            deleting: kind == OperationKind::DeleteService,
            delete_volumes: false,
            place_afresh: false,
            most_moves: None,
            returning: None,
            given_back: None,
            unplaced: 0,
            operation_id: Some(operation.id),
            version: 1,
            created_at: at(0),
            updated_at: at(0),
            updated_by: String::new(),
            state: word(ServiceState::Progressing),
            state_rank: 0,
            message: String::new(),
            ready: 0,
            updated: 0,
            unknown: 0,
            since: at(0),
        },
        spec: serde_json::from_value(json!({ "image": "web:1" })).unwrap(),
        environment: environments::Model {
            id: Uuid::from_u128(3),
            project: "shop".to_owned(),
            name: "test".to_owned(),
            namespace: "shop-test".to_owned(),
            clusters: Names(vec![]),
            failover: "confirm".to_owned(),
            failback: "confirm".to_owned(),
            failback_after_minutes: 30,
            failback_percent: 25,
            version: 1,
            created_at: at(0),
            updated_at: at(0),
            updated_by: String::new(),
        },
        assignments: vec![],
        observations: vec![],
        operation: Some(operation),
    }
}

/// What a turn found, carried out as the tasks would, with clusters that do at once what they are told.
struct Play {
    subject: Subject,
    fleet: Fleet,
    look: Look,
    now: DateTime<Utc>,
    /// New replicas become ready.
    starts: bool,
    gone: bool,
}

impl Play {
    fn new(kind: OperationKind, clusters: Vec<ClusterView>) -> Self {
        Self {
            subject: subject(kind),
            fleet: fleet(clusters),
            look: Look::default(),
            now: at(0),
            starts: true,
            gone: false,
        }
    }

    /// A new operation on the service.
    fn ask(&mut self, kind: OperationKind) {
        self.subject.operation = subject(kind).operation;
        self.subject.service.operation_id = Some(Uuid::from_u128(2));
    }

    fn turn(&mut self) -> Outcome {
        // Reservations are made anew for every batch.
        let mut fleet = fleet(self.fleet.clusters.clone());
        reconcile(&self.subject, &mut fleet, &self.look, PACE, self.now).unwrap()
    }

    fn write(&mut self, outcome: &Outcome) {
        if let Some(service) = &outcome.service {
            self.subject.service = service.clone();
        }
        if let Some(operation) = &outcome.operation {
            self.subject.operation = Some(operation.clone());
        }
        if self.subject.service.operation_id.is_none() {
            self.subject.operation = None;
        }
        for assignment in &outcome.assignments {
            self.subject
                .assignments
                .retain(|known| known.cluster_id != assignment.cluster_id);
            self.subject.assignments.push(assignment.clone());
        }
        self.subject
            .assignments
            .retain(|known| !outcome.removed.contains(&known.cluster_id));
        self.gone |= outcome.gone;
    }

    fn act(&mut self, outcome: &Outcome) {
        for (cluster, action) in &outcome.actions {
            assert!(
                self.fleet.by_id(*cluster).unwrap().answers(),
                "nothing is sent to a cluster that doesn't answer"
            );
            match action {
                Action::Apply { hash, replicas, .. } => self.apply(*cluster, hash, *replicas),
                Action::Remove => {
                    self.subject.observations.retain(|row| row.cluster_id != *cluster);
                    self.assignment(*cluster).removed_at = Some(self.now);
                }
            }
        }
    }

    fn assignment(&mut self, cluster: Uuid) -> &mut assignments::Model {
        self.subject
            .assignments
            .iter_mut()
            .find(|assignment| assignment.cluster_id == cluster)
            .expect("an action is about an assignment")
    }

    fn apply(&mut self, cluster: Uuid, hash: &str, replicas: u32) {
        let now = self.now;
        let assignment = self.assignment(cluster);
        assignment.clear_error();
        assignment.applied_hash = Some(hash.to_owned());
        assignment.applied_at = Some(now);
        let ready = if self.starts { replicas } else { 0 };
        self.see(cluster, hash, replicas, ready);
    }

    fn see(&mut self, cluster: Uuid, hash: &str, replicas: u32, ready: u32) {
        self.subject.observations.retain(|row| row.cluster_id != cluster);
        self.subject.observations.push(observations::Model {
            service_id: self.subject.service.id,
            cluster_id: cluster,
            present: true,
            replicas: replicas as i32,
            observation: StoredObservation(WorkloadObservation {
                observed_at: self.now,
                stale: false,
                revision: Some(self.subject.service.revision),
                desired_hash: Some(hash.to_owned()),
                replicas,
                updated: replicas,
                updated_ready: ready,
                ready,
                available: ready,
                rollout: if ready >= replicas {
                    RolloutState::Complete
                } else {
                    RolloutState::Progressing
                },
                unschedulable: 0,
                unschedulable_since: None,
                problems: vec![],
                drift: vec![],
            }),
            changed_at: self.now,
        });
    }

    fn seen(&mut self, name: &str) -> &mut WorkloadObservation {
        let cluster = self.fleet.by_name(name).unwrap().id;
        let row = self
            .subject
            .observations
            .iter_mut()
            .find(|row| row.cluster_id == cluster);
        &mut row.unwrap().observation.0
    }

    fn look(&mut self) {
        self.look = Look {
            at: Some(self.now),
            complete: self
                .fleet
                .clusters
                .iter()
                .filter(|cluster| cluster.answers())
                .map(|cluster| cluster.id)
                .collect(),
        };
    }

    /// Turns until nothing more is to be written or done.
    fn settle(&mut self) {
        self.settle_with(|_| {});
    }

    /// The same, and does something after each turn.
    fn settle_with(&mut self, mut each: impl FnMut(&mut Self)) {
        for _ in 0..40 {
            let outcome = self.turn();
            if !outcome.writes()
                && outcome.actions.is_empty()
                && outcome.wake_at.is_none()
                && !outcome.wants_look
            {
                return;
            }
            self.write(&outcome);
            if self.gone {
                return;
            }
            self.act(&outcome);
            each(self);
            self.now += chrono::Duration::seconds(2);
            self.look();
        }
        panic!("it doesn't settle: {:?}", self.turn());
    }

    fn spread(&self) -> Vec<(&str, i32, i32)> {
        let mut spread: Vec<_> = self
            .subject
            .assignments
            .iter()
            .map(|assignment| {
                let cluster = self.fleet.by_id(assignment.cluster_id).unwrap();
                (cluster.name.as_str(), assignment.replicas, assignment.hold)
            })
            .collect();
        spread.sort_unstable();
        spread
    }

    fn state(&self) -> ServiceState {
        read_word(&self.subject.service.state).unwrap()
    }

    fn operation(&self) -> OperationState {
        let operation = self.subject.operation.as_ref().expect("the operation goes on");
        read_word(&operation.state).unwrap()
    }

    fn health(&mut self, name: &str, health: ClusterState) {
        let cluster = self
            .fleet
            .clusters
            .iter_mut()
            .find(|cluster| cluster.name == name);
        cluster.unwrap().health = health;
    }
}
