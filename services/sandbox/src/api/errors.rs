//! Refusals in the words of the real API server: `metav1.Status` bodies with its reasons,
//! messages and causes, because clients branch on them.

use serde_json::{Value, json};

use crate::kinds::Kind;

/// A refusal, as it goes out.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Option<Value>,
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn too_many_requests() -> Self {
        Self::new(
            429,
            "TooManyRequests",
            "too many requests, please try again later",
        )
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let object = if name.is_empty() {
            kind.resource()
        } else {
            format!("{} {name:?}", kind.resource())
        };
        Self::new(403, "Forbidden", format!("{object} is forbidden: {why}"))
            .with_details(reference(kind, name))
    }

    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} {name:?} not found", kind.resource()))
            .with_details(reference(kind, name))
    }

    /// The path leads to nothing this server knows.
    pub fn no_such_path() -> Self {
        Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
        .with_details(json!({}))
    }

    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(
            409,
            "AlreadyExists",
            format!("{} {name:?} already exists", kind.resource()),
        )
        .with_details(reference(kind, name))
    }

    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        Self::new(
            409,
            "Conflict",
            format!(
                "Operation cannot be fulfilled on {} {name:?}: {why}",
                kind.resource()
            ),
        )
        .with_details(reference(kind, name))
    }

    /// The object moved on since the caller read it.
    pub fn modified(kind: &Kind, name: &str) -> Self {
        Self::conflict(
            kind,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub fn method_not_allowed() -> Self {
        Self::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
        .with_details(json!({}))
    }

    pub fn not_acceptable(offered: &str) -> Self {
        Self::new(
            406,
            "NotAcceptable",
            format!("only the following media types are accepted: {offered}"),
        )
    }

    pub fn unsupported_media_type(accepted: &str) -> Self {
        Self::new(
            415,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format - accepted media types include: {accepted}"
            ),
        )
    }

    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new(
            500,
            "InternalError",
            format!("Internal error occurred: {message}"),
        )
        .with_details(json!({"causes": [{"message": message}]}))
    }

    pub fn invalid(kind: &Kind, name: &str, errors: FieldErrors) -> Self {
        Self::invalid_named(&kind.qualified_name(), kind.group, kind.name, name, errors)
    }

    pub fn invalid_named(qualified: &str, group: &str, kind: &str, name: &str, errors: FieldErrors) -> Self {
        let texts: Vec<String> = errors.0.iter().map(FieldError::text).collect();
        let summary = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let causes: Vec<Value> = errors
            .0
            .iter()
            .map(|error| json!({"reason": error.reason(), "message": error.body(), "field": error.field}))
            .collect();
        let mut details = json!({"name": name, "kind": kind, "causes": causes});
        if !group.is_empty() {
            details["group"] = group.into();
        }
        Self::new(
            422,
            "Invalid",
            format!("{qualified} {name:?} is invalid: {summary}"),
        )
        .with_details(details)
    }

    /// The `metav1.Status` of this refusal.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        });
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}

/// `details` that name an object.
fn reference(kind: &Kind, name: &str) -> Value {
    let mut details = json!({"kind": kind.plural});
    if !name.is_empty() {
        details["name"] = name.into();
    }
    if !kind.group.is_empty() {
        details["group"] = kind.group.into();
    }
    details
}

/// What is wrong with one field.
#[derive(Debug, Clone)]
pub struct FieldError {
    pub field: String,
    pub fault: Fault,
}

#[derive(Debug, Clone)]
pub enum Fault {
    Required(String),
    Invalid { value: Value, detail: String },
    Duplicate(Value),
    NotSupported { value: Value, supported: Vec<String> },
    Forbidden(String),
    NotFound(Value),
    TooLong(usize),
}

impl FieldError {
    fn reason(&self) -> &'static str {
        match self.fault {
            Fault::Required(_) => "FieldValueRequired",
            Fault::Invalid { .. } => "FieldValueInvalid",
            Fault::Duplicate(_) => "FieldValueDuplicate",
            Fault::NotSupported { .. } => "FieldValueNotSupported",
            Fault::Forbidden(_) => "FieldValueForbidden",
            Fault::NotFound(_) => "FieldValueNotFound",
            Fault::TooLong(_) => "FieldValueTooLong",
        }
    }

    fn body(&self) -> String {
        match &self.fault {
            Fault::Required(detail) if detail.is_empty() => "Required value".into(),
            Fault::Required(detail) => format!("Required value: {detail}"),
            Fault::Invalid { value, detail } if detail.is_empty() => {
                format!("Invalid value: {}", shown(value))
            }
            Fault::Invalid { value, detail } => format!("Invalid value: {}: {detail}", shown(value)),
            Fault::Duplicate(value) => format!("Duplicate value: {}", shown(value)),
            Fault::NotSupported { value, supported } => {
                let supported: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
                format!(
                    "Unsupported value: {}: supported values: {}",
                    shown(value),
                    supported.join(", ")
                )
            }
            Fault::Forbidden(detail) => format!("Forbidden: {detail}"),
            Fault::NotFound(value) => format!("Not found: {}", shown(value)),
            Fault::TooLong(most) => format!("Too long: may not be more than {most} bytes"),
        }
    }

    fn text(&self) -> String {
        format!("{}: {}", self.field, self.body())
    }
}

/// How the real server shows a bad value: strings quoted, the rest as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// Everything found wrong with an object.
#[derive(Debug, Clone, Default)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    pub fn push(&mut self, field: impl Into<String>, fault: Fault) {
        self.0.push(FieldError {
            field: field.into(),
            fault,
        });
    }

    pub fn required(&mut self, field: impl Into<String>, detail: &str) {
        self.push(field, Fault::Required(detail.to_owned()));
    }

    pub fn invalid(&mut self, field: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) {
        self.push(
            field,
            Fault::Invalid {
                value: value.into(),
                detail: detail.into(),
            },
        );
    }

    pub fn not_supported(&mut self, field: impl Into<String>, value: impl Into<Value>, supported: &[&str]) {
        let supported = supported.iter().map(|value| (*value).to_owned()).collect();
        self.push(
            field,
            Fault::NotSupported {
                value: value.into(),
                supported,
            },
        );
    }

    pub fn duplicate(&mut self, field: impl Into<String>, value: impl Into<Value>) {
        self.push(field, Fault::Duplicate(value.into()));
    }

    pub fn forbidden(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.push(field, Fault::Forbidden(detail.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
