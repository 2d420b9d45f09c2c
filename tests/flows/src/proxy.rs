//! A way to a server that can be shut, silent, slow, or torn while something is on it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Connections end, and new ones end at once.
    Shut,
    /// Nothing comes through; nobody is told.
    Silent,
    /// Every piece is late by so much.
    Slow(Duration),
    /// Each connection ends after so many bytes of the server's, in the middle of whatever it says.
    TornAfter(usize),
}

#[derive(Clone, Copy, Debug)]
struct State {
    mode: Mode,
    /// Connections made before the newest cut end.
    cuts: u64,
}

pub struct Proxy {
    pub address: SocketAddr,
    state: watch::Sender<State>,
    target: Arc<Mutex<Option<SocketAddr>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// To `target`, or to nowhere yet.
    pub async fn start(target: Option<SocketAddr>) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), target).await
    }

    /// At one of this machine's addresses.
    pub async fn start_at(address: IpAddr, target: Option<SocketAddr>) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = watch::Sender::new(State {
            mode: Mode::Pass,
            cuts: 0,
        });
        let target = Arc::new(Mutex::new(target));
        let (states, towards) = (state.subscribe(), Arc::clone(&target));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (states, target) = (states.clone(), *towards.lock());
                tokio::spawn(pass(client, target, states));
            }
        });
        Self {
            address,
            state,
            target,
            task,
        }
    }

    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    #[must_use]
    pub fn mode(&self) -> Mode {
        self.state.borrow().mode
    }

    /// Whether the other end can be reached at all.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.mode(), Mode::Shut | Mode::Silent)
    }

    /// Ends every connection there is, in the middle of whatever is on it.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// New connections go there.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.target.lock() = Some(target);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn pass(client: TcpStream, target: Option<SocketAddr>, states: watch::Receiver<State>) {
    let cuts = states.borrow().cuts;
    let mut ending = states.clone();
    let over = ending.wait_for(|state| state.cuts != cuts || state.mode == Mode::Shut);
    let mut opening = states.clone();
    let connected = async {
        opening.wait_for(|state| state.mode != Mode::Silent).await.ok()?;
        TcpStream::connect(target?).await.ok()
    };
    tokio::pin!(over);
    let server = tokio::select! {
        _ = &mut over => return,
        server = connected => match server {
            Some(server) => server,
            None => return,
        },
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        _ = over => {}
        () = pump(from_client, to_server, states.clone(), false) => {}
        () = pump(from_server, to_client, states, true) => {}
    }
}

async fn pump(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    mut states: watch::Receiver<State>,
    answers: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut passed = 0;
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let Ok(mode) = states
            .wait_for(|state| state.mode != Mode::Silent)
            .await
            .map(|state| state.mode)
        else {
            return;
        };
        let mut piece = &buffer[..read];
        match mode {
            Mode::Slow(late) => tokio::time::sleep(late).await,
            Mode::TornAfter(most) if answers && passed + read > most => {
                piece = &piece[..most.saturating_sub(passed)];
            }
            _ => {}
        }
        if to.write_all(piece).await.is_err() || piece.len() < read {
            return;
        }
        passed += read;
    }
}
