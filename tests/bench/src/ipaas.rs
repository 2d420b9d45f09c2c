//! An ipaas as a process of its own, and what speaks with it.

use std::time::{Duration, Instant};

use api_types::internal::Connection;
use clients::IpaasClient;
use platform::config::Port;
use serde::de::DeserializeOwned;

use crate::process::Program;
use crate::seat::{People, Seat};

const START: Duration = Duration::from_secs(60);

pub struct Ipaas {
    pub program: Program,
    pub client: IpaasClient,
    people: People,
    _seat: Option<Seat>,
}

impl Ipaas {
    /// With a database of its own.
    pub async fn start() -> anyhow::Result<Self> {
        let seat = Seat::new(None)?;
        let mut ipaas = Self::start_on(&seat).await?;
        ipaas._seat = Some(seat);
        Ok(ipaas)
    }

    pub async fn start_on(seat: &Seat) -> anyhow::Result<Self> {
        let program = seat.start("ipaas")?;
        let endpoint = seat.endpoint(Port::Ipaas, "ipaas", "cluster-mgr")?;
        let ipaas = Self {
            program,
            client: IpaasClient::new(endpoint),
            people: seat.people(Port::Ipaas, "ipaas")?,
            _seat: None,
        };
        ipaas.wait_for(START, |_| true).await?;
        Ok(ipaas)
    }

    pub async fn wait_for(
        &self,
        longest: Duration,
        is: impl Fn(&[Connection]) -> bool,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            match self.client.list_connections().await {
                Ok(connections) if is(&connections) => return Ok(()),
                other => anyhow::ensure!(
                    start.elapsed() < longest,
                    "ipaas is not as wanted after {longest:?}: {:?}",
                    other.map(|all| all.into_iter().find(|one| !one.synced))
                ),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// As an operator gets it.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.people.get(path).await
    }
}
