//! How many replicas of a service a cluster has room for.
//!
//! A replica runs on one node, so what counts is what is free on each. What is promised and not on a node yet
//! may land on any, and is counted as if it landed where it does the most harm: room that is refused for a
//! moment comes back, room that was given twice doesn't.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use api_types::clusters::{ClusterObservation, FreeNodes, ResourceAmounts};

/// What one replica asks for. A pod counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    pub cpu_millicores: u64,
    pub memory_bytes: u64,
    pub gpus: u64,
}

/// What is promised on a cluster and not yet seen in what its pods request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    sum: ResourceAmounts,
    /// The most that any one replica of it asks for, each figure for itself.
    largest: ResourceAmounts,
}

impl Reserved {
    /// Promises `replicas` more.
    pub fn add(&mut self, ask: Ask, replicas: u32) {
        if replicas == 0 {
            return;
        }
        let count = u64::from(replicas);
        let (sum, largest) = (&mut self.sum, &mut self.largest);
        sum.cpu_millicores = sum
            .cpu_millicores
            .saturating_add(ask.cpu_millicores.saturating_mul(count));
        sum.memory_bytes = sum
            .memory_bytes
            .saturating_add(ask.memory_bytes.saturating_mul(count));
        sum.pods = sum.pods.saturating_add(count);
        sum.gpus = sum.gpus.saturating_add(ask.gpus.saturating_mul(count));
        largest.cpu_millicores = largest.cpu_millicores.max(ask.cpu_millicores);
        largest.memory_bytes = largest.memory_bytes.max(ask.memory_bytes);
        largest.gpus = largest.gpus.max(ask.gpus);
    }
}

/// What fits on a cluster's nodes as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// Replicas in all.
    pub replicas: u64,
    /// Nodes that take at least one.
    pub nodes: u64,
    /// On some node the number of pods is what bounds.
    pub pods_bound: bool,
}

impl Fit {
    /// How many replicas fit on nodes with so much free each.
    #[must_use]
    pub fn of(ask: Ask, nodes: &[FreeNodes]) -> Self {
        let mut fit = Self::default();
        for kind in nodes.iter().filter(|kind| ask.gpus > 0 || !kind.gpus_only) {
            let room = (kind.free.cpu_millicores / ask.cpu_millicores.max(1))
                .min(kind.free.memory_bytes / ask.memory_bytes.max(1))
                .min(kind.free.gpus.checked_div(ask.gpus).unwrap_or(u64::MAX));
            let each = room.min(kind.free.pods);
            if each > 0 {
                let nodes = u64::from(kind.nodes);
                fit.replicas = fit.replicas.saturating_add(each.saturating_mul(nodes));
                fit.nodes += nodes;
                fit.pods_bound |= kind.free.pods <= room;
            }
        }
        fit
    }

    /// The most replicas that can lose their place to other pods of `sum` in all, none larger than `largest`,
    /// wherever those land.
    ///
    /// A pod takes the place of at most `ceil(largest / ask)`. And a node that gets pods of `v` in all loses
    /// `ceil(v / ask)` at most, of CPU, of memory or of GPUs if any are asked for, which is less than `v / ask + 1`:
    /// summed up, the volume and one for each node that gets any (one for each pod where the number of pods bounds).
    fn lost(self, ask: Ask, sum: ResourceAmounts, largest: ResourceAmounts) -> u64 {
        if sum.pods == 0 {
            return 0;
        }
        let (cpu, memory) = (ask.cpu_millicores.max(1), ask.memory_bytes.max(1));
        let gpu_places = |taken: ResourceAmounts| match ask.gpus {
            0 => 0,
            gpus => taken.gpus.div_ceil(gpus),
        };
        let each = largest
            .cpu_millicores
            .div_ceil(cpu)
            .max(largest.memory_bytes.div_ceil(memory))
            .max(gpu_places(largest))
            .max(1);
        let touched = if self.pods_bound {
            sum.pods
        } else {
            sum.pods.min(self.nodes)
        };
        let by_volume = sum
            .cpu_millicores
            .div_ceil(cpu)
            .saturating_add(sum.memory_bytes.div_ceil(memory))
            .saturating_add(gpu_places(sum))
            .saturating_add(touched);
        sum.pods.saturating_mul(each).min(by_volume)
    }
}

/// What fits on each of many clusters, found out once for each ask: many services ask for the same.
#[derive(Clone, Debug, Default)]
pub struct Fits(RefCell<HashMap<Ask, Arc<[Option<Fit>]>>>);

impl Fits {
    /// In the order of the clusters, which is to be the same every time; none of one whose nodes are not known.
    pub fn of<'a>(
        &self,
        ask: Ask,
        clusters: impl Iterator<Item = Option<&'a ClusterObservation>>,
    ) -> Arc<[Option<Fit>]> {
        Arc::clone(self.0.borrow_mut().entry(ask).or_insert_with(|| {
            clusters
                .map(|observed| Some(Fit::of(ask, &observed?.free.as_ref()?.nodes)))
                .collect()
        }))
    }
}

/// Replicas that still fit beside everything that is requested and reserved. Without a `fit` only the cluster's
/// sums are known.
#[must_use]
pub fn further(ask: Ask, observed: &ClusterObservation, fit: Option<Fit>, reserved: Reserved) -> u64 {
    let room = |all: u64, requested: u64, reserved: u64, ask: u64| {
        all.saturating_sub(requested).saturating_sub(reserved) / ask.max(1)
    };
    let (mut all, mut requested) = (observed.allocatable, observed.requested);
    if let Some(apart) = observed.gpu_nodes.filter(|_| ask.gpus == 0) {
        (all, requested) = (all.minus(apart.allocatable), requested.minus(apart.requested));
    }
    let by_sums = room(
        all.cpu_millicores,
        requested.cpu_millicores,
        reserved.sum.cpu_millicores,
        ask.cpu_millicores,
    )
    .min(room(
        all.memory_bytes,
        requested.memory_bytes,
        reserved.sum.memory_bytes,
        ask.memory_bytes,
    ))
    .min(room(all.pods, requested.pods, reserved.sum.pods, 1))
    .min(match ask.gpus {
        0 => u64::MAX,
        gpus => room(all.gpus, requested.gpus, reserved.sum.gpus, gpus),
    });
    let Some(fit) = fit else { return by_sums };
    let waiting = observed
        .free
        .as_ref()
        .map(|free| free.waiting)
        .unwrap_or_default();
    fit.replicas
        .saturating_sub(fit.lost(ask, reserved.sum, reserved.largest))
        .saturating_sub(fit.lost(ask, waiting, waiting))
        .min(by_sums)
}

#[cfg(test)]
mod tests {
    use api_types::clusters::{FreeRoom, GpuNodes};
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn amounts(cpu_millicores: u64, memory_bytes: u64, pods: u64) -> ResourceAmounts {
        ResourceAmounts {
            cpu_millicores,
            memory_bytes,
            pods,
            gpus: 0,
        }
    }

    fn observed(
        allocatable: ResourceAmounts,
        requested: ResourceAmounts,
        free: Option<FreeRoom>,
    ) -> ClusterObservation {
        ClusterObservation {
            observed_at: DateTime::UNIX_EPOCH,
            stale: false,
            kubernetes_version: String::new(),
            nodes: 1,
            nodes_ready: 1,
            pods: 0,
            allocatable,
            requested,
            used: None,
            largest_node: None,
            gpu_nodes: None,
            free,
        }
    }

    fn room(ask: Ask, observed: &ClusterObservation, reserved: Reserved) -> u64 {
        let fit = observed.free.as_ref().map(|free| Fit::of(ask, &free.nodes));
        further(ask, observed, fit, reserved)
    }

    #[test]
    fn the_scarcest_resource_bounds() {
        let cluster = observed(amounts(8000, 16 << 30, 110), amounts(2000, 15 << 30, 10), None);
        let ask = Ask {
            cpu_millicores: 500,
            memory_bytes: 256 << 20,
            gpus: 0,
        };
        assert_eq!(room(ask, &cluster, Reserved::default()), 4);
        let mut reserved = Reserved::default();
        reserved.add(ask, 3);
        assert_eq!(room(ask, &cluster, reserved), 1);
        reserved.add(ask, 30);
        assert_eq!(room(ask, &cluster, reserved), 0);
    }

    fn kind(nodes: u32, free: ResourceAmounts, gpus_only: bool) -> FreeNodes {
        FreeNodes {
            nodes,
            free,
            gpus_only,
        }
    }

    /// Four nodes with 8 cores, of which so many are free on each.
    fn four(free: u64, waiting: ResourceAmounts) -> ClusterObservation {
        let each = amounts(free, 16 << 30, 100);
        observed(
            amounts(32_000, 64 << 30, 400),
            amounts(
                4 * (8000 - free) + waiting.cpu_millicores,
                waiting.memory_bytes,
                waiting.pods,
            ),
            Some(FreeRoom {
                nodes: vec![kind(4, each, false)],
                waiting,
            }),
        )
    }

    #[test]
    fn crumbs_on_many_nodes_are_no_room() {
        let six = Ask {
            cpu_millicores: 6000,
            memory_bytes: 1 << 30,
            gpus: 0,
        };
        let nothing = ResourceAmounts::default();
        // 20 cores are free in all, and no node takes 6.
        assert_eq!(room(six, &four(5000, nothing), Reserved::default()), 0);
        assert_eq!(room(six, &four(6500, nothing), Reserved::default()), 4);
        // Two small ones that are promised may land on two of the nodes.
        let small = Ask {
            cpu_millicores: 600,
            memory_bytes: 1 << 20,
            gpus: 0,
        };
        let mut reserved = Reserved::default();
        reserved.add(small, 2);
        assert_eq!(room(six, &four(6500, nothing), reserved), 2);
        // One that waits for a node may, too.
        assert_eq!(
            room(six, &four(6500, amounts(600, 1 << 20, 1)), Reserved::default()),
            3
        );
        // Of its own kind each takes one place.
        let mut reserved = Reserved::default();
        reserved.add(six, 3);
        assert_eq!(room(six, &four(6500, nothing), reserved), 1);
    }

    #[test]
    fn many_crumbs_don_t_fill_a_large_cluster() {
        let ask = Ask {
            cpu_millicores: 1000,
            memory_bytes: 1 << 30,
            gpus: 0,
        };
        let crumb = Ask {
            cpu_millicores: 10,
            memory_bytes: 1 << 20,
            gpus: 0,
        };
        let mut reserved = Reserved::default();
        reserved.add(crumb, 100);
        // 32 places; the crumbs have one core, 100 MiB, and spoil one place on each of four nodes.
        assert_eq!(room(ask, &four(8000, ResourceAmounts::default()), reserved), 26);
    }

    #[test]
    fn gpus_bound_only_those_who_ask_for_them() {
        // One of four nodes has 8 GPUs.
        let bare = amounts(8000, 16 << 30, 100);
        let equipped = ResourceAmounts { gpus: 8, ..bare };
        let waiting = ResourceAmounts::default();
        let cluster = observed(
            ResourceAmounts {
                gpus: 8,
                ..amounts(32_000, 64 << 30, 400)
            },
            waiting,
            Some(FreeRoom {
                nodes: vec![kind(1, equipped, false), kind(3, bare, false)],
                waiting,
            }),
        );
        let ask = |gpus: u64| Ask {
            cpu_millicores: 1000,
            memory_bytes: 1 << 30,
            gpus,
        };
        let rooms = [0, 1, 3, 8, 9].map(|gpus| room(ask(gpus), &cluster, Reserved::default()));
        assert_eq!(rooms, [32, 8, 2, 1, 0]);
        let mut reserved = Reserved::default();
        reserved.add(ask(4), 1);
        assert_eq!(room(ask(4), &cluster, reserved), 1);
        assert_eq!(room(ask(8), &cluster, reserved), 0);
        // Without its nodes only the sums are known.
        let sums = ClusterObservation {
            free: None,
            ..cluster
        };
        assert_eq!(room(ask(2), &sums, reserved), 2);
    }

    #[test]
    fn nodes_that_a_taint_keeps_for_gpus_are_room_for_those_only() {
        // Three bare nodes, and two of 8 GPUs each, of which one holds 6 cores and 4 GPUs.
        let bare = amounts(8000, 16 << 30, 100);
        let equipped = ResourceAmounts { gpus: 8, ..bare };
        let taken = ResourceAmounts {
            gpus: 4,
            ..amounts(6000, 1 << 30, 1)
        };
        let waiting = ResourceAmounts::default();
        let cluster = ClusterObservation {
            gpu_nodes: Some(GpuNodes {
                nodes: 2,
                allocatable: equipped.plus(equipped),
                requested: taken,
                largest_node: equipped,
            }),
            ..observed(
                amounts(24_000, 48 << 30, 300).plus(equipped).plus(equipped),
                taken,
                Some(FreeRoom {
                    nodes: vec![
                        kind(1, equipped, true),
                        kind(1, equipped.minus(taken), true),
                        kind(3, bare, false),
                    ],
                    waiting,
                }),
            )
        };
        let ask = |gpus: u64| Ask {
            cpu_millicores: 1000,
            memory_bytes: 1 << 30,
            gpus,
        };
        let nothing = Reserved::default();
        let rooms = [0, 1, 4, 8].map(|gpus| room(ask(gpus), &cluster, nothing));
        assert_eq!(rooms, [24, 10, 3, 1]);
        // Without its nodes the sums say the same of those without GPUs.
        let sums = ClusterObservation {
            free: None,
            ..cluster
        };
        assert_eq!(room(ask(0), &sums, nothing), 24);
        assert_eq!(room(ask(4), &sums, nothing), 3);
    }

    fn places(ask: Ask, nodes: &[(ResourceAmounts, bool)]) -> u64 {
        let kinds: Vec<FreeNodes> = nodes
            .iter()
            .map(|(free, gpus_only)| kind(1, *free, *gpus_only))
            .collect();
        Fit::of(ask, &kinds).replicas
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// Whatever is promised, on whichever nodes it lands, the room that is told is there.
        #[test]
        fn no_room_is_promised_twice(
            nodes in prop::collection::vec((0u64..40, 0u64..40, 0u64..12, 0u64..9, any::<bool>()), 1..6),
            promised in prop::collection::vec((1u64..15, 1u64..15, 0u64..5, 0usize..6), 0..12),
            (cpu, memory, gpus) in (1u64..12, 1u64..12, 0u64..5),
        ) {
            let ask = Ask { cpu_millicores: cpu, memory_bytes: memory, gpus };
            let mut left: Vec<_> = nodes
                .iter()
                .map(|(cpu, memory, pods, gpus, tainted)| {
                    let free = ResourceAmounts { gpus: *gpus, ..amounts(*cpu, *memory, *pods) };
                    (free, *tainted && *gpus > 0)
                })
                .collect();
            let sum = |apart_only: bool| {
                left.iter()
                    .filter(|(_, gpus_only)| *gpus_only || !apart_only)
                    .fold(ResourceAmounts::default(), |sum, (free, _)| sum.plus(*free))
            };
            let waiting = ResourceAmounts::default();
            let kinds = left.iter().map(|(free, gpus_only)| kind(1, *free, *gpus_only)).collect();
            let cluster = ClusterObservation {
                gpu_nodes: Some(GpuNodes { allocatable: sum(true), ..GpuNodes::default() }),
                ..observed(sum(false), waiting, Some(FreeRoom { nodes: kinds, waiting }))
            };
            let mut reserved = Reserved::default();
            for (cpu, memory, gpus, first) in promised {
                let count = left.len();
                let on = (0..count).map(|step| (first + step) % count).find(|index| {
                    let (node, gpus_only) = &left[*index];
                    node.cpu_millicores >= cpu
                        && node.memory_bytes >= memory
                        && node.pods >= 1
                        && node.gpus >= gpus
                        && (gpus > 0 || !gpus_only)
                });
                if let Some(on) = on {
                    let taken = ResourceAmounts { gpus, ..amounts(cpu, memory, 1) };
                    left[on].0 = left[on].0.minus(taken);
                    reserved.add(Ask { cpu_millicores: cpu, memory_bytes: memory, gpus }, 1);
                }
            }
            prop_assert!(room(ask, &cluster, reserved) <= places(ask, &left));
        }
    }
}
