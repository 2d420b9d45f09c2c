//! What is free on a cluster's nodes, in a form that stays small however many they are.

use std::collections::BTreeMap;

use api_types::clusters::{FreeNodes, ResourceAmounts};

/// Kinds of nodes that are told apart.
const KINDS: usize = 64;

/// Leading binary digits that are kept, tried in turn: all; five, which loses less than 1/16; in the end one, which
/// loses less than a half.
const DIGITS: [u32; 6] = [64, 5, 4, 3, 2, 1];

/// What is free on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    pub amounts: ResourceAmounts,
    /// It takes only pods that ask for GPUs.
    pub gpus_only: bool,
}

/// Nodes by what is free on each. Amounts are rounded down as far as it takes to have no more than [`KINDS`] of
/// them; should powers of two be more still, those with the least room are left out.
#[must_use]
pub fn kinds(nodes: impl IntoIterator<Item = Free>) -> Vec<FreeNodes> {
    let some = |free: &ResourceAmounts| free.cpu_millicores > 0 && free.memory_bytes > 0 && free.pods > 0;
    let nodes: Vec<Free> = nodes.into_iter().filter(|node| some(&node.amounts)).collect();
    let mut kinds = BTreeMap::new();
    for digits in DIGITS {
        kinds = count(&nodes, digits);
        if kinds.len() <= KINDS {
            break;
        }
    }
    kinds
        .into_iter()
        .rev()
        .take(KINDS)
        .map(
            |((gpus, cpu_millicores, memory_bytes, pods, gpus_only), nodes)| FreeNodes {
                nodes,
                gpus_only,
                free: ResourceAmounts {
                    cpu_millicores,
                    memory_bytes,
                    pods,
                    gpus,
                },
            },
        )
        .collect()
}

/// By GPUs first: nodes that have any are the last to be left out.
fn count(nodes: &[Free], digits: u32) -> BTreeMap<(u64, u64, u64, u64, bool), u32> {
    let mut kinds = BTreeMap::new();
    for node in nodes {
        let free = node.amounts;
        let kind = (
            round_down(free.gpus, digits),
            round_down(free.cpu_millicores, digits),
            round_down(free.memory_bytes, digits),
            round_down(free.pods, digits),
            node.gpus_only,
        );
        *kinds.entry(kind).or_insert(0) += 1;
    }
    kinds
}

/// Keeps so many leading binary digits.
fn round_down(value: u64, digits: u32) -> u64 {
    let dropped = (u64::BITS - value.leading_zeros()).saturating_sub(digits);
    (value >> dropped) << dropped
}

#[cfg(test)]
mod tests {
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

    fn told(nodes: impl IntoIterator<Item = ResourceAmounts>) -> Vec<FreeNodes> {
        kinds(nodes.into_iter().map(|amounts| Free {
            amounts,
            gpus_only: false,
        }))
    }

    #[test]
    fn equal_nodes_are_one_kind_and_full_ones_none() {
        let found = told([
            amounts(3900, 7 << 30, 99),
            amounts(3900, 7 << 30, 99),
            amounts(0, 7 << 30, 99),
            amounts(10, 1 << 20, 1),
        ]);
        let shapes: Vec<_> = found
            .iter()
            .map(|kind| (kind.nodes, kind.free.cpu_millicores))
            .collect();
        assert_eq!(shapes, [(2, 3900), (1, 10)], "few kinds are told exactly");
    }

    #[test]
    fn a_thousand_different_nodes_are_few_kinds_within_a_sixteenth() {
        let nodes: Vec<_> = (0..1000)
            .map(|number| amounts(32_000 + number, 64 << 30, 100))
            .collect();
        let found = told(nodes);
        assert_eq!(found.iter().map(|kind| kind.nodes).sum::<u32>(), 1000);
        assert!(found.len() <= KINDS);
        assert!(found.iter().all(|kind| kind.free.cpu_millicores >= 30_000));
    }

    #[test]
    fn the_one_node_with_gpus_is_told_among_thousands() {
        let plain =
            (0..5000).map(|number| amounts(1 << (number % 24), 1 << (number % 38), 1 << (number % 7)));
        let equipped = ResourceAmounts {
            gpus: 8,
            ..amounts(1, 1, 1)
        };
        let found = told(plain.chain([equipped]));
        assert!(found.len() <= KINDS);
        let gpus: u64 = found.iter().map(|kind| kind.free.gpus).sum();
        assert_eq!(gpus, 8);
    }

    #[test]
    fn nodes_for_gpus_only_are_a_kind_of_their_own() {
        let amounts = ResourceAmounts {
            gpus: 2,
            ..amounts(1000, 1 << 30, 10)
        };
        let found = kinds([false, true, true].map(|gpus_only| Free { amounts, gpus_only }));
        let found: Vec<_> = found.iter().map(|kind| (kind.nodes, kind.gpus_only)).collect();
        assert_eq!(found, [(2, true), (1, false)]);
    }

    proptest! {
        /// Never more than there is, of any resource, on as many nodes.
        #[test]
        fn rounding_never_adds_room(
            nodes in prop::collection::vec((0u64..64_000, 0u64..1 << 38, 0u64..250, 0u64..40), 0..300),
        ) {
            let nodes: Vec<_> = nodes
                .into_iter()
                .map(|(cpu, memory, pods, gpus)| ResourceAmounts { gpus, ..amounts(cpu, memory, pods) })
                .collect();
            let found = told(nodes.clone());
            prop_assert!(found.len() <= KINDS);
            prop_assert!(found.iter().map(|kind| kind.nodes as usize).sum::<usize>() <= nodes.len());
            for (ask_cpu, ask_memory, ask_gpus) in [(100, 1 << 27, 0), (4000, 1 << 30, 3), (1, 1 << 34, 1)] {
                let fit = |free: &ResourceAmounts| {
                    let room = (free.cpu_millicores / ask_cpu).min(free.memory_bytes / ask_memory).min(free.pods);
                    free.gpus.checked_div(ask_gpus).map_or(room, |gpus| room.min(gpus))
                };
                let told: u64 = found.iter().map(|kind| fit(&kind.free) * u64::from(kind.nodes)).sum();
                let there: u64 = nodes.iter().map(fit).sum();
                prop_assert!(told <= there);
            }
        }
    }
}
