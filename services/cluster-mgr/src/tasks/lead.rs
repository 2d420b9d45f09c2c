//! Writes of the loops, into the database and through ipaas: turned away once another replica leads.

use clients::IpaasClient;
use platform::lease::{self, Fence};
use sea_orm::{EntityTrait as _, QuerySelect as _};

use crate::db::Unit;
use crate::state::AppState;

/// The lease under which the loops run.
pub const LEASE: &str = "cluster-mgr";

/// A transaction that only the holder of the lease's present epoch gets. The lease can't change hands
/// before it ends.
pub async fn begin(state: &AppState, epoch: i64) -> anyhow::Result<Unit> {
    let unit = state.begin().await?;
    let row = lease::Entity::find_by_id(LEASE.to_owned())
        .lock_shared()
        .one(&*unit)
        .await?;
    anyhow::ensure!(
        row.is_some_and(|row| row.epoch == epoch),
        "another replica leads by now"
    );
    Ok(unit)
}

/// ipaas as the loops call it when they ask for something to be done.
pub fn ipaas(state: &AppState, epoch: i64) -> IpaasClient {
    state.ipaas.under(&Fence::new(LEASE, epoch))
}
