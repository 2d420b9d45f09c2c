//! Bringing the database up to date, one process at a time.

use std::fs::File;

use anyhow::Context as _;
use platform::config::Settings;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};

use crate::private_file;

/// Any number, the same in every process.
const LOCK: i64 = 0x6c6f_6e67_7368_6f72;
/// How long another process may take to migrate, as PostgreSQL writes it.
const LONGEST_WAIT: &str = "10min";

/// The target `migrate`.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    ensure(settings).await?;
    crate::say("the database is up to date")
}

/// Runs what is missing. Several processes may call it at once: the others wait for the first.
pub async fn ensure(settings: &Settings) -> anyhow::Result<()> {
    let url = settings.database_url();
    if url.starts_with("sqlite:") {
        return embedded(settings, &url).await;
    }
    // The lock belongs to the connection, so there must be one only.
    let mut options = platform::database::options(&url);
    options.max_connections(1);
    let connection = Database::connect(options)
        .await
        .context("connecting to the database")?;
    connection
        .execute_unprepared(&format!(
            "SET lock_timeout = '{LONGEST_WAIT}'; SELECT pg_advisory_lock({LOCK})"
        ))
        .await
        .context("waiting for another process to migrate the database")?;
    let outcome = up(&connection).await;
    connection.close().await?;
    outcome
}

async fn embedded(settings: &Settings, url: &str) -> anyhow::Result<()> {
    let directory = &settings.common.data_dir;
    private_file::make_folder(directory)?;
    let path = directory.join("migrate.lock");
    let lock = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
    let held = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    let connection = platform::database::connect(url)
        .await
        .context("opening the database")?;
    let outcome = up(&connection).await;
    connection.close().await?;
    drop(held);
    outcome
}

async fn up(connection: &DatabaseConnection) -> anyhow::Result<()> {
    migrations::run(connection)
        .await
        .context("bringing the database up to date")
}
