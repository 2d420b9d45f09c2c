//! A service as it applies for room: every cluster as a place for its replicas. Pure.

use std::collections::{BTreeMap, BTreeSet};

use api_types::clusters::{ClusterObservation, TaintEffect};
use api_types::placement::Placement;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::app::placement::Candidate;
use crate::app::placement::capacity::Ask;
use crate::app::placement::obstacle::{Obstacle, is_tolerated};
use crate::app::reconcile::fleet::{ClusterView, Fleet};
use crate::app::reconcile::neighbours::ServicePlace;
use crate::app::reconcile::sync::{Pace, later};
use crate::db::{assignments, environments, observations, services};

/// What a cluster holds of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    pub replicas: u32,
    /// Those of them that no node took for long.
    pub stuck: u32,
}

/// A service, or one that is thought of, and what it holds.
#[derive(Clone, Debug)]
pub struct Applicant<'a> {
    pub place: ServicePlace,
    pub placement: &'a Placement,
    pub ask: Ask,
    pub environment: &'a environments::Model,
    /// It needs what is in its volumes, which is where it runs.
    pub keeps_data: bool,
    pub holdings: BTreeMap<Uuid, Holding>,
    /// Clusters that gave replicas back a while ago because no node took them.
    pub exhausted: BTreeSet<Uuid>,
}

/// What is seen of a service, and when.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub observations: &'a [observations::Model],
    pub pace: Pace,
    pub now: DateTime<Utc>,
}

impl Seen<'_> {
    /// When the replicas of an assignment that no node takes are due to be given back, and how many they are.
    fn stuck(&self, assignment: &assignments::Model) -> Option<(DateTime<Utc>, u32)> {
        let row = self
            .observations
            .iter()
            .find(|row| row.present && row.cluster_id == assignment.cluster_id)?;
        let seen = &row.observation.0;
        // What is seen may be of a larger number that was wanted before.
        let on_nodes = seen.replicas.saturating_sub(seen.unschedulable);
        let stuck = assignment.replicas.unsigned_abs().saturating_sub(on_nodes);
        let since = seen
            .unschedulable_since
            .filter(|_| seen.unschedulable > 0 && stuck > 0)?;
        Some((later(since, self.pace.give_back), stuck))
    }

    /// The next time that replicas are due to be given back.
    #[must_use]
    pub fn due(&self, assignments: &[assignments::Model]) -> Option<DateTime<Utc>> {
        assignments
            .iter()
            .filter_map(|assignment| self.stuck(assignment))
            .map(|(due, _)| due)
            .filter(|due| *due > self.now)
            .min()
    }

    /// Whether a cluster holds replicas that are to be given back, as far as there is room elsewhere.
    #[must_use]
    pub fn any_stuck(&self, assignments: &[assignments::Model]) -> bool {
        assignments
            .iter()
            .filter_map(|assignment| self.stuck(assignment))
            .any(|(due, _)| due <= self.now)
    }

    fn holding(&self, assignment: &assignments::Model) -> Holding {
        Holding {
            replicas: assignment.replicas.unsigned_abs(),
            stuck: self
                .stuck(assignment)
                .filter(|(due, _)| *due <= self.now)
                .map_or(0, |(_, stuck)| stuck),
        }
    }
}

/// What one replica asks for.
#[must_use]
pub fn ask(service: &services::Model) -> Ask {
    Ask {
        cpu_millicores: service.cpu_millicores.max(0) as u64,
        memory_bytes: service.memory_bytes.max(0) as u64,
        gpus: service.gpus.max(0) as u64,
    }
}

/// Whether an evacuation of the cluster is about the environment.
fn is_evacuated(environment: &environments::Model, cluster: &ClusterView) -> bool {
    let scope = cluster.evacuating.as_ref();
    scope.is_some_and(|scope| scope.covers(environment))
}

/// Why a cluster can't hold replicas of the service, if it can't, whoever else is there. Those that need their data stay
/// on a cluster that is evacuated, unless the order says otherwise.
#[must_use]
pub fn excluded<'c>(
    placement: &Placement,
    environment: &environments::Model,
    keeps_data: bool,
    cluster: &'c ClusterView,
) -> Option<Obstacle<'c>> {
    let chosen = &placement.clusters;
    let stays = keeps_data && !cluster.evacuating_data;
    if cluster.removing {
        Some(Obstacle::Removing)
    } else if is_evacuated(environment, cluster) && !stays {
        Some(Obstacle::Evacuating)
    } else if !environment.spans(&cluster.name) {
        Some(Obstacle::OutsideEnvironment)
    } else if !chosen.is_empty() && !chosen.contains(&cluster.name) {
        Some(Obstacle::NotChosen)
    } else {
        taint(placement, cluster, TaintEffect::Evict)
    }
}

/// The first taint of an effect that the service doesn't tolerate.
fn taint<'c>(placement: &Placement, cluster: &'c ClusterView, effect: TaintEffect) -> Option<Obstacle<'c>> {
    cluster
        .taints
        .iter()
        .find(|taint| taint.effect == effect && !is_tolerated(taint, &placement.tolerations))
        .map(Obstacle::Taint)
}

impl<'a> Applicant<'a> {
    /// A service that is there.
    #[must_use]
    pub fn of(
        service: &'a services::Model,
        environment: &'a environments::Model,
        assignments: &[assignments::Model],
        seen: &Seen<'_>,
    ) -> Self {
        Self {
            place: service.place(),
            placement: &service.placement.0,
            ask: ask(service),
            environment,
            keeps_data: service.keeps_data,
            holdings: assignments
                .iter()
                .map(|assignment| (assignment.cluster_id, seen.holding(assignment)))
                .collect(),
            exhausted: service
                .given_back
                .iter()
                .flat_map(|given| &given.0)
                .filter(|(_, at)| later(**at, seen.pace.give_back_pause) > seen.now)
                .map(|(cluster, _)| *cluster)
                .collect(),
        }
    }

    /// It asks for GPUs, and no node of the cluster that takes pods has any. What is there already stays: the node with
    /// the GPUs may only be away for a while.
    fn lacks_gpus(&self, cluster: &ClusterView) -> bool {
        let none = |observed: &ClusterObservation| observed.allocatable.gpus == 0;
        self.ask.gpus > 0 && cluster.observed.as_ref().is_some_and(none)
    }

    /// Every cluster as a place for it, in the order of the fleet's clusters.
    #[must_use]
    pub fn candidates<'c>(&'c self, fleet: &'c Fleet) -> Vec<Candidate<'c>> {
        fleet
            .clusters
            .iter()
            .zip(fleet.rooms(self.ask))
            .map(|(cluster, room)| {
                let neighbour =
                    fleet
                        .reservations
                        .neighbours
                        .on(&self.place, &self.placement.avoid, cluster.id);
                let avoided = |leave: bool| {
                    let neighbour = neighbour.filter(|neighbour| neighbour.leave == leave);
                    neighbour.map(|neighbour| Obstacle::Avoided(neighbour.name))
                };
                let holding = self.holdings.get(&cluster.id).copied().unwrap_or_default();
                Candidate {
                    name: &cluster.name,
                    region: &cluster.region,
                    zone: &cluster.zone,
                    ready: cluster.answers(),
                    closed: self
                        .lacks_gpus(cluster)
                        .then_some(Obstacle::NoGpus)
                        .or_else(|| cluster.cordoned.then_some(Obstacle::Cordoned))
                        .or_else(|| is_evacuated(self.environment, cluster).then_some(Obstacle::Evacuating))
                        .or_else(|| cluster.is_closed().then_some(Obstacle::Unproven))
                        .or_else(|| taint(self.placement, cluster, TaintEffect::NoPlacement))
                        .or_else(|| avoided(false)),
                    excluded: excluded(self.placement, self.environment, self.keeps_data, cluster)
                        .or_else(|| avoided(true)),
                    capacity: room.map(|room| room + u64::from(holding.replicas)),
                    held: holding.replicas,
                    stuck: holding.stuck,
                    exhausted: self.exhausted.contains(&cluster.id),
                }
            })
            .collect()
    }
}
