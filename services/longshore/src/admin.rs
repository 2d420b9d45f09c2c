//! `admin`: users, for whoever may start the program on the platform's database.

use platform::Foundation;
use platform::config::Settings;
use tokio_util::sync::CancellationToken;

use crate::arguments::Action;
use crate::{migrate, say};

pub async fn run(settings: &Settings, action: Action) -> anyhow::Result<()> {
    migrate::ensure(settings).await?;
    let foundation = Foundation::open(settings, CancellationToken::new()).await?;
    let (name, password) = match action {
        Action::CreateUser { name, role, .. } => {
            let (user, password) = portal::setup::create_user(&foundation, &name, role.into(), None).await?;
            (user.name, password)
        }
        Action::ResetPassword { name, .. } => {
            let password = portal::setup::reset_password(&foundation, &name, None).await?;
            (name, password)
        }
    };
    say(&format!(
        "user      {name}\npassword  {}",
        password.unwrap_or_default()
    ))
}
