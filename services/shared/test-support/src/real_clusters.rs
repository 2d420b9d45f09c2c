//! The real clusters of a test run, which tests that run at once share.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Says, until it is dropped, that somebody uses the real clusters, or that somebody breaks them.
#[must_use]
#[derive(Debug)]
pub struct Use {
    // `None` for clusters that were given from outside: nobody here can break those.
    _lock: Option<File>,
}

/// Uses the clusters beside others. Waits until nobody breaks them, as long as the runner lets a test wait.
pub fn share() -> Use {
    Use {
        _lock: state().map(|state| locked(&state, File::lock_shared)),
    }
}

/// Breaks the clusters. Waits until nobody else uses them, as long as the runner lets a test wait.
pub fn have_alone() -> Use {
    Use {
        _lock: state().map(|state| locked(&state, File::lock)),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the runner of the tests says where the clusters are"
)]
fn state() -> Option<PathBuf> {
    std::env::var("LONGSHORE_TEST_KUBERNETES_STATE")
        .ok()
        .map(PathBuf::from)
}

fn locked(state: &Path, lock: fn(&File) -> io::Result<()>) -> File {
    let file = lock_file(state);
    lock(&file).expect("locks work on this file system");
    file
}

fn lock_file(state: &Path) -> File {
    let path = state.join(".in-use");
    let file = File::options().create(true).append(true).open(&path);
    file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_share_and_one_has_them_alone() {
        let state = tempfile::tempdir().unwrap();
        let free = || lock_file(state.path()).try_lock().is_ok();
        let shareable = || lock_file(state.path()).try_lock_shared().is_ok();
        let first = locked(state.path(), File::lock_shared);
        let second = locked(state.path(), File::lock_shared);
        drop(first);
        assert!(shareable() && !free());
        drop(second);
        assert!(free());
        let alone = locked(state.path(), File::lock);
        assert!(!shareable());
        drop(alone);
        assert!(shareable());
    }
}
