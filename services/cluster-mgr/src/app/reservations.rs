//! Room that is promised: assigned replicas that don't show in what the clusters' pods request yet.
//!
//! Replicas count as shown once what was seen of them is older than the cluster's own figures. While they
//! move they are counted twice for a moment, which refuses room that is there; the other way round would
//! give away room that isn't.

use std::collections::HashMap;

use uuid::Uuid;

use crate::app::placement::capacity::Ask;
use crate::app::reconcile::fleet::Fleet;
use crate::app::reconcile::neighbours::{Neighbours, ServicePlace};
use crate::db::{Connection, DbErr, assignments, observations, services};

/// Reserves the room of replicas that are assigned and not there yet, and tells where services are that others avoid.
pub async fn reserve(connection: &impl Connection, fleet: &mut Fleet) -> Result<(), DbErr> {
    let seen: HashMap<(Uuid, Uuid), i32> = observations::replicas(connection)
        .await?
        .into_iter()
        .filter(|(_, cluster, _, changed_at)| {
            fleet
                .by_id(*cluster)
                .and_then(|cluster| cluster.observed.as_ref())
                .is_some_and(|observed| observed.observed_at > *changed_at)
        })
        .map(|(service, cluster, replicas, _)| ((service, cluster), replicas))
        .collect();
    fleet.reservations.neighbours = Neighbours::new(services::avoiding(connection).await?);
    let concerned: Vec<ServicePlace> = fleet.reservations.neighbours.concerned().cloned().collect();
    let places: HashMap<Uuid, ServicePlace> = services::at_places(connection, &concerned)
        .await?
        .into_iter()
        .collect();
    for claim in assignments::claims(connection).await? {
        if let Some(place) = places.get(&claim.service_id) {
            fleet.reservations.neighbours.settle(place, claim.cluster_id);
        }
        let there = seen
            .get(&(claim.service_id, claim.cluster_id))
            .copied()
            .unwrap_or(0);
        let missing = claim.replicas.saturating_sub(there).max(0) as u32;
        let ask = Ask {
            cpu_millicores: claim.cpu_millicores.max(0) as u64,
            memory_bytes: claim.memory_bytes.max(0) as u64,
            gpus: claim.gpus.max(0) as u64,
        };
        fleet.reserve(claim.cluster_id, ask, missing);
    }
    Ok(())
}
