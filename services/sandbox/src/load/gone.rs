//! Pods that are gone: a Prometheus would still have what they used.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::RwLock;

use super::series::Pod;

/// As long as load is remembered.
const KEPT_SECONDS: f64 = 3600.0;
/// Of more than these the first are forgotten.
const MOST: usize = 500;

/// Pods with when they went, oldest first.
#[derive(Default)]
pub struct Gone(RwLock<VecDeque<(f64, Arc<Pod>)>>);

impl Gone {
    pub fn add(&self, pod: Pod, at: f64) {
        let mut gone = self.0.write();
        gone.push_back((at, Arc::new(pod.without_objects())));
        while gone.len() > MOST || gone.front().is_some_and(|(ended, _)| *ended < at - KEPT_SECONDS) {
            gone.pop_front();
        }
    }

    pub fn list(&self) -> Vec<(f64, Arc<Pod>)> {
        self.0.read().iter().cloned().collect()
    }

    pub fn uids(&self) -> HashSet<String> {
        self.0.read().iter().map(|(_, pod)| pod.uid.clone()).collect()
    }
}
