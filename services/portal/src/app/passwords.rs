//! Hashing and checking passwords, off the event loop and a few at a time.

use std::sync::Arc;
use std::time::Duration;

use api_types::common::FieldError;
use auth::password::{self, MINIMUM_LENGTH};
use platform::{ApiError, ApiResult};
use tokio::sync::{OnceCell, Semaphore};

/// Each takes 19 MiB and tens of milliseconds of a core; more at once would only starve the rest.
const AT_ONCE: usize = 2;
/// Who has to wait longer for a turn is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const MAXIMUM_LENGTH: usize = 1024;

/// Checks and makes password hashes.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    stand_in: Arc<OnceCell<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            stand_in: Arc::new(OnceCell::new()),
        }
    }
}

impl Passwords {
    pub async fn hash(&self, password: &str) -> ApiResult<String> {
        let password = password.to_owned();
        self.run(move || password::hash(&password))
            .await?
            .map_err(ApiError::internal)
    }

    /// Whether the password fits. Without a hash (no such user) it takes the same time and says no.
    pub async fn fits(&self, password: &str, hash: Option<&str>) -> ApiResult<bool> {
        let stand_in = self
            .stand_in
            .get_or_try_init(async || self.hash(&super::secret::random()).await)
            .await?;
        if password.len() > MAXIMUM_LENGTH {
            return Ok(false);
        }
        let known = hash.is_some();
        let hash = hash.unwrap_or(stand_in).to_owned();
        let password = password.to_owned();
        let fits = self.run(move || password::verify(&password, &hash)).await?;
        Ok(known && fits)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> ApiResult<T> {
        let permit = tokio::time::timeout(LONGEST_WAIT, self.permits.acquire()).await;
        let _permit = permit
            .map_err(|_| {
                ApiError::unavailable("sign_in_busy", "too many sign-ins at once; try again in a moment")
            })?
            .expect("the semaphore is never closed");
        tokio::task::spawn_blocking(work)
            .await
            .map_err(ApiError::internal)
    }
}

/// Why a new password can't be taken.
#[must_use]
pub fn check_new(password: &str, user: &str) -> Option<FieldError> {
    let message = if password.chars().count() < MINIMUM_LENGTH {
        format!("must have at least {MINIMUM_LENGTH} characters")
    } else if password.len() > MAXIMUM_LENGTH {
        format!("must have at most {MAXIMUM_LENGTH} bytes")
    } else if password.eq_ignore_ascii_case(user) {
        "must not be the user's name".to_owned()
    } else if password.chars().all(|each| password.starts_with(each)) {
        "must not be one character over and over".to_owned()
    } else {
        return None;
    };
    Some(FieldError {
        field: "password".to_owned(),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_fits_without_a_hash() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(passwords.fits("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.fits("wrong horse", Some(&hash)).await.unwrap());
        assert!(!passwords.fits("correct horse", None).await.unwrap());
        assert!(!passwords.fits(&"x".repeat(2000), Some(&hash)).await.unwrap());
    }

    #[test]
    fn poor_passwords_are_refused() {
        assert!(check_new("short", "ann").is_some());
        assert!(check_new("aaaaaaaaaaaaaaa", "ann").is_some());
        assert!(check_new("annabelle-lee", "Annabelle-Lee").is_some());
        assert!(check_new(&"xy".repeat(2000), "ann").is_some());
        assert_eq!(check_new("correct horse", "ann"), None);
        assert_eq!(check_new("正确的马电池订书钉好密码", "ann"), None);
    }
}
