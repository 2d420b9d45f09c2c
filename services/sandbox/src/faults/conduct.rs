//! Brings about what is on: the one task that switches listeners, clocks and histories.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::kinds::Fault;
use crate::cluster::Cluster;

/// What the faults ask of the cluster as a whole.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    down: bool,
    skew_milliseconds: i64,
    compactions: u64,
    /// When to look again even if nothing is changed.
    wake: Option<Instant>,
}

pub(crate) async fn conduct(cluster: Arc<Cluster>) {
    let mut signal = cluster.faults.signal();
    let mut compactions = 0;
    loop {
        signal.mark_unchanged();
        let wanted = look(&cluster);
        cluster.clock.set_skew(wanted.skew_milliseconds);
        if wanted.down && cluster.server.is_up() {
            cluster.server.down().await;
        } else if !wanted.down && !cluster.server.is_up() && !cluster.shutdown.is_cancelled() {
            let served = cluster.server.serve(cluster.clone()).await;
            if let Err(error) = served {
                tracing::warn!(cluster.name = %cluster.config.name, %error, "the API server does not come back yet");
            }
        }
        if wanted.compactions > compactions {
            cluster.store.compact();
            cluster.store.end_watches();
        }
        compactions = wanted.compactions;
        let far = Instant::now() + Duration::from_secs(3600);
        tokio::select! {
            () = cluster.shutdown.cancelled() => return,
            changed = signal.changed() => if changed.is_err() { return },
            () = tokio::time::sleep_until(wanted.wake.unwrap_or(far)) => {}
        }
    }
}

/// Ends what is over, begins what is due, and says what follows from what is on.
fn look(cluster: &Cluster) -> Wanted {
    let now = Instant::now();
    let due = |inner: &mut super::state::Inner| {
        inner
            .on
            .values()
            .any(|on| on.until.is_some_and(|until| until <= now))
            || inner.planned.iter().any(|(at, _)| *at <= now)
    };
    if cluster.faults.look(due) {
        cluster.faults.with(|inner| {
            inner.on.retain(|_, on| on.until.is_none_or(|until| until > now));
            let planned = std::mem::take(&mut inner.planned);
            for (at, one) in planned {
                if at <= now {
                    inner.put_on(one.order);
                } else {
                    inner.planned.push((at, one));
                }
            }
        });
    }
    cluster.faults.look(|inner| {
        let mut wanted = Wanted {
            down: inner.switched_off,
            ..Wanted::default()
        };
        let mut wake = |at: Instant| {
            wanted.wake = Some(wanted.wake.map_or(at, |known| known.min(at)));
        };
        let ends = inner.on.values().filter_map(|on| on.until);
        ends.chain(inner.planned.iter().map(|(at, _)| *at))
            .for_each(&mut wake);
        for (number, on) in &inner.on {
            let age = now - on.since;
            match &on.order.fault {
                Fault::Down {} => wanted.down = true,
                Fault::Flapping {
                    up_seconds,
                    down_seconds,
                } => {
                    // Down first: a fault is felt when it comes.
                    let place = age.as_secs_f64() % (up_seconds + down_seconds);
                    let left = if place < *down_seconds {
                        wanted.down = true;
                        down_seconds - place
                    } else {
                        up_seconds + down_seconds - place
                    };
                    wake(now + Duration::from_secs_f64(left.max(0.001)));
                }
                Fault::ClockSkew { seconds } => wanted.skew_milliseconds += (seconds * 1000.0) as i64,
                Fault::ExpiredWatches { every_seconds } => {
                    // Numbered, so that a new fault compacts whatever the one before it did.
                    wanted.compactions += number << 20;
                    if let Some(every) = every_seconds {
                        let turns = (age.as_secs_f64() / every).floor();
                        wanted.compactions += turns as u64;
                        let next = (turns + 1.0) * every - age.as_secs_f64();
                        wake(now + Duration::from_secs_f64(next.max(0.001)));
                    }
                }
                _ => {}
            }
        }
        wanted
    })
}
