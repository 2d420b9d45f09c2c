//! What kube-proxy does: a connection to a service's address goes to one of its ready pods.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rand::seq::IndexedRandom as _;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::json;
use crate::kinds::KindRef;
use crate::kinds::core::SERVICE;
use crate::kinds::others::ENDPOINT_SLICE;
use crate::store::{Key, Object};

/// The kinds whose changes matter here.
static HEARD: [KindRef; 1] = [&SERVICE];

/// What a service listens for: its address and ports.
type Ports = Vec<(SocketAddr, String)>;

pub async fn run(cluster: Arc<Cluster>) {
    let mut changes = cluster.store.listen(&HEARD);
    let mut open: HashMap<Key, (Ports, CancellationToken)> = HashMap::new();
    for service in cluster.store.list(&SERVICE, None).0 {
        set(&cluster, &mut open, &service);
    }
    loop {
        let change = tokio::select! {
            () = cluster.shutdown.cancelled() => return,
            change = changes.recv() => match change {
                Some(change) => change,
                None => return,
            },
        };
        match &change.new {
            Some(service) => set(&cluster, &mut open, service),
            None => {
                if let Some((_, token)) = open.remove(&change.object().key) {
                    token.cancel();
                }
            }
        }
    }
}

fn set(cluster: &Arc<Cluster>, open: &mut HashMap<Key, (Ports, CancellationToken)>, service: &Arc<Object>) {
    let ports = ports_of(&service.bare_value());
    if open.get(&service.key).is_some_and(|(known, _)| *known == ports) {
        return;
    }
    if let Some((_, token)) = open.remove(&service.key) {
        token.cancel();
    }
    let token = cluster.shutdown.child_token();
    for (address, name) in &ports {
        let listener = std::net::TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        });
        match listener {
            Ok(listener) => {
                let accepting = accept(
                    cluster.clone(),
                    service.uid.clone(),
                    name.clone(),
                    listener,
                    token.clone(),
                );
                cluster.spawn(accepting);
            }
            Err(error) => {
                let service = format!("{}/{}", service.namespace(), service.name());
                tracing::info!(%service, %address, %error, "a service's address cannot be listened on");
            }
        }
    }
    open.insert(service.key.clone(), (ports, token));
}

fn ports_of(service: &Value) -> Ports {
    let Ok(address) = json::text(service, "/spec/clusterIP").parse::<IpAddr>() else {
        return Vec::new();
    };
    // Services without a selector (the API server's own) lead elsewhere.
    if service["spec"]["selector"]
        .as_object()
        .is_none_or(serde_json::Map::is_empty)
    {
        return Vec::new();
    }
    json::items(service, "/spec/ports")
        .iter()
        .filter(|port| port["protocol"] == "TCP")
        .filter_map(|port| {
            let number = port["port"]
                .as_u64()
                .and_then(|number| u16::try_from(number).ok())?;
            Some((
                SocketAddr::from((address, number)),
                json::text(port, "/name").to_owned(),
            ))
        })
        .collect()
}

async fn accept(
    cluster: Arc<Cluster>,
    uid: Arc<str>,
    port: String,
    listener: TcpListener,
    token: CancellationToken,
) {
    loop {
        let mut stream = tokio::select! {
            () = token.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let Some(target) = choose(&cluster, &uid, &port) else {
            continue;
        };
        let token = token.clone();
        tokio::spawn(async move {
            let Ok(mut pod) = TcpStream::connect(target).await else {
                return;
            };
            tokio::select! {
                () = token.cancelled() => {}
                _ = tokio::io::copy_bidirectional(&mut stream, &mut pod) => {}
            }
        });
    }
}

/// One of the ready pods behind a port, at random.
fn choose(cluster: &Cluster, uid: &str, port: &str) -> Option<SocketAddr> {
    let mut ready = Vec::new();
    for slice in cluster
        .store
        .dependents(uid)
        .iter()
        .filter(|object| object.kind == &ENDPOINT_SLICE)
    {
        let slice = slice.bare_value();
        let number = json::items(&slice, "/ports")
            .iter()
            .find(|known| json::text(known, "/name") == port);
        let number = number.and_then(|known| u16::try_from(known["port"].as_u64()?).ok());
        let Some(number) = number else { continue };
        for endpoint in json::items(&slice, "/endpoints")
            .iter()
            .filter(|one| one["conditions"]["ready"] == true)
        {
            if let Ok(address) = json::text(endpoint, "/addresses/0").parse::<IpAddr>() {
                ready.push(SocketAddr::from((address, number)));
            }
        }
    }
    ready.choose(&mut rand::rng()).copied()
}
