//! Particular turns.

use std::collections::HashSet;

use api_types::clusters::ClusterState;
use api_types::operations::{OperationKind, OperationState, StepState};
use api_types::services::{Problem, RolloutState, ServiceState};

use super::*;
use crate::app::workload;

/// Runs on two clusters, settled.
fn running() -> Play {
    let mut play = Play::new(OperationKind::CreateService, vec![cluster("a"), cluster("b")]);
    play.settle();
    assert_eq!(play.state(), ServiceState::Running);
    assert_eq!(play.spread(), [("a", 2, 0), ("b", 2, 0)]);
    play
}

#[test]
fn a_new_service_is_placed_applied_and_then_left_alone() {
    let mut play = Play::new(OperationKind::CreateService, vec![cluster("a"), cluster("b")]);
    let outcome = play.turn();
    assert_eq!(outcome.assignments.len(), 2);
    assert_eq!(outcome.actions.len(), 2);
    play.write(&outcome);
    assert_eq!(play.state(), ServiceState::Progressing);
    let same = play.turn();
    assert!(!same.writes(), "the same turn again writes nothing: {same:?}");
    assert_eq!(same.actions, outcome.actions);
    play.settle();
    assert_eq!(play.state(), ServiceState::Running);
    assert!(play.subject.operation.is_none(), "it is over");
    let quiet = play.turn();
    assert_eq!(quiet, Outcome::default());
}

#[test]
fn a_failed_try_waits_its_time_and_a_refusal_is_of_one_state_only() {
    let mut play = Play::new(OperationKind::CreateService, vec![cluster("a")]);
    let outcome = play.turn();
    play.write(&outcome);
    let hash = workload::desired(&play.subject.service, &play.subject.spec, 4).hash;
    let place = play.fleet.clusters[0].id;
    let assignment = play.assignment(place);
    assignment.error = Some("the API server is busy".to_owned());
    assignment.failed_hash = Some(hash);
    assignment.attempts = 1;
    assignment.retry_at = Some(at(10));
    let outcome = play.turn();
    assert_eq!((outcome.actions.len(), outcome.wake_at), (0, Some(at(10))));
    play.write(&outcome);
    assert_eq!(play.operation(), OperationState::Running);
    assert!(
        play.subject
            .service
            .message
            .contains("the API server is busy; it is tried again")
    );

    play.assignment(place).refused = true;
    let outcome = play.turn();
    play.write(&outcome);
    assert_eq!(play.state(), ServiceState::Failed);
    assert_eq!(
        read_word::<OperationState>(&outcome.operation.unwrap().state),
        Ok(OperationState::Failed)
    );

    play.subject.spec.image = "web:2".to_owned();
    let outcome = play.turn();
    assert_eq!(outcome.actions.len(), 1, "another state is tried at once");
    play.now = at(10);
    play.settle();
    assert_eq!(play.state(), ServiceState::Running);
}

#[test]
fn what_was_applied_and_is_not_seen_is_applied_again() {
    let mut play = running();
    let place = play.fleet.by_name("a").unwrap().id;
    play.subject.observations.retain(|row| row.cluster_id != place);
    let applied = play.assignment(place).applied_at.unwrap();
    play.now = applied + chrono::Duration::seconds(5);
    play.look();
    let early = play.turn();
    assert!(early.actions.is_empty() && early.wants_look);
    play.now = applied + chrono::Duration::seconds(11);
    let blind = play.turn();
    assert!(blind.actions.is_empty(), "nobody looked since then");
    play.look();
    play.now += chrono::Duration::seconds(1);
    let outcome = play.turn();
    assert!(
        matches!(&outcome.actions[..], [(_, Action::Apply { drift: Some(drift), .. })] if drift == "its objects are gone")
    );
}

#[test]
fn drift_is_put_right_but_not_without_end() {
    let mut play = running();
    play.now += chrono::Duration::seconds(20);
    play.seen("a").drift = vec!["Service/web: spec.ports".to_owned()];
    let outcome = play.turn();
    assert!(
        matches!(&outcome.actions[..], [(_, Action::Apply { drift: Some(drift), .. })] if drift == "Service/web: spec.ports")
    );
    play.write(&outcome);
    play.act(&outcome);
    // It is changed again at once.
    play.seen("a").replicas = 7;
    let outcome = play.turn();
    assert!(outcome.actions.is_empty());
    assert_eq!(outcome.wake_at, Some(play.now + chrono::Duration::seconds(5)));
    play.now += chrono::Duration::seconds(5);
    let outcome = play.turn();
    assert!(
        matches!(&outcome.actions[..], [(_, Action::Apply { drift: Some(drift), .. })] if drift == "Deployment/web: 7 replicas instead of 2")
    );
}

#[test]
fn a_removal_is_over_only_when_a_later_look_finds_nothing() {
    let mut play = running();
    play.subject.service.deleting = true;
    play.ask(OperationKind::DeleteService);
    let outcome = play.turn();
    assert!(
        outcome
            .actions
            .iter()
            .all(|(_, action)| *action == Action::Remove)
    );
    play.write(&outcome);
    play.act(&outcome);
    let waiting = play.turn();
    assert!(waiting.wants_look && waiting.actions.is_empty() && !waiting.gone);
    play.write(&waiting);
    play.now += chrono::Duration::seconds(1);
    play.look();
    play.look.complete = HashSet::new();
    assert!(!play.turn().gone, "an incomplete look proves nothing");
    play.look();
    let outcome = play.turn();
    assert!(outcome.gone);
    let operation = outcome.operation.unwrap();
    assert_eq!(
        read_word::<OperationState>(&operation.state),
        Ok(OperationState::Succeeded)
    );
    assert!(
        operation
            .steps
            .0
            .iter()
            .all(|step| step.state == StepState::Succeeded)
    );
}

#[test]
fn a_deletion_waits_for_a_cluster_that_is_away() {
    let mut play = running();
    play.health("b", ClusterState::Unreachable);
    play.subject.service.deleting = true;
    play.ask(OperationKind::DeleteService);
    play.settle();
    assert!(!play.gone);
    assert_eq!(play.operation(), OperationState::Waiting);
    assert_eq!(play.state(), ServiceState::Unknown);
    play.health("b", ClusterState::Ready);
    play.settle();
    assert!(play.gone);
}

#[test]
fn replicas_of_a_silent_cluster_are_unknown_and_stay_where_they_are() {
    let mut play = running();
    play.health("b", ClusterState::Unreachable);
    play.settle();
    assert_eq!(play.state(), ServiceState::Unknown);
    let status = play.subject.service.status().unwrap();
    assert_eq!((status.ready, status.updated, status.unknown), (2, 2, 2));
    assert_eq!(
        status.message,
        "b doesn't answer: what is known of its 2 replicas is old"
    );
    assert_eq!(play.spread(), [("a", 2, 0), ("b", 2, 0)]);
    let since = status.since;
    play.now += chrono::Duration::seconds(60);
    play.settle();
    assert_eq!(play.subject.service.since, since, "since when it is so");
}

#[test]
fn a_release_waits_only_where_it_must() {
    let mut play = running();
    play.health("b", ClusterState::Unreachable);
    play.subject.service.revision = 2;
    play.ask(OperationKind::ReleaseService);
    play.settle();
    assert_eq!(play.operation(), OperationState::Waiting);
    let steps: Vec<_> = play
        .subject
        .operation
        .as_ref()
        .unwrap()
        .steps
        .0
        .iter()
        .map(|step| (step.name.as_str(), step.state, step.done))
        .collect();
    assert_eq!(
        steps,
        [
            ("placement", StepState::Succeeded, 4),
            ("a", StepState::Succeeded, 2),
            ("b", StepState::Waiting, 0)
        ]
    );
    // What succeeded stays so, whatever falls over while the rest waits.
    play.seen("a").ready = 0;
    play.seen("a").rollout = RolloutState::Progressing;
    let outcome = play.turn();
    play.write(&outcome);
    assert_eq!(play.operation(), OperationState::Waiting);
    play.seen("a").ready = 2;
    play.seen("a").rollout = RolloutState::Complete;
    play.health("b", ClusterState::Ready);
    play.settle();
    assert_eq!(play.state(), ServiceState::Running);
    assert!(play.subject.operation.is_none());
}

#[test]
fn what_moves_is_held_until_its_new_place_is_ready() {
    let mut play = running();
    play.starts = false;
    play.fleet.clusters[1].removing = true;
    let outcome = play.turn();
    play.write(&outcome);
    play.act(&outcome);
    assert_eq!(play.spread(), [("a", 4, 0), ("b", 0, 2)]);
    for _ in 0..5 {
        play.now += chrono::Duration::seconds(2);
        play.look();
        let outcome = play.turn();
        assert!(
            outcome
                .actions
                .iter()
                .all(|(_, action)| *action != Action::Remove),
            "make before break"
        );
        play.write(&outcome);
    }
    let hash = play.seen("a").desired_hash.clone().unwrap();
    let a = play.fleet.clusters[0].id;
    play.see(a, &hash, 4, 4);
    play.settle();
    assert_eq!(play.spread(), [("a", 4, 0)]);
    assert_eq!(play.state(), ServiceState::Running);
}

#[test]
fn where_nothing_is_ready_nothing_is_held() {
    let mut play = running();
    play.starts = false;
    play.seen("b").ready = 0;
    play.fleet.clusters[1].removing = true;
    let outcome = play.turn();
    assert!(
        outcome
            .actions
            .iter()
            .any(|(_, action)| *action == Action::Remove)
    );
}

#[test]
fn fewer_replicas_go_at_once() {
    let mut play = running();
    play.subject.service.replicas = 1;
    play.starts = false;
    let outcome = play.turn();
    play.write(&outcome);
    assert!(
        play.spread().iter().all(|(_, _, hold)| *hold == 0),
        "{:?}",
        play.spread()
    );
    assert_eq!(
        play.spread().iter().map(|(_, replicas, _)| replicas).sum::<i32>(),
        1
    );
}

#[test]
fn what_is_seen_where_nothing_is_assigned_is_taken_away() {
    let mut play = running();
    play.fleet.clusters.push(cluster("z"));
    let stray = play.fleet.by_name("z").unwrap().id;
    play.see(stray, "old", 3, 3);
    let outcome = play.turn();
    play.write(&outcome);
    assert_eq!(outcome.actions, [(stray, Action::Remove)]);
    play.act(&outcome);
    play.settle();
    assert_eq!(play.spread(), [("a", 2, 0), ("b", 2, 0)]);
}

#[test]
fn a_problem_is_told_with_its_advice_and_degrades_or_fails() {
    let mut play = running();
    let problem = Problem {
        reason: "OOMKilled".to_owned(),
        message: "used 1Gi".to_owned(),
        advice: "Raise the memory limit".to_owned(),
        pods: 1,
        example_pod: "web-1".to_owned(),
    };
    for (name, expected) in [("a", ServiceState::Degraded), ("b", ServiceState::Failed)] {
        let seen = play.seen(name);
        seen.problems = vec![problem.clone()];
        seen.ready = 0;
        seen.updated_ready = 0;
        seen.rollout = RolloutState::Progressing;
        let outcome = play.turn();
        play.write(&outcome);
        assert_eq!(play.state(), expected);
    }
    assert_eq!(
        play.subject.service.message,
        "a: OOMKilled: used 1Gi. Raise the memory limit; b: OOMKilled: used 1Gi. Raise the memory limit"
    );
}

#[test]
fn what_crashes_again_and_again_does_not_count_as_running_in_between() {
    let mut play = running();
    let hash = play.seen("a").desired_hash.clone().unwrap();
    let a = play.fleet.by_name("a").unwrap().id;
    let since = play.now + chrono::Duration::seconds(5);
    for _ in 0..3 {
        play.now += chrono::Duration::seconds(5);
        play.see(a, &hash, 2, 1);
        play.seen("a").problems = vec![Problem {
            reason: "CrashLoopBackOff".to_owned(),
            message: "exit code 1".to_owned(),
            advice: String::new(),
            pods: 1,
            example_pod: "web-1".to_owned(),
        }];
        let outcome = play.turn();
        play.write(&outcome);
        assert_eq!(play.state(), ServiceState::Degraded);
        // It starts, and is ready.
        play.now += chrono::Duration::seconds(2);
        play.see(a, &hash, 2, 1);
        let outcome = play.turn();
        play.write(&outcome);
        assert_eq!(play.state(), ServiceState::Degraded);
        play.now += chrono::Duration::seconds(3);
        play.see(a, &hash, 2, 2);
        let outcome = play.turn();
        assert_eq!(outcome.wake_at, Some(play.now + chrono::Duration::seconds(10)));
        play.write(&outcome);
        assert_eq!(play.state(), ServiceState::Degraded);
        assert!(play.subject.service.message.contains("CrashLoopBackOff"));
        assert_eq!(play.subject.service.since, since);
    }
    play.now += chrono::Duration::seconds(10);
    let outcome = play.turn();
    play.write(&outcome);
    assert_eq!(play.state(), ServiceState::Running);
}

/// Of several that crash by turns, some or none are ready at a time.
#[test]
fn trouble_that_gets_better_and_worse_began_when_it_began() {
    let mut play = running();
    let began = play.now + chrono::Duration::seconds(5);
    for (ready, expected) in [
        (1, ServiceState::Degraded),
        (0, ServiceState::Failed),
        (1, ServiceState::Degraded),
        (0, ServiceState::Failed),
    ] {
        play.now += chrono::Duration::seconds(5);
        for name in ["a", "b"] {
            let seen = play.seen(name);
            seen.ready = ready;
            seen.updated_ready = ready;
            seen.problems = vec![Problem {
                reason: "CrashLoopBackOff".to_owned(),
                message: "exit code 1".to_owned(),
                advice: String::new(),
                pods: 2 - ready,
                example_pod: "web-1".to_owned(),
            }];
            seen.rollout = RolloutState::Progressing;
        }
        let outcome = play.turn();
        play.write(&outcome);
        assert_eq!(play.state(), expected);
        assert_eq!(play.subject.service.since, began);
    }
}

#[test]
fn a_service_of_no_replicas_is_stopped() {
    let mut play = running();
    play.subject.service.replicas = 0;
    play.settle();
    assert_eq!(play.state(), ServiceState::Stopped);
    assert!(play.subject.assignments.is_empty() && play.subject.observations.is_empty());
}

#[test]
fn without_a_cluster_a_service_fails_and_says_why() {
    let mut play = Play::new(OperationKind::CreateService, vec![]);
    play.settle();
    assert_eq!(play.state(), ServiceState::Failed);
    assert_eq!(
        play.subject.service.message,
        "4 of 4 replicas fit nowhere: there is no cluster to put them on"
    );
    assert_eq!(play.operation(), OperationState::Waiting);
}
