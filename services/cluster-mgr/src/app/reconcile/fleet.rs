//! The clusters as the loops see them.

use std::collections::HashMap;

use api_types::clusters::{ClusterObservation, ClusterState};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::app::placement::capacity::{Ask, Reserved, further};
use crate::db::clusters::Scope;
use crate::db::{DbErr, clusters};

/// One cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterView {
    pub id: Uuid,
    pub name: String,
    pub region: String,
    pub removing: bool,
    /// Whose replicas leave it.
    pub evacuating: Option<Scope>,
    pub cordoned: bool,
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
            removing: model.is_removing(),
            evacuating: model.evacuation.as_ref().map(|order| order.scope.clone()),
            cordoned: model.cordoned,
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

    /// It answers, and gets nothing new: one of its witnesses is silent, or it has not been well for long enough.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.answers() && self.health != ClusterState::Ready
    }
}

/// What is promised by cluster.
pub type Reservations = HashMap<Uuid, Reserved>;

/// All of them by name, with what is promised on each and not seen yet.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub clusters: Vec<ClusterView>,
    pub reservations: Reservations,
}

impl Fleet {
    pub fn of(models: &[clusters::Model]) -> Result<Self, DbErr> {
        Ok(Self {
            clusters: models.iter().map(ClusterView::of).collect::<Result<_, _>>()?,
            reservations: Reservations::new(),
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
            self.reservations.entry(cluster).or_default().add(ask, replicas);
        }
    }

    /// Replicas that a cluster has room for beside those that are there; unknown until it was observed.
    #[must_use]
    pub fn room(&self, cluster: &ClusterView, ask: Ask) -> Option<u64> {
        let observed = cluster.observed.as_ref()?;
        let reserved = self.reservations.get(&cluster.id).copied().unwrap_or_default();
        Some(further(ask, observed.allocatable, observed.requested, reserved))
    }
}
