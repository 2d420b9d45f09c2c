//! Databases from before a migration: what they hold goes on.

use api_types::Page;
use api_types::clusters::Cluster;
use api_types::common::ClusterId;
use api_types::operations::OperationState;
use api_types::placement::Placement;
use api_types::projects::{Environment, FailbackPolicy};
use api_types::services::ServiceState;
use api_types::spec::ServiceSpec;
use api_types::usage::{Price, Prices, UsageItem};
use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Value};
use serde_json::json;
use test_support::{Backend, TestDatabase, wait_for};
use uuid::Uuid;

use crate::world::{LONG, World, new_service, spec};

const PRICES: &str = "m20261128_cluster_mgr_prices";
const FAILBACK: &str = "m20261128_cluster_mgr_failback";
const FAILBACK_POLICY: &str = "m20261128_cluster_mgr_failback_policy";

/// A row as a release of back then wrote it.
async fn insert(database: &DatabaseConnection, table: &'static str, row: Vec<(&'static str, Value)>) {
    let (columns, values): (Vec<_>, Vec<_>) = row
        .into_iter()
        .map(|(column, value)| (column, Expr::value(value)))
        .unzip();
    let mut query = Query::insert();
    query.into_table(table).columns(columns).values_panic(values);
    database
        .execute(&query)
        .await
        .unwrap_or_else(|error| panic!("a row of {table}: {error}"));
}

/// When and by whom it was written.
fn stamps(at: DateTime<Utc>) -> Vec<(&'static str, Value)> {
    vec![
        ("version", 1i64.into()),
        ("created_at", at.into()),
        ("updated_at", at.into()),
        ("updated_by", "ada".into()),
    ]
}

fn with(mut row: Vec<(&'static str, Value)>, more: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    row.extend(more);
    row
}

/// Clusters `east` and `west`, and two services of `shop/test`, all of it on west.
struct Old {
    at: DateTime<Utc>,
    east: Uuid,
    west: Uuid,
    services: [(&'static str, Uuid); 2],
}

impl Old {
    async fn write(database: &DatabaseConnection) -> Self {
        let old = Self {
            at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            east: Uuid::now_v7(),
            west: Uuid::now_v7(),
            services: [("a", Uuid::now_v7()), ("b", Uuid::now_v7())],
        };
        for (id, name) in [(old.east, "east"), (old.west, "west")] {
            let row = vec![
                ("id", id.into()),
                ("name", name.into()),
                ("region", name.into()),
                ("zone", "".into()),
                ("labels", json!({}).into()),
                ("cordoned", false.into()),
                ("phase", "active".into()),
                ("state", "ready".into()),
                ("state_reason", "".into()),
                ("state_since", old.at.into()),
            ];
            insert(database, "clusters", with(row, stamps(old.at))).await;
        }
        let row = vec![
            ("id", Uuid::now_v7().into()),
            ("name", "shop".into()),
            ("display_name", "".into()),
            ("description", "".into()),
        ];
        insert(database, "projects", with(row, stamps(old.at))).await;
        let row = vec![
            ("id", Uuid::now_v7().into()),
            ("project", "shop".into()),
            ("name", "test".into()),
            ("namespace", "shop-test".into()),
            ("clusters", json!([]).into()),
        ];
        insert(database, "environments", with(row, stamps(old.at))).await;
        for (name, id) in old.services {
            old.write_service(database, name, id).await;
        }
        old
    }

    async fn write_service(&self, database: &DatabaseConnection, name: &'static str, id: Uuid) {
        let image = "registry.example.com/shop/web:1";
        let row = vec![
            ("id", id.into()),
            ("project", "shop".into()),
            ("environment", "test".into()),
            ("name", name.into()),
            ("kind", "Deployment".into()),
            ("description", "".into()),
            ("replicas", 2i32.into()),
            (
                "placement",
                serde_json::to_value(Placement::default()).unwrap().into(),
            ),
            ("revision", 1i64.into()),
            ("latest_revision", 1i64.into()),
            ("image", image.into()),
            ("cpu_millicores", 500i64.into()),
            ("memory_bytes", (512i64 << 20).into()),
            ("deleting", false.into()),
            ("place_afresh", false.into()),
            ("unplaced", 0i32.into()),
            ("state", "running".into()),
            ("state_rank", 0i16.into()),
            ("message", "".into()),
            ("ready", 2i32.into()),
            ("updated", 2i32.into()),
            ("unknown", 0i32.into()),
            ("since", self.at.into()),
        ];
        insert(database, "services", with(row, stamps(self.at))).await;
        let spec: ServiceSpec = serde_json::from_value(spec(image)).unwrap();
        let row = vec![
            ("service_id", id.into()),
            ("number", 1i64.into()),
            ("spec", serde_json::to_value(spec).unwrap().into()),
            ("image", image.into()),
            ("comment", "".into()),
            ("changed", json!([]).into()),
            ("created_at", self.at.into()),
            ("created_by", "ada".into()),
        ];
        insert(database, "revisions", row).await;
        let reason = json!({
            "strategy": "free_capacity", "weight": 2, "capacity": 2, "previous": 0, "bounds": [], "message": "as before",
        });
        let row = vec![
            ("service_id", id.into()),
            ("cluster_id", self.west.into()),
            ("replicas", 2i32.into()),
            ("reason", reason.into()),
            ("decided_at", self.at.into()),
            ("epoch", 1i64.into()),
            ("hold", 0i32.into()),
            ("refused", false.into()),
            ("attempts", 0i32.into()),
        ];
        insert(database, "assignments", row).await;
    }

    /// What is there now, with the clusters as they were.
    async fn goes_on(&self, database: TestDatabase) -> World {
        database.migrate().await;
        let mut world = World::on(database).await;
        world.ipaas.connect(ClusterId(self.east), "east");
        world.ipaas.connect(ClusterId(self.west), "west");
        world.start().await;
        for (name, _) in self.services {
            world.service_is(name, ServiceState::Running).await;
        }
        world
    }
}

#[tokio::test]
async fn the_one_price_that_there_was_holds_for_all_of_the_past() {
    for backend in Backend::all() {
        let database = TestDatabase::before(backend, PRICES).await;
        let old = Old::write(&database.connection).await;
        let row = vec![
            ("id", 1i32.into()),
            ("currency", "EUR".into()),
            ("cpu_core_hour", 250_000i64.into()),
            ("memory_gib_hour", Value::BigInt(None)),
            ("version", 7i64.into()),
            ("updated_at", old.at.into()),
            ("updated_by", "ada".into()),
        ];
        insert(&database.connection, "prices", row).await;
        let now = Utc::now().timestamp();
        let (name, service) = old.services[0];
        let row = vec![
            ("hour", (now / 3600 - 30).into()),
            ("service_id", service.into()),
            ("cluster_id", old.west.into()),
            ("project", "shop".into()),
            ("environment", "test".into()),
            ("service", name.into()),
            ("cluster", "west".into()),
            ("seconds", 3600i64.into()),
            ("gap_seconds", 0i64.into()),
            ("pod_seconds", 7200i64.into()),
            ("cpu_requested", (4000i64 * 3600).into()),
            ("memory_requested", 0i64.into()),
            ("measured_seconds", 0i64.into()),
            ("cpu_used", 0i64.into()),
            ("memory_used", 0i64.into()),
            ("counted_until", ((now / 3600 - 29) * 3600).into()),
        ];
        insert(&database.connection, "usage_hours", row).await;

        let world = old.goes_on(database).await;
        let prices: Prices = world.get("/prices").await;
        assert_eq!(
            (
                prices.currency.as_str(),
                prices.cpu_core_hour,
                prices.memory_gib_hour
            ),
            ("EUR", Some(0.25), None)
        );
        assert_eq!((prices.version, prices.gpu_hour), (7, None));
        // Four cores for an hour.
        let cost = async || {
            let page: Page<UsageItem> = world.get("/usage?every=total").await;
            page.items[0].cost
        };
        assert_eq!(cost().await, Some(1.0));
        // A new one begins now; what is over keeps its own.
        let body = json!({ "currency": "EUR", "cpu_core_hour": 9.0 });
        let (status, reply) = world
            .call(Method::PUT, "/prices", &[("if-match", "7")], body)
            .await;
        assert_eq!(
            (status, &reply["version"]),
            (StatusCode::OK, &json!(8)),
            "{reply}"
        );
        assert_eq!(cost().await, Some(1.0));
        let history: Page<Price> = world.get("/prices/history?sort=valid_from").await;
        let known: Vec<_> = history.items.iter().map(|price| price.cpu_core_hour).collect();
        assert_eq!(known, [Some(0.25), Some(9.0)]);
    }
}

#[tokio::test]
async fn what_left_before_environments_had_a_policy_moves_back() {
    for backend in Backend::all() {
        let database = TestDatabase::before(backend, FAILBACK).await;
        let old = Old::write(&database.connection).await;
        database.migrate_before(FAILBACK_POLICY).await;
        for (_, service) in old.services {
            let row = vec![
                ("cluster_id", old.east.into()),
                ("service_id", service.into()),
                ("replicas", 1i32.into()),
                ("at", Utc::now().into()),
            ];
            insert(&database.connection, "departures", row).await;
        }
        // An order that was under way.
        let operation = Uuid::now_v7();
        let row = vec![
            ("id", operation.into()),
            ("kind", "fail_back_cluster".into()),
            ("state", "running".into()),
            (
                "title",
                "move 2 replicas back to cluster east, 50 % at a time".into(),
            ),
            ("message", "accepted".into()),
            ("cluster", "east".into()),
            ("cluster_id", old.east.into()),
            ("progress", 0i16.into()),
            ("steps", json!([]).into()),
            ("requested_by", "ada".into()),
            ("created_at", old.at.into()),
            ("updated_at", old.at.into()),
        ];
        insert(&database.connection, "operations", row).await;
        let order = json!({ "operation": operation, "percent": 50, "replicas": 2 });
        let mut query = Query::update();
        query
            .table("clusters")
            .value("failback", Value::from(order))
            .and_where(Expr::col("name").eq("east"));
        database.connection.execute(&query).await.unwrap();

        let world = old.goes_on(database).await;
        let environment: Environment = world.get("/projects/shop/environments/test").await;
        assert_eq!(environment.failback, FailbackPolicy::default());
        let done = world
            .operation_reaches(&operation.to_string(), OperationState::Succeeded)
            .await;
        assert_eq!((done.steps[0].done, done.steps[0].total), (2, 2));
        for (name, _) in old.services {
            wait_for(&format!("{name} to be on both"), LONG, async || {
                let mut spread = world.spread(name).await;
                spread.sort();
                if spread == [("east".to_owned(), 1), ("west".to_owned(), 1)] {
                    Ok(())
                } else {
                    Err(spread)
                }
            })
            .await;
        }
        let east: Cluster = world.get("/clusters/east").await;
        assert_eq!(east.failback, None);
        // And new services are made as ever.
        let path = "/projects/shop/environments/test/services";
        let accepted = world
            .accepted(Method::POST, path, &[], new_service("new", 2))
            .await;
        world.succeeded(&accepted).await;
    }
}
