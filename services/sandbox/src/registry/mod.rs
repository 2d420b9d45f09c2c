//! Writes, as the API server performs them: decode, default, admit, validate, record who owns
//! what, store. The HTTP side and the controllers come through here alike.

pub mod admission;
pub mod create;
pub mod delete;
pub mod patch;
pub mod update;

use std::sync::Arc;

use rand::RngExt as _;
use serde_json::Value;

use crate::api::errors::{ApiError, ApiResult, FieldErrors};
use crate::json;
use crate::kinds::{Kind, KindRef, typed, validate};
use crate::store::{Object, StoreError};

/// How a write is to be done.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub manager: String,
    /// "" for the object itself.
    pub subresource: String,
    pub dry_run: bool,
    pub validation: Validation,
}

/// What to do about fields the kind does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Validation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

impl Options {
    /// A write by a part of the cluster itself.
    pub fn by(manager: &str) -> Self {
        Self {
            manager: manager.to_owned(),
            validation: Validation::Ignore,
            ..Self::default()
        }
    }

    pub fn on(mut self, subresource: &str) -> Self {
        self.subresource = subresource.to_owned();
        self
    }
}

/// The outcome of a write.
#[derive(Debug)]
pub struct Written {
    pub object: Arc<Object>,
    pub created: bool,
    pub warnings: Vec<String>,
}

/// Decodes a body into the form of its kind.
pub(crate) fn decode(kind: KindRef, given: Value, options: &Options) -> ApiResult<(Value, Vec<String>)> {
    if !given.is_object() {
        return Err(ApiError::bad_request("the body of the request is not an object"));
    }
    let mut given = given;
    let (api_version, name) = (kind.api_version(), kind.name);
    for (field, expected) in [("apiVersion", api_version.as_str()), ("kind", name)] {
        match given[field].as_str() {
            None | Some("") => json::set(&mut given, &[field], expected),
            Some(found) if found == expected => {}
            Some(found) => {
                return Err(ApiError::bad_request(format!(
                    "the object provided is unrecognized ({field} {found:?} is not {expected:?}): expected {name} in version {api_version:?}"
                )));
            }
        }
    }
    let refuse = |why: String| {
        ApiError::bad_request(format!(
            "{name} in version {:?} cannot be handled as a {name}: {why}",
            kind.version
        ))
    };
    let copy = (options.validation != Validation::Ignore).then(|| given.clone());
    let decoded = (kind.typed)(given).map_err(refuse)?;
    let unknown: Vec<String> = copy
        .map(|given| typed::unknown_fields(&given, &decoded))
        .unwrap_or_default()
        .into_iter()
        .map(|field| format!("unknown field {field:?}"))
        .collect();
    if options.validation == Validation::Strict && !unknown.is_empty() {
        return Err(refuse(format!("strict decoding error: {}", unknown.join(", "))));
    }
    Ok((decoded, unknown))
}

pub(crate) fn check(kind: KindRef, new: &Value, old: Option<&Value>) -> ApiResult<()> {
    let mut errors = FieldErrors::default();
    validate::metadata(new, kind.validate_name, kind.namespaced, &mut errors);
    (kind.validate)(new, old, &mut errors);
    if errors.is_empty() {
        return Ok(());
    }
    let name = match json::text(new, "/metadata/name") {
        "" => json::text(new, "/metadata/generateName"),
        name => name,
    };
    Err(ApiError::invalid(kind, name, errors))
}

/// A store's refusal in the words of the API.
pub(crate) fn refusal(error: &StoreError, kind: &Kind, namespace: &str, name: &str) -> ApiError {
    let namespaces = &crate::kinds::core::NAMESPACE;
    match error {
        StoreError::Exists => ApiError::already_exists(kind, name),
        StoreError::Missing => ApiError::not_found(kind, name),
        StoreError::Stale => ApiError::modified(kind, name),
        StoreError::NamespaceMissing => ApiError::not_found(namespaces, namespace),
        StoreError::NamespaceTerminating => {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            let mut error = ApiError::forbidden(kind, name, &why);
            if let Some(details) = &mut error.details {
                details["causes"] = serde_json::json!([{
                    "reason": "NamespaceTerminating",
                    "message": format!("namespace {namespace} is being terminated"),
                    "field": "metadata.namespace",
                }]);
            }
            error
        }
    }
}

/// Letters and digits that never form words: the alphabet of generated names.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

pub fn random_suffix(length: usize) -> String {
    let mut random = rand::rng();
    (0..length)
        .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
        .collect()
}

/// The name the server makes up for a `generateName`.
pub fn generated_name(prefix: &str) -> String {
    let prefix: String = prefix.chars().take(58).collect();
    format!("{prefix}{}", random_suffix(5))
}
