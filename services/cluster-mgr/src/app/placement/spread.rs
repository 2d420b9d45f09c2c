//! Spread limits: at most a share of the replicas in one cluster, one zone or one region, so that losing it loses
//! no more than that.

use std::collections::HashMap;

use api_types::placement::Placement;

use super::{Candidate, Request};

/// What a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Domain {
    Cluster,
    Zone,
    Region,
}

impl Domain {
    pub fn word(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Zone => "zone",
            Self::Region => "region",
        }
    }

    /// Its limit in percent, if it has one.
    pub fn percent(self, placement: &Placement) -> Option<u32> {
        match self {
            Self::Cluster => placement.max_percent_per_cluster,
            Self::Zone => placement.max_percent_per_zone,
            Self::Region => placement.max_percent_per_region,
        }
    }
}

/// The most of `replicas` that `percent` allows: rounded up, and never none, so that half of three are two and a
/// single replica has a place.
#[must_use]
pub fn most(replicas: u32, percent: u32) -> u32 {
    let share = (u64::from(replicas) * u64::from(percent)).div_ceil(100);
    share.clamp(1, u64::from(u32::MAX)) as u32
}

/// Clusters that share one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub domain: Domain,
    pub most: u32,
}

/// The zone's and the region's limits that a cluster is under, by their place in the list.
pub(super) type Memberships = [Option<usize>; 2];

/// The groups, zones before regions, and each candidate's; a cluster without a zone is in none.
pub(super) fn groups(request: Request<'_>, candidates: &[Candidate<'_>]) -> (Vec<Group>, Vec<Memberships>) {
    let mut groups = Vec::new();
    let mut memberships = vec![[None; 2]; candidates.len()];
    for (level, domain) in [Domain::Zone, Domain::Region].into_iter().enumerate() {
        let Some(percent) = domain.percent(request.placement) else {
            continue;
        };
        let mut known: HashMap<(&str, &str), usize> = HashMap::new();
        for (candidate, own) in candidates.iter().zip(&mut memberships) {
            let place = match domain {
                Domain::Zone if candidate.zone.is_empty() => continue,
                // Two regions may have a zone `a` each.
                Domain::Zone => (candidate.region, candidate.zone),
                _ => (candidate.region, ""),
            };
            own[level] = Some(*known.entry(place).or_insert_with(|| {
                groups.push(Group {
                    domain,
                    most: most(request.replicas, percent),
                });
                groups.len() - 1
            }));
        }
    }
    (groups, memberships)
}

/// A cluster as it counts towards the limits.
#[derive(Clone, Copy, Debug)]
pub struct Share<'a> {
    pub region: &'a str,
    pub zone: &'a str,
    pub replicas: u32,
}

/// Whether any limit is exceeded.
pub fn is_exceeded<'a>(placement: &Placement, total: u32, shares: impl Iterator<Item = Share<'a>>) -> bool {
    let domains = [Domain::Cluster, Domain::Zone, Domain::Region];
    if domains.iter().all(|domain| domain.percent(placement).is_none()) {
        return false;
    }
    let limit = |domain: Domain| {
        domain
            .percent(placement)
            .map_or(u64::MAX, |percent| u64::from(most(total, percent)))
    };
    let mut sums: HashMap<(Domain, &str, &str), u64> = HashMap::new();
    for share in shares {
        let replicas = u64::from(share.replicas);
        if replicas > limit(Domain::Cluster) {
            return true;
        }
        if !share.zone.is_empty() {
            *sums.entry((Domain::Zone, share.region, share.zone)).or_default() += replicas;
        }
        *sums.entry((Domain::Region, share.region, "")).or_default() += replicas;
    }
    sums.into_iter().any(|((domain, ..), sum)| sum > limit(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_never_nothing() {
        for (replicas, percent, expected) in [
            (3, 50, 2),
            (4, 50, 2),
            (1, 10, 1),
            (0, 50, 1),
            (10, 34, 4),
            (10_000, 100, 10_000),
            (7, 1, 1),
        ] {
            assert_eq!(most(replicas, percent), expected, "{percent} % of {replicas}");
        }
    }

    #[test]
    fn zones_of_one_name_in_two_regions_are_two() {
        let placement = Placement {
            max_percent_per_zone: Some(50),
            max_percent_per_region: Some(75),
            ..Placement::default()
        };
        let share = |region, zone, replicas| Share {
            region,
            zone,
            replicas,
        };
        let exceeded = |shares: &[Share<'_>]| is_exceeded(&placement, 8, shares.iter().copied());
        assert!(!exceeded(&[share("north", "a", 4), share("south", "a", 4)]));
        assert!(exceeded(&[share("north", "a", 3), share("north", "a", 2)]));
        assert!(exceeded(&[share("north", "a", 4), share("north", "b", 3)]));
        assert!(!exceeded(&[share("north", "", 6), share("south", "", 2)]));
    }
}
