//! The first user of an empty database.

use std::path::PathBuf;

use platform::Foundation;
use platform::config::Settings;

use crate::private_file;

/// Where the generated password is kept.
#[must_use]
pub fn password_file(settings: &Settings) -> PathBuf {
    settings.common.data_dir.join("admin-password")
}

/// Makes the user `admin` when there is no user at all. The password is written down before the user
/// is made: one that nobody knows would lock everybody out.
pub async fn ensure(settings: &Settings, foundation: &Foundation) -> anyhow::Result<()> {
    if portal::setup::has_users(foundation).await? {
        return Ok(());
    }
    let path = password_file(settings);
    let password = match private_file::read(&path)? {
        Some(text) => text.trim().to_owned(),
        None => {
            let password = portal::setup::random_password();
            private_file::make_folder(&settings.common.data_dir)?;
            private_file::write(&path, format!("{password}\n").as_bytes())?;
            password
        }
    };
    match portal::setup::bootstrap_admin(foundation, Some(password)).await? {
        Some(_) => {
            tracing::info!(file = %path.display(), "made the first user `admin`; its password is in the file");
        }
        // Another replica was faster, with a password of its own.
        None => std::fs::remove_file(&path)?,
    }
    Ok(())
}
