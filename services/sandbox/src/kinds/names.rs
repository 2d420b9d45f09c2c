//! What names, labels and ports must look like, in the words of the real API server.

/// The rule for `metadata.name` of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// RFC 1123 subdomain: most kinds.
    Subdomain,
    /// RFC 1123 label: namespaces.
    Label,
    /// RFC 1035 label: services.
    Strict,
    /// Anything that can stand in a path: RBAC objects.
    Path,
}

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const STRICT: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const ENV_NAME: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";

fn too_long(most: usize) -> String {
    format!("must be no more than {most} characters")
}

fn lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty()
        && bytes.iter().all(|byte| lower_or_digit(*byte) || *byte == b'-')
        && lower_or_digit(bytes[0])
        && lower_or_digit(bytes[bytes.len() - 1])
}

impl Rule {
    /// Everything wrong with a name; empty when it is right.
    pub fn check(self, name: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let (most, right, fault) = match self {
            Rule::Label => (63, is_label(name), LABEL),
            Rule::Subdomain => (253, name.split('.').all(is_label), SUBDOMAIN),
            Rule::Strict => (
                63,
                is_label(name) && name.as_bytes()[0].is_ascii_lowercase(),
                STRICT,
            ),
            Rule::Path => {
                for (bad, fault) in [(".", "may not be '.'"), ("..", "may not be '..'")] {
                    if name == bad {
                        faults.push(fault.into());
                    }
                }
                for part in ["/", "%"] {
                    if name.contains(part) {
                        faults.push(format!("may not contain '{part}'"));
                    }
                }
                return faults;
            }
        };
        if name.len() > most {
            faults.push(too_long(most));
        }
        if !right {
            faults.push(fault.into());
        }
        faults
    }
}

fn is_plain_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty()
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && bytes[0].is_ascii_alphanumeric()
        && bytes[bytes.len() - 1].is_ascii_alphanumeric()
}

/// What is wrong with a label or annotation key.
pub fn qualified(key: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = match key.split_once('/') {
        None => key,
        Some((prefix, name)) => {
            if prefix.is_empty() {
                faults.push("prefix part must be non-empty".into());
            } else {
                faults.extend(
                    Rule::Subdomain
                        .check(prefix)
                        .into_iter()
                        .map(|fault| format!("prefix part {fault}")),
                );
            }
            name
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".into());
    } else if name.len() > 63 {
        faults.push(format!("name part {}", too_long(63)));
    }
    if !is_plain_name(name) {
        faults.push(QUALIFIED.into());
    }
    faults
}

/// What is wrong with a label's value.
pub fn label_value(value: &str) -> Option<String> {
    if value.len() > 63 {
        return Some(too_long(63));
    }
    (!value.is_empty() && !is_plain_name(value)).then(|| LABEL_VALUE.into())
}

/// What is wrong with a key of a ConfigMap or Secret.
pub fn config_key(key: &str) -> Option<String> {
    if key.len() > 253 {
        return Some(too_long(253));
    }
    let right = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (!right || key == "." || key == "..").then(|| CONFIG_KEY.into())
}

/// What is wrong with the name of an environment variable.
pub fn environment_name(name: &str) -> Option<String> {
    let right = !name.is_empty()
        && name
            .bytes()
            .all(|byte| (0x20..0x7f).contains(&byte) && byte != b'=');
    (!right).then(|| ENV_NAME.into())
}

/// What is wrong with the name of a container port or service port.
pub fn port_name(name: &str) -> Option<String> {
    if name.len() > 15 {
        return Some("must be no more than 15 characters".into());
    }
    let allowed = name.bytes().all(|byte| lower_or_digit(byte) || byte == b'-');
    if !allowed {
        return Some("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".into());
    }
    if !name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Some("must contain at least one letter (a-z)".into());
    }
    if name.contains("--") {
        return Some("must not contain consecutive hyphens".into());
    }
    (name.starts_with('-') || name.ends_with('-')).then(|| "must not begin or end with a hyphen".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_rule() {
        for (rule, name, right) in [
            (Rule::Label, "shop-production", true),
            (Rule::Label, "shop.production", false),
            (Rule::Label, "-a", false),
            (Rule::Label, "", false),
            (Rule::Subdomain, "a.b-c.d", true),
            (Rule::Subdomain, "a..b", false),
            (Rule::Subdomain, "Upper", false),
            (Rule::Strict, "web-1", true),
            (Rule::Strict, "1-web", false),
            (Rule::Path, "system:node", true),
            (Rule::Path, "a/b", false),
        ] {
            assert_eq!(rule.check(name).is_empty(), right, "{rule:?} {name:?}");
        }
        assert!(!Rule::Label.check(&"a".repeat(64)).is_empty());
    }

    #[test]
    fn keys_and_values() {
        assert!(qualified("app.kubernetes.io/name").is_empty());
        assert!(!qualified("/name").is_empty());
        assert!(!qualified("a/b/c").is_empty());
        assert!(label_value("v1.2_3").is_none());
        assert!(label_value("a b").is_some());
        assert!(config_key("app.conf").is_none());
        assert!(config_key("a/b").is_some());
        assert!(port_name("http").is_none());
        assert!(port_name("8080").is_some());
    }
}
