//! Loopback addresses: a cluster owns one 127.x.0.0/16, out of which its pods, services and nodes
//! get theirs.
//!
//! Several sandboxes can run on one machine (tests do), so a range is claimed by binding a port on
//! its last node address; whoever holds that socket holds the range.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};

use parking_lot::Mutex;

/// The port a real node's kubelet listens on.
const CLAIM_PORT: u16 = 10_250;
/// Third octets: pods below, then services, then nodes.
const SERVICES: u8 = 192;
const NODES: u8 = 240;
const NODE_PORTS: std::ops::Range<u16> = 30_000..32_768;

#[derive(Debug)]
pub struct Addresses {
    range: u8,
    _claim: TcpListener,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    pods: HashSet<u16>,
    services: HashSet<u16>,
    node_ports: HashSet<u16>,
    next_pod: u16,
    next_service: u16,
    next_node_port: u16,
}

impl Addresses {
    /// Claims a range, the preferred one if it is free.
    pub fn claim(preferred: u8) -> anyhow::Result<Self> {
        let first = preferred.max(1);
        for range in (first..=254).chain(1..first) {
            let address = Ipv4Addr::new(127, range, 255, 254);
            if let Ok(claim) = TcpListener::bind((address, CLAIM_PORT)) {
                let taken = Taken {
                    next_pod: 2,
                    next_service: 1,
                    ..Taken::default()
                };
                return Ok(Self {
                    range,
                    _claim: claim,
                    taken: Mutex::new(taken),
                });
            }
        }
        anyhow::bail!("every loopback range is taken by other sandboxes")
    }

    /// Which 127.x.0.0/16 this is.
    pub fn range(&self) -> u8 {
        self.range
    }

    fn address(&self, number: u16) -> Ipv4Addr {
        let [high, low] = number.to_be_bytes();
        Ipv4Addr::new(127, self.range, high, low)
    }

    fn number(&self, address: Ipv4Addr) -> Option<u16> {
        let [first, range, high, low] = address.octets();
        (first == 127 && range == self.range).then(|| u16::from_be_bytes([high, low]))
    }

    pub fn node(&self, index: u32) -> Ipv4Addr {
        let index = u16::try_from(index % 4000).unwrap_or(0);
        self.address(u16::from(NODES) * 256 + index + 1)
    }

    pub fn take_pod(&self) -> Option<Ipv4Addr> {
        let mut taken = self.taken.lock();
        let end = u16::from(SERVICES) * 256;
        for _ in 0..end {
            let number = taken.next_pod;
            taken.next_pod = if number + 1 >= end { 2 } else { number + 1 };
            if !number.is_multiple_of(256) && taken.pods.insert(number) {
                return Some(self.address(number));
            }
        }
        None
    }

    /// Takes an address a pod had before a restart; fails when it is not ours.
    pub fn retake_pod(&self, address: Ipv4Addr) -> bool {
        self.number(address)
            .is_some_and(|number| self.taken.lock().pods.insert(number))
    }

    pub fn release_pod(&self, address: Ipv4Addr) {
        if let Some(number) = self.number(address) {
            self.taken.lock().pods.remove(&number);
        }
    }

    fn service_range() -> std::ops::Range<u16> {
        u16::from(SERVICES) * 256 + 1..u16::from(NODES) * 256
    }

    pub fn take_service(&self) -> Option<String> {
        let mut taken = self.taken.lock();
        let range = Self::service_range();
        for _ in range.clone() {
            let number = range.start + taken.next_service;
            taken.next_service = (taken.next_service + 1) % (range.end - range.start);
            if taken.services.insert(number) {
                return Some(self.address(number).to_string());
            }
        }
        None
    }

    /// Takes the address a service asks for.
    pub fn take_named_service(&self, address: Ipv4Addr) -> bool {
        let Some(number) = self.number(address) else {
            return false;
        };
        Self::service_range().contains(&number) && self.taken.lock().services.insert(number)
    }

    pub fn release_service(&self, address: Ipv4Addr) {
        if let Some(number) = self.number(address) {
            self.taken.lock().services.remove(&number);
        }
    }

    pub fn take_node_port(&self) -> u16 {
        let mut taken = self.taken.lock();
        for _ in NODE_PORTS {
            let port = NODE_PORTS.start + taken.next_node_port;
            taken.next_node_port = (taken.next_node_port + 1) % (NODE_PORTS.end - NODE_PORTS.start);
            if taken.node_ports.insert(port) {
                return port;
            }
        }
        NODE_PORTS.start
    }

    pub fn retake_node_port(&self, port: u16) {
        self.taken.lock().node_ports.insert(port);
    }

    pub fn release_node_port(&self, port: u16) {
        self.taken.lock().node_ports.remove(&port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clusters_never_share_a_range() {
        let one = Addresses::claim(77).unwrap();
        let two = Addresses::claim(one.range()).unwrap();
        assert_ne!(one.range(), two.range());
    }

    #[test]
    fn addresses_are_unique_until_released() {
        let addresses = Addresses::claim(90).unwrap();
        let first = addresses.take_pod().unwrap();
        assert_ne!(first, addresses.take_pod().unwrap());
        assert!(!addresses.retake_pod(first));
        addresses.release_pod(first);
        assert!(addresses.retake_pod(first));
        let service: Ipv4Addr = addresses.take_service().unwrap().parse().unwrap();
        assert!(!addresses.take_named_service(service));
        assert!(
            !addresses.take_named_service(first),
            "a pod's address is no service address"
        );
    }
}
