//! Probes.

use api_types::spec::{Probe, ProbeCheck, Probes};

use crate::app::validation::Fields;

/// A day; nobody waits longer for a container.
const LONGEST_SECONDS: u32 = 86_400;

pub fn check(probes: &Probes, fields: &mut Fields) {
    for (name, probe) in [
        ("startup", &probes.startup),
        ("readiness", &probes.readiness),
        ("liveness", &probes.liveness),
    ] {
        if let Some(probe) = probe {
            one(&format!("probes.{name}"), probe, fields);
        }
    }
}

fn one(at: &str, probe: &Probe, fields: &mut Fields) {
    match &probe.check {
        ProbeCheck::Http { path, port } => {
            if !path.starts_with('/') {
                fields.refuse(format!("{at}.check.path"), "must begin with `/`");
            } else if path
                .chars()
                .any(|character| character.is_control() || character == ' ')
            {
                fields.refuse(
                    format!("{at}.check.path"),
                    "has a character that a path can't have",
                );
            }
            port_number(at, *port, fields);
        }
        ProbeCheck::Tcp { port } => port_number(at, *port, fields),
        ProbeCheck::Exec { command } => {
            if command.first().is_none_or(String::is_empty) {
                fields.refuse(format!("{at}.check.command"), "needs a program to run");
            }
        }
    }
    for (field, value, least) in [
        ("initial_delay_seconds", probe.initial_delay_seconds, 0),
        ("period_seconds", probe.period_seconds, 1),
        ("timeout_seconds", probe.timeout_seconds, 1),
        ("failure_threshold", probe.failure_threshold, 1),
    ] {
        if value < least {
            fields.refuse(format!("{at}.{field}"), format!("must be at least {least}"));
        } else if value > LONGEST_SECONDS {
            fields.refuse(
                format!("{at}.{field}"),
                format!("must be at most {LONGEST_SECONDS}"),
            );
        }
    }
}

fn port_number(at: &str, port: u16, fields: &mut Fields) {
    if port == 0 {
        fields.refuse(format!("{at}.check.port"), "must be 1 to 65535");
    }
}
