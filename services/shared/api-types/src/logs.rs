//! Logs: of one container, and of a whole service over all clusters.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::Gap;

/// Which lines of a container's log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct LogQuery {
    /// The only container's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The last so many lines, 1 to 10,000; 500 when absent, all of a download.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u32>,
    /// Only lines of the last so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_seconds: Option<u32>,
    /// Of the container's run before its last restart.
    pub previous: bool,
    /// A time before each line.
    pub timestamps: bool,
    /// As a file to keep, of at most 100 MiB.
    pub download: bool,
    /// Where a live log goes on: `cursor` of the last frame that was seen. `tail` is then of no matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which lines of which pods of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ServiceLogQuery {
    /// Only pods of this cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Only these pods, comma-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<String>,
    /// Only containers of this name; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The last so many lines of all pods together, 1 to 10,000; 500 when absent, all of a download.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u32>,
    /// Only lines of the last so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_seconds: Option<u32>,
    /// Of the containers' runs before their last restart.
    pub previous: bool,
    /// As text, a line each of time, cluster/pod/container and text; of at most 100 MiB.
    pub download: bool,
    /// Where it goes on: `cursor` of the last frame (or reply) that was seen. `tail` is then for pods only that it does
    /// not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A frame of a container's live log: sent as JSON text over the WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LogFrame {
    /// Lines in order, without their line ends; `cursor` goes on after them.
    Lines { lines: Vec<String>, cursor: String },
    /// The log ended: the container stopped, or its cluster went away. Nothing follows.
    End { reason: String },
}

/// A line of a service's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    pub cluster: String,
    pub pod: String,
    pub container: String,
    /// As its cluster has it, to the nanosecond.
    pub at: DateTime<Utc>,
    pub text: String,
    /// The line is longer than 64 KiB and goes on in the next of this container.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// A pod whose log is not read, since too many are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct LeftOutPod {
    pub cluster: String,
    pub pod: String,
}

/// A piece of a service's log, merged in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceLog {
    pub lines: Vec<LogLine>,
    /// Goes on after them.
    pub cursor: String,
    /// Older lines were left out, since the reply would have been too large.
    pub shortened: bool,
    /// The pods that are beyond the 50 newest, which are read.
    pub left_out: Vec<LeftOutPod>,
    /// The clusters whose lines are missing, and why.
    pub gaps: Vec<Gap>,
}

/// What became of a container's log within a live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogSourceState {
    /// Its lines come as they are written.
    Followed,
    /// It has not started, or is between two runs.
    Waiting,
    /// Its cluster doesn't answer; it goes on when it does.
    Away,
    /// Lines are missing here that the cluster no longer has.
    Lost,
    /// It will write no more.
    Ended,
}

/// A frame of a service's live log: sent as JSON text over the WebSocket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServiceLogFrame {
    /// Lines of all pods, merged in time as far as they come in time; `cursor` goes on after them.
    Lines { lines: Vec<LogLine>, cursor: String },
    /// What became of one container's log.
    Source {
        cluster: String,
        pod: String,
        /// Empty before the pod's containers are known.
        container: String,
        state: LogSourceState,
        reason: String,
    },
    /// The pods that are not followed now, since 50 are; replaces what was said before.
    LeftOut { pods: Vec<LeftOutPod> },
    /// Nothing follows.
    End { reason: String },
}
