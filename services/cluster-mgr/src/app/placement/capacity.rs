//! How many replicas of a service a cluster has room for.

use api_types::clusters::ResourceAmounts;

/// What one replica asks for. A pod counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    pub cpu_millicores: u64,
    pub memory_bytes: u64,
}

/// What is promised on a cluster and not yet seen in what its pods request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved(pub ResourceAmounts);

impl Reserved {
    /// Promises `replicas` more.
    pub fn add(&mut self, ask: Ask, replicas: u32) {
        let count = u64::from(replicas);
        self.0.cpu_millicores = self
            .0
            .cpu_millicores
            .saturating_add(ask.cpu_millicores.saturating_mul(count));
        self.0.memory_bytes = self
            .0
            .memory_bytes
            .saturating_add(ask.memory_bytes.saturating_mul(count));
        self.0.pods = self.0.pods.saturating_add(count);
    }
}

/// Replicas that still fit beside everything that is requested and reserved.
#[must_use]
pub fn further(
    ask: Ask,
    allocatable: ResourceAmounts,
    requested: ResourceAmounts,
    reserved: Reserved,
) -> u64 {
    let room = |all: u64, requested: u64, reserved: u64, ask: u64| {
        all.saturating_sub(requested).saturating_sub(reserved) / ask.max(1)
    };
    room(
        allocatable.cpu_millicores,
        requested.cpu_millicores,
        reserved.0.cpu_millicores,
        ask.cpu_millicores,
    )
    .min(room(
        allocatable.memory_bytes,
        requested.memory_bytes,
        reserved.0.memory_bytes,
        ask.memory_bytes,
    ))
    .min(room(allocatable.pods, requested.pods, reserved.0.pods, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scarcest_resource_bounds() {
        let all = ResourceAmounts {
            cpu_millicores: 8000,
            memory_bytes: 16 << 30,
            pods: 110,
        };
        let requested = ResourceAmounts {
            cpu_millicores: 2000,
            memory_bytes: 15 << 30,
            pods: 10,
        };
        let ask = Ask {
            cpu_millicores: 500,
            memory_bytes: 256 << 20,
        };
        assert_eq!(further(ask, all, requested, Reserved::default()), 4);
        let mut reserved = Reserved::default();
        reserved.add(ask, 3);
        assert_eq!(further(ask, all, requested, reserved), 1);
        reserved.add(ask, 30);
        assert_eq!(further(ask, all, requested, reserved), 0);
    }
}
