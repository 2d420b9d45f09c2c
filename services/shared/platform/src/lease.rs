//! Leases: which replica of a service runs its loops.
//!
//! A row holds the holder, the expiry and an epoch that grows with every change of holder. A holder
//! renews at a third of the term; one that cannot renew stops leading before its term ends, by its own
//! clock. Writes of a loop can carry the epoch, so that a holder that was paused and overtaken is
//! turned away; so can its calls to other services, by a [`Fence`].

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderName;
use http::request::Parts;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::{ApiError, ApiResult};
use crate::time::now;

/// The header in which a call of a loop says under which lease and epoch it was made.
const FENCE: HeaderName = HeaderName::from_static("x-longshore-fence");

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "leases")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub holder: Uuid,
    pub expires_at: DateTime<Utc>,
    pub epoch: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// Whether this replica leads, and under which epoch.
pub type Leadership = watch::Receiver<Option<i64>>;

/// The lease and epoch under which a loop acts. Who is told to act checks it: a holder that was paused
/// before it called, and overtaken, must not bring an old state back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    pub lease: String,
    pub epoch: i64,
}

impl Fence {
    #[must_use]
    pub fn new(lease: &str, epoch: i64) -> Self {
        Self {
            lease: lease.to_owned(),
            epoch,
        }
    }

    /// What a call carries.
    #[must_use]
    pub fn header(&self) -> (HeaderName, String) {
        (FENCE, format!("{}/{}", self.lease, self.epoch))
    }

    /// # Errors
    /// 409 `overtaken` when the lease changed hands since.
    pub async fn check(&self, database: &DatabaseConnection) -> ApiResult<()> {
        let row = Entity::find_by_id(self.lease.clone()).one(database).await?;
        if row.is_some_and(|row| row.epoch == self.epoch) {
            return Ok(());
        }
        Err(ApiError::conflict(
            "overtaken",
            format!(
                "this was decided under epoch {} of the lease {}, and another replica leads by now",
                self.epoch, self.lease
            ),
        ))
    }
}

/// The fence of a call, if it carries one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fenced(pub Option<Fence>);

impl<S: Sync> axum::extract::FromRequestParts<S> for Fenced {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(FENCE) else {
            return Ok(Self(None));
        };
        value
            .to_str()
            .ok()
            .and_then(|text| text.rsplit_once('/'))
            .and_then(|(lease, epoch)| Some(Fence::new(lease, epoch.parse().ok()?)))
            .map(|fence| Self(Some(fence)))
            .ok_or_else(|| {
                ApiError::invalid("invalid_fence", format!("{FENCE} is not of the form lease/epoch"))
            })
    }
}

/// Tries to take or renew a lease for `term`. Returns the epoch when this holder has it.
pub async fn acquire(
    database: &DatabaseConnection,
    name: &str,
    holder: Uuid,
    term: Duration,
) -> Result<Option<i64>, DbErr> {
    let now = now();
    let expires_at = now + term;
    let renewed = Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Name.eq(name))
        .filter(Column::Holder.eq(holder))
        .filter(Column::ExpiresAt.gt(now))
        .exec(database)
        .await?;
    if renewed.rows_affected == 0 {
        let first = ActiveModel {
            name: Set(name.to_owned()),
            holder: Set(holder),
            expires_at: Set(expires_at),
            epoch: Set(1),
        };
        let inserted = Entity::insert(first)
            .on_conflict(OnConflict::column(Column::Name).do_nothing().to_owned())
            .exec_without_returning(database)
            .await?;
        if inserted == 0 {
            Entity::update_many()
                .col_expr(Column::Holder, Expr::value(holder))
                .col_expr(Column::ExpiresAt, Expr::value(expires_at))
                .col_expr(Column::Epoch, Expr::col(Column::Epoch).add(1))
                .filter(Column::Name.eq(name))
                .filter(Column::ExpiresAt.lte(now))
                .exec(database)
                .await?;
        }
    }
    let row = Entity::find_by_id(name.to_owned()).one(database).await?;
    Ok(row
        .filter(|row| row.holder == holder && row.expires_at > now)
        .map(|row| row.epoch))
}

/// Gives a lease back, so that another replica need not wait for its end.
pub async fn release(database: &DatabaseConnection, name: &str, holder: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(now()))
        .filter(Column::Name.eq(name))
        .filter(Column::Holder.eq(holder))
        .exec(database)
        .await?;
    Ok(())
}

/// Holds a lease as long as it can, until the shutdown; then gives it back.
pub async fn hold(
    database: DatabaseConnection,
    name: String,
    term: Duration,
    shutdown: CancellationToken,
    leads: watch::Sender<Option<i64>>,
) {
    let holder = Uuid::now_v7();
    let mut good_until = Instant::now();
    loop {
        let mut pause = term / 3;
        let asked = Instant::now();
        match tokio::time::timeout(term / 3, acquire(&database, &name, holder, term)).await {
            Ok(Ok(epoch)) => {
                if epoch.is_some() {
                    good_until = asked + term;
                } else {
                    // Whoever waits asks more often, so that a dead leader's work moves soon.
                    pause = term / 8;
                }
                announce(&leads, &name, epoch);
            }
            Ok(Err(error)) => tracing::warn!(lease = %name, %error, "the lease could not be renewed"),
            Err(_) => tracing::warn!(lease = %name, "renewing the lease took too long"),
        }
        // A failed renewal doesn't end the term at once, but nothing may run beyond it.
        if Instant::now() + term / 6 >= good_until {
            announce(&leads, &name, None);
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    announce(&leads, &name, None);
    if let Err(error) = release(&database, &name, holder).await {
        tracing::debug!(lease = %name, %error, "the lease could not be given back; it ends by itself");
    }
}

fn announce(leads: &watch::Sender<Option<i64>>, name: &str, epoch: Option<i64>) {
    leads.send_if_modified(|current| {
        if *current == epoch {
            return false;
        }
        tracing::info!(lease = %name, ?epoch, "leadership changed");
        *current = epoch;
        true
    });
}
