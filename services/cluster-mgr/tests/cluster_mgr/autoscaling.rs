//! Policies of autoscaling, and what is decided by them.

use api_types::Page;
use api_types::autoscaling::{Autoscaling, AutoscalingDecision, AutoscalingPreview, DecisionOutcome};
use api_types::operations::{Operation, OperationKind};
use api_types::services::{Service, ServiceState};
use chrono::{DateTime, Duration, Utc};
use reqwest::{Method, StatusCode};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};
use test_support::wait_for;
use uuid::Uuid;

use crate::world::{LONG, SERVICES, World, on_each};

const PATH: &str = "/projects/shop/environments/test/services/web/autoscaling";

/// 50 % of a request of 500m: a quarter of a core a replica. Nothing waits but what a test sets.
fn policy() -> Value {
    json!({
        "min_replicas": 2,
        "max_replicas": 12,
        "metrics": [{ "source": { "type": "cpu" }, "target": 50.0 }],
        "foresight_seconds": 0,
        "up": { "stabilization_seconds": 0 },
        "down": { "stabilization_seconds": 0 },
    })
}

async fn put(world: &World, version: i64, policy: Value) -> Autoscaling {
    let version = version.to_string();
    let (status, reply) = world
        .call(Method::PUT, PATH, &[("if-match", &version)], policy)
        .await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    serde_json::from_value(reply).unwrap()
}

async fn replicas_are(world: &World, replicas: u32) -> Service {
    wait_for(&format!("web to have {replicas} replicas"), LONG, async || {
        let service = world.service("web").await;
        let there = service.replicas == replicas && service.status.state == ServiceState::Running;
        if there { Ok(service) } else { Err(service) }
    })
    .await
}

/// The newest decision that is as wanted.
async fn decision(
    world: &World,
    what: &str,
    fits: impl Fn(&AutoscalingDecision) -> bool,
) -> AutoscalingDecision {
    wait_for(what, LONG, async || {
        let known: Autoscaling = world.get(PATH).await;
        match known.last {
            Some(last) if fits(&last) => Ok(last),
            other => Err(other),
        }
    })
    .await
}

async fn decisions(world: &World, query: &str) -> Page<AutoscalingDecision> {
    world.get(&format!("{PATH}/decisions?{query}")).await
}

#[tokio::test]
async fn a_service_follows_its_load_over_both_clusters() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        // 4 at 80 % of half a core.
        world.ipaas.load(1.6);
        let set = put(&world, 0, policy()).await;
        assert_eq!((set.version, set.last.is_none()), (1, true));
        let service = replicas_are(&world, 6).await;
        let on = world.spread("web").await;
        assert_eq!(on.iter().map(|(_, replicas)| replicas).sum::<u32>(), 6);
        let scaled = decisions(&world, "outcome=scaled").await;
        let first = &scaled.items[0];
        assert_eq!((first.current, first.wanted, first.ready), (4, 6, 4));
        assert_eq!(first.message, "4 -> 6 replicas: cpu is 80, target 50");
        assert_eq!(
            first.metrics[0].formula,
            "320 / 50 = 6.4, fewest within 10 % -> 6"
        );
        let operations: Page<Operation> = world.get("/operations?service=web").await;
        let operation = &operations.items[0];
        assert_eq!(operation.kind, OperationKind::ScaleService);
        assert_eq!(
            (operation.title.as_str(), operation.requested_by.as_str()),
            ("scale shop/test/web from 4 to 6 replicas", "autoscaler")
        );
        // Whoever edits the service otherwise is not told of a conflict for that.
        assert_eq!(service.version, 2);
        world.ipaas.load(100.0);
        replicas_are(&world, 12).await;
        world.ipaas.load(0.01);
        replicas_are(&world, 2).await;
        decision(&world, "the minimum to be named", |last| {
            last.outcome == DecisionOutcome::Kept && last.bounds == ["minimum"]
        })
        .await;
        // One query of a cluster, for one metric.
        assert_eq!(world.ipaas.queries(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_the_policy_sets_replicas_and_a_release_keeps_them() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.load(1.0);
        put(&world, 0, policy()).await;
        let service = world.service("web").await;
        let version = service.version.to_string();
        let path = format!("{SERVICES}/web");
        let by_hand = [("if-match", version.as_str())];
        world
            .refused(
                Method::PATCH,
                &path,
                &by_hand,
                json!({ "replicas": 9 }),
                StatusCode::CONFLICT,
                "autoscaled",
            )
            .await;
        let pinned = json!({ "placement": { "strategy": { "type": "pinned", "replicas": { "east": 4 } } } });
        world
            .refused(
                Method::PATCH,
                &path,
                &by_hand,
                pinned.clone(),
                StatusCode::CONFLICT,
                "autoscaled",
            )
            .await;
        let accepted = world
            .accepted(
                Method::PATCH,
                &path,
                &by_hand,
                json!({ "replicas": 4, "description": "sells" }),
            )
            .await;
        assert_eq!(accepted.service.replicas, 4);
        let accepted = world
            .accepted(
                Method::POST,
                &format!("{path}/releases"),
                &[],
                json!({ "image": "registry.example.com/shop/web:2" }),
            )
            .await;
        world.ipaas.load(2.0);
        world.succeeded(&accepted).await;
        replicas_are(&world, 8).await;
        // Paused, and taken away: people decide again.
        let mut paused = policy();
        paused["paused"] = true.into();
        put(&world, 1, paused).await;
        let version = world.service("web").await.version.to_string();
        let accepted = world
            .accepted(
                Method::PATCH,
                &path,
                &[("if-match", &version)],
                json!({ "replicas": 3 }),
            )
            .await;
        world.succeeded(&accepted).await;
        let (status, _) = world.call(Method::DELETE, PATH, &[], Value::Null).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let none: Autoscaling = world.get(PATH).await;
        assert_eq!((none.policy, none.version), (None, 0));
        let version = world.service("web").await.version.to_string();
        world
            .accepted(Method::PATCH, &path, &[("if-match", &version)], pinned)
            .await;
        world
            .refused(
                Method::PUT,
                PATH,
                &[("if-match", "0")],
                policy(),
                StatusCode::CONFLICT,
                "pinned",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_measured_is_held_and_never_shrunk() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.load(1.0);
        put(&world, 0, policy()).await;
        decision(&world, "a first decision", |last| {
            last.outcome == DecisionOutcome::Kept
        })
        .await;
        for cluster in ["east", "west"] {
            world.ipaas.change(cluster, |cluster| cluster.measures = false);
        }
        world.ipaas.load(0.1);
        let held = decision(&world, "it to be held", |last| {
            last.outcome == DecisionOutcome::Held
        })
        .await;
        assert_eq!(
            (held.wanted, held.bounds.as_slice()),
            (4, ["unknown".to_owned()].as_slice())
        );
        let error = held.metrics[0].error.as_deref().unwrap();
        assert!(error.contains("Prometheus doesn't answer"), "{error}");
        let known: Autoscaling = world.get(PATH).await;
        assert!(known.unread > 0);
        // Of half of the pods nothing is known: they might be busy.
        world.ipaas.change("east", |cluster| cluster.measures = true);
        let damped = decision(&world, "half of it to be measured", |last| {
            last.metrics[0].measured == 2 && last.metrics[0].missing == 2
        })
        .await;
        assert_eq!((damped.wanted, damped.outcome), (4, DecisionOutcome::Kept));
        world.ipaas.change("west", |cluster| cluster.measures = true);
        replicas_are(&world, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_restart_forgets_no_window() {
    on_each(async |mut world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.load(2.0);
        let mut slow = policy();
        slow["down"] = json!({ "stabilization_seconds": 3600 });
        put(&world, 0, slow).await;
        replicas_are(&world, 8).await;
        world.ipaas.load(0.1);
        let lower = |last: &AutoscalingDecision| last.recommended < 8 && last.current == 8;
        decision(&world, "fewer to be recommended", lower).await;
        // What is looked back at is nearly an hour old, and the sweep had its turn.
        world.kill().await;
        let aged = age(&world, 55).await;
        world.start().await;
        swept(&world).await;
        let stored = decisions(&world, "limit=1").await.total_estimate;
        assert!(stored >= aged.len() as u64, "{stored} of {}", aged.len());
        world.kill_and_start().await;
        let newest = decisions(&world, "limit=1").await.items[0].at;
        let after = decision(&world, "a decision after the restart", |last| {
            last.at > newest && lower(last)
        })
        .await;
        assert_eq!((after.wanted, after.outcome), (8, DecisionOutcome::Kept));
        assert_eq!(after.bounds, ["stabilization"]);
    })
    .await;
}

/// Puts what was decided, and the policy, back in time. Returns the decisions as they are then, newest first.
async fn age(world: &World, minutes: i64) -> Vec<AutoscalingDecision> {
    let mut aged = Vec::new();
    let database = &world.database.connection;
    let backend = database.get_database_backend();
    let back = Duration::minutes(minutes);
    let rows = Statement::from_string(
        backend,
        "SELECT service_id, at, decision FROM autoscaling_decisions ORDER BY at",
    );
    for row in database.query_all_raw(rows).await.unwrap() {
        let id: Uuid = row.try_get("", "service_id").unwrap();
        let at: DateTime<Utc> = row.try_get("", "at").unwrap();
        let decision: Value = row.try_get("", "decision").unwrap();
        let mut decision: AutoscalingDecision = serde_json::from_value(decision).unwrap();
        decision.at -= back;
        let values: [sea_orm::Value; 4] = [
            decision.at.into(),
            serde_json::to_value(&decision).unwrap().into(),
            id.into(),
            at.into(),
        ];
        let change =
            "UPDATE autoscaling_decisions SET at = $1, decision = $2 WHERE service_id = $3 AND at = $4";
        let change = Statement::from_sql_and_values(backend, change, values);
        assert_eq!(database.execute_raw(change).await.unwrap().rows_affected(), 1);
        aged.push(decision);
    }
    let rows = Statement::from_string(backend, "SELECT service_id, updated_at FROM autoscaling_policies");
    for row in database.query_all_raw(rows).await.unwrap() {
        let id: Uuid = row.try_get("", "service_id").unwrap();
        let at: DateTime<Utc> = row.try_get("", "updated_at").unwrap();
        let change = "UPDATE autoscaling_policies SET updated_at = $1 WHERE service_id = $2";
        let values: [sea_orm::Value; 2] = [(at - back).into(), id.into()];
        let change = Statement::from_sql_and_values(backend, change, values);
        database.execute_raw(change).await.unwrap();
    }
    aged.reverse();
    aged
}

/// Waits until the sweep had its turn, which it has at each start.
async fn swept(world: &World) {
    wait_for("the sweep", LONG, async || {
        let tasks = world.tasks().await;
        if tasks["trim"]["turns"].as_u64() >= Some(1) {
            Ok(())
        } else {
            Err(tasks)
        }
    })
    .await;
}

#[tokio::test]
async fn decisions_are_thinned_after_an_hour_and_runs_keep_their_ends() {
    on_each(async |mut world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.load(1.0);
        put(&world, 0, policy()).await;
        wait_for("a run of the same", LONG, async || {
            let kept = decisions(&world, "outcome=kept&limit=500").await;
            let run = kept
                .items
                .windows(2)
                .take_while(|pair| pair[0].ready == pair[1].ready);
            if run.count() >= 8 {
                Ok(())
            } else {
                Err(kept.total_estimate)
            }
        })
        .await;
        world.ipaas.load(1.6);
        replicas_are(&world, 6).await;
        let mut paused = policy();
        paused["paused"] = true.into();
        put(&world, 1, paused).await;
        world.kill().await;
        let all = age(&world, 90).await;
        world.start().await;
        swept(&world).await;
        let left = decisions(&world, "limit=500").await.items;
        assert!(left.len() + 6 <= all.len(), "{} of {}", left.len(), all.len());
        assert!(left.iter().all(|decision| all.contains(decision)));
        let differs = |one: &AutoscalingDecision, other: &AutoscalingDecision| {
            (one.outcome, one.current, one.wanted, one.ready)
                != (other.outcome, other.current, other.wanted, other.ready)
        };
        for pair in all.windows(2).filter(|pair| differs(&pair[0], &pair[1])) {
            assert!(left.contains(&pair[0]) && left.contains(&pair[1]), "{pair:?}");
        }
        assert_eq!(
            left.iter()
                .filter(|decision| decision.outcome == DecisionOutcome::Scaled)
                .count(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn a_preview_plays_the_last_hour() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.load(1.6);
        let path = format!("{PATH}/preview");
        let (status, reply) = world.post(&path, policy()).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let preview: AutoscalingPreview = serde_json::from_value(reply).unwrap();
        assert_eq!(
            (preview.to - preview.from, preview.step_seconds),
            (Duration::hours(1), 15)
        );
        assert_eq!(preview.points.len(), 240);
        assert!(
            preview
                .points
                .iter()
                .all(|point| (point.wanted, point.ran) == (6, Some(4)))
        );
        assert_eq!(preview.changes.len(), 1);
        assert_eq!(
            preview.changes[0].message,
            "4 -> 6 replicas: cpu is 80, target 50"
        );
        let (would, ran) = (preview.would.unwrap(), preview.ran.unwrap());
        assert_eq!((would.replica_hours, ran.replica_hours), (6.0, 4.0));
        assert_eq!(
            (would.minutes_above_target, ran.minutes_above_target),
            (0.25, 60.0)
        );
        assert!(preview.gaps.is_empty());
        // Nothing of it is kept.
        let none: Autoscaling = world.get(PATH).await;
        assert!(none.policy.is_none() && none.last.is_none());
        assert_eq!(world.service("web").await.replicas, 4);

        // Of half of the pods nothing is known: they are missing.
        world.ipaas.change("west", |cluster| cluster.measures = false);
        world.ipaas.load(0.1);
        let (_, reply) = world.post(&path, policy()).await;
        let preview: AutoscalingPreview = serde_json::from_value(reply).unwrap();
        assert!(
            preview
                .points
                .iter()
                .all(|point| (point.wanted, point.ran) == (4, None))
        );
        assert_eq!((preview.ran, preview.would.unwrap().minutes), (None, 60.0));
        let gap = &preview.gaps[0];
        assert_eq!((gap.cluster.as_str(), gap.minutes), ("west", 60.0));
        assert_eq!(gap.reason, "Prometheus doesn't answer");

        let mut bad = policy();
        bad["max_replicas"] = 1.into();
        world
            .refused(
                Method::POST,
                &path,
                &[],
                bad,
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_only_records() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.load(1.6);
        let mut dry = policy();
        dry["dry_run"] = true.into();
        put(&world, 0, dry).await;
        let recorded = decision(&world, "a record", |last| {
            last.outcome == DecisionOutcome::Recorded
        })
        .await;
        assert_eq!((recorded.current, recorded.wanted), (4, 6));
        assert_eq!(world.service("web").await.replicas, 4);
        let page = decisions(&world, "limit=1").await;
        assert_eq!(page.items.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn decisions_are_paged_and_narrowed_by_time() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        put(&world, 0, policy()).await;
        let all = wait_for("some decisions", LONG, async || {
            let page = decisions(&world, "limit=500").await;
            if page.items.len() >= 5 {
                Ok(page.items)
            } else {
                Err(page.total_estimate)
            }
        })
        .await;
        assert!(all.windows(2).all(|pair| pair[0].at > pair[1].at));
        let time =
            |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let range = format!("from={}&to={}", time(all[3].at), time(all[1].at));
        let between = decisions(&world, &range).await;
        assert_eq!(between.items, all[2..4]);
        let first = decisions(&world, &format!("{range}&limit=1")).await;
        assert_eq!(first.items, all[2..3]);
        let cursor = first.next_cursor.unwrap();
        let second = decisions(&world, &format!("{range}&limit=1&cursor={cursor}")).await;
        assert_eq!((second.items, second.next_cursor), (all[3..4].to_vec(), None));
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_cannot_be_taken_is_refused() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        let mut bad = policy();
        bad["metrics"] = json!([]);
        let reply = world
            .refused(
                Method::PUT,
                PATH,
                &[("if-match", "0")],
                bad,
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            )
            .await;
        assert_eq!(reply["details"]["fields"][0]["field"], "metrics");
        world
            .refused(
                Method::PUT,
                PATH,
                &[("if-match", "3")],
                policy(),
                StatusCode::CONFLICT,
                "version_conflict",
            )
            .await;
        put(&world, 0, policy()).await;
        world
            .refused(
                Method::PUT,
                PATH,
                &[("if-match", "0")],
                policy(),
                StatusCode::CONFLICT,
                "version_conflict",
            )
            .await;
        let path = format!("{SERVICES}/web");
        world.accepted(Method::DELETE, &path, &[], Value::Null).await;
        world.gone("web", &["east", "west"]).await;
        world
            .refused(
                Method::GET,
                PATH,
                &[],
                Value::Null,
                StatusCode::NOT_FOUND,
                "not_found",
            )
            .await;
        // Nothing of it is left for one of the same name.
        world.running("web", 2).await;
        assert!(decisions(&world, "").await.items.is_empty());
    })
    .await;
}
