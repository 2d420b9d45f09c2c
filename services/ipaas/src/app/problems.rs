//! What is wrong with a service's pods, gathered, with what to do about it.

use api_types::services::Problem;

use crate::app::pod_status::Trouble;

/// Readiness is given this long before it counts as a problem: every pod is unready while it starts.
pub const READINESS_PATIENCE_SECONDS: i64 = 30;

/// A pod's trouble, as it goes into the gathering.
#[derive(Clone, Copy, Debug)]
pub struct Troubled<'a> {
    pub pod: &'a str,
    pub trouble: &'a Trouble,
    pub unready_seconds: i64,
}

impl Troubled<'_> {
    /// Whether it has lasted long enough to be told.
    #[must_use]
    pub fn counts(&self) -> bool {
        &*self.trouble.reason != "ReadinessFailed" || self.unready_seconds >= READINESS_PATIENCE_SECONDS
    }
}

/// One problem per reason, the most telling first.
#[must_use]
pub fn gather<'a>(pods: impl IntoIterator<Item = Troubled<'a>>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for troubled in pods.into_iter().filter(Troubled::counts) {
        let reason = &*troubled.trouble.reason;
        match problems.iter_mut().find(|problem| problem.reason == reason) {
            Some(problem) => {
                problem.pods += 1;
                // Always the same one of them, so that the problem doesn't seem to change.
                if troubled.pod < problem.example_pod.as_str() {
                    troubled.pod.clone_into(&mut problem.example_pod);
                    problem.message = troubled.trouble.message.to_string();
                }
            }
            None => problems.push(Problem {
                reason: reason.to_owned(),
                message: troubled.trouble.message.to_string(),
                advice: advice(reason, &troubled.trouble.message),
                pods: 1,
                example_pod: troubled.pod.to_owned(),
            }),
        }
    }
    problems.sort_by(|a, b| {
        (rank(&a.reason), std::cmp::Reverse(a.pods), &a.reason).cmp(&(
            rank(&b.reason),
            std::cmp::Reverse(b.pods),
            &b.reason,
        ))
    });
    problems
}

/// A problem of the Deployment itself: no pod of it may exist.
#[must_use]
pub fn of_deployment(reason: &str, message: &str) -> Problem {
    let reason = if message.contains("exceeded quota") {
        "QuotaExceeded"
    } else {
        reason
    };
    Problem {
        reason: reason.to_owned(),
        message: message.to_owned(),
        advice: advice(reason, message),
        pods: 0,
        example_pod: String::new(),
    }
}

/// Causes before consequences.
fn rank(reason: &str) -> u8 {
    match reason {
        "InvalidImageName" | "ImagePullBackOff" | "ErrImageNeverPull" => 0,
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => 1,
        "OOMKilled" => 2,
        "CrashLoopBackOff" => 3,
        "QuotaExceeded" | "FailedCreate" => 4,
        "Unschedulable" => 5,
        "LivenessFailed" => 6,
        "ReadinessFailed" => 7,
        "ProgressDeadlineExceeded" => 9,
        _ => 8,
    }
}

fn advice(reason: &str, message: &str) -> String {
    let text = match reason {
        "ImagePullBackOff" | "ErrImageNeverPull" => {
            if message.contains("unauthorized") || message.contains("denied") || message.contains("401") {
                "The registry refuses this cluster. Check that the image may be pulled there."
            } else {
                "Check the image's name and tag, and that this cluster reaches its registry. The revision before goes on serving meanwhile."
            }
        }
        "InvalidImageName" => "Correct the image's name: registry/repository:tag.",
        "CrashLoopBackOff" => {
            "Read the log of the run before the last restart. Most often a setting, a secret or something it connects to is missing."
        }
        "OOMKilled" => "Raise the memory limit, or find out what takes the memory.",
        "Unschedulable" => {
            if message.contains("Insufficient") {
                "No node has room for one more replica. Ask for less, run fewer replicas here, or add nodes."
            } else {
                "No node will take the pod. See what the scheduler says of the nodes."
            }
        }
        "ReadinessFailed" => {
            "It runs but gets no traffic. Check the readiness probe's path and port, and the log for what it waits for."
        }
        "LivenessFailed" => {
            "It is restarted while it is still starting, or it hangs. Check the liveness probe; a startup probe gives it time to start."
        }
        "CreateContainerConfigError" => {
            "A config file or secret it needs isn't on this cluster. It is applied again by itself; if this stays, release the revision again."
        }
        "CreateContainerError" | "RunContainerError" => {
            "The container can't be started as configured. Check command, arguments, user and mounted paths."
        }
        "QuotaExceeded" => {
            "The environment's quota on this cluster is used up. Ask for less, or have the quota raised."
        }
        "FailedCreate" => "The cluster refuses to create the pods, for the reason it gives.",
        "ProgressDeadlineExceeded" => {
            "The rollout made no progress in time. See the other problems; roll back, or release a corrected revision."
        }
        "Evicted" => "The node ran short of memory or disk and put the pod out. Raise the memory request.",
        _ => "See the pod's events and log.",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(reason: &str, message: &str) -> Trouble {
        Trouble {
            reason: reason.into(),
            message: message.into(),
        }
    }

    fn troubled<'a>(pod: &'a str, trouble: &'a Trouble, unready_seconds: i64) -> Troubled<'a> {
        Troubled {
            pod,
            trouble,
            unready_seconds,
        }
    }

    #[test]
    fn pods_with_the_same_trouble_are_one_problem_and_causes_come_first() {
        let unready = trouble("ReadinessFailed", "not ready");
        let crash = trouble("CrashLoopBackOff", "exit code 1");
        let problems = gather([
            troubled("web-c", &unready, 60),
            troubled("web-b", &crash, 60),
            troubled("web-a", &crash, 60),
        ]);
        assert_eq!(problems.len(), 2);
        assert_eq!(
            (problems[0].reason.as_str(), problems[0].pods),
            ("CrashLoopBackOff", 2)
        );
        assert_eq!(problems[0].example_pod, "web-a");
        assert!(problems[0].advice.contains("log"));
        assert_eq!(problems[1].reason, "ReadinessFailed");
    }

    #[test]
    fn a_pod_that_became_unready_just_now_is_no_problem() {
        let unready = trouble("ReadinessFailed", "not ready");
        assert!(gather([troubled("web-a", &unready, 5)]).is_empty());
    }

    #[test]
    fn a_quota_is_told_from_other_refusals() {
        let problem = of_deployment("FailedCreate", "pods \"web\" is forbidden: exceeded quota: small");
        assert_eq!(problem.reason, "QuotaExceeded");
    }
}
