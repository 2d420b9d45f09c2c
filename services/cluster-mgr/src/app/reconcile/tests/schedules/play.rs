//! The clusters as they are, what is seen of them, and the loops that act on it, second by second.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::*;
use super::trouble::{CLUSTERS, LONGEST, Plan, SERVICES, SINGLETON, Trouble};
use crate::app::evacuations::staying::{keep_here, stay};
use crate::app::failover::{self, Standing, Verdict};
use crate::app::health::{self, Agent, Patience, Probe, Sight};
use crate::db::clusters::Scope;
use crate::db::columns::StoredRisk;

const PATIENCE: Patience = Patience {
    unreachable_after: Duration::from_secs(30),
    ready_after: Duration::from_secs(30),
    hold_down_longest: Duration::from_secs(240),
};
const GRACE: Duration = Duration::from_secs(60);
const TAKE_BACK: Duration = Duration::from_secs(60);
const PROBE_PERIOD: i64 = 5;
const BEAT_PERIOD: i64 = 10;
const FULL_PASS: i64 = 60;
/// Everything has its place by then.
const START: i64 = 120;
/// Long enough for the longest hold-down, the way back and whatever was still under way.
const QUIET: i64 = 900;
const STARTS_AFTER: i64 = 3;

/// One replica as it really is.
#[derive(Clone, Copy, Debug)]
struct Pod {
    /// When it became ready for the first time.
    first: i64,
    /// When it is ready again after it was killed.
    ready: i64,
}

/// What a cluster really runs of a service.
#[derive(Clone, Debug)]
struct Running {
    hash: String,
    pods: Vec<Pod>,
}

/// A cluster: what is true of it, and what is known.
struct Member {
    running: BTreeMap<usize, Running>,
    reason: String,
    since: i64,
    flaps: u32,
    contact: i64,
    probe: Option<Probe>,
    heard: i64,
    renewed: i64,
}

pub struct Play {
    plan: Plan,
    second: i64,
    fleet: Fleet,
    members: Vec<Member>,
    subjects: Vec<Subject>,
    dirty: Vec<bool>,
    wake: Vec<i64>,
    /// Replicas that were not ready when they were removed, as they had been killed.
    taken: Vec<usize>,
    pub evacuations: usize,
    pub losses: usize,
    pub accepted: usize,
}

/// How a cluster is reached at a second.
#[derive(Clone, Copy)]
struct Ways {
    ipaas: bool,
    api: bool,
    agent: bool,
    heard: bool,
    slow: i64,
}

impl Play {
    pub fn new(plan: Plan) -> Self {
        let names = ["a", "b", "c", "d", "e"];
        let members = (0..CLUSTERS)
            .map(|_| Member {
                running: BTreeMap::new(),
                reason: String::new(),
                since: 0,
                flaps: 0,
                contact: 0,
                probe: None,
                heard: 0,
                renewed: 0,
            })
            .collect();
        let subjects = (0..SERVICES)
            .map(|number| {
                let mut subject = subject(OperationKind::CreateService);
                subject.service.id = Uuid::from_u128(100 + number as u128);
                subject.service.name = format!("service-{number}");
                let single = number == SINGLETON;
                subject.service.replicas = if single { 1 } else { 3 + 2 * number as i32 };
                subject.service.placement.0.singleton = single;
                subject.service.operation_id = None;
                subject.operation = None;
                subject
            })
            .collect();
        Self {
            plan,
            second: -START,
            fleet: fleet(names.map(cluster).to_vec()),
            members,
            subjects,
            dirty: vec![true; SERVICES],
            wake: vec![i64::MAX; SERVICES],
            taken: vec![0; SERVICES],
            evacuations: 0,
            losses: 0,
            accepted: 0,
        }
    }

    pub fn run(&mut self) {
        while self.second < LONGEST + QUIET {
            self.second += 1;
            self.strike();
            if self.second % BEAT_PERIOD == 0 {
                self.beat();
            }
            if self.second % PROBE_PERIOD == 0 {
                self.probe();
                self.judge();
                self.fail_over();
            }
            self.observe();
            self.reconcile();
            if self.second > 0 {
                self.nothing_ready_was_given_up();
                self.no_singleton_runs_twice();
            }
        }
        self.all_is_well();
    }

    fn ways(&self, cluster: usize) -> Ways {
        let mut ways = Ways {
            ipaas: true,
            api: true,
            agent: true,
            heard: true,
            slow: 0,
        };
        for one in self.plan.on(cluster, self.second) {
            match one.trouble {
                Trouble::Cut => (ways.ipaas, ways.agent) = (false, false),
                Trouble::ApiDown => ways.api = false,
                Trouble::ProbeCut => ways.ipaas = false,
                Trouble::AgentCut => ways.agent = false,
                Trouble::Flapping(seconds) if (self.second - one.from) / seconds % 2 == 0 => {
                    (ways.ipaas, ways.agent) = (false, false);
                }
                Trouble::Flapping(_) | Trouble::Kill(_) | Trouble::Accept => {}
                Trouble::Slow(seconds) => ways.slow += seconds,
                Trouble::IpaasAway => {}
                Trouble::PortalAway => ways.heard = false,
            }
        }
        ways
    }

    fn ipaas_is_away(&self) -> bool {
        self.plan
            .on(0, self.second)
            .any(|one| one.trouble == Trouble::IpaasAway)
    }

    /// Whether ipaas gets through to a cluster now.
    fn reaches(&self, cluster: usize) -> bool {
        let ways = self.ways(cluster);
        ways.ipaas && ways.api && !self.ipaas_is_away()
    }

    fn at(&self) -> DateTime<Utc> {
        at(self.second)
    }

    /// Kills what the plan kills now, and accepts what is accepted now.
    fn strike(&mut self) {
        let accepts =
            |one: &super::trouble::Planned| one.trouble == Trouble::Accept && one.from == self.second;
        if self.plan.0.iter().any(accepts) {
            self.accept();
        }
        let killed: Vec<(usize, usize)> = self
            .plan
            .0
            .iter()
            .filter(|one| one.from == self.second)
            .filter_map(|one| match one.trouble {
                Trouble::Kill(service) => Some((one.cluster, service)),
                _ => None,
            })
            .collect();
        for (cluster, service) in killed {
            let ready = self.second + STARTS_AFTER + self.ways(cluster).slow;
            if let Some(running) = self.members[cluster].running.get_mut(&service) {
                for pod in &mut running.pods {
                    pod.ready = ready.max(pod.ready);
                }
            }
        }
    }

    /// Accepts the risk wherever the singleton is to leave a cluster that doesn't answer.
    fn accept(&mut self) {
        let risk = api_types::fencing::AcceptedRisk {
            reason: "somebody went there and pulled the plug".to_owned(),
            by: "ada".to_owned(),
            at: self.at(),
        };
        for row in &mut self.subjects[SINGLETON].assignments {
            if row.replicas == 0 && !self.fleet.by_id(row.cluster_id).unwrap().answers() {
                row.accepted_risk = Some(StoredRisk(risk.clone()));
                self.accepted += 1;
                self.dirty[SINGLETON] = true;
            }
        }
    }

    fn beat(&mut self) {
        for number in 0..CLUSTERS {
            let ways = self.ways(number);
            let member = &mut self.members[number];
            if ways.agent && ways.heard {
                member.heard = self.second;
                if ways.api {
                    member.renewed = self.second;
                }
            }
        }
    }

    fn probe(&mut self) {
        let away = self.ipaas_is_away();
        for number in 0..CLUSTERS {
            let reachable = self.reaches(number);
            let now = self.at();
            let member = &mut self.members[number];
            if away {
                member.probe = None;
                continue;
            }
            if reachable {
                member.contact = self.second;
            }
            let since = match &member.probe {
                Some(probe) if probe.reachable == reachable => probe.since,
                _ => Some(now),
            };
            member.probe = Some(Probe {
                reachable,
                synced: true,
                since,
                error: None,
            });
        }
    }

    fn judge(&mut self) {
        let now = self.at();
        let heard: Vec<_> = self.members.iter().map(|member| at(member.heard)).collect();
        let deaf = health::is_deaf(&heard, PATIENCE, now);
        for number in 0..CLUSTERS {
            let (member, view) = (&mut self.members[number], &mut self.fleet.clusters[number]);
            let sight = Sight {
                state: view.health,
                reason: member.reason.clone(),
                since: at(member.since),
                flaps: member.flaps,
                probe_silent: view.probe_silent,
                last_contact: Some(at(member.contact)),
                probe: member.probe.clone(),
                agent: Some(Agent {
                    heard_at: at(member.heard),
                    renewed_at: at(member.renewed),
                    error: None,
                    deaf,
                }),
                watched_since: at(-START),
            };
            let judgement = health::judge(&sight, PATIENCE, now);
            let speaks = member.probe.as_ref().is_some_and(|probe| probe.reachable);
            let fresh = self.second - member.renewed < 30;
            if judgement.state == ClusterState::Unreachable {
                assert!(
                    !speaks && !fresh,
                    "{} is lost while a witness is fresh",
                    view.name
                );
            }
            if judgement.state != view.health {
                member.since = self.second;
                self.losses += usize::from(judgement.state == ClusterState::Unreachable);
                self.dirty.fill(true);
            }
            if judgement.probe_silent != view.probe_silent {
                self.dirty.fill(true);
            }
            view.health = judgement.state;
            view.probe_silent = judgement.probe_silent;
            member.reason = judgement.reason;
            member.flaps = judgement.flaps;
        }
    }

    fn standing(&self, number: usize) -> Standing {
        let view = &self.fleet.clusters[number];
        Standing {
            health: view.health,
            answers: view.answers(),
            since: at(self.members[number].since),
            ordered: view.evacuating.is_some(),
        }
    }

    fn fail_over(&mut self) {
        let now = self.at();
        let standings: Vec<_> = (0..CLUSTERS).map(|number| self.standing(number)).collect();
        for (number, standing) in standings.iter().enumerate() {
            if standing.ordered && failover::may_return(*standing, TAKE_BACK, now) {
                self.take_back(number);
            }
        }
        let (lost, verdict) = failover::due(&standings, GRACE, now);
        for number in lost {
            let id = self.fleet.clusters[number].id;
            let holds = self.subjects.iter().any(|subject| {
                let mut assigned = subject.assignments.iter();
                assigned.any(|row| row.cluster_id == id && row.replicas > 0)
            });
            if verdict == Verdict::Go && holds {
                let place = ("shop".to_owned(), "test".to_owned());
                self.fleet.clusters[number].evacuating = Some(Scope::Environments(vec![place]));
                self.evacuations += 1;
                self.dirty.fill(true);
            }
        }
    }

    fn take_back(&mut self, number: usize) {
        let now = self.at();
        let id = self.fleet.clusters[number].id;
        self.fleet.clusters[number].evacuating = None;
        for subject in &mut self.subjects {
            if subject.service.is_singleton() {
                stay(&mut subject.service, &mut subject.assignments, id, now);
                continue;
            }
            for row in subject.assignments.iter_mut().filter(|row| row.cluster_id == id) {
                keep_here(&mut subject.service, row, now);
            }
        }
        self.dirty.fill(true);
    }

    /// Reads what is there, where ipaas gets through.
    fn observe(&mut self) {
        for number in 0..CLUSTERS {
            if !self.reaches(number) {
                continue;
            }
            let id = self.fleet.clusters[number].id;
            for (service, subject) in self.subjects.iter_mut().enumerate() {
                let known = subject.observations.iter().position(|row| row.cluster_id == id);
                let Some(running) = self.members[number].running.get(&service) else {
                    if let Some(position) = known {
                        subject.observations.remove(position);
                        self.dirty[service] = true;
                    }
                    continue;
                };
                let replicas = running.pods.len() as u32;
                let ready = running.pods.iter().filter(|pod| pod.ready <= self.second).count() as u32;
                let same = known.is_some_and(|position| {
                    let row = &subject.observations[position].observation.0;
                    row.desired_hash.as_deref() == Some(running.hash.as_str())
                        && (row.replicas, row.ready) == (replicas, ready)
                });
                if same {
                    continue;
                }
                self.dirty[service] = true;
                if let Some(position) = known {
                    subject.observations.remove(position);
                }
                let row = seen(
                    subject.service.id,
                    id,
                    &running.hash,
                    (replicas, ready),
                    at(self.second),
                );
                subject.observations.push(row);
            }
        }
    }

    fn reconcile(&mut self) {
        let now = self.at();
        let look = Look {
            at: Some(now),
            complete: (0..CLUSTERS)
                .filter(|number| self.reaches(*number))
                .map(|number| self.fleet.clusters[number].id)
                .collect(),
        };
        for service in 0..SERVICES {
            let due =
                self.dirty[service] || self.wake[service] <= self.second || self.second % FULL_PASS == 0;
            if !due {
                continue;
            }
            self.dirty[service] = false;
            let mut room = fleet(self.fleet.clusters.clone());
            let outcome = reconcile(&self.subjects[service], &mut room, &look, PACE, now).unwrap();
            self.wake[service] = match outcome.wake_at {
                Some(at) => (at - self::at(0)).num_seconds().max(self.second + 1),
                None => i64::MAX,
            };
            if outcome.writes() || !outcome.actions.is_empty() {
                // What was written and done is looked at again.
                self.dirty[service] = true;
            }
            self.check_moves(service, &outcome);
            self.write(service, &outcome);
            for (cluster, action) in &outcome.actions {
                self.act(service, *cluster, action);
            }
        }
    }

    /// Replicas come only to clusters that are open, and leave only those that are evacuated.
    fn check_moves(&self, service: usize, outcome: &Outcome) {
        for row in &outcome.assignments {
            let before = self.subjects[service]
                .assignments
                .iter()
                .find(|known| known.cluster_id == row.cluster_id)
                .map_or(0, |known| known.replicas);
            let view = self.fleet.by_id(row.cluster_id).unwrap();
            if row.replicas > before {
                assert!(
                    view.health == ClusterState::Ready && view.evacuating.is_none(),
                    "{} gets replicas and is {:?}",
                    view.name,
                    view.health
                );
            }
            if row.replicas < before {
                assert!(
                    view.evacuating.is_some(),
                    "{} is not evacuated, and replicas leave it",
                    view.name
                );
            }
        }
    }

    fn write(&mut self, service: usize, outcome: &Outcome) {
        let subject = &mut self.subjects[service];
        if let Some(changed) = &outcome.service {
            subject.service = changed.clone();
        }
        for row in &outcome.assignments {
            subject
                .assignments
                .retain(|known| known.cluster_id != row.cluster_id);
            subject.assignments.push(row.clone());
        }
        subject
            .assignments
            .retain(|known| !outcome.removed.contains(&known.cluster_id));
    }

    fn act(&mut self, service: usize, cluster: Uuid, action: &Action) {
        let number = self
            .fleet
            .clusters
            .iter()
            .position(|view| view.id == cluster)
            .unwrap();
        assert!(self.fleet.clusters[number].answers());
        if !self.reaches(number) {
            // The call fails; it is made again as long as it is wanted.
            self.dirty[service] = true;
            return;
        }
        if service == SINGLETON && matches!(action, Action::Apply { .. }) {
            self.nobody_knows_of_another(number);
        }
        let (now, second) = (self.at(), self.second);
        let starts = second + STARTS_AFTER + self.ways(number).slow;
        let kept = match action {
            Action::Apply { replicas, .. } => *replicas as usize,
            Action::Remove => 0,
        };
        let running = self.members[number]
            .running
            .entry(service)
            .or_insert_with(|| Running {
                hash: String::new(),
                pods: Vec::new(),
            });
        // Those that aren't ready go first, as with any ReplicaSet.
        running.pods.sort_by_key(|pod| (pod.ready > second, pod.first));
        let gone = running.pods.split_off(kept.min(running.pods.len()));
        while running.pods.len() < kept {
            running.pods.push(Pod {
                first: starts,
                ready: starts,
            });
        }
        let row = self.subjects[service]
            .assignments
            .iter_mut()
            .find(|row| row.cluster_id == cluster)
            .unwrap();
        match action {
            Action::Apply { hash, .. } => {
                running.hash.clone_from(hash);
                row.clear_error();
                row.applied_hash = Some(hash.clone());
                row.applied_at = Some(now);
            }
            Action::Remove => {
                self.members[number].running.remove(&service);
                row.removed_at = Some(now);
            }
        }
        self.taken[service] += gone
            .iter()
            .filter(|pod| pod.first <= second && pod.ready > second)
            .count();
        if service != SINGLETON && gone.iter().any(|pod| pod.ready <= second) {
            let wanted = self.subjects[service].service.replicas as usize;
            let left = self.count(service, |pod| pod.first <= second);
            assert!(
                left + self.taken[service] >= wanted,
                "service {service} gave up ready replicas on cluster {number} at {second}: {left} of {wanted} are left"
            );
        }
    }

    fn runs_singleton(&self, number: usize) -> bool {
        let running = self.members[number].running.get(&SINGLETON);
        running.is_some_and(|running| !running.pods.is_empty())
    }

    /// The singleton starts on a cluster only when it runs on no other, or where nobody can look and that was accepted.
    fn nobody_knows_of_another(&self, number: usize) {
        if self.runs_singleton(number) {
            return;
        }
        for other in (0..CLUSTERS).filter(|other| *other != number && self.runs_singleton(*other)) {
            let view = &self.fleet.clusters[other];
            let mut rows = self.subjects[SINGLETON].assignments.iter();
            let accepted = rows.any(|row| row.cluster_id == view.id && row.accepted_risk.is_some());
            assert!(
                accepted && !view.answers(),
                "the singleton starts on cluster {number} at {} while it runs on {}",
                self.second,
                view.name
            );
        }
    }

    /// Where nobody accepted a risk, it never runs twice, known or not.
    fn no_singleton_runs_twice(&self) {
        let places = (0..CLUSTERS)
            .filter(|number| self.runs_singleton(*number))
            .count();
        assert!(
            places <= 1 || self.accepted > 0,
            "the singleton runs on {places} clusters at {}",
            self.second
        );
    }

    fn count(&self, service: usize, counts: impl Fn(&Pod) -> bool) -> usize {
        let running = self
            .members
            .iter()
            .filter_map(|member| member.running.get(&service));
        running
            .flat_map(|running| &running.pods)
            .filter(|pod| counts(pod))
            .count()
    }

    /// What is ready, together with what trouble took, is never less than what is wanted.
    fn nothing_ready_was_given_up(&mut self) {
        for service in (0..SERVICES).filter(|service| *service != SINGLETON) {
            let wanted = self.subjects[service].service.replicas as usize;
            if self.count(service, |pod| pod.ready <= self.second) >= wanted {
                self.taken[service] = 0;
            }
            let there = self.count(service, |pod| pod.first <= self.second) + self.taken[service];
            assert!(
                there >= wanted,
                "service {service} has {there} of {wanted} at {}",
                self.second
            );
        }
    }

    fn all_is_well(&self) {
        for (number, view) in self.fleet.clusters.iter().enumerate() {
            assert_eq!(
                view.health,
                ClusterState::Ready,
                "{}: {}",
                view.name,
                self.members[number].reason
            );
            assert_eq!(view.evacuating, None, "{}", view.name);
        }
        for (service, subject) in self.subjects.iter().enumerate() {
            let state: ServiceState = read_word(&subject.service.state).unwrap();
            assert_eq!(state, ServiceState::Running, "{}", subject.service.message);
            assert_eq!(subject.service.unplaced, 0);
            let assigned: i32 = subject.assignments.iter().map(|row| row.replicas).sum();
            assert_eq!(assigned, subject.service.replicas);
            // Nothing runs anywhere that is not assigned there: every cluster is at its present epoch.
            for (number, view) in self.fleet.clusters.iter().enumerate() {
                let assigned = subject.assignments.iter().find(|row| row.cluster_id == view.id);
                let running = self.members[number]
                    .running
                    .get(&service)
                    .map_or(0, |running| running.pods.len());
                assert_eq!(
                    assigned.map_or(0, |row| row.replicas) as usize,
                    running,
                    "service {service} on {}",
                    view.name
                );
            }
        }
    }
}

fn seen(
    service_id: Uuid,
    cluster_id: Uuid,
    hash: &str,
    (replicas, ready): (u32, u32),
    now: DateTime<Utc>,
) -> observations::Model {
    let rollout = if ready >= replicas {
        RolloutState::Complete
    } else {
        RolloutState::Progressing
    };
    observations::Model {
        service_id,
        cluster_id,
        present: true,
        replicas: replicas as i32,
        observation: StoredObservation(WorkloadObservation {
            observed_at: now,
            stale: false,
            revision: Some(1),
            desired_hash: Some(hash.to_owned()),
            replicas,
            updated: replicas,
            updated_ready: ready,
            ready,
            available: ready,
            unschedulable: 0,
            unschedulable_since: None,
            rollout,
            problems: vec![],
            drift: vec![],
        }),
        changed_at: now,
    }
}
