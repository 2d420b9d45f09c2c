//! What an evacuation would do: every service placed as if the cluster held nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use api_types::evacuations::{
    EvacuationPlan, Handover, PlanOptions, PlannedDestination, PlannedMove, StoredVolume,
};
use api_types::placement::PlannedAssignment;
use chrono::{DateTime, Utc};
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::app::clusters::missing;
use crate::app::reconcile::applicant::Seen;
use crate::app::reconcile::fleet::{ClusterView, Fleet};
use crate::app::reconcile::places;
use crate::app::reconcile::sync::Pace;
use crate::app::reservations::reserve;
use crate::app::volumes;
use crate::db::clusters::Scope;
use crate::db::{Connection, DbErr, assignments, clusters, environments, services};
use crate::state::AppState;

/// Moves told in a plan.
const MOVES: usize = 500;

/// What an evacuation of `name` would do now.
pub async fn plan(state: &AppState, name: &str, options: PlanOptions) -> ApiResult<EvacuationPlan> {
    let database = &state.foundation.database;
    let cluster = clusters::find(database, name)
        .await?
        .ok_or_else(|| missing(name))?;
    let ground = Ground::load(database, &cluster, options).await?;
    let (pace, now) = (state.config.pace(), state.now());
    // Thousands of decisions: not beside those who wait for an answer.
    tokio::task::spawn_blocking(move || ground.plan(pace, now))
        .await
        .map_err(ApiError::internal)
}

/// What a plan is made from.
struct Ground {
    cluster: Uuid,
    fleet: Fleet,
    environments: Vec<environments::Model>,
    /// By priority, the highest first, then by path.
    services: Vec<services::Model>,
    assignments: HashMap<Uuid, Vec<assignments::Model>>,
    /// What each service has stored on the cluster.
    stored: HashMap<Uuid, Vec<StoredVolume>>,
    include_stored: bool,
}

impl Ground {
    async fn load(
        connection: &impl Connection,
        cluster: &clusters::Model,
        options: PlanOptions,
    ) -> Result<Self, DbErr> {
        let mut fleet = Fleet::of(&clusters::all(connection).await?)?;
        for view in &mut fleet.clusters {
            if view.id == cluster.id {
                view.evacuating = Some(Scope::Everything);
                view.evacuating_data = options.include_stored;
            }
        }
        reserve(connection, &mut fleet).await?;
        let ids = assignments::services_on(connection, cluster.id).await?;
        let mut services = services::find_many(connection, &ids, false).await?;
        services.retain(|service| !service.deleting);
        services.sort_by_cached_key(|service| (Reverse(service.priority()), service.path()));
        let mut by_service: HashMap<Uuid, Vec<_>> = HashMap::new();
        for row in assignments::of_services(connection, &ids).await? {
            by_service.entry(row.service_id).or_default().push(row);
        }
        Ok(Self {
            cluster: cluster.id,
            fleet,
            environments: environments::all(connection).await?,
            services,
            assignments: by_service,
            stored: volumes::stored_on(connection, cluster.id).await?,
            include_stored: options.include_stored,
        })
    }

    fn plan(mut self, pace: Pace, now: DateTime<Utc>) -> EvacuationPlan {
        let mut plan = EvacuationPlan {
            services: 0,
            replicas: 0,
            services_unplaced: 0,
            replicas_unplaced: 0,
            services_fenced: 0,
            services_stored: 0,
            destinations: Vec::new(),
            moves: Vec::new(),
        };
        // What no node takes is given back in its own time.
        let seen = Seen {
            observations: &[],
            pace,
            now,
        };
        // The priority of the first that got room.
        let mut first_served = None;
        let mut destinations: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for service in std::mem::take(&mut self.services) {
            if service.keeps_data && !self.include_stored {
                if let Some(one) = self.staying(&service) {
                    plan.services_stored += 1;
                    plan.moves.push(one);
                }
                continue;
            }
            let Some((mut one, gets)) = self.plan_one(&service, &seen) else {
                continue;
            };
            if one.unplaced > 0 && first_served.is_some_and(|highest| highest > one.priority) {
                one.message.push_str("; services of higher priority went first");
            }
            if !gets.is_empty() {
                first_served = first_served.or(Some(one.priority));
            }
            plan.services += 1;
            plan.replicas += u64::from(one.replicas);
            plan.services_unplaced += u64::from(one.unplaced > 0);
            plan.replicas_unplaced += u64::from(one.unplaced);
            plan.services_fenced += u64::from(one.handover == Handover::Fenced);
            for (cluster, more) in gets {
                let sum = destinations.entry(cluster).or_default();
                sum.0 += 1;
                sum.1 += u64::from(more);
            }
            plan.moves.push(one);
        }
        // A stable sort: by priority and path within each part.
        plan.moves.sort_by_key(|one| {
            (
                one.handover != Handover::Stays,
                one.unplaced == 0,
                one.handover != Handover::Fenced,
            )
        });
        plan.moves.truncate(MOVES);
        plan.destinations = destinations
            .into_iter()
            .map(|(cluster, (services, replicas))| PlannedDestination {
                cluster,
                services,
                replicas,
            })
            .collect();
        plan.destinations.sort_by_key(|one| Reverse(one.replicas));
        plan
    }

    /// One service's move, and how many more replicas each destination gets.
    fn plan_one(
        &mut self,
        service: &services::Model,
        seen: &Seen<'_>,
    ) -> Option<(PlannedMove, Vec<(String, u32)>)> {
        let before = self.assignments.remove(&service.id)?;
        let environment = self
            .environments
            .iter()
            .find(|row| row.project == service.project && row.name == service.environment)?;
        let here = before.iter().find(|row| row.cluster_id == self.cluster)?;
        let leaving = here.wanted_now();
        if leaving == 0 {
            return None;
        }
        let placed = places::place(service, environment, &mut self.fleet, &before, seen);
        let mut to = Vec::new();
        let mut gets = Vec::new();
        for row in &placed.assignments {
            let had = before
                .iter()
                .find(|earlier| earlier.cluster_id == row.cluster_id)
                .map_or(0, |earlier| earlier.replicas);
            let Some(cluster) = self.fleet.by_id(row.cluster_id).filter(|_| row.replicas > had) else {
                continue;
            };
            gets.push((cluster.name.clone(), (row.replicas - had).unsigned_abs()));
            to.push(PlannedAssignment {
                cluster: cluster.name.clone(),
                replicas: row.replicas.unsigned_abs(),
                reason: row.reason.0.clone(),
            });
        }
        let handover = self.handover(service);
        let mut message = placed.message;
        if handover == Handover::Fenced {
            message.push_str(
                "; it may still run there, and starts elsewhere when it is seen gone or somebody accepts the risk",
            );
        }
        let one = PlannedMove {
            project: service.project.clone(),
            environment: service.environment.clone(),
            service: service.name.clone(),
            priority: service.priority(),
            replicas: leaving,
            to,
            unplaced: placed.unplaced,
            handover,
            volumes: self.stored.remove(&service.id).unwrap_or_default(),
            message,
        };
        Some((one, gets))
    }

    /// A service that stays, since its data can't follow.
    fn staying(&mut self, service: &services::Model) -> Option<PlannedMove> {
        let here = self.assignments.remove(&service.id)?;
        let here = here.iter().find(|row| row.cluster_id == self.cluster)?;
        let replicas = here.wanted_now();
        (replicas > 0).then(|| PlannedMove {
            project: service.project.clone(),
            environment: service.environment.clone(),
            service: service.name.clone(),
            priority: service.priority(),
            replicas,
            to: Vec::new(),
            unplaced: 0,
            handover: Handover::Stays,
            volumes: self.stored.remove(&service.id).unwrap_or_default(),
            message: "stays, as what is in its volumes can't follow".to_owned(),
        })
    }

    fn handover(&self, service: &services::Model) -> Handover {
        let answers = |cluster: Uuid| self.fleet.by_id(cluster).is_some_and(ClusterView::answers);
        if !service.is_singleton() {
            Handover::MakeBeforeBreak
        } else if answers(self.cluster) {
            Handover::BreakBeforeMake
        } else {
            Handover::Fenced
        }
    }
}
