//! Why a cluster is in its state, for a person.

use api_types::clusters::ClusterState;
use chrono::{DateTime, Utc};

use super::{Agent, Patience, Probe, Sight, Voice, hold_down, passed};

/// The reason for `state`; while a state stays and tells nothing new, the reason that it has.
pub(super) fn reason(
    sight: &Sight,
    state: ClusterState,
    voices: (Voice, Voice),
    flaps: u32,
    patience: Patience,
    now: DateTime<Utc>,
) -> String {
    let decided = sight.state != state || voices.0 != Voice::Waits || voices.1 == Voice::Silent;
    match state {
        // What is the matter with one that answers: it throttles us.
        ClusterState::Ready => match &sight.probe {
            Some(probe) if probe.reachable => probe.error.clone().unwrap_or_default(),
            _ => String::new(),
        },
        ClusterState::Recovering if sight.state != state => recovering(flaps, patience),
        ClusterState::Suspect if decided => suspect(sight, voices, patience, now),
        ClusterState::Unreachable if sight.state != state => lost(sight, patience, now),
        _ => sight.reason.clone(),
    }
}

fn recovering(flaps: u32, patience: Patience) -> String {
    let seconds = hold_down(flaps, patience).as_secs();
    let mut text = format!("it answers again; new replicas go there once it was well for {seconds} s");
    if flaps > 1 {
        text.push_str(&format!(", as it was lost {flaps} times lately"));
    }
    text
}

fn suspect(sight: &Sight, voices: (Voice, Voice), patience: Patience, now: DateTime<Utc>) -> String {
    let seconds = patience.unreachable_after.as_secs();
    match voices {
        (Voice::Unheard, Voice::Speaks) => {
            format!("{}; its agent says that it is alive", unheard(seconds))
        }
        (Voice::Unheard, _) => unheard(seconds),
        (Voice::Silent, Voice::Unheard) => format!(
            "{}; no cluster's agent is heard, so it is not known whether the cluster or the way to it is lost",
            silent(sight, seconds)
        ),
        (Voice::Silent, _) => {
            format!(
                "{}; its agent says that it is alive, so nothing moves",
                silent(sight, seconds)
            )
        }
        (Voice::Waits, Voice::Speaks) => {
            "its agent says that it is alive; its API server has not answered ipaas yet".to_owned()
        }
        _ => match &sight.agent {
            Some(agent) if fails(agent, patience, now) => {
                format!("its API server answers, but not its agent{}", complaint(agent))
            }
            _ => format!("its API server answers, but its agent has not been heard for {seconds} s"),
        },
    }
}

fn lost(sight: &Sight, patience: Patience, now: DateTime<Utc>) -> String {
    let told = silent(sight, patience.unreachable_after.as_secs());
    match &sight.agent {
        None => told,
        Some(agent) if fails(agent, patience, now) => format!(
            "{told}; it doesn't answer its agent either, which is heard, so its nodes and its way out are alive"
        ),
        Some(_) => format!("{told}; its agent is not heard either"),
    }
}

/// Whether the agent speaks, to say that it can't renew its Lease. What it said while it still could is no such word: the
/// renewal is always older than the heartbeat that tells of it.
fn fails(agent: &Agent, patience: Patience, now: DateTime<Utc>) -> bool {
    agent.error.is_some() && !passed(agent.heard_at, now, patience.unreachable_after)
}

fn complaint(agent: &Agent) -> String {
    agent
        .error
        .as_ref()
        .map(|error| format!(": {error}"))
        .unwrap_or_default()
}

fn unheard(seconds: u64) -> String {
    format!("ipaas, which probes it, has not told of an answer for {seconds} s; look whether ipaas runs")
}

fn silent(sight: &Sight, seconds: u64) -> String {
    match &sight.probe {
        Some(Probe {
            error: Some(error), ..
        }) => format!("its API server has not answered for {seconds} s: {error}"),
        _ => format!("its API server has not answered for {seconds} s"),
    }
}
