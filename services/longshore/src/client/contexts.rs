//! The portals that this user is signed in to: `~/.config/longshore/contexts.toml`, for its owner only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use api_types::common::TokenId;
use serde::{Deserialize, Serialize};

use super::failure::{Failure, Outcome};
use crate::private_file;

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contexts {
    /// The name of the one that is used when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    pub url: String,
    pub token: String,
    /// Known of a token that `login` made itself, and revoked by `logout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<TokenId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Context")
            .field("url", &self.url)
            .field("project", &self.project)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// `$XDG_CONFIG_HOME/longshore/contexts.toml`, or under `~/.config`.
fn path() -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")))
        .context("there is no home directory to keep contexts in; set HOME")?;
    Ok(folder.join("longshore/contexts.toml"))
}

impl Contexts {
    pub fn load() -> anyhow::Result<Self> {
        let path = path()?;
        match private_file::read(&path)? {
            Some(text) => toml::from_str(&text)
                .with_context(|| format!("{} can't be read; mend it or remove it", path.display())),
            None => Ok(Self::default()),
        }
    }

    pub fn save(&self) -> anyhow::Result<()> {
        let path = path()?;
        private_file::make_folder(path.parent().expect("the file lies in a folder"))?;
        private_file::write(&path, toml::to_string(self)?.as_bytes())
    }

    /// The named context, or the current one.
    ///
    /// # Errors
    /// When it isn't there, saying what to do.
    pub fn find(&self, name: Option<&str>) -> Outcome<(&str, &Context)> {
        let Some(name) = name.or(self.current.as_deref()) else {
            return Err(Failure::usage(
                "you are not signed in anywhere; `longshore login URL` does it",
            ));
        };
        self.contexts
            .get_key_value(name)
            .map(|(name, context)| (name.as_str(), context))
            .ok_or_else(|| {
                let all: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
                let known = if all.is_empty() {
                    "there are none; `longshore login URL` makes one".to_owned()
                } else {
                    format!("there are {}", all.join(", "))
                };
                Failure::usage(format!("there is no context {name}; {known}"))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(url: &str) -> Context {
        Context {
            url: url.into(),
            token: "secret".into(),
            token_id: None,
            project: Some("shop".into()),
            environment: None,
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let contexts = Contexts {
            current: Some("a".into()),
            contexts: [
                ("a".to_owned(), context("http://a")),
                ("b.c".to_owned(), context("http://b")),
            ]
            .into(),
        };
        let text = toml::to_string(&contexts).unwrap();
        assert_eq!(toml::from_str::<Contexts>(&text).unwrap(), contexts);
        assert_eq!(contexts.find(None).unwrap().0, "a");
        assert_eq!(contexts.find(Some("b.c")).unwrap().1.url, "http://b");
        assert!(!format!("{contexts:?}").contains("secret"));
    }

    #[test]
    fn a_missing_context_names_those_there_are() {
        let mut contexts = Contexts::default();
        assert!(
            contexts
                .find(None)
                .unwrap_err()
                .to_string()
                .contains("longshore login")
        );
        contexts.contexts.insert("demo".into(), context("http://a"));
        let error = contexts.find(Some("x")).unwrap_err().to_string();
        assert!(
            error.contains("no context x") && error.contains("demo"),
            "{error}"
        );
    }
}
