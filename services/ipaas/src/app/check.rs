//! Trying a kubeconfig before it is kept: does it lead to a cluster, is it let in, may it do what we
//! need.

use std::time::Duration;

use api_types::clusters::ConnectionCheck;
use http::StatusCode;
use platform::ApiError;
use serde::Deserialize;
use serde_json::json;

use crate::app::rights;
use crate::cluster::error::KubeError;
use crate::cluster::kubeconfig::Target;
use crate::cluster::paths::with_query;
use crate::cluster::rest::{Limits, Rest};
use crate::config::Config;
use crate::index::wire::{Bare, List};

const DEADLINE: Duration = Duration::from_secs(10);
/// The oldest minor version that has what we use, server-side apply above all.
const OLDEST_MINOR: u32 = 20;

#[derive(Deserialize)]
pub struct Version {
    pub major: String,
    pub minor: String,
    #[serde(rename = "gitVersion")]
    pub git_version: String,
}

impl Version {
    fn is_too_old(&self) -> bool {
        let number = |text: &str| {
            text.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse::<u32>()
                .unwrap_or(0)
        };
        (number(&self.major), number(&self.minor)) < (1, OLDEST_MINOR)
    }
}

/// Tries a kubeconfig on its cluster.
///
/// # Errors
/// 422 `cluster_unreachable`, `kubeconfig_rejected`, `cluster_too_old` or `rights_missing` (with the
/// missing rights in `details.missing`).
pub async fn check(target: &Target, config: &Config) -> Result<ConnectionCheck, ApiError> {
    let limits = Limits {
        connect_timeout: config.connect_timeout(),
        deadline: DEADLINE,
        concurrency: 16,
        per_second: None,
    };
    let rest = Rest::new(&target.config, limits)
        .map_err(|_| crate::cluster::kubeconfig::invalid("its certificates or its key can't be read"))?;
    let mut step = "asking for its version";
    match tokio::time::timeout(DEADLINE, steps(target, &rest, &mut step)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(refused(
            "cluster_unreachable",
            format!(
                "the API server at {} did not answer within {} s while {step}",
                target.server,
                DEADLINE.as_secs()
            ),
        )),
    }
}

async fn steps(target: &Target, rest: &Rest, step: &mut &'static str) -> Result<ConnectionCheck, ApiError> {
    let failed = |error: KubeError| explain(target, error);
    let version: Version = rest.get("/version").await.map_err(failed)?;
    if version.is_too_old() {
        return Err(refused(
            "cluster_too_old",
            format!(
                "the cluster at {} runs Kubernetes {}; 1.{OLDEST_MINOR} is the oldest that works",
                target.server, version.git_version
            ),
        ));
    }
    *step = "asking what the kubeconfig may do";
    let rights = rights::ask(rest).await.map_err(failed)?;
    let missing: Vec<&str> = rights
        .iter()
        .filter(|right| !right.allowed)
        .map(|right| right.action.as_str())
        .collect();
    if !missing.is_empty() {
        let some = missing.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        let more = missing.len().saturating_sub(5);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        return Err(refused(
            "rights_missing",
            format!(
                "the kubeconfig is let in at {}, but may not {some}{more}; bind a ClusterRole that allows it",
                target.server
            ),
        )
        .with_details(json!({ "missing": missing })));
    }
    *step = "looking for its identity";
    let system: Bare = rest.get("/api/v1/namespaces/kube-system").await.map_err(failed)?;
    *step = "counting its nodes";
    let nodes = count_nodes(rest).await.map_err(failed)?;
    Ok(ConnectionCheck {
        server: target.server.clone(),
        kubernetes_version: version.git_version,
        cluster_uid: system.metadata.uid,
        nodes,
        rights,
    })
}

async fn count_nodes(rest: &Rest) -> Result<u32, KubeError> {
    let mut count = 0;
    let mut continues = String::new();
    loop {
        let mut parameters = vec![("limit", "500")];
        if !continues.is_empty() {
            parameters.push(("continue", &continues));
        }
        let page: List<Bare> = rest.get(&with_query("/api/v1/nodes", &parameters)).await?;
        count += page.items.len();
        if page.metadata.continues.is_empty() {
            return Ok(u32::try_from(count).unwrap_or(u32::MAX));
        }
        continues = page.metadata.continues;
    }
}

fn explain(target: &Target, error: KubeError) -> ApiError {
    let why = error.explain();
    match error.status() {
        Some(StatusCode::UNAUTHORIZED) => refused(
            "kubeconfig_rejected",
            format!(
                "the API server at {} doesn't accept the kubeconfig's credentials: {why}",
                target.server
            ),
        ),
        Some(StatusCode::FORBIDDEN) => refused(
            "rights_missing",
            format!("the kubeconfig is let in at {}, but: {why}", target.server),
        )
        .with_details(json!({ "missing": [why] })),
        Some(status) => refused(
            "cluster_unreachable",
            format!(
                "what answers at {} isn't a working Kubernetes API server: {why} ({status})",
                target.server
            ),
        ),
        None => refused(
            "cluster_unreachable",
            format!("the API server at {} can't be reached: {why}", target.server),
        ),
    }
    .with_source(error)
}

fn refused(code: &'static str, message: String) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_vendors_are_read() {
        for (major, minor, too_old) in [
            ("1", "20", false),
            ("1", "33", false),
            ("1", "19+", true),
            ("1", "27+", false),
            ("2", "0", false),
            ("", "", true),
        ] {
            let version = Version {
                major: major.into(),
                minor: minor.into(),
                git_version: String::new(),
            };
            assert_eq!(version.is_too_old(), too_old, "{major}.{minor}");
        }
    }
}
