//! Entities and queries. Everything that writes goes through a [`Unit`].

pub mod assignments;
pub mod autoscaling_decisions;
pub mod autoscaling_policies;
pub mod changes;
pub mod claims;
pub mod cluster_agents;
pub mod cluster_states;
pub mod clusters;
pub mod columns;
pub mod departures;
pub mod edits;
pub mod environments;
pub mod metering;
pub mod observations;
pub mod operations;
pub mod prices;
pub mod projects;
pub mod revisions;
pub mod service_pages;
pub mod services;
pub mod unit;
pub mod usage_hours;
pub mod visible;

use platform::database::CHUNK;
use sea_orm::{ActiveModelTrait as _, EntityTrait, IntoActiveModel};

pub use platform::database::put;
pub use sea_orm::{ConnectionTrait as Connection, DbErr};
pub use unit::{Outbox, Record, Unit};

/// Writes a new row.
async fn insert<E>(connection: &impl Connection, model: E::Model) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    E::insert(model.into_active_model())
        .exec_without_returning(connection)
        .await
        .map(drop)
}

/// Writes all of a row that is there.
async fn save<E>(connection: &impl Connection, model: &E::Model) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: Clone + IntoActiveModel<E::ActiveModel>,
{
    E::update(model.clone().into_active_model().reset_all())
        .exec(connection)
        .await
        .map(drop)
}
