//! What goes wrong, and when.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub const CLUSTERS: usize = 5;
pub const SERVICES: usize = 4;
/// The service that must never run twice.
pub const SINGLETON: usize = SERVICES - 1;
/// Seconds within which everything goes wrong.
pub const LONGEST: i64 = 900;

/// One thing that is wrong with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing in or out.
    Cut,
    /// The API server answers neither ipaas nor the agent, which is heard.
    ApiDown,
    /// ipaas doesn't reach it.
    ProbeCut,
    /// Its agent doesn't get out.
    AgentCut,
    /// It comes and goes, so many seconds each.
    Flapping(i64),
    /// New pods take so many seconds longer to become ready.
    Slow(i64),
    /// The pods of a service there die and start again.
    Kill(usize),
    /// ipaas is away, for every cluster.
    IpaasAway,
    /// The portal is away: no agent is heard.
    PortalAway,
    /// Somebody accepts that the singleton may still run where nobody can look.
    Accept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub from: i64,
    pub to: i64,
    pub cluster: usize,
    pub trouble: Trouble,
}

/// A whole schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan(pub Vec<Planned>);

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let count = random.random_range(2..10);
        Self((0..count).map(|_| draw(&mut random)).collect())
    }

    /// What is wrong with a cluster at a second.
    pub fn on(&self, cluster: usize, second: i64) -> impl Iterator<Item = Planned> + '_ {
        self.0.iter().copied().filter(move |one| {
            let anywhere = matches!(one.trouble, Trouble::IpaasAway | Trouble::PortalAway);
            (one.cluster == cluster || anywhere) && (one.from..one.to).contains(&second)
        })
    }
}

fn draw(random: &mut StdRng) -> Planned {
    let from = random.random_range(0..LONGEST - 60);
    let longest = (LONGEST - from).min(400);
    let trouble = match random.random_range(0..13) {
        0..=2 => Trouble::Cut,
        3 => Trouble::ApiDown,
        4 => Trouble::ProbeCut,
        5 => Trouble::AgentCut,
        6 => Trouble::Flapping(random.random_range(10..90)),
        7 => Trouble::Slow(random.random_range(10..60)),
        8 | 9 => Trouble::Kill(random.random_range(0..SERVICES)),
        10 => Trouble::IpaasAway,
        11 => Trouble::Accept,
        _ => Trouble::PortalAway,
    };
    Planned {
        from,
        to: from + random.random_range(10..=longest),
        cluster: random.random_range(0..CLUSTERS),
        trouble,
    }
}
