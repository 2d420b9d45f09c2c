//! A database of its own for every test, on both back ends.
//!
//! SQLite is a file in a temporary directory. PostgreSQL is a database on the server named by
//! `LONGSHORE_TEST_POSTGRES_URL` (which `make test` starts), copied from a template that is migrated
//! once a run.

use std::time::Duration;

use platform::Foundation;
use platform::crypto::MasterKey;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbErr};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::wait::wait_for;

const TEMPLATE: &str = "longshore_template";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// The back ends that this machine has. Says so when PostgreSQL is missing, and fails under CI.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Sqlite];
        if postgres_url().is_some() {
            all.push(Self::Postgres);
        } else {
            assert!(
                environment("CI").is_none(),
                "under CI the tests need LONGSHORE_TEST_POSTGRES_URL"
            );
            eprintln!("left out: PostgreSQL (LONGSHORE_TEST_POSTGRES_URL is not set)");
        }
        all
    }
}

/// A migrated, empty database.
#[derive(Debug)]
pub struct TestDatabase {
    pub url: String,
    pub connection: DatabaseConnection,
    _directory: Option<tempfile::TempDir>,
}

impl TestDatabase {
    pub async fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let database = Self::file().await;
                database.migrate().await;
                database
            }
            Backend::Postgres => {
                let server = postgres_url().expect("LONGSHORE_TEST_POSTGRES_URL");
                let name = format!("t_{}", Uuid::now_v7().simple());
                copy_template(&server, &name).await;
                let url = with_database(&server, &name);
                let connection = platform::database::connect(&url)
                    .await
                    .expect("opening PostgreSQL");
                Self {
                    url,
                    connection,
                    _directory: None,
                }
            }
        }
    }

    /// A database as it was just before a migration, without rows.
    pub async fn before(backend: Backend, migration: &str) -> Self {
        let database = match backend {
            Backend::Sqlite => Self::file().await,
            Backend::Postgres => Self::empty().await,
        };
        database.migrate_before(migration).await;
        database
    }

    /// Goes on to what it was just before a later migration.
    pub async fn migrate_before(&self, migration: &str) {
        migrations::run_before(&self.connection, migration)
            .await
            .expect("migrating a part");
    }

    /// Brings it up to date.
    pub async fn migrate(&self) {
        migrations::run(&self.connection).await.expect("migrating");
    }

    /// An empty SQLite file.
    async fn file() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = format!(
            "sqlite://{}?mode=rwc",
            directory.path().join("test.sqlite").display()
        );
        let connection = platform::database::connect(&url).await.expect("opening SQLite");
        Self {
            url,
            connection,
            _directory: Some(directory),
        }
    }

    /// An empty database on the PostgreSQL server: for trying what fills it.
    pub async fn empty() -> Self {
        let server = postgres_url().expect("LONGSHORE_TEST_POSTGRES_URL");
        let name = format!("t_{}", Uuid::now_v7().simple());
        let admin = Database::connect(&server)
            .await
            .expect("connecting to the test server");
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .expect("making a database");
        admin.close().await.expect("closing");
        let url = with_database(&server, &name);
        let connection = platform::database::connect(&url)
            .await
            .expect("opening PostgreSQL");
        Self {
            url,
            connection,
            _directory: None,
        }
    }

    /// What a service is started with, on this database.
    #[must_use]
    pub fn foundation(&self) -> Foundation {
        Foundation::new(
            self.connection.clone(),
            MasterKey::generate(),
            CancellationToken::new(),
        )
    }
}

/// The template is made by whichever test comes first; the others wait for it.
async fn copy_template(server: &str, name: &str) {
    let admin = Database::connect(server)
        .await
        .expect("connecting to the test server");
    wait_for(
        "a copy of the template database",
        Duration::from_secs(60),
        async || match admin
            .execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.to_string().contains("does not exist") => {
                make_template(&admin, server)
                    .await
                    .map_err(|error| error.to_string())?;
                Err("the template was made just now".to_owned())
            }
            Err(error) => Err(error.to_string()),
        },
    )
    .await;
    admin.close().await.expect("closing");
}

/// Migrates under another name and renames when done, so that nobody copies half a template.
async fn make_template(admin: &DatabaseConnection, server: &str) -> Result<(), DbErr> {
    let draft = format!("longshore_draft_{}", Uuid::now_v7().simple());
    admin
        .execute_unprepared(&format!("CREATE DATABASE {draft}"))
        .await?;
    let connection = Database::connect(with_database(server, &draft)).await?;
    migrations::run(&connection).await?;
    connection.close().await?;
    let renamed = admin
        .execute_unprepared(&format!("ALTER DATABASE {draft} RENAME TO {TEMPLATE}"))
        .await;
    if renamed.is_err() {
        admin
            .execute_unprepared(&format!("DROP DATABASE {draft}"))
            .await?;
    }
    Ok(())
}

fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) = server
        .split_once('?')
        .map_or((server, None), |(a, p)| (a, Some(p)));
    let base = address.rsplit_once('/').map_or(address, |(base, _)| base);
    match parameters {
        Some(parameters) => format!("{base}/{name}?{parameters}"),
        None => format!("{base}/{name}"),
    }
}

fn postgres_url() -> Option<String> {
    environment("LONGSHORE_TEST_POSTGRES_URL")
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment where their servers are"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
