use std::time::Duration;

use platform::lease::{acquire, release};
use test_support::{Backend, TestDatabase, wait_for};
use uuid::Uuid;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn one_holder_at_a_time_and_the_epoch_grows_with_each() {
    for backend in Backend::all() {
        let database = TestDatabase::new(backend).await.connection;
        let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
        assert_eq!(acquire(&database, "loops", first, LONG).await.unwrap(), Some(1));
        assert_eq!(acquire(&database, "loops", second, LONG).await.unwrap(), None);
        assert_eq!(
            acquire(&database, "loops", first, LONG).await.unwrap(),
            Some(1),
            "renewed"
        );
        release(&database, "loops", second).await.unwrap();
        assert_eq!(
            acquire(&database, "loops", second, LONG).await.unwrap(),
            None,
            "only the holder gives it back"
        );
        release(&database, "loops", first).await.unwrap();
        assert_eq!(acquire(&database, "loops", second, LONG).await.unwrap(), Some(2));
        assert_eq!(
            acquire(&database, "other", first, LONG).await.unwrap(),
            Some(1),
            "leases are apart"
        );
    }
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_goes_to_another() {
    for backend in Backend::all() {
        let database = TestDatabase::new(backend).await.connection;
        let (dead, heir) = (Uuid::now_v7(), Uuid::now_v7());
        assert_eq!(
            acquire(&database, "loops", dead, Duration::from_millis(300))
                .await
                .unwrap(),
            Some(1)
        );
        let epoch = wait_for("the lease to run out", Duration::from_secs(10), async || {
            acquire(&database, "loops", heir, LONG)
                .await
                .unwrap()
                .ok_or("still held")
        })
        .await;
        assert_eq!(epoch, 2);
        assert_eq!(
            acquire(&database, "loops", dead, LONG).await.unwrap(),
            None,
            "the dead one is overtaken"
        );
    }
}

#[tokio::test]
async fn of_many_that_ask_at_once_one_gets_it() {
    for backend in Backend::all() {
        let database = TestDatabase::new(backend).await.connection;
        let asks = (0..8).map(|_| acquire(&database, "loops", Uuid::now_v7(), LONG));
        let got = futures::future::join_all(asks).await;
        let holders = got
            .into_iter()
            .filter(|outcome| matches!(outcome, Ok(Some(_))))
            .count();
        assert_eq!(holders, 1);
    }
}

/// A process that is paused in the middle of a write holds the lease's row; another takes over all the same.
#[tokio::test]
async fn a_holder_that_is_paused_within_a_transaction_does_not_keep_the_lease() {
    use platform::lease::Entity;
    use sea_orm::{EntityTrait as _, QuerySelect as _};
    // SQLite's lock is of the whole file and goes with the process only.
    if !Backend::all().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::new(Backend::Postgres).await.connection;
    let (paused, other) = (Uuid::now_v7(), Uuid::now_v7());
    let short = Duration::from_millis(50);
    assert_eq!(acquire(&database, "loops", paused, short).await.unwrap(), Some(1));
    let writing = platform::database::begin(&database).await.unwrap();
    let row = Entity::find_by_id("loops".to_owned())
        .lock_shared()
        .one(&writing)
        .await
        .unwrap();
    assert!(row.is_some());
    let epoch = wait_for("the lease to go to another", LONG, async || {
        let tried =
            tokio::time::timeout(Duration::from_secs(1), acquire(&database, "loops", other, LONG)).await;
        match tried {
            Ok(Ok(Some(epoch))) => Ok(epoch),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(epoch, 2);
    assert!(
        writing.commit().await.is_err(),
        "what the paused one was writing is not kept"
    );
}
