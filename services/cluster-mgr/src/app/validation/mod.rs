//! What can be taken and what can't, field by field, before anything is stored. Pure.

pub mod autoscaling;
pub mod names;
pub mod placement;
mod probes;
pub mod resources;
pub mod spec;
#[cfg(test)]
mod spec_tests;
pub mod volumes;

use std::fmt::Display;

use api_types::common::FieldError;
use platform::{ApiError, ApiResult};

/// The refusals of one body, each at its field.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl From<Fields> for Vec<FieldError> {
    fn from(fields: Fields) -> Self {
        fields.0
    }
}

impl Fields {
    pub fn refuse(&mut self, field: impl Into<String>, message: impl Display) {
        self.0.push(FieldError {
            field: field.into(),
            message: message.to_string(),
        });
    }

    /// Refuses with the error's words when there is one.
    pub fn check<T, E: Display>(&mut self, field: impl Into<String>, outcome: Result<T, E>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(field, error);
                None
            }
        }
    }

    /// Takes the refusals of a part of the body.
    pub fn within(&mut self, part: &str, inner: Self) {
        for error in inner.0 {
            self.refuse(format!("{part}.{}", error.field), error.message);
        }
    }

    /// 422 `invalid_spec` with refusals of a part of the body.
    pub fn of_part(part: &str, errors: Vec<FieldError>) -> ApiError {
        let mut fields = Self::default();
        fields.within(part, Self(errors));
        ApiError::fields(fields.0)
    }

    /// 422 `invalid_spec` with every refusal, or nothing.
    pub fn done(self) -> ApiResult<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::fields(self.0))
        }
    }

    #[cfg(test)]
    pub fn paths(&self) -> Vec<&str> {
        self.0.iter().map(|error| error.field.as_str()).collect()
    }
}
