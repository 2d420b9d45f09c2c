use platform::crypto::MasterKey;
use platform::database::begin;
use platform::idempotency::Once;
use test_support::{Backend, TestDatabase};

#[tokio::test]
async fn a_repeated_call_gets_the_first_reply_and_another_call_is_refused() {
    let key = MasterKey::generate();
    for backend in Backend::all() {
        let database = TestDatabase::new(backend).await.connection;
        let once = Once::new(&key, "svc", "ann", Some("k1"), "create_service", &"body");
        let transaction = begin(&database).await.unwrap();
        assert_eq!(once.replay::<String>(&transaction).await.unwrap(), None);
        once.store(&transaction, &"reply").await.unwrap();
        transaction.commit().await.unwrap();

        let transaction = begin(&database).await.unwrap();
        assert_eq!(
            once.replay::<String>(&transaction).await.unwrap().as_deref(),
            Some("reply")
        );
        let other_body = Once::new(&key, "svc", "ann", Some("k1"), "create_service", &"other");
        assert_eq!(
            other_body.replay::<String>(&transaction).await.unwrap_err().code,
            "idempotency_key_reused"
        );
        let other_person = Once::new(&key, "svc", "bob", Some("k1"), "create_service", &"other");
        assert_eq!(other_person.replay::<String>(&transaction).await.unwrap(), None);
        transaction.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_rolled_back_is_not_remembered() {
    let key = MasterKey::generate();
    for backend in Backend::all() {
        let database = TestDatabase::new(backend).await.connection;
        let once = Once::new(&key, "svc", "ann", Some("k2"), "create_service", &"body");
        let transaction = begin(&database).await.unwrap();
        once.store(&transaction, &"reply").await.unwrap();
        transaction.rollback().await.unwrap();
        let transaction = begin(&database).await.unwrap();
        assert_eq!(once.replay::<String>(&transaction).await.unwrap(), None);
        transaction.rollback().await.unwrap();
    }
}
