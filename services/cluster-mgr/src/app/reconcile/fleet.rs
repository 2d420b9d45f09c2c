//! The clusters as the loops see them.

use std::collections::HashMap;

use api_types::clusters::{ClusterObservation, ClusterState, Taint};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::app::placement::capacity::{Ask, Fits, Reserved, further};
use crate::app::reconcile::neighbours::Neighbours;
use crate::db::clusters::Scope;
use crate::db::{DbErr, clusters};

/// One cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterView {
    pub id: Uuid,
    pub name: String,
    pub region: String,
    pub zone: String,
    pub removing: bool,
    /// Whose replicas leave it.
    pub evacuating: Option<Scope>,
    /// Of them also those whose data can't follow.
    pub evacuating_data: bool,
    pub cordoned: bool,
    pub taints: Vec<Taint>,
    pub health: ClusterState,
    pub probe_silent: bool,
    pub observed: Option<ClusterObservation>,
    pub last_contact: Option<DateTime<Utc>>,
}

impl ClusterView {
    pub fn of(model: &clusters::Model) -> Result<Self, DbErr> {
        Ok(Self {
            id: model.id,
            name: model.name.clone(),
            region: model.region.clone(),
            zone: model.zone.clone(),
            removing: model.is_removing(),
            evacuating: model.evacuation.as_ref().map(|order| order.scope.clone()),
            evacuating_data: model
                .evacuation
                .as_ref()
                .is_some_and(|order| order.include_stored),
            cordoned: model.cordoned,
            taints: model.taints(),
            health: model.health()?,
            probe_silent: model.probe_silent,
            observed: model.observed.as_ref().map(|stored| stored.0.clone()),
            last_contact: model.last_contact,
        })
    }

    /// Whether it answers.
    #[must_use]
    pub fn answers(&self) -> bool {
        clusters::answers(self.health, self.probe_silent)
    }

    /// It is removed though it doesn't answer: what is there is left behind.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.removing && self.health == ClusterState::Unreachable
    }

    /// It answers, and gets nothing new: one of its witnesses is silent, or it has not been well for long enough.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.answers() && self.health != ClusterState::Ready
    }
}

/// What other services have a claim to.
#[derive(Clone, Debug, Default)]
pub struct Reservations {
    /// What is promised by cluster.
    pub rooms: HashMap<Uuid, Reserved>,
    pub neighbours: Neighbours,
}

/// All of them by name, with what is promised on each and not seen yet.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub clusters: Vec<ClusterView>,
    pub reservations: Reservations,
    pub(super) fits: Fits,
}

impl Fleet {
    pub fn of(models: &[clusters::Model]) -> Result<Self, DbErr> {
        Ok(Self {
            clusters: models.iter().map(ClusterView::of).collect::<Result<_, _>>()?,
            ..Self::default()
        })
    }

    #[must_use]
    pub fn by_id(&self, id: Uuid) -> Option<&ClusterView> {
        self.clusters.iter().find(|cluster| cluster.id == id)
    }

    #[cfg(test)]
    pub fn by_name(&self, name: &str) -> Option<&ClusterView> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// Promises room.
    pub fn reserve(&mut self, cluster: Uuid, ask: Ask, replicas: u32) {
        if replicas > 0 {
            self.reservations
                .rooms
                .entry(cluster)
                .or_default()
                .add(ask, replicas);
        }
    }

    /// Replicas that each cluster has room for beside those that are there; unknown until it was observed.
    #[must_use]
    pub fn rooms(&self, ask: Ask) -> Vec<Option<u64>> {
        let observations = self.clusters.iter().map(|cluster| cluster.observed.as_ref());
        let fits = self.fits.of(ask, observations);
        self.clusters
            .iter()
            .zip(fits.iter())
            .map(|(cluster, fit)| {
                let reserved = self
                    .reservations
                    .rooms
                    .get(&cluster.id)
                    .copied()
                    .unwrap_or_default();
                Some(further(ask, cluster.observed.as_ref()?, *fit, reserved))
            })
            .collect()
    }
}
