//! What a pod's state means to a person: one word for its status, and what is wrong with it.

use api_types::clusters::ResourceAmounts;
use api_types::pods::PodPhase;
use chrono::{DateTime, Utc};
use platform::text::counted;

use crate::app::gpu::GpuResource;
use crate::app::quantity;
use crate::index::wire::{Container, ContainerStatus, Pod, PodSpec, Terminated};

/// What is wrong with a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub reason: Box<str>,
    /// What the cluster says.
    pub message: Box<str>,
}

impl Trouble {
    fn new(reason: &str, message: impl AsRef<str>) -> Self {
        Self {
            reason: Box::from(reason),
            message: Box::from(shortened(message.as_ref())),
        }
    }
}

/// A pod's state, read once when it comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `Running`, `CrashLoopBackOff`, `Terminating`.
    pub status: String,
    pub phase: PodPhase,
    pub ready: bool,
    /// When it stopped being ready, or was made; absent while it is ready.
    pub unready_since: Option<DateTime<Utc>>,
    pub restarts: u32,
    pub containers_ready: u8,
    pub trouble: Option<Trouble>,
}

/// The trouble of a pod that no node takes.
pub const UNSCHEDULABLE: &str = "Unschedulable";

/// A crash loop's message may hold a whole stack trace; a row keeps its beginning.
const LONGEST_MESSAGE: usize = 400;

#[must_use]
pub fn read(pod: &Pod) -> Seen {
    let phase = match pod.status.phase.as_str() {
        "Pending" => PodPhase::Pending,
        "Running" => PodPhase::Running,
        "Succeeded" => PodPhase::Succeeded,
        "Failed" => PodPhase::Failed,
        _ => PodPhase::Unknown,
    };
    let stopping = pod.metadata.deletion_timestamp.is_some();
    let ready_condition = condition(pod, "Ready");
    let ready = !stopping && ready_condition.is_some_and(|condition| condition.is_true());
    let unready_since = (!ready).then(|| {
        ready_condition
            .and_then(|condition| condition.last_transition_time)
            .or(pod.metadata.creation_timestamp)
    });
    let statuses = &pod.status.container_statuses;
    Seen {
        status: status(pod, stopping),
        phase,
        ready,
        unready_since: unready_since.flatten(),
        restarts: statuses.iter().map(|status| status.restart_count).sum(),
        containers_ready: u8::try_from(statuses.iter().filter(|status| status.ready).count())
            .unwrap_or(u8::MAX),
        trouble: if stopping { None } else { trouble(pod) },
    }
}

/// What a pod holds on its node, itself as one pod: the sum of its containers, or its largest init container where
/// that asks for more.
#[must_use]
pub fn requests(spec: &PodSpec, gpu: &GpuResource) -> ResourceAmounts {
    let of = |container: &Container, name: &str| container.resources.requests.get(name).cloned();
    let cpu = |container: &Container| of(container, "cpu").map_or(0, |text| quantity::millicores(&text));
    let memory = |container: &Container| of(container, "memory").map_or(0, |text| quantity::units(&text));
    let gpus = |container: &Container| of(container, gpu.name()).map_or(0, |text| quantity::units(&text));
    let sum = |read: &dyn Fn(&Container) -> u64| {
        // A sidecar is an init container that goes on running.
        let sidecars = spec
            .init_containers
            .iter()
            .filter(|container| container.restart_policy.as_deref() == Some("Always"));
        let running: u64 = spec.containers.iter().chain(sidecars).map(read).sum();
        let starting = spec.init_containers.iter().map(read).max().unwrap_or(0);
        running.max(starting)
    };
    let overhead = |name: &str| spec.overhead.get(name).map(String::as_str).unwrap_or("0");
    ResourceAmounts {
        cpu_millicores: sum(&cpu) + quantity::millicores(overhead("cpu")),
        memory_bytes: sum(&memory) + quantity::units(overhead("memory")),
        pods: 1,
        gpus: sum(&gpus),
    }
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a crate::index::wire::Condition> {
    pod.status
        .conditions
        .iter()
        .find(|condition| condition.kind == kind)
}

/// The word that `kubectl get pods` shows, since that is what people know.
fn status(pod: &Pod, stopping: bool) -> String {
    if stopping {
        return if pod.status.reason == "NodeLost" {
            "Unknown".to_owned()
        } else {
            "Terminating".to_owned()
        };
    }
    for (number, init) in pod.status.init_container_statuses.iter().enumerate() {
        if let Some(ended) = &init.state.terminated {
            if ended.exit_code == 0 {
                continue;
            }
            return format!("Init:{}", ended_word(ended));
        }
        if let Some(waiting) = &init.state.waiting
            && !waiting.reason.is_empty()
            && waiting.reason != "PodInitializing"
        {
            return format!("Init:{}", waiting.reason);
        }
        if init.state.running.is_some() && init.ready {
            continue;
        }
        return format!("Init:{number}/{}", pod.spec.init_containers.len());
    }
    let mut word = if pod.status.reason.is_empty() {
        pod.status.phase.clone()
    } else {
        pod.status.reason.clone()
    };
    for status in &pod.status.container_statuses {
        if let Some(waiting) = status
            .state
            .waiting
            .as_ref()
            .filter(|waiting| !waiting.reason.is_empty())
        {
            word.clone_from(&waiting.reason);
        } else if let Some(ended) = &status.state.terminated {
            word = ended_word(ended);
        }
    }
    if word.is_empty() {
        "Pending".to_owned()
    } else {
        word
    }
}

fn ended_word(ended: &Terminated) -> String {
    if !ended.reason.is_empty() {
        ended.reason.clone()
    } else if ended.signal != 0 {
        format!("Signal:{}", ended.signal)
    } else {
        format!("ExitCode:{}", ended.exit_code)
    }
}

fn trouble(pod: &Pod) -> Option<Trouble> {
    if pod.status.phase == "Succeeded" {
        return None;
    }
    if let Some(scheduled) = condition(pod, "PodScheduled")
        && scheduled.status == "False"
    {
        return Some(Trouble::new(UNSCHEDULABLE, &scheduled.message));
    }
    if pod.status.phase == "Failed" {
        let reason = if pod.status.reason.is_empty() {
            "Failed"
        } else {
            &pod.status.reason
        };
        return Some(Trouble::new(reason, &pod.status.message));
    }
    let of_init = pod
        .status
        .init_container_statuses
        .iter()
        .find_map(|status| container_trouble(pod, status));
    let of_containers = || {
        pod.status
            .container_statuses
            .iter()
            .find_map(|status| container_trouble(pod, status))
    };
    of_init.or_else(of_containers).or_else(|| readiness_trouble(pod))
}

fn container_trouble(pod: &Pod, status: &ContainerStatus) -> Option<Trouble> {
    let last = status
        .last_state
        .terminated
        .as_ref()
        .or(status.state.terminated.as_ref());
    if let Some(waiting) = &status.state.waiting {
        return match waiting.reason.as_str() {
            "" | "ContainerCreating" | "PodInitializing" => None,
            "CrashLoopBackOff" => Some(crash_loop(status, last, &waiting.message)),
            // Both are the same trouble, a moment apart.
            "ErrImagePull" | "ImagePullBackOff" => {
                let message = if waiting.message.is_empty() {
                    format!("pulling image {}", status.image)
                } else {
                    waiting.message.clone()
                };
                Some(Trouble::new("ImagePullBackOff", message))
            }
            reason => Some(Trouble::new(
                reason,
                format!("container {}: {}", status.name, waiting.message),
            )),
        };
    }
    if let Some(ended) = &status.state.terminated
        && ended.exit_code != 0
    {
        return Some(crash_loop(status, Some(ended), &ended.message));
    }
    let ended = status.last_state.terminated.as_ref()?;
    if ended.reason == "OOMKilled" {
        return Some(out_of_memory(status));
    }
    let probed = pod
        .spec
        .containers
        .iter()
        .any(|container| container.name == status.name && container.liveness_probe.is_some());
    // The kubelet tells of a failed liveness probe in an event only; this is how it looks from here.
    if !status.ready && probed && matches!(ended.exit_code, 137 | 143) {
        return Some(Trouble::new(
            "LivenessFailed",
            format!(
                "container {} was stopped (exit code {}) and started again {}; it has a liveness probe",
                status.name,
                ended.exit_code,
                counted(status.restart_count, "time")
            ),
        ));
    }
    None
}

fn crash_loop(status: &ContainerStatus, last: Option<&Terminated>, fallback: &str) -> Trouble {
    let Some(ended) = last else {
        return Trouble::new("CrashLoopBackOff", fallback);
    };
    if ended.reason == "OOMKilled" {
        return out_of_memory(status);
    }
    let mut message = format!(
        "container {} ended with exit code {}",
        status.name, ended.exit_code
    );
    if status.restart_count > 0 {
        message.push_str(&format!(", restarted {}", counted(status.restart_count, "time")));
    }
    if !ended.message.is_empty() {
        message.push_str(": ");
        message.push_str(ended.message.trim());
    }
    Trouble::new("CrashLoopBackOff", message)
}

fn out_of_memory(status: &ContainerStatus) -> Trouble {
    Trouble::new(
        "OOMKilled",
        format!(
            "container {} used more memory than its limit and was killed, restarted {}",
            status.name,
            counted(status.restart_count, "time")
        ),
    )
}

fn readiness_trouble(pod: &Pod) -> Option<Trouble> {
    let unready: Vec<&str> = pod
        .status
        .container_statuses
        .iter()
        .filter(|status| status.state.running.is_some() && !status.ready)
        .map(|status| status.name.as_str())
        .collect();
    (pod.status.phase == "Running" && !unready.is_empty()).then(|| {
        Trouble::new(
            "ReadinessFailed",
            format!("container {} runs but is not ready", unready.join(", ")),
        )
    })
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[path = "pod_status_tests.rs"]
mod tests;
