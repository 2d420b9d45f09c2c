//! The real clusters of a test run, which tests that run at once share.

use std::fs::File;
use std::path::{Path, PathBuf};

/// Says, until it is dropped, that somebody uses the real clusters, or that somebody breaks them.
#[must_use]
#[derive(Debug)]
pub struct Use {
    // `None` for clusters that were given from outside: nobody here can break those.
    _lock: Option<File>,
}

/// Uses the clusters beside others. Waits until nobody breaks them.
pub fn share() -> Use {
    Use {
        _lock: state().map(|state| {
            let file = lock_file(&state);
            file.lock_shared().expect("locks work on this file system");
            file
        }),
    }
}

/// Breaks the clusters. Waits until nobody else uses them.
pub fn have_alone() -> Use {
    Use {
        _lock: state().map(|state| {
            let file = lock_file(&state);
            file.lock().expect("locks work on this file system");
            file
        }),
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

fn lock_file(state: &Path) -> File {
    let path = state.join(".in-use");
    let file = File::options().create(true).append(true).open(&path);
    file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
