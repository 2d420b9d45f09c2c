//! Answers: a table for people, JSON or YAML for programs.

use std::io::Write as _;

use anyhow::Context as _;
use serde::Serialize;

use super::arguments::Format;
use super::failure::Outcome;

/// Writes to standard output at once.
pub fn write(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Tells something beside the answer, on standard error. That nobody may hear it is no failure.
pub fn note(text: &str) {
    let mut out = std::io::stderr().lock();
    drop(writeln!(out, "{text}"));
}

/// Writes what the API answered, or the text for people.
pub fn answer(format: Format, value: &impl Serialize, text: impl FnOnce() -> String) -> Outcome {
    write(&match format {
        Format::Table => text(),
        Format::Json => {
            let json = serde_json::to_string_pretty(value).context("writing JSON")?;
            format!("{json}\n")
        }
        Format::Yaml => yaml(value)?,
    })
}

pub fn yaml(value: &impl Serialize) -> anyhow::Result<String> {
    let mut text = serde_saphyr::to_string(value).context("writing YAML")?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}
