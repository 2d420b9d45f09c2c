//! Replicas that go from one cluster to another: what is held until it was taken over, and singletons, which end before
//! they start elsewhere.

use api_types::clusters::ClusterState;
use api_types::fencing::AcceptedRisk;
use api_types::operations::{OperationKind, StepState};
use api_types::services::ServiceState;

use super::*;
use crate::app::evacuations::staying::stay;
use crate::db::clusters::Scope;
use crate::db::columns::{Returning, StoredRisk};

/// Two replicas each on `a` and `b`; `a` is to be emptied, and its two go to `c`, which has them and isn't ready.
fn taking_over() -> Play {
    let mut play = Play::new(OperationKind::CreateService, vec![cluster("a"), cluster("b")]);
    play.settle();
    assert_eq!(play.spread(), [("a", 2, 0), ("b", 2, 0)]);
    play.fleet.clusters[0].evacuating = Some(Scope::Everything);
    play.fleet.clusters[1].cordoned = true;
    play.fleet.clusters.push(cluster("c"));
    play.starts = false;
    let outcome = play.turn();
    play.write(&outcome);
    play.act(&outcome);
    assert_eq!(play.spread(), [("a", 0, 2), ("b", 2, 0), ("c", 2, 0)]);
    play
}

#[test]
fn who_is_lost_before_it_took_over_took_nothing_over() {
    let mut play = taking_over();
    play.health("c", ClusterState::Unreachable);
    play.settle();
    assert_eq!(play.spread(), [("a", 0, 2), ("b", 2, 0), ("c", 2, 0)]);
    assert_eq!(play.seen("a").ready, 2, "what it has stays");
    // It returns, and is ready in the end.
    play.health("c", ClusterState::Ready);
    let hash = play.seen("b").desired_hash.clone().unwrap();
    let c = play.fleet.by_name("c").unwrap().id;
    play.see(c, &hash, 2, 2);
    play.settle();
    assert_eq!(play.spread(), [("b", 2, 0), ("c", 2, 0)]);
}

#[test]
fn who_is_lost_after_it_took_over_holds_nothing_up() {
    let mut play = taking_over();
    let hash = play.seen("b").desired_hash.clone().unwrap();
    let c = play.fleet.by_name("c").unwrap().id;
    play.see(c, &hash, 2, 2);
    play.health("c", ClusterState::Unreachable);
    play.settle();
    assert_eq!(play.spread(), [("b", 2, 0), ("c", 2, 0)]);
    assert_eq!(play.state(), ServiceState::Unknown, "its own loss is told");
}

#[test]
fn what_returns_stays_until_it_is_ready_at_home() {
    let mut play = Play::new(OperationKind::CreateService, vec![cluster("a")]);
    play.settle();
    play.fleet.clusters.push(cluster("b"));
    assert_eq!(play.spread(), [("a", 4, 0)]);
    let b = play.fleet.by_name("b").unwrap().id;
    play.subject.service.returning = Some(Returning {
        cluster: b,
        replicas: 2,
    });
    play.starts = false;
    let outcome = play.turn();
    play.write(&outcome);
    play.act(&outcome);
    assert_eq!(play.spread(), [("a", 2, 4), ("b", 2, 0)]);
    assert_eq!(play.subject.service.returning, None, "it is decided");
    let back = play
        .subject
        .assignments
        .iter()
        .find(|row| row.cluster_id == b)
        .unwrap();
    assert_eq!(back.reason.0.bounds, ["returned"]);
    let hash = play
        .subject
        .observations
        .iter()
        .find(|row| row.cluster_id == b)
        .and_then(|row| row.observation.0.desired_hash.clone())
        .unwrap();
    play.see(b, &hash, 2, 2);
    play.starts = true;
    play.settle();
    assert_eq!(play.spread(), [("a", 2, 0), ("b", 2, 0)]);
    // Where it can't go it stays.
    play.subject.service.returning = Some(Returning {
        cluster: b,
        replicas: 2,
    });
    play.leave("b");
    play.settle();
    assert_eq!(play.spread(), [("a", 4, 0)]);
}

/// A singleton that runs on `a`, and `b` beside it.
fn single() -> Play {
    let mut play = Play::new(OperationKind::CreateService, vec![cluster("a")]);
    play.subject.service.replicas = 1;
    play.subject.service.placement.0.singleton = true;
    play.settle();
    play.fleet.clusters.push(cluster("b"));
    assert_eq!(play.spread(), [("a", 1, 0)]);
    play
}

impl Play {
    fn leave(&mut self, name: &str) {
        let mut clusters = self.fleet.clusters.iter_mut();
        clusters.find(|view| view.name == name).unwrap().evacuating = Some(Scope::Everything);
    }

    fn accept(&mut self, name: &str) {
        let id = self.fleet.by_name(name).unwrap().id;
        let risk = AcceptedRisk {
            reason: "the room has no power".to_owned(),
            by: "ada".to_owned(),
            at: self.now,
        };
        self.assignment(id).accepted_risk = Some(StoredRisk(risk));
    }

    /// Clusters where it runs, as far as the imagined clusters are concerned.
    fn places(&self) -> usize {
        let seen = self.subject.observations.iter();
        seen.filter(|row| row.present && row.replicas > 0).count()
    }

    /// As `settle`, and it never runs in two places.
    fn settle_single(&mut self) {
        self.settle_with(|play| assert!(play.places() <= 1, "{:?}", play.spread()));
    }
}

#[test]
fn a_singleton_ends_before_it_starts_elsewhere() {
    let mut play = single();
    play.leave("a");
    let outcome = play.turn();
    let a = play.fleet.by_name("a").unwrap().id;
    assert_eq!(outcome.actions, [(a, Action::Remove)]);
    play.write(&outcome);
    play.act(&outcome);
    let waits = play.turn();
    assert!(waits.actions.is_empty(), "nobody looked whether it is gone");
    play.write(&waits);
    assert_eq!(play.state(), ServiceState::Progressing);
    play.settle_single();
    assert_eq!(play.spread(), [("b", 1, 0)]);
    assert_eq!(play.state(), ServiceState::Running);
}

#[test]
fn where_there_is_no_other_place_a_singleton_is_not_ended() {
    let mut play = single();
    play.fleet.clusters[1].cordoned = true;
    play.leave("a");
    play.settle();
    assert_eq!(play.spread(), [("a", 0, 1)]);
    assert_eq!(play.seen("a").ready, 1);
    // Nor while its next place doesn't answer.
    play.fleet.clusters[1].cordoned = false;
    play.health("a", ClusterState::Unreachable);
    play.settle_single();
    assert_eq!(play.spread(), [("a", 0, 1), ("b", 1, 0)]);
    play.health("b", ClusterState::Unreachable);
    play.health("a", ClusterState::Ready);
    play.settle_single();
    assert_eq!(play.seen("a").ready, 1);
    play.health("b", ClusterState::Ready);
    play.settle_single();
    assert_eq!(play.spread(), [("b", 1, 0)]);
}

#[test]
fn a_singleton_on_a_lost_cluster_waits_until_it_is_seen_gone() {
    let mut play = single();
    play.ask(OperationKind::RestartService);
    play.health("a", ClusterState::Unreachable);
    play.leave("a");
    play.settle_single();
    assert_eq!(play.spread(), [("a", 0, 1), ("b", 1, 0)]);
    let status = play.subject.service.status().unwrap();
    assert_eq!(
        (status.state, status.ready, status.unknown),
        (ServiceState::Unknown, 0, 1)
    );
    assert!(
        status.message.starts_with("b: waits: it may still run in a"),
        "{}",
        status.message
    );
    let steps = &play.subject.operation.as_ref().unwrap().steps.0;
    assert!(
        steps
            .iter()
            .filter(|step| step.name != "placement")
            .all(|step| step.state == StepState::Waiting),
        "{steps:?}"
    );
    // It comes back, still running it: that ends first.
    play.health("a", ClusterState::Recovering);
    play.settle_single();
    assert_eq!(play.spread(), [("b", 1, 0)]);
    assert_eq!(play.state(), ServiceState::Running);
}

#[test]
fn whoever_accepts_the_risk_starts_it_elsewhere() {
    let mut play = single();
    play.health("a", ClusterState::Unreachable);
    play.leave("a");
    play.settle();
    play.accept("a");
    play.settle();
    assert_eq!(play.places(), 2, "that is the risk");
    assert_eq!(play.spread(), [("a", 0, 0), ("b", 1, 0)]);
    assert_eq!(play.state(), ServiceState::Running);
    play.health("a", ClusterState::Recovering);
    play.settle();
    assert_eq!((play.spread(), play.places()), (vec![("b", 1, 0)], 1));
}

#[test]
fn an_accepted_risk_is_not_taken_once_the_cluster_answers() {
    let mut play = single();
    play.health("a", ClusterState::Unreachable);
    play.leave("a");
    play.settle();
    play.accept("a");
    play.health("a", ClusterState::Recovering);
    play.settle_single();
    assert_eq!(play.spread(), [("b", 1, 0)]);
}

#[test]
fn a_lost_cluster_that_is_removed_is_no_longer_in_the_way() {
    let mut play = single();
    play.health("a", ClusterState::Unreachable);
    play.fleet.clusters[0].removing = true;
    play.settle();
    assert_eq!(play.spread(), [("b", 1, 0)]);
    assert_eq!(play.state(), ServiceState::Running);
}

#[test]
fn a_singleton_that_waits_to_leave_stays_when_its_cluster_is_taken_back() {
    let mut play = single();
    play.health("a", ClusterState::Unreachable);
    play.leave("a");
    play.settle();
    play.fleet.clusters[0].evacuating = None;
    let (a, now) = (play.fleet.clusters[0].id, play.now);
    assert!(stay(
        &mut play.subject.service,
        &mut play.subject.assignments,
        a,
        now
    ));
    play.settle_single();
    play.health("a", ClusterState::Ready);
    play.settle_single();
    assert_eq!(play.spread(), [("a", 1, 0)]);
    assert_eq!(play.state(), ServiceState::Running);
    assert!(!stay(
        &mut play.subject.service,
        &mut play.subject.assignments,
        a,
        now
    ));
}

#[test]
fn where_it_runs_a_singleton_may_be_changed_whatever_is_elsewhere() {
    let mut play = single();
    let stray = play.fleet.by_name("b").unwrap().id;
    play.see(stray, "old", 1, 1);
    play.health("b", ClusterState::Unreachable);
    play.subject.service.revision = 2;
    play.settle();
    assert_eq!(play.spread(), [("a", 1, 0), ("b", 0, 0)]);
    let hash = crate::app::workload::desired(&play.subject.service, &play.subject.spec, 1).hash;
    assert_eq!(play.seen("a").desired_hash, Some(hash));
}

#[test]
fn a_service_that_becomes_a_singleton_keeps_one_replica() {
    let mut play = Play::new(OperationKind::CreateService, vec![cluster("a"), cluster("b")]);
    play.settle();
    play.subject.service.replicas = 1;
    play.subject.service.placement.0.singleton = true;
    play.settle();
    assert_eq!(play.places(), 1);
    assert_eq!(
        play.spread().iter().map(|(_, replicas, _)| replicas).sum::<i32>(),
        1
    );
    assert_eq!(play.state(), ServiceState::Running);
}
