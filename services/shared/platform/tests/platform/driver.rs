use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use platform::Foundation;
use platform::crypto::MasterKey;
use platform::driver::{Signal, Task};
use test_support::{Backend, TestDatabase, wait_for};
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct Counting {
    turns: AtomicU64,
    fails: bool,
}

#[async_trait]
impl Task for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        assert_eq!(epoch, 1);
        self.turns.fetch_add(1, Ordering::SeqCst);
        if self.fails {
            Err(anyhow::anyhow!("the outer").context("and the inner"))
        } else {
            Ok(())
        }
    }
}

/// Follows something that ends as everything stops, just before the loop is told.
struct Following(CancellationToken);

#[async_trait]
impl Task for Following {
    fn name(&self) -> &'static str {
        "following"
    }

    async fn turn(&self, _: i64) -> anyhow::Result<()> {
        self.0.cancelled().await;
        anyhow::bail!("the stream ended")
    }
}

#[tokio::test]
async fn what_a_loop_follows_may_stop_before_it() {
    let database = TestDatabase::new(Backend::Sqlite).await;
    // Which of the two is noticed first is chance.
    for _ in 0..20 {
        let foundation = Foundation::new(
            database.connection.clone(),
            MasterKey::generate(),
            CancellationToken::new(),
        );
        let driver = foundation.driver("test");
        let task = Arc::new(Following(foundation.shutdown.clone()));
        driver.start(task, Duration::from_secs(3600), Signal::default());
        let mut leads = driver.leadership.clone();
        leads.wait_for(Option::is_some).await.unwrap();
        foundation.shutdown.cancel();
        foundation.tracker.close();
        foundation.tracker.wait().await;
        let statuses = driver.statuses.all();
        let failed = statuses
            .get("following")
            .is_some_and(|status| status.failures > 0);
        assert!(!failed, "{statuses:?}");
    }
}

#[tokio::test]
async fn a_loop_turns_on_its_signal_and_tells_how_it_went() {
    let database = TestDatabase::new(Backend::Sqlite).await;
    let foundation = database.foundation();
    let driver = foundation.driver("test");
    let task = Arc::new(Counting {
        fails: true,
        ..Counting::default()
    });
    let signal = Signal::default();
    driver.start(task.clone(), Duration::from_secs(3600), signal.clone());
    let turned = async |times: u64| {
        wait_for("a turn", Duration::from_secs(20), async || {
            let turns = task.turns.load(Ordering::SeqCst);
            if turns >= times { Ok(()) } else { Err(turns) }
        })
        .await;
    };
    turned(1).await;
    signal.wake();
    turned(2).await;
    wait_for("its status", Duration::from_secs(20), async || {
        let statuses = driver.statuses.all();
        match statuses.get("counting") {
            Some(status) if status.failures >= 2 && status.last_error.is_some() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    foundation.shutdown.cancel();
    foundation.tracker.close();
    foundation.tracker.wait().await;
}
