//! The pods of one cluster: compact rows, found by name and by service, with the sums that nodes and
//! clusters show.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;

use api_types::clusters::ResourceAmounts;
use api_types::pods::{Pod, PodPhase};
use chrono::{DateTime, Utc};
use hashbrown::HashTable;

use crate::app::gpu::GpuResource;
use crate::app::names::{REVISION, ServiceKey};
use crate::app::pod_status::{self, Trouble};
use crate::index::interner::{Interner, Symbol};
use crate::index::names::{Name, Names};
use crate::index::wire;

/// One pod, in about 100 bytes; what is asked rarely is fetched when someone looks.
#[derive(Debug)]
pub struct PodRow {
    name: Name,
    pub namespace: Symbol,
    pub project: Symbol,
    pub environment: Symbol,
    pub service: Symbol,
    pub node: Symbol,
    pub image: Symbol,
    pub status: Symbol,
    pub ip: Option<IpAddr>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Since when it isn't ready, in seconds since 1970.
    pub unready_since: i64,
    /// 0 when it is none of ours.
    pub revision: u32,
    pub restarts: u32,
    pub cpu_millicores: u32,
    pub memory_bytes: u64,
    pub trouble: Option<Box<Trouble>>,
    pub gpus: u16,
    pub containers: u8,
    pub containers_ready: u8,
    pub phase: PodPhase,
    pub ready: bool,
    /// Of the list that last named it.
    round: u8,
}

impl PodRow {
    /// Whether it still holds what it asks for.
    fn holds_resources(&self) -> bool {
        !matches!(self.phase, PodPhase::Succeeded | PodPhase::Failed)
    }
}

/// A service's pods, by the symbols of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ServicePlace {
    namespace: Symbol,
    service: Symbol,
}

/// Slots by namespace and name, which only the rows hold.
#[derive(Debug, Default)]
struct NameIndex {
    slots: HashTable<u32>,
    hasher: RandomState,
}

impl NameIndex {
    fn hash(&self, namespace: Symbol, name: &str) -> u64 {
        self.hasher.hash_one((namespace, name))
    }

    fn find(&self, rows: &[Option<PodRow>], names: &Names, namespace: Symbol, name: &str) -> Option<u32> {
        let is = |slot: &u32| {
            rows[*slot as usize]
                .as_ref()
                .is_some_and(|row| row.namespace == namespace && names.text(row.name) == name)
        };
        self.slots.find(self.hash(namespace, name), is).copied()
    }

    /// Of a row that is there and not known yet.
    fn insert(&mut self, rows: &[Option<PodRow>], names: &Names, slot: u32) {
        let hasher = &self.hasher;
        let hash = |slot: &u32| {
            rows[*slot as usize]
                .as_ref()
                .map_or(0, |row| hasher.hash_one((row.namespace, names.text(row.name))))
        };
        self.slots.insert_unique(hash(&slot), slot, hash);
    }

    /// Of a row that is still there.
    fn remove(&mut self, rows: &[Option<PodRow>], names: &Names, slot: u32) {
        let Some(row) = &rows[slot as usize] else { return };
        let hash = self.hash(row.namespace, names.text(row.name));
        if let Ok(entry) = self.slots.find_entry(hash, |own| *own == slot) {
            entry.remove();
        }
    }
}

#[derive(Debug, Default)]
pub struct PodTable {
    pub texts: Interner,
    names: Names,
    rows: Vec<Option<PodRow>>,
    free: Vec<u32>,
    by_name: NameIndex,
    by_service: HashMap<ServicePlace, Vec<u32>>,
    by_node: HashMap<Symbol, ResourceAmounts>,
    gpu: GpuResource,
    round: u8,
}

impl PodTable {
    /// An empty one, in which `gpu` counts as GPUs.
    #[must_use]
    pub fn new(gpu: GpuResource) -> Self {
        Self {
            gpu,
            ..Self::default()
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.slots.len()
    }

    /// A list of all pods begins; rows it doesn't name go at [`Self::finish_list`], not before.
    pub fn begin_list(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    /// The list is complete. Returns the services that lost pods.
    pub fn finish_list(&mut self) -> Vec<ServiceKey> {
        let gone: Vec<u32> = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.as_ref().is_some_and(|row| row.round != self.round))
            .filter_map(|(slot, _)| u32::try_from(slot).ok())
            .collect();
        let mut services: Vec<ServiceKey> = gone
            .into_iter()
            .filter_map(|slot| self.remove_slot(slot))
            .collect();
        services.sort();
        services.dedup();
        services
    }

    /// Takes a pod as it is now. Returns its service.
    pub fn upsert(&mut self, pod: &wire::Pod) -> Option<ServiceKey> {
        let service = ServiceKey::of_labels(&pod.metadata.labels, &pod.metadata.namespace);
        let metadata = &pod.metadata;
        let known = self.slot(&metadata.namespace, &metadata.name);
        let name = match known.and_then(|slot| self.rows[slot as usize].as_ref()) {
            Some(row) => row.name,
            None => self.names.keep(&metadata.name),
        };
        let row = self.row(pod, name, service.as_ref());
        self.count(&row, true);
        let place = ServicePlace {
            namespace: row.namespace,
            service: row.service,
        };
        if let Some(slot) = known {
            let old = self.rows[slot as usize]
                .replace(row)
                .expect("a name leads to a row");
            self.count(&old, false);
            if old.service != place.service {
                self.leave_service(&old, slot);
                self.by_service.entry(place).or_default().push(slot);
            }
            self.release(&old);
        } else {
            let slot = match self.free.pop() {
                Some(slot) => {
                    self.rows[slot as usize] = Some(row);
                    slot
                }
                None => {
                    self.rows.push(Some(row));
                    u32::try_from(self.rows.len() - 1).expect("a cluster has fewer than 4 billion pods")
                }
            };
            self.by_name.insert(&self.rows, &self.names, slot);
            if service.is_some() {
                self.by_service.entry(place).or_default().push(slot);
            }
        }
        service
    }

    /// Forgets a pod. Returns its service.
    pub fn remove(&mut self, namespace: &str, name: &str) -> Option<ServiceKey> {
        let slot = self.slot(namespace, name)?;
        self.remove_slot(slot)
    }

    pub fn find(&self, namespace: &str, name: &str) -> Option<&PodRow> {
        let slot = self.slot(namespace, name)?;
        self.rows[slot as usize].as_ref()
    }

    fn slot(&self, namespace: &str, name: &str) -> Option<u32> {
        let namespace = self.texts.find(namespace)?;
        self.by_name.find(&self.rows, &self.names, namespace, name)
    }

    #[must_use]
    pub fn name(&self, row: &PodRow) -> &str {
        self.names.text(row.name)
    }

    pub fn rows(&self) -> impl Iterator<Item = &PodRow> {
        self.rows.iter().flatten()
    }

    /// The pods of a service.
    pub fn of_service(&self, key: &ServiceKey) -> impl Iterator<Item = &PodRow> {
        let place = self
            .texts
            .find(&key.namespace())
            .zip(self.texts.find(&key.service))
            .map(|(namespace, service)| ServicePlace { namespace, service });
        let slots = place.and_then(|place| self.by_service.get(&place));
        slots
            .into_iter()
            .flatten()
            .filter_map(|slot| self.rows[*slot as usize].as_ref())
            .filter(|row| {
                self.texts.text(row.project) == key.project
                    && self.texts.text(row.environment) == key.environment
            })
    }

    /// Every service that has pods.
    pub fn services(&self) -> impl Iterator<Item = ServiceKey> {
        self.by_service.values().filter_map(|slots| {
            let row = self.rows[*slots.first()? as usize].as_ref()?;
            self.key(row)
        })
    }

    /// What the pods on a node ask for; those that no node was found for are under the empty name.
    #[must_use]
    pub fn requested_on(&self, node: &str) -> ResourceAmounts {
        self.texts
            .find(node)
            .and_then(|node| self.by_node.get(&node))
            .copied()
            .unwrap_or_default()
    }

    #[must_use]
    pub fn key(&self, row: &PodRow) -> Option<ServiceKey> {
        (row.service != Symbol::EMPTY).then(|| {
            ServiceKey::new(
                self.texts.text(row.project),
                self.texts.text(row.environment),
                self.texts.text(row.service),
            )
        })
    }

    /// The pod as people see it. What is stale is never ready.
    #[must_use]
    pub fn shown(&self, row: &PodRow, cluster: &str, observed_at: DateTime<Utc>, stale: bool) -> Pod {
        let text = |symbol| self.texts.text(symbol).to_owned();
        let given = |symbol| (symbol != Symbol::EMPTY).then(|| self.texts.text(symbol).to_owned());
        Pod {
            cluster: cluster.to_owned(),
            namespace: text(row.namespace),
            name: self.name(row).to_owned(),
            project: given(row.project),
            environment: given(row.environment),
            service: given(row.service),
            revision: (row.revision > 0).then_some(i64::from(row.revision)),
            phase: row.phase,
            status: text(row.status),
            ready: row.ready && !stale,
            containers_ready: u32::from(row.containers_ready),
            containers: u32::from(row.containers),
            restarts: row.restarts,
            node: given(row.node),
            ip: row.ip.map(|ip| ip.to_string()),
            image: text(row.image),
            created_at: DateTime::from_timestamp(row.created_at, 0).unwrap_or_default(),
            observed_at,
            stale,
        }
    }

    /// Bytes that the table holds, about; for the metrics.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let troubles: usize = self
            .rows()
            .filter_map(|row| row.trouble.as_ref())
            .map(|trouble| size_of::<Trouble>() + trouble.message.len())
            .sum();
        self.names.bytes()
            + troubles
            + self.rows.capacity() * size_of::<Option<PodRow>>()
            + self.by_name.slots.allocation_size()
    }

    fn row(&mut self, pod: &wire::Pod, name: Name, service: Option<&ServiceKey>) -> PodRow {
        let seen = pod_status::read(pod);
        let requests = pod_status::requests(&pod.spec, &self.gpu);
        let held =
            |texts: &mut Interner, text: Option<&String>| text.map_or(Symbol::EMPTY, |text| texts.hold(text));
        let texts = &mut self.texts;
        PodRow {
            name,
            namespace: texts.hold(&pod.metadata.namespace),
            project: held(texts, service.map(|key| &key.project)),
            environment: held(texts, service.map(|key| &key.environment)),
            service: held(texts, service.map(|key| &key.service)),
            node: texts.hold(&pod.spec.node_name),
            image: texts.hold(pod.spec.containers.first().map_or("", |first| &first.image)),
            status: texts.hold(&seen.status),
            ip: pod.status.pod_ip.parse().ok(),
            created_at: pod.metadata.creation_timestamp.map_or(0, |at| at.timestamp()),
            unready_since: seen.unready_since.map_or(0, |at| at.timestamp()),
            revision: pod.metadata.label(REVISION).parse().unwrap_or(0),
            restarts: seen.restarts,
            cpu_millicores: u32::try_from(requests.cpu_millicores).unwrap_or(u32::MAX),
            memory_bytes: requests.memory_bytes,
            trouble: seen.trouble.map(Box::new),
            gpus: u16::try_from(requests.gpus).unwrap_or(u16::MAX),
            containers: u8::try_from(pod.spec.containers.len()).unwrap_or(u8::MAX),
            containers_ready: seen.containers_ready,
            phase: seen.phase,
            ready: seen.ready,
            round: self.round,
        }
    }

    fn remove_slot(&mut self, slot: u32) -> Option<ServiceKey> {
        self.by_name.remove(&self.rows, &self.names, slot);
        let row = self.rows[slot as usize].take()?;
        self.free.push(slot);
        let key = self.key(&row);
        self.leave_service(&row, slot);
        self.count(&row, false);
        self.release(&row);
        self.names.give_back(row.name);
        let rows = self.rows.iter_mut().flatten();
        self.names.renew(rows.map(|row| &mut row.name));
        key
    }

    fn leave_service(&mut self, row: &PodRow, slot: u32) {
        let place = ServicePlace {
            namespace: row.namespace,
            service: row.service,
        };
        if let Some(slots) = self.by_service.get_mut(&place) {
            slots.retain(|own| *own != slot);
            if slots.is_empty() {
                self.by_service.remove(&place);
            }
        }
    }

    fn count(&mut self, row: &PodRow, comes: bool) {
        if !row.holds_resources() {
            return;
        }
        let sum = self.by_node.entry(row.node).or_default();
        let change = |sum: &mut u64, by: u64| *sum = if comes { *sum + by } else { sum.saturating_sub(by) };
        change(&mut sum.cpu_millicores, u64::from(row.cpu_millicores));
        change(&mut sum.memory_bytes, row.memory_bytes);
        change(&mut sum.pods, 1);
        change(&mut sum.gpus, u64::from(row.gpus));
        if sum.pods == 0 {
            self.by_node.remove(&row.node);
        }
    }

    fn release(&mut self, row: &PodRow) {
        for symbol in [
            row.namespace,
            row.project,
            row.environment,
            row.service,
            row.node,
            row.image,
            row.status,
        ] {
            self.texts.release(symbol);
        }
    }
}
