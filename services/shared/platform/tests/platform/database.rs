use test_support::{Backend, TestDatabase};

#[tokio::test]
async fn migrations_run_once_however_often_they_are_asked_for() {
    for backend in Backend::all() {
        let database = TestDatabase::new(backend).await;
        migrations::run(&database.connection).await.unwrap();
        migrations::run(&database.connection).await.unwrap();
    }
}

#[tokio::test]
async fn two_writers_on_one_sqlite_file_wait_for_each_other() {
    use sea_orm::ConnectionTrait as _;
    let database = TestDatabase::new(Backend::Sqlite).await;
    let other = platform::database::connect(&database.url).await.unwrap();
    database
        .connection
        .execute_unprepared("CREATE TABLE counter (n INTEGER)")
        .await
        .unwrap();
    database
        .connection
        .execute_unprepared("INSERT INTO counter VALUES (0)")
        .await
        .unwrap();
    let count = async |connection: &sea_orm::DatabaseConnection| {
        for _ in 0..50 {
            let transaction = platform::database::begin(connection).await.unwrap();
            let row = transaction
                .query_one_raw(sea_orm::Statement::from_string(
                    sea_orm::DbBackend::Sqlite,
                    "SELECT n FROM counter",
                ))
                .await
                .unwrap()
                .unwrap();
            let n: i64 = row.try_get("", "n").unwrap();
            transaction
                .execute_unprepared(&format!("UPDATE counter SET n = {}", n + 1))
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        }
    };
    tokio::join!(count(&database.connection), count(&other));
    let row = other
        .query_one_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            "SELECT n FROM counter",
        ))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 100, "no write was lost");
}
