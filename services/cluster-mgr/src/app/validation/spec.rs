//! The whole spec.

use std::collections::{BTreeMap, BTreeSet};

use api_types::spec::{ContainerPort, HostAlias, Rollout, ServiceSpec, Stop};

use crate::app::image;
use crate::app::validation::placement::MOST_REPLICAS;
use crate::app::validation::{Fields, names, probes, resources, volumes};

/// What a ConfigMap or Secret can hold, with room for what stands around it.
const CONFIG_BYTES: usize = 512 * 1024;
/// Linux takes at most this much in one argument or variable.
const ARGUMENT_BYTES: usize = 128 * 1024;
const ANNOTATION_BYTES: usize = 128 * 1024;
const LONGEST_SECONDS: u32 = 86_400;

/// Everything about a spec that can be said without knowing anything else.
pub fn check(spec: &ServiceSpec, fields: &mut Fields) {
    fields.check("image", image::check(&spec.image));
    arguments("command", &spec.command, fields);
    arguments("args", &spec.args, fields);
    variables(spec, fields);
    files(spec, fields);
    volumes::check(spec, fields);
    sizes(spec, fields);
    ports(&spec.ports, fields);
    resources::check(&spec.resources, fields);
    probes::check(&spec.probes, fields);
    host_aliases(&spec.host_aliases, fields);
    stop(&spec.stop, fields);
    rollout(&spec.rollout, fields);
    match spec.run_as_user {
        Some(0) => fields.refuse(
            "run_as_user",
            "containers don't run as root; choose another user id",
        ),
        Some(id) if !(1..=i64::from(i32::MAX)).contains(&id) => {
            fields.refuse("run_as_user", format!("must be 1 to {}", i32::MAX));
        }
        _ => {}
    }
    annotations(&spec.annotations, fields);
}

fn arguments(field: &str, list: &[String], fields: &mut Fields) {
    for (index, argument) in list.iter().enumerate() {
        text(format!("{field}[{index}]"), argument, ARGUMENT_BYTES, fields);
    }
    if field == "command" && list.first().is_some_and(String::is_empty) {
        fields.refuse("command[0]", "needs a program to run");
    }
}

fn text(field: String, value: &str, longest: usize, fields: &mut Fields) {
    if value.contains('\0') {
        fields.refuse(field, "can't hold a zero byte");
    } else if value.len() > longest {
        fields.refuse(field, format!("at most {} KiB", longest / 1024));
    }
}

/// Environment variables, plain and secret, share one space of names.
fn variables(spec: &ServiceSpec, fields: &mut Fields) {
    let mut seen = BTreeSet::new();
    for (index, variable) in spec.env.iter().enumerate() {
        let field = format!("env[{index}].name");
        if fields
            .check(field.clone(), variable_name(&variable.name))
            .is_some()
            && !seen.insert(&variable.name)
        {
            fields.refuse(field, format!("`{}` is there twice", variable.name));
        }
        text(
            format!("env[{index}].value"),
            &variable.value,
            ARGUMENT_BYTES,
            fields,
        );
    }
    let mut secrets = BTreeSet::new();
    for (index, secret) in spec.secrets.iter().enumerate() {
        let field = format!("secrets[{index}].name");
        let good = if secret.path.is_some() {
            key(&secret.name)
        } else {
            variable_name(&secret.name)
        };
        if fields.check(field.clone(), good).is_none() {
            continue;
        }
        if !secrets.insert(&secret.name) {
            fields.refuse(field, format!("`{}` is there twice", secret.name));
        } else if secret.path.is_none() && seen.contains(&secret.name) {
            fields.refuse(field, format!("`{}` is a plain variable too", secret.name));
        }
    }
}

fn variable_name(name: &str) -> Result<(), String> {
    let good = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    if name.is_empty() {
        Err("a name is needed".to_owned())
    } else if name.len() > 253 || !name.chars().all(good) {
        Err("only letters, digits, `_`, `-` and `.`, at most 253".to_owned())
    } else if name.starts_with(|first: char| first.is_ascii_digit()) {
        Err("can't begin with a digit".to_owned())
    } else if name == "." || name.starts_with("..") {
        Err(format!(
            "`{name}` can't be a name: Kubernetes keeps `.` and what begins with `..` for itself"
        ))
    } else {
        Ok(())
    }
}

fn key(name: &str) -> Result<(), String> {
    let good = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    if name.is_empty() || name.len() > 253 || !name.chars().all(good) || name == "." || name.starts_with("..")
    {
        Err("must be 1 to 253 letters, digits, `_`, `-` and `.`".to_owned())
    } else {
        Ok(())
    }
}

/// Config files and secrets as files share one space of paths.
fn files(spec: &ServiceSpec, fields: &mut Fields) {
    let mut paths: BTreeMap<&str, String> = BTreeMap::new();
    let config = spec
        .config_files
        .iter()
        .enumerate()
        .map(|(index, file)| (format!("config_files[{index}].path"), file.path.as_str()));
    let secret = spec.secrets.iter().enumerate().filter_map(|(index, secret)| {
        secret
            .path
            .as_deref()
            .map(|path| (format!("secrets[{index}].path"), path))
    });
    for (field, path) in config.chain(secret) {
        if fields.check(field.clone(), absolute_path(path)).is_none() {
            continue;
        }
        if paths.insert(path, field.clone()).is_some() {
            fields.refuse(field, format!("another file is mounted at `{path}`"));
        }
    }
    for (path, field) in &paths {
        let above = path
            .char_indices()
            .skip(1)
            .filter(|(_, character)| *character == '/')
            .map(|(index, _)| &path[..index])
            .find(|folder| paths.contains_key(folder));
        if let Some(above) = above {
            fields.refuse(
                field.clone(),
                format!("`{above}` is a file, so nothing can lie in it"),
            );
        }
    }
}

pub fn absolute_path(path: &str) -> Result<(), String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err("must be an absolute path, such as `/etc/app/config.yaml`".to_owned());
    };
    if path.len() > 1024 {
        Err("a path has at most 1024 characters".to_owned())
    } else if path.contains(|character: char| character.is_control() || character == ':') {
        Err("has a character that a mount can't have (`:` or a control character)".to_owned())
    } else if rest
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == "..")
    {
        Err("must name a file, without `//`, `.`, `..` or a `/` at its end".to_owned())
    } else {
        Ok(())
    }
}

fn sizes(spec: &ServiceSpec, fields: &mut Fields) {
    let config: usize = spec.config_files.iter().map(|file| file.content.len()).sum();
    if config > CONFIG_BYTES {
        fields.refuse(
            "config_files",
            format!("{} KiB in all, at most 512", config.div_ceil(1024)),
        );
    }
    let secret: usize = spec
        .secrets
        .iter()
        .map(|secret| secret.value.as_ref().map_or(0, String::len))
        .sum();
    if secret > CONFIG_BYTES {
        fields.refuse(
            "secrets",
            format!("{} KiB in all, at most 512", secret.div_ceil(1024)),
        );
    }
    for (index, secret) in spec.secrets.iter().enumerate() {
        let Some(value) = &secret.value else { continue };
        if secret.path.is_none() {
            text(format!("secrets[{index}].value"), value, ARGUMENT_BYTES, fields);
        }
    }
}

fn ports(ports: &[ContainerPort], fields: &mut Fields) {
    let mut seen_names = BTreeSet::new();
    let mut seen_numbers = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let field = format!("ports[{index}].name");
        if fields.check(field.clone(), port_name(&port.name)).is_some() && !seen_names.insert(&port.name) {
            fields.refuse(field, format!("`{}` is there twice", port.name));
        }
        let field = format!("ports[{index}].port");
        let protocol = format!("{:?}", port.protocol);
        if port.port == 0 {
            fields.refuse(field, "must be 1 to 65535");
        } else if !seen_numbers.insert((port.port, protocol)) {
            fields.refuse(field, format!("{} is there twice", port.port));
        }
    }
}

/// As IANA has service names.
fn port_name(name: &str) -> Result<(), String> {
    names::label(name, 15)?;
    if !name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Err("needs a letter".to_owned())
    } else if name.contains("--") {
        Err("can't have `--`".to_owned())
    } else {
        Ok(())
    }
}

fn host_aliases(aliases: &[HostAlias], fields: &mut Fields) {
    for (index, alias) in aliases.iter().enumerate() {
        if alias.ip.parse::<std::net::IpAddr>().is_err() {
            fields.refuse(
                format!("host_aliases[{index}].ip"),
                format!("`{}` is not an IP address", alias.ip),
            );
        }
        if alias.hostnames.is_empty() {
            fields.refuse(format!("host_aliases[{index}].hostnames"), "needs a host name");
        }
        for (place, hostname) in alias.hostnames.iter().enumerate() {
            fields.check(
                format!("host_aliases[{index}].hostnames[{place}]"),
                names::hostname(hostname),
            );
        }
    }
}

fn stop(stop: &Stop, fields: &mut Fields) {
    if stop.grace_period_seconds > LONGEST_SECONDS {
        fields.refuse(
            "stop.grace_period_seconds",
            format!("must be at most {LONGEST_SECONDS}"),
        );
    }
    arguments("stop.pre_stop_command", &stop.pre_stop_command, fields);
}

/// A count or a percentage.
enum Amount {
    Count(u32),
    Percent(u32),
}

impl Amount {
    fn parse(text: &str) -> Result<Self, String> {
        let number = |digits: &str| {
            digits
                .parse::<u32>()
                .ok()
                .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .ok_or_else(|| format!("`{text}` is neither a count nor a percentage such as `25%`"))
        };
        match text.strip_suffix('%') {
            Some(digits) => number(digits).map(Self::Percent),
            None => number(text).map(Self::Count),
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::Count(0) | Self::Percent(0))
    }
}

fn rollout(rollout: &Rollout, fields: &mut Fields) {
    let surge = fields.check("rollout.max_surge", Amount::parse(&rollout.max_surge));
    let unavailable = fields.check("rollout.max_unavailable", Amount::parse(&rollout.max_unavailable));
    for (field, amount) in [("max_surge", &surge), ("max_unavailable", &unavailable)] {
        if let Some(Amount::Count(count) | Amount::Percent(count)) = amount
            && *count > MOST_REPLICAS
        {
            fields.refuse(
                format!("rollout.{field}"),
                format!("must be at most {MOST_REPLICAS}"),
            );
        }
    }
    if let Some(Amount::Percent(101..=MOST_REPLICAS)) = unavailable {
        fields.refuse("rollout.max_unavailable", "more than 100% can't be missing");
    }
    if let (Some(surge), Some(unavailable)) = (surge, unavailable)
        && surge.is_none()
        && unavailable.is_none()
    {
        fields.refuse(
            "rollout.max_surge",
            "with neither surge nor unavailable replicas allowed, nothing could be replaced",
        );
    }
    if !(1..=LONGEST_SECONDS).contains(&rollout.progress_deadline_seconds) {
        fields.refuse(
            "rollout.progress_deadline_seconds",
            format!("must be 1 to {LONGEST_SECONDS}"),
        );
    } else if rollout.min_ready_seconds >= rollout.progress_deadline_seconds {
        fields.refuse(
            "rollout.min_ready_seconds",
            "must be less than the progress deadline",
        );
    }
}

fn annotations(annotations: &BTreeMap<String, String>, fields: &mut Fields) {
    let mut bytes = 0;
    for (key, value) in annotations {
        let field = format!("annotations[{key}]");
        if fields.check(field.clone(), names::qualified(key)).is_some() && key.starts_with("longshore.dev/") {
            fields.refuse(field, "`longshore.dev/` is kept for the platform's own");
        }
        bytes += key.len() + value.len();
    }
    if bytes > ANNOTATION_BYTES {
        fields.refuse("annotations", "at most 128 KiB in all");
    }
}
