//! What stands between a service and a cluster.

use std::fmt;

use api_types::clusters::Taint;
use api_types::placement::Toleration;

/// Why a cluster can hold no replicas of a service, or gets no new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle<'a> {
    Removing,
    Evacuating,
    OutsideEnvironment,
    NotChosen,
    Cordoned,
    /// The service asks for GPUs.
    NoGpus,
    /// One of its witnesses is silent, or it has not been well for long enough.
    Unproven,
    /// One that the service doesn't tolerate.
    Taint(&'a Taint),
    /// A service runs there that this one avoids, or that avoids this one.
    Avoided(&'a str),
}

impl Obstacle<'_> {
    /// As a reason names it among its bounds.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Removing | Self::Evacuating | Self::OutsideEnvironment | Self::NotChosen => "excluded",
            Self::Cordoned => "cordoned",
            Self::NoGpus => "gpus",
            Self::Unproven => "not_ready",
            Self::Taint(_) => "taint",
            Self::Avoided(_) => "avoid",
        }
    }
}

/// What is to be said of the cluster: `is cordoned`.
impl fmt::Display for Obstacle<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removing => formatter.write_str("is being removed"),
            Self::Evacuating => formatter.write_str("is being evacuated"),
            Self::OutsideEnvironment => formatter.write_str("is not one of the environment's"),
            Self::NotChosen => formatter.write_str("is not among those chosen for the service"),
            Self::Cordoned => formatter.write_str("is cordoned"),
            Self::NoGpus => formatter.write_str("has no GPUs"),
            Self::Unproven => formatter.write_str("is not known to be well for long enough"),
            Self::Taint(taint) if taint.value.is_empty() => {
                write!(formatter, "has the taint {}, which is not tolerated", taint.key)
            }
            Self::Taint(taint) => write!(
                formatter,
                "has the taint {}={}, which is not tolerated",
                taint.key, taint.value
            ),
            Self::Avoided(other) => write!(formatter, "runs {other}, which may not share a cluster with it"),
        }
    }
}

/// Whether any of the tolerations is of a taint.
#[must_use]
pub fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|toleration| {
        toleration.key == taint.key
            && toleration
                .value
                .as_ref()
                .is_none_or(|value| *value == taint.value)
    })
}

#[cfg(test)]
mod tests {
    use api_types::clusters::TaintEffect;

    use super::*;

    #[test]
    fn a_toleration_without_a_value_is_of_every_value() {
        let taint = Taint {
            key: "dedicated".to_owned(),
            value: "batch".to_owned(),
            effect: TaintEffect::NoPlacement,
        };
        let toleration = |key: &str, value: Option<&str>| Toleration {
            key: key.to_owned(),
            value: value.map(str::to_owned),
        };
        assert!(is_tolerated(&taint, &[toleration("dedicated", None)]));
        assert!(is_tolerated(
            &taint,
            &[toleration("x", None), toleration("dedicated", Some("batch"))]
        ));
        assert!(!is_tolerated(&taint, &[toleration("dedicated", Some("web"))]));
        assert!(!is_tolerated(&taint, &[toleration("x", None)]));
        assert_eq!(
            Obstacle::Taint(&taint).to_string(),
            "has the taint dedicated=batch, which is not tolerated"
        );
    }
}
