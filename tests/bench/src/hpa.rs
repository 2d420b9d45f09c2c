//! The published algorithm of Kubernetes' HorizontalPodAutoscaler (autoscaling/v2, one CPU metric, default behaviour), to
//! compare with: `replica_calculator.go`, `horizontal.go`, and the defaults of the API.

use std::collections::VecDeque;

/// What HPA sees of a pod: percent of its request, and the seconds at which it became ready.
#[derive(Clone, Copy)]
pub struct Pod {
    pub ready_since: Option<f64>,
    pub percent: Option<f64>,
}

/// Seconds over which a metric was measured: a pod ready for less counts as unready.
const METRIC_WINDOW: f64 = 60.0;
const DOWN_WINDOW: f64 = 300.0;
const UP_PERIOD: f64 = 15.0;
const TOLERANCE: f64 = 0.1;

#[derive(Default)]
pub struct Hpa {
    recommendations: VecDeque<(f64, u32)>,
    added: VecDeque<(f64, u32)>,
}

impl Hpa {
    /// The replicas after a sync at `now`, in seconds.
    pub fn sync(&mut self, pods: &[Pod], target: f64, current: u32, bounds: (u32, u32), now: f64) -> u32 {
        if self.recommendations.is_empty() {
            self.recommendations.push_back((now, current));
        }
        let desired = desired(pods, target, current, now);
        let most = self
            .recommendations
            .iter()
            .filter(|(at, _)| *at > now - DOWN_WINDOW)
            .map(|(_, count)| *count)
            .max()
            .unwrap_or(0)
            .max(desired);
        self.recommendations.push_back((now, desired));
        self.recommendations.retain(|(at, _)| *at > now - DOWN_WINDOW);
        let mut next = if desired > current {
            desired
        } else {
            most.min(current)
        };
        if next > current {
            let added: u32 = self
                .added
                .iter()
                .filter(|(at, _)| *at > now - UP_PERIOD)
                .map(|(_, count)| count)
                .sum();
            let start = current.saturating_sub(added);
            next = next.min((start * 2).max(start + 4).max(current));
        }
        let next = next.clamp(bounds.0, bounds.1);
        if next > current {
            self.added.push_back((now, next - current));
        }
        self.added.retain(|(at, _)| *at > now - UP_PERIOD);
        next
    }
}

fn desired(pods: &[Pod], target: f64, current: u32, now: f64) -> u32 {
    let mut sum = 0.0;
    let (mut measured, mut unready, mut missing) = (0.0, 0.0, 0.0);
    for pod in pods {
        match (pod.ready_since, pod.percent) {
            (None, _) => unready += 1.0,
            (Some(_), None) => missing += 1.0,
            (Some(since), Some(_)) if now < since + METRIC_WINDOW => unready += 1.0,
            (Some(_), Some(percent)) => {
                measured += 1.0;
                sum += percent;
            }
        }
    }
    if measured == 0.0 {
        return current;
    }
    // Utilization is a whole number of percent there.
    let ratio = (sum / measured).floor() / target;
    if missing == 0.0 && !(unready > 0.0 && ratio > 1.0) {
        if (1.0 - ratio).abs() <= TOLERANCE {
            return current;
        }
        return (ratio * measured).ceil() as u32;
    }
    let mut count = measured + missing;
    if ratio < 1.0 {
        sum += missing * target.max(100.0);
    } else {
        count += unready;
    }
    let damped = (sum / count).floor() / target;
    let next = (damped * count).ceil() as u32;
    let turned = (ratio < 1.0 && damped > 1.0) || (ratio > 1.0 && damped < 1.0);
    let against = (damped < 1.0 && next > current) || (damped > 1.0 && next < current);
    if (1.0 - damped).abs() <= TOLERANCE || turned || against {
        current
    } else {
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_at_eighty_for_fifty_become_seven() {
        let pod = Pod {
            ready_since: Some(0.0),
            percent: Some(80.0),
        };
        let mut hpa = Hpa::default();
        assert_eq!(hpa.sync(&[pod; 4], 50.0, 4, (1, 100), 1_000.0), 7);
        // What was not needed for five minutes goes.
        let idle = Pod {
            percent: Some(10.0),
            ..pod
        };
        assert_eq!(hpa.sync(&[idle; 7], 50.0, 7, (1, 100), 1_100.0), 7);
        assert_eq!(hpa.sync(&[idle; 7], 50.0, 7, (1, 100), 1_301.0), 2);
    }
}
