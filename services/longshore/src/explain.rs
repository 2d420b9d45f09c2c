//! `config`: what can be set, and what is.

use platform::config::{COMMON, Setting, Settings};

/// Every setting there is.
#[must_use]
pub fn all() -> Vec<Setting> {
    [
        COMMON,
        portal::config::SETTINGS,
        cluster_mgr::config::SETTINGS,
        ipaas::config::SETTINGS,
    ]
    .concat()
}

/// The target `config`.
pub fn run(settings: &Settings, explain: bool) -> anyhow::Result<()> {
    if explain {
        return crate::say(&explanation());
    }
    let common = &settings.common;
    crate::say(&format!(
        "listen = {}\nbase_port = {}\ndata_dir = {}\ndatabase_url = {}\ncluster_mgr_url = {}\nipaas_url = {}\nlog = {}",
        common.listen,
        common.base_port,
        common.data_dir.display(),
        without_password(&settings.database_url()),
        settings.cluster_mgr_url(),
        settings.ipaas_url(),
        common.log,
    ))
}

fn explanation() -> String {
    let mut text = String::from(
        "# Settings: longshore.toml, then environment variables, then flags.\n\
         # A setting `section.name` stands in the file's [section], and is LONGSHORE_SECTION__NAME in the environment.\n",
    );
    for setting in all() {
        let variable = setting.name.to_uppercase().replace('.', "__");
        let default = if setting.default.is_empty() {
            "none"
        } else {
            setting.default
        };
        text.push_str(&format!(
            "\n{}\n    {}\n    default: {default}\n    environment: LONGSHORE_{variable}\n",
            setting.name, setting.meaning
        ));
    }
    text
}

/// A database's address as it may be shown.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((credentials, place)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use platform::telemetry::LogFormat;

    use super::*;

    #[test]
    fn every_setting_is_explained_once() {
        let text = explanation();
        let mut names: Vec<&str> = all().iter().map(|setting| setting.name).collect();
        for name in &names {
            assert!(text.contains(&format!("\n{name}\n")), "{name}");
        }
        assert!(text.contains("LONGSHORE_PORTAL__PUBLIC_URL"));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    /// The other services' own tests do the same for their sections.
    #[test]
    fn the_explanation_is_complete_and_true() {
        let taken = serde_json::to_value(ipaas::Config::default()).unwrap();
        // A text is told without the quotes that JSON has.
        let shown =
            |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let taken: BTreeMap<String, String> = taken
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (format!("ipaas.{name}"), shown(value)))
            .collect();
        let told: BTreeMap<String, String> = ipaas::config::SETTINGS
            .iter()
            .map(|setting| (setting.name.to_owned(), setting.default.to_owned()))
            .collect();
        assert_eq!(taken, told);

        let settings = Settings::load(None, &serde_json::json!({})).unwrap();
        let common = &settings.common;
        for (name, default) in [
            ("listen", common.listen.to_string()),
            ("base_port", common.base_port.to_string()),
            ("data_dir", common.data_dir.display().to_string()),
            ("log", common.log.clone()),
            ("log_format", "plain".to_owned()),
        ] {
            let setting = COMMON.iter().find(|setting| setting.name == name).unwrap();
            assert_eq!(setting.default, default, "{name}");
        }
        assert!(matches!(common.log_format, LogFormat::Plain));
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(
            without_password("postgres://longshore:hidden@host:5432/longshore"),
            "postgres://longshore@host:5432/longshore"
        );
        assert_eq!(
            without_password("sqlite://data/x?mode=rwc"),
            "sqlite://data/x?mode=rwc"
        );
    }
}
