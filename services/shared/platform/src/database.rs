//! The database: SQLite embedded, PostgreSQL in production, the same code for both.

use std::time::{Duration, Instant};

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction,
    DbErr, EntityTrait, IntoActiveModel, Iterable as _, PrimaryKeyToColumn as _, RuntimeErr, SqlErr,
    SqliteTransactionMode, SqlxError, TransactionOptions, TransactionTrait as _,
};

use crate::error::chain;

/// How long a connection to a server is waited for, a look whether it still answers included.
const SERVER_PATIENCE: Duration = Duration::from_secs(4);
/// How long the one connection to a file is waited for, and another process that writes.
const FILE_PATIENCE: Duration = Duration::from_secs(10);
/// How long a service that starts waits for its database, and between two tries.
const START_PATIENCE: Duration = Duration::from_secs(120);
const START_PAUSE: Duration = Duration::from_millis(500);

/// Connects to `sqlite://path?mode=rwc` or `postgres://…`.
///
/// SQLite gets one connection a pool (so inside a transaction everything must go through it) in WAL
/// mode; services that share the file wait for each other's writes up to 10 s.
///
/// PostgreSQL that is away is told after [`SERVER_PATIENCE`]: whoever waits longer for it holds up what
/// could be refused and tried again.
pub async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    Database::connect(options(url)).await
}

/// How [`connect`] connects.
#[must_use]
pub fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    let embedded = url.starts_with("sqlite:");
    let patience = if embedded { FILE_PATIENCE } else { SERVER_PATIENCE };
    options
        .connect_timeout(patience)
        .acquire_timeout(patience)
        .sqlx_logging(false);
    if embedded {
        options.max_connections(1);
        options.map_sqlx_sqlite_opts(|options| {
            options
                .busy_timeout(FILE_PATIENCE)
                .foreign_keys(true)
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "NORMAL")
        });
    } else {
        options.max_connections(20).idle_timeout(Duration::from_secs(300));
        // A process that is paused within a transaction must not hold its locks: another takes over.
        options.map_sqlx_postgres_opts(|options| {
            options.options([("idle_in_transaction_session_timeout", "5s")])
        });
    }
    options
}

/// Rows a statement: below every back end's limit of bound values.
pub const CHUNK: usize = 500;

/// Writes many rows as they are now, new ones among them.
pub async fn put<E>(connection: &impl ConnectionTrait, rows: &[E::Model]) -> Result<(), DbErr>
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

/// Does `work` again for as long as the database is away, at most [`START_PATIENCE`]: a service that
/// starts while it is away waits for it, as those that run do.
///
/// # Errors
/// What `work` said, at once when it isn't that the database is away: a wrong password doesn't get better.
pub async fn patiently<T>(mut work: impl AsyncFnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match work().await {
            Err(error) if is_away(&error) && started.elapsed() < START_PATIENCE => {
                tracing::warn!(error = %chain(error.as_ref()), "waiting for the database");
                tokio::time::sleep(START_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// Whether the database doesn't answer for now, rather than that it refuses us.
fn is_away(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<DbErr>())
        .any(|error| match error {
            DbErr::Conn(RuntimeErr::SqlxError(inner)) => away(inner),
            other => is_unavailable(other),
        })
}

/// Begins a transaction that writes.
///
/// On SQLite it takes the write lock at once: a transaction that reads first and writes later fails
/// with "database is locked" whenever another process wrote in between.
pub async fn begin(database: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let mode = (database.get_database_backend() == DatabaseBackend::Sqlite)
        .then_some(SqliteTransactionMode::Immediate);
    database
        .begin_with_options(TransactionOptions {
            sqlite_transaction_mode: mode,
            ..Default::default()
        })
        .await
}

/// Whether the error means that the database is away or busy, rather than that we asked wrongly.
#[must_use]
pub fn is_unavailable(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => away(inner),
        _ => false,
    }
}

fn away(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => true,
        SqlxError::Database(told) => {
            let code = told.code().unwrap_or_default();
            // PostgreSQL: connections, shutting down or starting, too many clients, a standby that only
            // reads. SQLite: another process writes for longer than we wait.
            code.starts_with("08")
                || ["57P01", "57P02", "57P03", "53300", "25006"].contains(&&*code)
                || told.message().contains("database is locked")
        }
        _ => false,
    }
}

/// Whether the error is a row that is there already.
#[must_use]
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
