//! What services held and used.

use api_types::Page;
use api_types::access::{Grant, Role};
use api_types::usage::{Price, UsageItem};
use auth::Caller;
use reqwest::{Method, StatusCode};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use test_support::wait_for;

use crate::world::{LONG, SERVICES, World, new_service, on_each, read};

const HOUR: f64 = 3600.0;

async fn usage(world: &World, query: &str) -> Vec<UsageItem> {
    let page: Page<UsageItem> = world.get(&format!("/usage?{query}")).await;
    assert_eq!(page.items.len() as u64, page.total_estimate, "{query}");
    page.items
}

/// The sum that is as wanted.
async fn counted(world: &World, what: &str, query: &str, fits: impl Fn(&UsageItem) -> bool) -> UsageItem {
    wait_for(what, LONG, async || {
        let mut items = usage(world, query).await;
        match items.pop() {
            Some(item) if items.is_empty() && fits(&item) => Ok(item),
            other => Err(other),
        }
    })
    .await
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-6, "{a} is not {b}");
}

#[tokio::test]
async fn what_pods_held_and_used_adds_up_by_any_key_and_costs_its_price() {
    on_each(async |mut world| {
        world.metered().await;
        world.furnish().await;
        // 0.4 cores of 0.5 each, and 256 MiB of 512.
        world.ipaas.load(1.6);
        world.running("web", 4).await;
        let enough = |item: &UsageItem| item.pod_hours * HOUR >= 12.0;
        counted(&world, "12 pod-seconds", "every=total&service=web", enough).await;
        // From now on it stands still.
        world.metering_off().await;
        let item = usage(&world, "every=total&by=project").await.remove(0);
        assert_eq!((item.project.as_deref(), &item.service), (Some("shop"), &None));
        near(item.cpu_core_hours, item.pod_hours * 0.5);
        near(item.memory_gib_hours, item.pod_hours * 0.5);
        near(item.gpu_hours, 0.0);
        near(item.measured, 1.0);
        let used = item.cpu_used_core_hours.unwrap();
        assert!(used > 0.0 && used <= item.cpu_core_hours, "{item:?}");
        near(item.memory_used_gib_hours.unwrap(), item.pod_hours * 0.25);
        assert_eq!(item.cost, None);
        let pods = |items: &[UsageItem]| items.iter().map(|item| item.pod_hours).sum::<f64>();
        let by_service = usage(&world, "every=total&by=service").await;
        assert_eq!(by_service[0].environment.as_deref(), Some("test"));
        near(pods(&by_service), item.pod_hours);
        let by_cluster = usage(&world, "every=total&by=cluster").await;
        let clusters: Vec<_> = by_cluster.iter().map(|item| item.cluster.as_deref()).collect();
        assert_eq!(clusters, [Some("east"), Some("west")]);
        near(pods(&by_cluster), item.pod_hours);
        for every in ["hour", "day", "month"] {
            let query = format!("every={every}&by=cluster&time_zone=Asia/Shanghai");
            near(pods(&usage(&world, &query).await), item.pod_hours);
        }
        // Pages join to the whole.
        let first: Page<UsageItem> = world.get("/usage?every=day&by=cluster&limit=1").await;
        let cursor = first.next_cursor.unwrap();
        let rest: Page<UsageItem> = world
            .get(&format!("/usage?every=day&by=cluster&limit=500&cursor={cursor}"))
            .await;
        near(pods(&first.items) + pods(&rest.items), item.pod_hours);
        let (status, reply) = world
            .call(
                Method::GET,
                &format!("/usage?by=service&cursor={cursor}"),
                &[],
                Value::Null,
            )
            .await;
        assert_eq!(
            (status, reply["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("invalid_cursor"))
        );

        // Nothing had a price before, so that it may hold for the past.
        let prices = json!({ "currency": "CNY", "cpu_core_hour": 1000.0, "memory_gib_hour": 500.0,
            "gpu_hour": 9.0, "valid_from": "2026-01-01T00:00:00Z" });
        let (status, reply) = world
            .call(Method::PUT, "/prices", &[("if-match", "0")], prices)
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let priced = usage(&world, "every=total").await.remove(0);
        near(priced.cost.unwrap(), (item.pod_hours * 750.0 * 1e6).round() / 1e6);
        let (status, file) = world
            .call(
                Method::GET,
                "/usage/export?every=total&by=service",
                &[],
                Value::Null,
            )
            .await;
        assert_eq!(status, StatusCode::OK);
        let lines: Vec<&str> = file.as_str().unwrap().trim_end().split("\r\n").collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
        assert!(
            lines[1].contains(",shop,test,web,") && lines[1].ends_with(",CNY"),
            "{}",
            lines[1]
        );

        // Whoever sees nothing of the project sees nothing of its usage.
        let stranger = Caller {
            subject: "id-of-bob".into(),
            name: "bob".into(),
            grants: vec![Grant {
                role: Role::Viewer,
                project: Some("bank".into()),
                environment: None,
            }],
        };
        let request = world.request(&stranger, Method::GET, "/api/v1/usage?every=total");
        let (_, page) = read(request.send().await.unwrap()).await;
        assert_eq!(page["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn gpus_are_counted_and_each_hour_has_the_price_of_its_time() {
    on_each(async |mut world| {
        world.metered().await;
        world.furnish().await;
        world.ipaas.change("east", |cluster| cluster.node.gpus = 4);
        wait_for("the GPUs to be seen", LONG, async || {
            let cluster: Value = world.get("/clusters/east").await;
            let seen = cluster["observed"]["allocatable"]["gpus"] == 12;
            if seen { Ok(()) } else { Err(cluster) }
        })
        .await;
        let mut new = new_service("train", 1);
        new["spec"]["resources"]["gpus"] = 2.into();
        world.accepted(Method::POST, SERVICES, &[], new).await;
        let some = |item: &UsageItem| item.pod_hours > 0.0;
        counted(&world, "a pod with GPUs", "every=total", some).await;
        world.metering_off().await;
        let item = usage(&world, "every=total").await.remove(0);
        near(item.gpu_hours, item.pod_hours * 2.0);

        // Ten whole hours like it, of which the last is yet to come.
        let last = chrono::Utc::now().timestamp().div_euclid(3600) + 2;
        for statement in [
            "DELETE FROM usage_hours WHERE hour < (SELECT MAX(hour) FROM usage_hours)".to_owned(),
            format!(
                "UPDATE usage_hours SET hour = {last}, seconds = 3600, gap_seconds = 0, pod_seconds = 3600, \
                 cpu_requested = 1800000, memory_requested = 0, gpu_requested = 7200"
            ),
        ] {
            world.database.connection.execute_unprepared(&statement).await.unwrap();
        }
        for back in 1..10 {
            let statement = format!(
                "INSERT INTO usage_hours (hour, service_id, cluster_id, project, environment, service, cluster, seconds, \
                 gap_seconds, pod_seconds, cpu_requested, memory_requested, gpu_requested, measured_seconds, cpu_used, \
                 memory_used, counted_until) SELECT hour - {back}, service_id, cluster_id, project, environment, \
                 service, cluster, seconds, gap_seconds, pod_seconds, cpu_requested, memory_requested, gpu_requested, \
                 measured_seconds, cpu_used, memory_used, counted_until FROM usage_hours WHERE hour = {last}"
            );
            world.database.connection.execute_unprepared(&statement).await.unwrap();
        }
        let time = |hour: i64| chrono::DateTime::from_timestamp(hour * 3600, 0).unwrap();
        let prices = async |version: &str, gpu: f64, from: i64| {
            let body = json!({ "currency": "CNY", "cpu_core_hour": 1.0, "gpu_hour": gpu, "valid_from": time(from) });
            world.call(Method::PUT, "/prices", &[("if-match", version)], body).await
        };
        let (status, reply) = prices("0", 10.0, last - 5).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let (status, reply) = prices("1", 20.0, last).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        assert_eq!((&reply["gpu_hour"], &reply["upcoming"][0]["gpu_hour"]), (&json!(10.0), &json!(20.0)));
        let (status, reply) = prices("2", 1.0, last - 4).await;
        assert_eq!(
            (status, reply["code"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("invalid_spec")),
            "{reply}"
        );
        assert!(reply.to_string().contains("hours that are over keep their price"), "{reply}");

        let range = format!("from={}&to={}", time(last - 9).format("%FT%TZ"), time(last + 1).format("%FT%TZ"));
        let costs: Vec<Option<f64>> = usage(&world, &format!("{range}&every=hour"))
            .await
            .into_iter()
            .map(|item| item.cost)
            .collect();
        let mut expected = vec![None; 4];
        expected.extend([Some(20.5); 5]);
        expected.push(Some(40.5));
        assert_eq!(costs, expected);
        let all = usage(&world, &format!("{range}&every=total")).await.remove(0);
        near(all.gpu_hours, 20.0);
        near(all.cost.unwrap(), 5.0 * 20.5 + 40.5);
        let before = format!("from={}&to={}", time(last - 9).format("%FT%TZ"), time(last - 5).format("%FT%TZ"));
        assert_eq!(usage(&world, &format!("{before}&every=total")).await.remove(0).cost, None);
        let path = format!("/usage/export?{range}&every=total&by=service");
        let (_, file) = world.call(Method::GET, &path, &[], Value::Null).await;
        let lines: Vec<Vec<&str>> = file.as_str().unwrap().lines().map(|line| line.split(',').collect()).collect();
        let column = |name: &str| lines[0].iter().position(|own| *own == name).unwrap();
        assert_eq!((lines[1][column("gpu_hours")], lines[1][column("cost")]), ("20.0000", "143.0000"));

        let history: Page<Price> = world.get("/prices/history?sort=-valid_from").await;
        let told: Vec<_> = history.items.iter().map(|price| (price.valid_from, price.valid_to, price.gpu_hour)).collect();
        assert_eq!(
            told,
            [(time(last), None, Some(20.0)), (time(last - 5), Some(time(last)), Some(10.0))]
        );
        assert_eq!(history.items[0].set_by, "ada");
    })
    .await;
}

#[tokio::test]
async fn what_nobody_could_look_at_is_a_gap_and_what_is_not_measured_is_not_zero() {
    on_each(async |mut world| {
        world.metered().await;
        world.furnish().await;
        world.ipaas.change("east", |cluster| cluster.measures = false);
        world.running("web", 4).await;
        let east = "every=total&by=cluster&cluster=east";
        let item = counted(&world, "pods that are not measured", east, |item| {
            item.pod_hours > 0.0
        })
        .await;
        assert_eq!(
            (
                item.measured,
                item.cpu_used_core_hours,
                item.memory_used_gib_hours
            ),
            (0.0, None, None)
        );
        world.ipaas.change("east", |cluster| cluster.up = false);
        let long = |item: &UsageItem| item.gap_hours * HOUR >= 3.0;
        let gap = counted(&world, "a gap of three seconds", east, long).await;
        let later = counted(&world, "a longer gap", east, |item| {
            item.gap_hours > gap.gap_hours
        })
        .await;
        // Nothing is guessed into it.
        near(later.pod_hours, gap.pod_hours);
        let west = usage(&world, "every=total&by=cluster&cluster=west")
            .await
            .remove(0);
        assert!(west.gap_hours < later.gap_hours);
        assert!(west.measured > 0.0);
        let page: Page<UsageItem> = wait_for("the gap to be named", LONG, async || {
            let page: Page<UsageItem> = world.get("/usage").await;
            if page.gaps.len() == 1 {
                Ok(page)
            } else {
                Err(page.gaps)
            }
        })
        .await;
        assert_eq!(page.gaps[0].cluster, "east");
        world.ipaas.change("east", |cluster| cluster.up = true);
        counted(&world, "it to be counted again", east, |item| {
            item.pod_hours > later.pod_hours
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_a_deleted_service_used_is_kept() {
    on_each(async |mut world| {
        world.metered().await;
        world.furnish().await;
        world.running("web", 2).await;
        let query = "every=total&by=service";
        counted(&world, "some usage", query, |item| item.pod_hours > 0.0).await;
        let path = format!("{SERVICES}/web");
        world.accepted(Method::DELETE, &path, &[], Value::Null).await;
        world.gone("web", &["east", "west"]).await;
        world.metering_off().await;
        let item = usage(&world, query).await.remove(0);
        assert_eq!(item.service.as_deref(), Some("web"));
        // The next of the same name goes on under it.
        world.metered().await;
        world.running("web", 2).await;
        counted(&world, "more of the same name", query, |later| {
            later.pod_hours > item.pod_hours
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn no_second_is_counted_twice_whoever_leads_and_whoever_is_killed() {
    on_each(async |mut world| {
        world.metered().await;
        world.furnish().await;
        let service = world.running("web", 2).await;
        let east = "every=total&by=cluster&cluster=east";
        for _ in 0..4 {
            let before = usage(&world, east)
                .await
                .pop()
                .map_or(0.0, |item| item.counted_hours);
            let other = world.another().await;
            world.kill_and_start().await;
            counted(&world, "more to be counted", east, |item| {
                item.counted_hours * HOUR >= before * HOUR + 2.0
            })
            .await;
            other.kill();
            world.end_lease().await;
        }
        let item = usage(&world, east).await.remove(0);
        let elapsed = (item.counted_until.timestamp() - service.created_at.timestamp()) as f64;
        let told = (item.counted_hours + item.gap_hours) * HOUR;
        assert!(told <= elapsed + 1e-3, "{told} of {elapsed} s");
        // From the first look on that found it there, none was left out either.
        assert!(told >= elapsed - 10.0, "{told} of {elapsed} s");
    })
    .await;
}
