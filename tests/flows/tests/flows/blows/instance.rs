//! One service that can be ended at any moment: in a runtime of its own in this process, or a process.

use std::net::SocketAddr;
use std::time::Duration;

use flows::process::Process;
use platform::Foundation;
use platform::crypto::MasterKey;
use platform::server::Running;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// How soon a dead leader's work moves, in this process. As short as a busy machine allows.
const LEASE_TERM: Duration = Duration::from_secs(2);

pub enum Instance {
    Here {
        runtime: Option<Runtime>,
        shutdown: CancellationToken,
        address: SocketAddr,
    },
    Apart {
        process: Process,
        address: SocketAddr,
    },
}

impl Instance {
    /// Starts a service in a runtime of its own.
    pub async fn here<F, Starting>(database_url: String, key: MasterKey, start: F) -> anyhow::Result<Self>
    where
        F: FnOnce(Foundation) -> Starting + Send + 'static,
        Starting: Future<Output = anyhow::Result<Running>> + Send,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let (sender, address) = tokio::sync::oneshot::channel();
        runtime.spawn(async move {
            let outcome = async {
                let database = platform::database::connect(&database_url).await?;
                let mut foundation = Foundation::new(database, key, stop);
                foundation.lease_term = LEASE_TERM;
                start(foundation).await
            }
            .await;
            match outcome {
                Ok(running) => {
                    let _ = sender.send(Ok(running.address));
                    running.stopped().await;
                }
                Err(error) => drop(sender.send(Err(error))),
            }
        });
        let started = address.await;
        let mut instance = Self::Here {
            runtime: Some(runtime),
            shutdown,
            address: ([127, 0, 0, 1], 0).into(),
        };
        let bound = started??;
        if let Self::Here { address, .. } = &mut instance {
            *address = bound;
        }
        Ok(instance)
    }

    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Here { address, .. } | Self::Apart { address, .. } => *address,
        }
    }

    /// Ends it in the middle of whatever it does.
    pub async fn kill(mut self) {
        match &mut self {
            Self::Here { runtime, .. } => {
                if let Some(runtime) = runtime.take() {
                    runtime.shutdown_background();
                }
            }
            Self::Apart { process, .. } => process.kill().await,
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Self::Here {
            runtime, shutdown, ..
        } = self
        {
            shutdown.cancel();
            if let Some(runtime) = runtime.take() {
                runtime.shutdown_background();
            }
        }
    }
}
