//! The TLS listener of one API server, and the switch that takes it away and brings it back.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::cluster::Cluster;
use crate::pki::{self, Pki};

const HANDSHAKE: Duration = Duration::from_secs(10);

pub struct Server {
    address: SocketAddr,
    tls: TlsAcceptor,
    /// A listener that was bound but does not serve yet.
    waiting: Mutex<Option<TcpListener>>,
    serving: Mutex<Option<Serving>>,
}

struct Serving {
    token: CancellationToken,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Binds the fixed port, or else the remembered one, or else any.
    pub async fn bind(
        listen: IpAddr,
        fixed: Option<u16>,
        remembered: Option<u16>,
        pki: &Pki,
    ) -> anyhow::Result<Self> {
        let listener = match (fixed, remembered) {
            (Some(port), _) => TcpListener::bind((listen, port))
                .await
                .with_context(|| format!("cannot listen on {listen}:{port}"))?,
            (None, Some(port)) => match TcpListener::bind((listen, port)).await {
                Ok(listener) => listener,
                Err(_) => TcpListener::bind((listen, 0)).await?,
            },
            (None, None) => TcpListener::bind((listen, 0)).await?,
        };
        let address = listener.local_addr()?;
        let mut roots = RootCertStore::empty();
        roots.add(pki.authority_der()?)?;
        let clients = WebPkiClientVerifier::builder(Arc::new(roots))
            .allow_unauthenticated()
            .build()?;
        let (certificates, key) = pki.server_der()?;
        let mut tls = rustls::ServerConfig::builder()
            .with_client_cert_verifier(clients)
            .with_single_cert(certificates, key)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            address,
            tls: TlsAcceptor::from(Arc::new(tls)),
            waiting: Mutex::new(Some(listener)),
            serving: Mutex::new(None),
        })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn is_up(&self) -> bool {
        self.serving.lock().is_some()
    }

    /// Starts to serve, if it does not.
    pub async fn serve(&self, cluster: Arc<Cluster>) -> anyhow::Result<()> {
        if self.is_up() {
            return Ok(());
        }
        let bound = self.waiting.lock().take();
        let listener = match bound {
            Some(listener) => listener,
            None => rebind(self.address).await?,
        };
        let token = cluster.shutdown.child_token();
        let accepting = tokio::spawn(accept(listener, self.tls.clone(), cluster, token.clone()));
        *self.serving.lock() = Some(Serving { token, accepting });
        Ok(())
    }

    /// Stops to listen and breaks every connection.
    pub async fn down(&self) {
        let serving = self.serving.lock().take();
        if let Some(serving) = serving {
            serving.token.cancel();
            let _ = serving.accepting.await;
        }
    }
}

/// Binds the same port again; connections in their last states may hold it for a moment.
async fn rebind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let mut last = None;
    for _ in 0..50 {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(last.expect("the loop ran at least once"))
        .with_context(|| format!("cannot listen on {address} again"))
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, cluster: Arc<Cluster>, token: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = token.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(cluster.name = %cluster.config.name, %error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (tls, cluster, token) = (tls.clone(), cluster.clone(), token.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = connection(stream, tls, cluster.clone(), token.clone()) => {}
            }
        });
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, cluster: Arc<Cluster>, token: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else {
        return;
    };
    let certificate = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first());
    let user = certificate
        .and_then(pki::subject_of)
        .map(|(name, groups)| api::auth::User::named(name, groups));
    // A fault may break this connection and no other.
    let broken = token.child_token();
    let clock = cluster.clock.clone();
    let connection = api::Connection {
        cluster,
        user,
        token,
        broken: broken.clone(),
    };
    let service = service_fn(move |request| {
        let connection = connection.clone();
        let clock = clock.clone();
        async move { Ok::<_, std::convert::Infallible>(clock.scope(api::handle(connection, request)).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(250);
    // A client that goes away in the middle is nothing to report.
    tokio::select! {
        () = broken.cancelled() => {}
        _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service) => {}
    }
}
