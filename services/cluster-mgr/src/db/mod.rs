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

use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel, Iterable as _, PrimaryKeyToColumn as _};

pub use sea_orm::{ConnectionTrait as Connection, DbErr};
pub use unit::{Outbox, Record, Unit};

/// Rows a statement: below every back end's limit of bound values.
const CHUNK: usize = 500;

/// Writes many rows as they are now, new ones among them.
pub async fn put<E>(connection: &impl Connection, rows: &[E::Model]) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: Clone + IntoActiveModel<E::ActiveModel>,
{
    for chunk in rows.chunks(CHUNK) {
        let others = E::Column::iter().filter(|column| E::PrimaryKey::from_column(*column).is_none());
        E::insert_many(chunk.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(
                OnConflict::columns(E::PrimaryKey::iter())
                    .update_columns(others)
                    .to_owned(),
            )
            .exec_without_returning(connection)
            .await?;
    }
    Ok(())
}
