//! Whether a cluster counts as alive, by two witnesses: ipaas's probes of its API server, and the agent inside it. Pure.
//!
//! It flips only after a while, both ways, so that a lost packet moves nothing and a flapping cluster isn't trusted at
//! its first good answer. One silent witness makes it Suspect, both make it Unreachable. Silence while nobody looked is
//! none: neither an ipaas that is away nor ears of ours that hear no agent at all speak against a cluster.

mod words;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::time::Duration;

use api_types::clusters::{ClusterState, Witness, WitnessKind};
use chrono::{DateTime, Utc};

/// What is known of a cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    pub state: ClusterState,
    pub reason: String,
    pub since: DateTime<Utc>,
    /// Times that it was lost since it was well for long.
    pub flaps: u32,
    /// Whether the probes counted as silent before.
    pub probe_silent: bool,
    /// When it was last known to answer.
    pub last_contact: Option<DateTime<Utc>>,
    /// What ipaas's last probe says; absent when ipaas itself doesn't answer or has no such connection.
    pub probe: Option<Probe>,
    /// Absent until an agent was heard for the first time.
    pub agent: Option<Agent>,
    /// Since when somebody is looking. Silence while nobody asked is no silence.
    pub watched_since: DateTime<Utc>,
}

/// The present run of probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub reachable: bool,
    /// Whether what it has was read whole: before that nobody knows what it has room for.
    pub synced: bool,
    pub since: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

/// What the agent inside a cluster said last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// When it last said anything.
    pub heard_at: DateTime<Utc>,
    /// When it last renewed its Lease, and so the API server answered it.
    pub renewed_at: DateTime<Utc>,
    pub error: Option<String>,
    /// No cluster's agent is heard: what is cut off is likelier to be us.
    pub deaf: bool,
}

/// How long it takes to believe a change.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub unreachable_after: Duration,
    /// How long it has to be well after it was lost once; doubled with each further time.
    pub ready_after: Duration,
    /// The longest that it has to be well, and how long it must stay well until its flaps are forgiven.
    pub hold_down_longest: Duration,
}

/// How a cluster counts from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub state: ClusterState,
    pub reason: String,
    pub flaps: u32,
    pub probe_silent: bool,
}

/// What one witness says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// There is no such witness.
    Absent,
    Speaks,
    /// Not heard just now, but not for long.
    Waits,
    Silent,
    /// Nobody listened for a while.
    Unheard,
}

/// What both say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Well,
    Undecided,
    Suspect,
    Lost,
}

/// Judges a cluster.
#[must_use]
pub fn judge(sight: &Sight, patience: Patience, now: DateTime<Utc>) -> Judgement {
    use ClusterState as S;
    let probe = probe_voice(sight, patience, now);
    let agent = agent_voice(sight, patience, now);
    let finding = weigh(probe, agent);
    let synced = sight.probe.as_ref().is_some_and(|probe| probe.synced);
    let somebody_speaks = probe == Voice::Speaks || agent == Voice::Speaks;
    let state = match (sight.state, finding) {
        (S::Pending, Finding::Well) if synced => S::Ready,
        (S::Unreachable, _) if !somebody_speaks => S::Unreachable,
        (S::Unreachable, Finding::Undecided) => S::Suspect,
        (S::Suspect | S::Unreachable, Finding::Well) => S::Recovering,
        (S::Recovering, Finding::Well) if is_over(sight, patience, now) => S::Ready,
        (_, Finding::Suspect) => S::Suspect,
        (_, Finding::Lost) => S::Unreachable,
        (state, Finding::Well | Finding::Undecided) => state,
    };
    let fell = matches!(sight.state, S::Ready | S::Recovering)
        && matches!(state, S::Suspect | S::Unreachable)
        && (probe == Voice::Silent || agent == Voice::Silent);
    let forgiven = sight.state == S::Ready && passed(sight.since, now, patience.hold_down_longest);
    let flaps = if fell {
        // What was long ago is no flapping.
        if forgiven {
            1
        } else {
            sight.flaps.saturating_add(1)
        }
    } else if forgiven {
        0
    } else {
        sight.flaps
    };
    Judgement {
        reason: words::reason(sight, state, (probe, agent), flaps, patience, now),
        state,
        flaps,
        probe_silent: match probe {
            Voice::Silent | Voice::Unheard => true,
            Voice::Waits => sight.probe_silent,
            Voice::Speaks | Voice::Absent => false,
        },
    }
}

/// How long a cluster has to be well before it gets new replicas, by how often it was lost lately.
#[must_use]
pub fn hold_down(flaps: u32, patience: Patience) -> Duration {
    let doubled = 2_u32.saturating_pow(flaps.saturating_sub(1));
    patience
        .ready_after
        .saturating_mul(doubled)
        .min(patience.hold_down_longest.max(patience.ready_after))
}

/// Whether the hold-down is over: a bad probe begins it anew.
fn is_over(sight: &Sight, patience: Patience, now: DateTime<Utc>) -> bool {
    let well = sight.probe.as_ref().and_then(|probe| probe.since);
    let since = well.map_or(sight.since, |well| well.max(sight.since));
    passed(since, now, hold_down(sight.flaps, patience))
}

fn weigh(probe: Voice, agent: Voice) -> Finding {
    match (probe, agent) {
        (Voice::Silent, Voice::Absent | Voice::Silent) => Finding::Lost,
        (Voice::Silent | Voice::Unheard, _) | (_, Voice::Silent) => Finding::Suspect,
        (Voice::Speaks, _) => Finding::Well,
        (Voice::Waits | Voice::Absent, _) => Finding::Undecided,
    }
}

fn probe_voice(sight: &Sight, patience: Patience, now: DateTime<Utc>) -> Voice {
    let known = sight
        .last_contact
        .map_or(sight.watched_since, |contact| contact.max(sight.watched_since));
    match &sight.probe {
        Some(probe) if probe.reachable => Voice::Speaks,
        // The run of bad probes counts, not what lies before it: perhaps nobody probed then.
        Some(Probe {
            since: Some(since), ..
        }) => silence(known.max(*since), patience, now, Voice::Silent),
        _ => silence(known, patience, now, Voice::Unheard),
    }
}

fn agent_voice(sight: &Sight, patience: Patience, now: DateTime<Utc>) -> Voice {
    let Some(agent) = &sight.agent else {
        return Voice::Absent;
    };
    if !passed(agent.renewed_at, now, patience.unreachable_after) {
        return Voice::Speaks;
    }
    let voice = if agent.deaf { Voice::Unheard } else { Voice::Silent };
    silence(agent.renewed_at.max(sight.watched_since), patience, now, voice)
}

/// Whether we hear no agent at all, though there are several: then it is likelier that we don't hear than that all of
/// them don't speak.
#[must_use]
pub fn is_deaf(heard: &[DateTime<Utc>], patience: Patience, now: DateTime<Utc>) -> bool {
    heard.len() > 1
        && heard
            .iter()
            .all(|at| passed(*at, now, patience.unreachable_after))
}

fn silence(since: DateTime<Utc>, patience: Patience, now: DateTime<Utc>, voice: Voice) -> Voice {
    if passed(since, now, patience.unreachable_after) {
        voice
    } else {
        Voice::Waits
    }
}

fn passed(since: DateTime<Utc>, now: DateTime<Utc>, wait: Duration) -> bool {
    (now - since).to_std().is_ok_and(|elapsed| elapsed >= wait)
}

/// The probes as a witness for the API.
#[must_use]
pub fn probe_witness(
    last_contact: Option<DateTime<Utc>>,
    complaint: &str,
    patience: Patience,
    now: DateTime<Utc>,
) -> Witness {
    Witness {
        kind: WitnessKind::Probe,
        fresh: last_contact.is_some_and(|at| !passed(at, now, patience.unreachable_after)),
        counts: true,
        heard_at: last_contact,
        message: complaint.to_owned(),
    }
}

/// The agent as a witness for the API.
#[must_use]
pub fn agent_witness(
    renewed_at: Option<DateTime<Utc>>,
    complaint: Option<&str>,
    patience: Patience,
    now: DateTime<Utc>,
) -> Witness {
    Witness {
        kind: WitnessKind::Agent,
        fresh: renewed_at.is_some_and(|at| !passed(at, now, patience.unreachable_after)),
        counts: renewed_at.is_some(),
        heard_at: renewed_at,
        message: complaint.unwrap_or_default().to_owned(),
    }
}
