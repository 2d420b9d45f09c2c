//! A way to a server that can fall silent, or be cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    Frozen,
    Cut,
}

/// Passes connections on, or keeps them and says nothing, or closes them.
pub struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(url: &str) -> Self {
        let target = url.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = watch::Sender::new(Way::Open);
        let watched = way.subscribe();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target.clone(), watched.clone()));
            }
        });
        Self { address, way, task }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// From now on nothing comes through, in either direction.
    pub fn freeze(&self) {
        self.way.send_replace(Way::Frozen);
    }

    /// From now on every connection is closed.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// New connections come through again; those from before never do.
    pub fn thaw(&self) {
        self.way.send_replace(Way::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: TcpStream, target: String, mut way: watch::Receiver<Way>) {
    let way_is = *way.borrow_and_update();
    if way_is == Way::Open {
        let Ok(mut server) = TcpStream::connect(target).await else {
            return;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = way.wait_for(|way| *way != Way::Open) => {}
        }
    }
    if *way.borrow() == Way::Frozen {
        // Both ends stay open, for ever as far as they can tell.
        std::future::pending::<()>().await;
    }
}
