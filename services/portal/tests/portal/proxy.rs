//! A TCP proxy before a database, which can refuse, hang and come back.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Connections break, new ones too.
    Refuse,
    /// Connections stay, and nothing passes.
    Hang,
}

pub struct Proxy {
    address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
}

impl Proxy {
    pub async fn start(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mode = Arc::new(watch::channel(Mode::Pass).0);
        let (target, modes) = ((host.to_owned(), port), Arc::clone(&mode));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (target, mut modes) = (target.clone(), modes.subscribe());
                tokio::spawn(async move {
                    modes.wait_for(|mode| *mode != Mode::Hang).await.unwrap();
                    if *modes.borrow() == Mode::Refuse {
                        return;
                    }
                    let server = TcpStream::connect(target).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        pass(from_client, to_server, modes.clone()),
                        pass(from_server, to_client, modes)
                    );
                });
            }
        });
        Self { address, mode }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn pass(&self) {
        self.mode.send_replace(Mode::Pass);
    }

    pub fn refuse(&self) {
        self.mode.send_replace(Mode::Refuse);
    }

    pub fn hang(&self) {
        self.mode.send_replace(Mode::Hang);
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut modes: watch::Receiver<Mode>,
) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let mut broken = modes.clone();
        let read = tokio::select! {
            read = from.read(&mut buffer) => read.unwrap_or(0),
            _ = broken.wait_for(|mode| *mode == Mode::Refuse) => 0,
        };
        let mode = modes.wait_for(|mode| *mode != Mode::Hang).await.map(|mode| *mode);
        if read == 0 || !matches!(mode, Ok(Mode::Pass)) || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
