//! Names as Kubernetes takes them.

use std::collections::BTreeMap;

use crate::app::validation::Fields;

pub const PROJECT_LENGTH: usize = 40;
pub const ENVIRONMENT_LENGTH: usize = 20;
pub const SERVICE_LENGTH: usize = 50;
/// RFC 1123's bound on a label.
pub const LABEL_LENGTH: usize = 63;

/// A DNS label: lower-case letters, digits and `-`, a letter or digit at both ends.
pub fn label(text: &str, longest: usize) -> Result<(), String> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if text.is_empty() {
        Err("a name is needed".to_owned())
    } else if text.len() > longest {
        Err(format!(
            "a name has at most {longest} characters, this has {}",
            text.len()
        ))
    } else if !text.bytes().all(|byte| good(byte) || byte == b'-') {
        Err("only lower-case letters, digits and `-`".to_owned())
    } else if !text.starts_with(|first: char| first.is_ascii() && good(first as u8))
        || !text.ends_with(|last: char| last.is_ascii() && good(last as u8))
    {
        Err("must begin and end with a letter or digit".to_owned())
    } else {
        Ok(())
    }
}

/// A cluster's name; one is a word of the API's paths.
pub fn cluster(text: &str) -> Result<(), String> {
    label(text, LABEL_LENGTH)?;
    unreserved(text, "check")
}

fn unreserved(text: &str, word: &str) -> Result<(), String> {
    if text == word {
        return Err(format!(
            "`{word}` is kept for the API's own use; choose another name"
        ));
    }
    Ok(())
}

/// A service's name is also a Kubernetes Service's, which must begin with a letter; one is a word of the
/// API's paths.
pub fn service(text: &str) -> Result<(), String> {
    label(text, SERVICE_LENGTH)?;
    unreserved(text, "preview")?;
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err("must begin with a letter".to_owned());
    }
    Ok(())
}

/// A DNS name of several labels.
pub fn hostname(text: &str) -> Result<(), String> {
    if text.len() > 253 {
        return Err("a host name has at most 253 characters".to_owned());
    }
    text.split('.')
        .try_for_each(|part| label(part, LABEL_LENGTH))
        .map_err(|reason| format!("`{text}` is not a host name: {reason}"))
}

/// The value of a label: empty, or at most 63 letters, digits, `-`, `_`, `.`.
pub fn label_value(text: &str) -> Result<(), String> {
    if text.is_empty() || (text.len() <= LABEL_LENGTH && is_name_part(text)) {
        Ok(())
    } else {
        Err("at most 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends".to_owned())
    }
}

/// The key of a label or an annotation: `name` or `prefix.example.com/name`.
pub fn qualified(text: &str) -> Result<(), String> {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if let Some(prefix) = prefix {
        hostname(prefix)?;
    }
    if name.is_empty() || name.len() > LABEL_LENGTH || !is_name_part(name) {
        return Err(format!(
            "`{text}` is not a key: write `name` or `prefix.example.com/name`, the name of at most 63 letters, digits, `-`, `_`, `.`"
        ));
    }
    Ok(())
}

fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The labels of a cluster.
pub fn labels(field: &str, labels: &BTreeMap<String, String>, fields: &mut Fields) {
    for (key, value) in labels {
        fields.check(format!("{field}[{key}]"), qualified(key));
        fields.check(format!("{field}[{key}]"), label_value(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_kubernetes_takes() {
        assert_eq!(label("web-1", 50), Ok(()));
        for bad in ["", "-web", "web-", "Web", "web_1", "wéb", "a.b", &"x".repeat(51)] {
            assert!(label(bad, 50).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_service_begins_with_a_letter() {
        assert!(service("1web").unwrap_err().contains("begin with a letter"));
        assert_eq!(service("w1"), Ok(()));
        assert!(service("preview").is_err() && cluster("check").is_err());
    }

    #[test]
    fn keys_may_have_a_prefix() {
        for good in ["team", "example.com/team", "a.b-c/x_y.z"] {
            assert_eq!(qualified(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "/team",
            "example.com/",
            "a/b/c",
            "Exa mple/x",
            "-x",
            "EXAMPLE.com/x",
        ] {
            assert!(qualified(bad).is_err(), "{bad}");
        }
    }
}
