//! What can go wrong, what to do about it, and the exit code that says so.

use std::io;
use std::process::ExitCode;

use api_types::common::{ErrorBody, FieldError};
use api_types::operations::{Operation, OperationState};
use clients::ClientError;
use platform::error::chain;
use reqwest::StatusCode;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The platform turned it down.
    #[error("{}", refusal(.body))]
    Refused {
        status: StatusCode,
        body: Box<ErrorBody>,
    },
    /// It can't be asked for like this.
    #[error("{0}")]
    Usage(String),
    /// No answer, or none that can be understood.
    #[error("{portal} can't be reached: {reason}; is this the portal's address, and does it run?")]
    NotReached { portal: String, reason: String },
    #[error("{}", outcome(.0))]
    Operation(Box<Operation>),
    #[error("{0}")]
    NotYet(String),
    #[error("the answer could not be written")]
    Output(#[from] io::Error),
    /// Something of this machine.
    #[error("{}", chain(.0.as_ref()))]
    Here(#[from] anyhow::Error),
    #[error("stopped")]
    Interrupted,
}

pub type Outcome<T = ()> = Result<T, Failure>;

/// Each exit code with what it means; the commands' page shows the same.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done"),
    (
        1,
        "refused by the platform, or something on this machine is in the way",
    ),
    (2, "can't be asked for like this: arguments, the file, no context"),
    (3, "the portal was not reached, or something else answers there"),
    (4, "the operation failed, or a newer one took its place"),
    (5, "the operation had not ended when the time was up; it goes on"),
    (130, "stopped by Ctrl-C; an operation that was begun goes on"),
];

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    #[must_use]
    pub fn of_call(error: ClientError, portal: &str) -> Self {
        match error {
            ClientError::Refused { status, body, .. } => Self::Refused { status, body },
            ClientError::Unreachable { source, .. } => Self::NotReached {
                portal: portal.to_owned(),
                reason: innermost(&source),
            },
            ClientError::Unreadable { source, .. } => Self::NotReached {
                portal: portal.to_owned(),
                reason: format!("what answers there is not a portal of this version ({source})"),
            },
        }
    }

    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { body, .. } => Some(&body.code),
            _ => None,
        }
    }

    /// Whoever reads our output has enough of it (`| head`): nothing went wrong.
    fn is_enough(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    fn exit_number(&self) -> u8 {
        match self {
            _ if self.is_enough() => 0,
            Self::Refused { .. } | Self::Output(_) | Self::Here(_) => 1,
            Self::Usage(_) => 2,
            Self::NotReached { .. } => 3,
            Self::Operation(_) => 4,
            Self::NotYet(_) => 5,
            Self::Interrupted => 130,
        }
    }

    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.exit_number().into()
    }

    /// What is written to standard error.
    #[must_use]
    pub fn text(&self) -> String {
        if self.is_enough() {
            String::new()
        } else {
            format!("longshore: {self}\n")
        }
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

fn refusal(body: &ErrorBody) -> String {
    let mut text = body.message.clone();
    let fields: Vec<FieldError> = serde_json::from_value(body.details["fields"].clone()).unwrap_or_default();
    if fields.len() > 1 {
        for FieldError { field, message } in fields {
            text.push_str(&format!("\n  {field}: {message}"));
        }
    }
    if let Some(advice) = advice(&body.code) {
        text.push_str(&format!("\n  {advice}"));
    }
    text.push_str(&format!("\n  ({}, request {})", body.code, body.request_id));
    text
}

/// What to do at a command line, where the message is for every kind of caller.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "not_signed_in" => "the API token is not good, or no longer: `longshore login` makes a new one",
        "forbidden" => "`longshore whoami` shows what you may do where",
        "version_conflict" => "somebody was faster; look at what changed and give the command again",
        "revision_not_found" => "`longshore service revisions` lists those there are",
        _ => return None,
    })
}

fn outcome(operation: &Operation) -> String {
    let what = if operation.state == OperationState::Superseded {
        "was replaced by a newer operation"
    } else {
        "failed"
    };
    let mut text = format!("{} {what}: {}", operation.title, operation.message);
    for step in &operation.steps {
        if step.state == api_types::operations::StepState::Failed
            && !operation.message.contains(&step.message)
        {
            text.push_str(&format!("\n  {}: {}", step.name, step.message));
        }
    }
    text.push_str(&format!("\n  (operation {})", operation.id));
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(code: &str, details: serde_json::Value) -> Failure {
        Failure::Refused {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            body: Box::new(ErrorBody {
                code: code.into(),
                message: "spec.image: it is empty (and 1 more)".into(),
                request_id: "r-1".into(),
                details,
            }),
        }
    }

    #[test]
    fn a_refusal_says_each_field_and_its_request() {
        let fields = json!({ "fields": [
            { "field": "spec.image", "message": "it is empty" },
            { "field": "replicas", "message": "too many" },
        ] });
        let failure = refused("invalid_spec", fields);
        assert_eq!(
            failure.text(),
            "longshore: spec.image: it is empty (and 1 more)\n  spec.image: it is empty\n  replicas: too many\n  \
             (invalid_spec, request r-1)\n"
        );
        assert_eq!(failure.exit_number(), 1);
        let failure = refused("not_signed_in", serde_json::Value::Null);
        assert!(failure.text().contains("`longshore login`"), "{}", failure.text());
    }

    #[test]
    fn every_exit_code_is_documented() {
        let all = [
            refused("x", json!(null)),
            Failure::usage("x"),
            Failure::NotReached {
                portal: "x".into(),
                reason: "y".into(),
            },
            Failure::NotYet("x".into()),
            Failure::Interrupted,
            Failure::Output(io::ErrorKind::BrokenPipe.into()),
            Failure::Here(anyhow::anyhow!("x")),
        ];
        for failure in all {
            let number = failure.exit_number();
            assert!(EXIT_CODES.iter().any(|(code, _)| *code == number), "{failure}");
        }
        assert!(
            Failure::Output(io::ErrorKind::BrokenPipe.into())
                .text()
                .is_empty()
        );
    }
}
