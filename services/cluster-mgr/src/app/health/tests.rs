//! What each of the two witnesses' words, and their silence, make of a cluster.

use super::*;
use crate::db::clusters::answers;

pub(super) const PATIENCE: Patience = Patience {
    unreachable_after: Duration::from_secs(30),
    ready_after: Duration::from_secs(30),
    hold_down_longest: Duration::from_secs(3600),
};

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// A cluster in a state since long ago, with the last good probe and the present run of probes.
pub(super) fn sight(state: ClusterState, contact: Option<i64>, probe: Option<(bool, i64)>) -> Sight {
    Sight {
        state,
        reason: String::new(),
        since: at(-100),
        flaps: 0,
        probe_silent: false,
        last_contact: contact.map(at),
        probe: probe.map(|(reachable, since)| Probe {
            reachable,
            synced: reachable,
            since: Some(at(since)),
            error: (!reachable).then(|| "connection refused".to_owned()),
        }),
        agent: None,
        watched_since: at(-1000),
    }
}

/// An agent that was heard then, and renewed its Lease then.
pub(super) fn agent(heard: i64, renewed: i64) -> Option<Agent> {
    Some(Agent {
        heard_at: at(heard),
        renewed_at: at(renewed),
        error: (heard > renewed).then(|| "timed out".to_owned()),
        deaf: false,
    })
}

fn judged(sight: &Sight, now: i64) -> Judgement {
    judge(sight, PATIENCE, at(now))
}

fn state(sight: &Sight, now: i64) -> ClusterState {
    judged(sight, now).state
}

#[test]
fn silence_counts_only_after_a_while() {
    let silent = sight(ClusterState::Ready, Some(0), Some((false, 5)));
    assert_eq!(state(&silent, 34), ClusterState::Ready);
    let lost = judged(&silent, 35);
    assert_eq!(lost.state, ClusterState::Unreachable);
    assert_eq!(
        lost.reason,
        "its API server has not answered for 30 s: connection refused"
    );
    assert!(lost.probe_silent);
}

#[test]
fn one_silent_witness_of_two_makes_it_suspect_and_both_unreachable() {
    let mut one = sight(ClusterState::Ready, Some(0), Some((false, 5)));
    one.agent = agent(34, 34);
    let suspect = judged(&one, 35);
    assert_eq!(suspect.state, ClusterState::Suspect);
    assert!(
        suspect
            .reason
            .ends_with("its agent says that it is alive, so nothing moves"),
        "{}",
        suspect.reason
    );
    assert!(suspect.probe_silent && !answers(suspect.state, suspect.probe_silent));
    one.agent = agent(5, 5);
    let lost = judged(&one, 35);
    assert_eq!(lost.state, ClusterState::Unreachable);
    assert!(
        lost.reason.ends_with("its agent is not heard either"),
        "{}",
        lost.reason
    );

    // Its last heartbeat, which told of a renewal a little older, is no complaint.
    one.agent = Some(Agent {
        error: None,
        ..agent(6, 5).unwrap()
    });
    let lost = judged(&one, 35);
    assert!(
        lost.reason.ends_with("its agent is not heard either"),
        "{}",
        lost.reason
    );

    let mut other = sight(ClusterState::Ready, Some(35), Some((true, -500)));
    other.agent = agent(5, 5);
    let suspect = judged(&other, 35);
    assert_eq!(suspect.state, ClusterState::Suspect);
    assert_eq!(
        suspect.reason,
        "its API server answers, but its agent has not been heard for 30 s"
    );
    assert!(answers(suspect.state, suspect.probe_silent), "its pods are seen");
}

#[test]
fn an_agent_that_cannot_renew_is_no_sign_of_the_api_server_but_one_of_the_nodes() {
    let mut one = sight(ClusterState::Ready, Some(0), Some((false, 5)));
    one.agent = agent(34, 2);
    let lost = judged(&one, 35);
    assert_eq!(lost.state, ClusterState::Unreachable);
    assert!(
        lost.reason.ends_with("so its nodes and its way out are alive"),
        "{}",
        lost.reason
    );
    let mut other = sight(ClusterState::Ready, Some(35), Some((true, -500)));
    other.agent = agent(34, 2);
    let suspect = judged(&other, 35);
    assert_eq!(
        (suspect.state, suspect.reason.as_str()),
        (
            ClusterState::Suspect,
            "its API server answers, but not its agent: timed out"
        )
    );
}

#[test]
fn it_leaves_unreachable_as_soon_as_anybody_speaks_and_not_before() {
    let mut lost = sight(ClusterState::Unreachable, Some(0), Some((false, 5)));
    lost.agent = agent(0, 0);
    lost.reason = "as it was".to_owned();
    let stays = judged(&lost, 500);
    assert_eq!(
        (stays.state, stays.reason.as_str()),
        (ClusterState::Unreachable, "as it was")
    );
    // Nobody looked for a while: that is no reason to think better of it.
    lost.watched_since = at(490);
    assert_eq!(state(&lost, 500), ClusterState::Unreachable);
    lost.probe = None;
    assert_eq!(state(&lost, 600), ClusterState::Unreachable);
    lost.agent = agent(499, 499);
    assert_eq!(state(&lost, 500), ClusterState::Suspect);
    lost.watched_since = at(-1000);
    lost.probe = Some(Probe {
        reachable: false,
        synced: false,
        since: Some(at(5)),
        error: None,
    });
    assert_eq!(state(&lost, 500), ClusterState::Suspect);
    lost.probe.as_mut().unwrap().reachable = true;
    assert_eq!(state(&lost, 500), ClusterState::Recovering);
}

#[test]
fn a_return_counts_only_after_a_while() {
    let back = sight(ClusterState::Unreachable, Some(100), Some((true, 90)));
    let recovering = judged(&back, 110);
    assert_eq!(recovering.state, ClusterState::Recovering);
    assert_eq!(
        recovering.reason,
        "it answers again; new replicas go there once it was well for 30 s"
    );
    let mut back = sight(ClusterState::Recovering, Some(139), Some((true, 90)));
    back.since = at(110);
    assert_eq!(state(&back, 139), ClusterState::Recovering);
    assert_eq!(state(&back, 140), ClusterState::Ready);
    // A bad probe in between begins it anew.
    back.probe.as_mut().unwrap().since = Some(at(125));
    assert_eq!(state(&back, 140), ClusterState::Recovering);
    assert_eq!(state(&back, 155), ClusterState::Ready);
}

#[test]
fn each_flap_doubles_the_hold_down_and_a_quiet_time_forgives_them() {
    let seconds: Vec<u64> = [0, 1, 2, 3, 7, 8, 9, u32::MAX]
        .map(|flaps| hold_down(flaps, PATIENCE).as_secs())
        .to_vec();
    assert_eq!(seconds, [30, 30, 60, 120, 1920, 3600, 3600, 3600]);
    let mut silent = sight(ClusterState::Ready, Some(0), Some((false, 0)));
    silent.flaps = 3;
    assert_eq!(judged(&silent, 30).flaps, 4);
    silent.since = at(-3571);
    assert_eq!(judged(&silent, 30).flaps, 1, "it was well for an hour");
    assert_eq!(judged(&silent, 29).flaps, 0);
    let mut recovering = sight(ClusterState::Suspect, Some(0), Some((true, 0)));
    recovering.flaps = 4;
    let judged = judged(&recovering, 1);
    assert_eq!(judged.flaps, 4, "falling further is no further flap");
    assert!(
        judged.reason.contains("240 s, as it was lost 4 times"),
        "{}",
        judged.reason
    );
}

#[test]
fn the_first_answer_is_enough_for_a_new_cluster() {
    assert_eq!(
        state(&sight(ClusterState::Pending, None, Some((true, 0))), 0),
        ClusterState::Ready
    );
    assert_eq!(
        state(&sight(ClusterState::Pending, None, None), -990),
        ClusterState::Pending
    );
    let mut unread = sight(ClusterState::Pending, None, Some((true, 0)));
    unread.probe.as_mut().unwrap().synced = false;
    assert_eq!(
        state(&unread, 0),
        ClusterState::Pending,
        "nothing is placed on what isn't known yet"
    );
}

#[test]
fn an_ipaas_that_is_away_makes_it_suspect_and_is_no_flap() {
    let blind = sight(ClusterState::Ready, Some(0), None);
    assert_eq!(state(&blind, 29), ClusterState::Ready);
    let suspect = judged(&blind, 30);
    assert_eq!((suspect.state, suspect.flaps), (ClusterState::Suspect, 0));
    assert!(suspect.reason.contains("look whether ipaas runs"));
    assert!(
        !answers(suspect.state, suspect.probe_silent),
        "nothing old counts"
    );
    // It is back, and has not probed yet: what lies between is not the cluster's silence.
    let mut back = sight(ClusterState::Suspect, Some(0), Some((false, 0)));
    back.probe.as_mut().unwrap().since = None;
    assert_eq!(state(&back, 300), ClusterState::Suspect);
    back.probe.as_mut().unwrap().since = Some(at(290));
    assert_eq!(state(&back, 300), ClusterState::Suspect);
    assert_eq!(state(&back, 320), ClusterState::Unreachable);
}

#[test]
fn ears_that_hear_no_agent_at_all_say_nothing_of_a_cluster() {
    let mut one = sight(ClusterState::Ready, Some(35), Some((true, -500)));
    one.agent = agent(0, 0);
    one.agent.as_mut().unwrap().deaf = true;
    assert_eq!(state(&one, 35), ClusterState::Ready);
    let mut other = sight(ClusterState::Ready, Some(0), Some((false, 5)));
    other.agent = one.agent;
    assert_eq!(state(&other, 35), ClusterState::Suspect);
}

#[test]
fn silence_while_nobody_looked_is_none() {
    let mut old = sight(ClusterState::Ready, Some(-5000), Some((false, -4000)));
    old.agent = agent(-5000, -5000);
    old.watched_since = at(0);
    assert_eq!(state(&old, 29), ClusterState::Ready);
    assert_eq!(state(&old, 30), ClusterState::Unreachable);
}
