//! What can go wrong between us and a cluster.

use std::time::Duration;

use http::StatusCode;
use platform::ApiError;
use platform::error::chain;
use serde_json::json;

use crate::index::wire::{Cause, Status};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum KubeError {
    #[error("connecting to the API server")]
    Connect(#[source] BoxError),
    #[error("the API server did not answer within {0:?}")]
    Timeout(Duration),
    #[error("the API server refused: {message} ({status}, {reason})")]
    Refused {
        status: StatusCode,
        reason: String,
        message: String,
        causes: Vec<Cause>,
    },
    #[error("reading the API server's reply")]
    Unreadable(#[source] BoxError),
}

impl KubeError {
    #[must_use]
    pub fn refused(status: StatusCode, body: &[u8]) -> Self {
        let told: Status = serde_json::from_slice(body).unwrap_or_default();
        let message = if told.message.is_empty() {
            String::from_utf8_lossy(&body[..body.len().min(300)])
                .trim()
                .to_owned()
        } else {
            told.message
        };
        Self::Refused {
            status,
            reason: if told.reason.is_empty() {
                status.canonical_reason().unwrap_or_default().to_owned()
            } else {
                told.reason
            },
            message,
            causes: told.details.causes,
        }
    }

    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// For people: what happened, in one line.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::Connect(source) => explain_connect(&chain(source.as_ref())),
            Self::Timeout(after) => format!("it did not answer within {} s", after.as_secs_f32()),
            Self::Refused { message, .. } => message.clone(),
            Self::Unreadable(source) => {
                format!("its reply can't be read: {}", chain(source.as_ref()))
            }
        }
    }

    /// The refusal that callers get when this happened on a cluster.
    #[must_use]
    pub fn on(self, cluster: &str) -> ApiError {
        let explained = self.explain();
        match &self {
            Self::Connect(_) | Self::Timeout(_) => unreachable(cluster, &explained),
            Self::Unreadable(_) => ApiError::unavailable(
                "cluster_unreachable",
                format!("cluster {cluster} broke off its reply: {explained}"),
            )
            .with_source(self),
            Self::Refused { status, .. } => match *status {
                StatusCode::UNAUTHORIZED => ApiError::unavailable(
                    "kubeconfig_rejected",
                    format!(
                        "cluster {cluster} no longer accepts the kubeconfig: {explained}; give it a new one"
                    ),
                ),
                StatusCode::TOO_MANY_REQUESTS => ApiError::unavailable(
                    "cluster_busy",
                    format!("cluster {cluster} has too much to do: {explained}"),
                ),
                status if status.is_server_error() => ApiError::unavailable(
                    "cluster_failing",
                    format!("cluster {cluster} failed: {explained}"),
                ),
                status => ApiError::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "cluster_refused",
                    format!("cluster {cluster} refused: {explained}"),
                )
                .with_details(json!({ "cluster": cluster, "status": status.as_u16() })),
            },
        }
    }
}

/// 503: worth trying again once the cluster is back.
#[must_use]
pub fn unreachable(cluster: &str, why: &str) -> ApiError {
    ApiError::unavailable(
        "cluster_unreachable",
        format!("cluster {cluster} can't be reached: {why}"),
    )
    .with_details(json!({ "cluster": cluster }))
}

fn explain_connect(text: &str) -> String {
    let lower = text.to_lowercase();
    let plain = if lower.contains("refused") {
        "nothing listens at that address"
    } else if lower.contains("dns") || lower.contains("lookup") || lower.contains("name or service") {
        "the server's name can't be resolved"
    } else if lower.contains("unknownissuer")
        || lower.contains("unknown issuer")
        || lower.contains("badsignature")
    {
        "its certificate isn't from the certificate authority in the kubeconfig"
    } else if lower.contains("certificate") && lower.contains("expired") {
        "a certificate is expired"
    } else if lower.contains("not valid for name") || lower.contains("notvalidforname") {
        "its certificate is for another name"
    } else if lower.contains("alert") || lower.contains("certificate") {
        "the TLS handshake failed"
    } else if lower.contains("timed out") || lower.contains("timeout") || lower.contains("deadline") {
        "connecting takes too long"
    } else if lower.contains("unreachable") || lower.contains("no route") {
        "there is no route to that address"
    } else {
        return text.to_owned();
    };
    format!("{plain} ({text})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_from_the_status_object() {
        let body = br#"{"kind":"Status","message":"deployments.apps \"web\" is forbidden","reason":"Forbidden","code":403}"#;
        let error = KubeError::refused(StatusCode::FORBIDDEN, body);
        assert_eq!(error.explain(), "deployments.apps \"web\" is forbidden");
        let refused = error.on("alpha");
        assert_eq!(
            (refused.status, &*refused.code),
            (StatusCode::UNPROCESSABLE_ENTITY, "cluster_refused")
        );
    }

    #[test]
    fn what_is_no_status_object_is_told_as_it_is() {
        let error = KubeError::refused(StatusCode::BAD_GATEWAY, b"<html>bad gateway</html>");
        assert!(error.explain().contains("bad gateway"));
        assert_eq!(&*error.on("alpha").code, "cluster_failing");
    }

    #[test]
    fn a_cluster_that_is_away_is_worth_trying_again() {
        let error = KubeError::Timeout(Duration::from_secs(15));
        let refused = error.on("alpha");
        assert_eq!(
            (refused.status, &*refused.code),
            (StatusCode::SERVICE_UNAVAILABLE, "cluster_unreachable")
        );
    }
}
