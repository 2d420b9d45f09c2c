//! What a service is given at its start.

use std::time::Duration;

use sea_orm::DatabaseConnection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Settings;
use crate::crypto::MasterKey;
use crate::driver::{Driver, Statuses};
use crate::time::Clock;

/// How long a replica leads without renewing; a dead leader's work moves within this.
const LEASE_TERM: Duration = Duration::from_secs(10);

/// Database, keys, clock, HTTP client, and the process's stop.
#[derive(Clone)]
pub struct Foundation {
    pub database: DatabaseConnection,
    pub master_key: MasterKey,
    pub clock: Clock,
    /// For calls to other services and the outside; every call still sets its own timeout.
    pub http: reqwest::Client,
    pub shutdown: CancellationToken,
    /// How long a replica leads without renewing.
    pub lease_term: Duration,
    /// Every spawned task of the service; waited for at the stop.
    pub tracker: TaskTracker,
}

impl Foundation {
    /// Connects to the database of the settings and reads the master key.
    pub async fn open(settings: &Settings, shutdown: CancellationToken) -> anyhow::Result<Self> {
        let database = crate::database::connect(&settings.database_url()).await?;
        Ok(Self::new(database, settings.master_key()?, shutdown))
    }

    /// From parts, as tests do.
    #[must_use]
    pub fn new(database: DatabaseConnection, master_key: MasterKey, shutdown: CancellationToken) -> Self {
        Self {
            database,
            master_key,
            clock: Clock::system(),
            http: http_client(),
            shutdown,
            lease_term: LEASE_TERM,
            tracker: TaskTracker::new(),
        }
    }

    /// Starts to compete for the lease `name` and returns what runs loops while it is held.
    #[must_use]
    pub fn driver(&self, name: &str) -> Driver {
        let (sender, leadership) = watch::channel(None);
        self.tracker.spawn(crate::lease::hold(
            self.database.clone(),
            name.to_owned(),
            self.lease_term,
            self.shutdown.clone(),
            sender,
        ));
        Driver {
            tracker: self.tracker.clone(),
            shutdown: self.shutdown.clone(),
            leadership,
            statuses: Statuses::default(),
        }
    }
}

/// Installs the process's TLS provider; without one the first TLS client panics. Harmless when repeated.
pub fn install_tls_provider() {
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        tracing::trace!("the TLS provider was installed before");
    }
}

/// A client for other services and the outside; it installs the TLS provider first.
#[must_use]
pub fn http_client() -> reqwest::Client {
    install_tls_provider();
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(30))
        .no_proxy()
        .build()
        .expect("the TLS provider is installed")
}
