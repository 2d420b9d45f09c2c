//! What stays on a cluster that is taken back before it was emptied.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::{DbErr, Unit, assignments, services};

/// Assigns replicas that fit nowhere else to the place that holds them; whether there were any. Pure.
pub(crate) fn keep_here(
    service: &mut services::Model,
    row: &mut assignments::Model,
    now: DateTime<Utc>,
) -> bool {
    let back = service.unplaced.min(row.hold - row.replicas);
    if back <= 0 {
        return false;
    }
    row.replicas += back;
    row.decided_at = now;
    row.epoch += 1;
    row.removed_at = None;
    if row.hold <= row.replicas {
        row.hold = 0;
    }
    service.unplaced -= back;
    true
}

/// A singleton that was to leave `cluster` and waited for that stays there, since it was not started elsewhere; whether
/// there was one. Pure.
pub(crate) fn stay(
    service: &mut services::Model,
    rows: &mut [assignments::Model],
    cluster: Uuid,
    now: DateTime<Utc>,
) -> bool {
    let waited = |row: &assignments::Model| {
        row.cluster_id == cluster && row.replicas == 0 && row.hold > 0 && row.accepted_risk.is_none()
    };
    if !service.is_singleton() || !rows.iter().any(waited) {
        return false;
    }
    for row in rows {
        let replicas = i32::from(row.cluster_id == cluster);
        if row.replicas != replicas {
            row.replicas = replicas;
            row.decided_at = now;
            row.epoch += 1;
            row.removed_at = None;
        }
        row.hold = 0;
    }
    service.unplaced = 0;
    true
}

/// Replicas that fit nowhere else were held here, and are assigned here again.
pub(super) async fn keep_what_is_left(unit: &Unit, cluster: Uuid, now: DateTime<Utc>) -> Result<(), DbErr> {
    let ids = assignments::services_on(&**unit, cluster).await?;
    // Services before their assignments, as the loops lock them.
    let mut services: HashMap<Uuid, services::Model> = services::find_many(&**unit, &ids, true)
        .await?
        .into_iter()
        .filter(|service| service.unplaced > 0 || service.is_singleton())
        .map(|service| (service.id, service))
        .collect();
    let waiting: Vec<Uuid> = services.keys().copied().collect();
    let mut rows = assignments::find_many(&**unit, &waiting, true).await?;
    // They come by service.
    for places in rows.chunk_by_mut(|a, b| a.service_id == b.service_id) {
        let Some(service) = services.get_mut(&places[0].service_id) else {
            continue;
        };
        let kept = if service.is_singleton() {
            stay(service, places, cluster, now)
        } else {
            let here = places.iter_mut().find(|row| row.cluster_id == cluster);
            here.is_some_and(|row| keep_here(service, row, now))
        };
        if !kept {
            continue;
        }
        for row in places.iter() {
            assignments::save(&**unit, row).await?;
        }
        services::save(&**unit, service).await?;
    }
    Ok(())
}
