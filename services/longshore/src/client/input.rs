//! Files that commands take.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

use super::failure::{Failure, Outcome};

/// What was read, and what to call it.
pub struct Input {
    pub name: String,
    pub text: String,
}

impl Input {
    /// Reads a file, or standard input where it is `-`.
    pub fn read(path: &Path) -> Outcome<Self> {
        if path == Path::new("-") {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .context("reading standard input")?;
            return Ok(Self {
                name: "standard input".to_owned(),
                text,
            });
        }
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{name} can't be read: {error}")))?;
        Ok(Self { name, text })
    }
}
