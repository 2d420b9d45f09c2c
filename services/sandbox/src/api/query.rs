//! Query strings.

use super::errors::{ApiError, ApiResult};
use crate::registry::Validation;

/// The parameters of a request, decoded, in their order.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(pairs.collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1" | "True" | "t"))
    }

    pub fn number(&self, name: &str) -> ApiResult<Option<i64>> {
        match self.get(name) {
            None | Some("") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| {
                ApiError::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
            }),
        }
    }

    pub fn dry_run(&self) -> ApiResult<bool> {
        match self.all("dryRun").as_slice() {
            [] => Ok(false),
            ["All"] => Ok(true),
            [""] => Ok(false),
            other => {
                let mut errors = super::errors::FieldErrors::default();
                errors.not_supported("dryRun", serde_json::json!(other), &["All"]);
                Err(ApiError::invalid_named(
                    "Options.meta.k8s.io",
                    "meta.k8s.io",
                    "Options",
                    "",
                    errors,
                ))
            }
        }
    }

    pub fn validation(&self) -> ApiResult<Validation> {
        match self.get("fieldValidation") {
            None | Some("" | "Warn") => Ok(Validation::Warn),
            Some("Ignore") => Ok(Validation::Ignore),
            Some("Strict") => Ok(Validation::Strict),
            Some(other) => {
                let mut errors = super::errors::FieldErrors::default();
                errors.not_supported("fieldValidation", other, &["Ignore", "Strict", "Warn"]);
                Err(ApiError::invalid_named(
                    "Options.meta.k8s.io",
                    "meta.k8s.io",
                    "Options",
                    "",
                    errors,
                ))
            }
        }
    }
}

/// Percent-decoding; what is no valid escape stays as it is.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while position < bytes.len() {
        let escape = (bytes[position] == b'%')
            .then(|| {
                text.get(position + 1..position + 3)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            })
            .flatten();
        match escape {
            Some(byte) => {
                out.push(byte);
                position += 3;
            }
            None => {
                out.push(if bytes[position] == b'+' {
                    b' '
                } else {
                    bytes[position]
                });
                position += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        let query = Query::parse("a=b%3Dc&command=ls&command=-l&x=%zz&plus=a+b&flag=true");
        assert_eq!(query.get("a"), Some("b=c"));
        assert_eq!(query.all("command"), ["ls", "-l"]);
        assert_eq!(query.get("x"), Some("%zz"));
        assert_eq!(query.get("plus"), Some("a b"));
        assert!(query.flag("flag"));
        assert_eq!(query.get("missing"), None);
    }
}
