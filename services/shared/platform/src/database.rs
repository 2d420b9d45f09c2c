//! The database: SQLite embedded, PostgreSQL in production, the same code for both.

use std::time::Duration;

use sea_orm::{
    ConnectOptions, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr,
    SqlErr, SqliteTransactionMode, SqlxError, TransactionOptions, TransactionTrait as _,
};

/// How long a connection to a server is waited for, a look whether it still answers included.
const SERVER_PATIENCE: Duration = Duration::from_secs(4);
/// How long the one connection to a file is waited for, and another process that writes.
const FILE_PATIENCE: Duration = Duration::from_secs(10);

/// Connects to `sqlite://path?mode=rwc` or `postgres://…`.
///
/// SQLite gets one connection a pool (so inside a transaction everything must go through it) in WAL
/// mode; services that share the file wait for each other's writes up to 10 s.
///
/// PostgreSQL that is away is told after [`SERVER_PATIENCE`]: whoever waits longer for it holds up what
/// could be refused and tried again.
pub async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
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
    Database::connect(options).await
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
