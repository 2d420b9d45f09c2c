//! Apply, observe, prune, remove.

use api_types::common::Page;
use api_types::pods::Pod;
use api_types::services::RolloutState;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret, Service};
use kube::Api;
use kube::api::{ListParams, ObjectMeta, PostParams};
use serde_json::json;
use test_support::wait_for;

use crate::bed::{Bed, CRASH, MISSING, PATIENCE, WEB, WEB_2, breakable, grounds};

#[tokio::test]
async fn a_service_goes_through_its_life() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        let apply = async |desired| bed.client.apply_workload(cluster.id, &desired).await.unwrap();

        let with_config = |revision: i64, image: &str, text: &str| {
            bed.desired_with(
                "web",
                revision,
                json!({
                    "image": image,
                    "ports": [{ "name": "http", "port": 8080 }],
                    "config_files": [{ "path": "/etc/web/web.toml", "content": text }],
                    "secrets": [{ "name": "PASSWORD", "value": "s3cret" }],
                }),
            )
        };
        let applied = apply(with_config(1, WEB, "a = 1\n")).await;
        assert_eq!(
            applied.applied,
            [
                format!("Namespace/{}", bed.namespace()),
                "ConfigMap/web-r1".into(),
                "Secret/web-r1".into(),
                "Service/web".into(),
                "Deployment/web".into(),
            ]
        );
        assert!(applied.taken_over.is_empty(), "{applied:?}");
        let seen = bed.wait_rolled_out("web", 1, 2).await;
        assert_eq!(seen.observation.desired_hash.as_deref(), Some("hash-1"));
        assert_eq!(seen.observation.replicas, 2);
        assert!(seen.present);
        let pods = bed.pods_of("web").await;
        assert_eq!(pods.len(), 2);
        assert!(
            pods.iter()
                .all(|pod| pod.ready && pod.revision == Some(1) && pod.image == WEB)
        );

        // The same again changes nothing.
        let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let generation = async || deployments.get("web").await.unwrap().metadata.generation;
        let before = generation().await;
        let again = apply(with_config(1, WEB, "a = 1\n")).await;
        assert!(
            again.pruned.is_empty() && again.taken_over.is_empty(),
            "{again:?}"
        );
        assert_eq!(generation().await, before);

        // Another revision brings its own config; the old one's goes once no pod needs it.
        apply(with_config(2, WEB_2, "a = 2\n")).await;
        bed.wait_rolled_out("web", 2, 2).await;
        assert!(bed.pods_of("web").await.iter().any(|pod| pod.image == WEB_2));
        let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        wait_for("the config of revision 1 to go", PATIENCE, async || {
            let gone = maps.get_opt("web-r1").await.unwrap().is_none()
                && secrets.get_opt("web-r1").await.unwrap().is_none();
            if gone { Ok(()) } else { Err("still there") }
        })
        .await;
        assert!(maps.get_opt("web-r2").await.unwrap().is_some());

        // Back to revision 1, without its port: the Service goes.
        let back = bed.desired_with(
            "web",
            1,
            json!({ "image": WEB, "config_files": [{ "path": "/etc/web/web.toml", "content": "a = 1\n" }] }),
        );
        let applied = apply(back).await;
        assert_eq!(applied.pruned, ["Service/web"]);
        bed.wait_rolled_out("web", 1, 2).await;

        // Scaled, and stopped.
        let mut scaled = bed.desired("web", 3, WEB);
        scaled.replicas = 3;
        apply(scaled.clone()).await;
        bed.wait_rolled_out("web", 3, 3).await;
        scaled.replicas = 0;
        apply(scaled).await;
        let stopped = bed.wait_rolled_out("web", 3, 0).await;
        assert!(
            stopped.observation.drift.is_empty(),
            "{:?}",
            stopped.observation.drift
        );
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_service_becomes_a_singleton_and_is_one_no_more() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        let apply = async |desired| bed.client.apply_workload(cluster.id, &desired).await.unwrap();
        let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let strategy = async || {
            let deployment = deployments.get("web").await.unwrap();
            let strategy = deployment.spec.and_then(|spec| spec.strategy).unwrap();
            (strategy.type_.unwrap(), strategy.rolling_update.is_some())
        };
        apply(bed.desired("web", 1, WEB)).await;
        bed.wait_rolled_out("web", 1, 2).await;
        assert_eq!(strategy().await, ("RollingUpdate".to_owned(), true));
        let mut single = bed.desired("web", 2, WEB_2);
        (single.replicas, single.singleton) = (1, true);
        apply(single).await;
        assert_eq!(strategy().await, ("Recreate".to_owned(), false));
        let seen = bed.wait_rolled_out("web", 2, 1).await;
        assert!(seen.observation.drift.is_empty(), "{:?}", seen.observation.drift);
        apply(bed.desired("web", 3, WEB)).await;
        assert_eq!(strategy().await, ("RollingUpdate".to_owned(), true));
        bed.wait_rolled_out("web", 3, 2).await;
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_restart_replaces_every_pod() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let mut desired = bed.desired("web", 1, WEB);
        bed.client
            .apply_workload(bed.cluster().id, &desired)
            .await
            .unwrap();
        bed.wait_rolled_out("web", 1, 2).await;
        let names = async || {
            let mut names: Vec<String> = bed.pods_of("web").await.into_iter().map(|pod| pod.name).collect();
            names.sort();
            names
        };
        let before = names().await;
        desired.restarted_at = Some(platform::time::now());
        desired.hash = "restarted".into();
        bed.client
            .apply_workload(bed.cluster().id, &desired)
            .await
            .unwrap();
        bed.wait_observed("web", "the restart to be over", |seen| {
            seen.observation.desired_hash.as_deref() == Some("restarted")
                && seen.observation.rollout == RolloutState::Complete
        })
        .await;
        wait_for("other pods", PATIENCE, async || {
            let after = names().await;
            let replaced = after.len() == 2 && after.iter().all(|name| !before.contains(name));
            if replaced { Ok(()) } else { Err(after) }
        })
        .await;
        bed.finish().await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_with_advice() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        for (service, image, reason) in [
            ("missing", MISSING, "ImagePullBackOff"),
            ("crash", CRASH, "CrashLoopBackOff"),
        ] {
            let desired = bed.desired(service, 1, image);
            bed.client
                .apply_workload(bed.cluster().id, &desired)
                .await
                .unwrap();
            let seen = bed
                .wait_observed(service, reason, |seen| {
                    seen.observation
                        .problems
                        .iter()
                        .any(|problem| problem.reason == reason)
                })
                .await;
            let problem = &seen.observation.problems[0];
            assert!(!problem.advice.is_empty() && !problem.message.is_empty());
            assert!(problem.example_pod.starts_with(service), "{problem:?}");
        }
        let mut huge = bed.desired("huge", 1, WEB);
        huge.spec.resources.cpu_request = "900".into();
        huge.spec.resources.cpu_limit = "900".into();
        bed.client.apply_workload(bed.cluster().id, &huge).await.unwrap();
        let seen = bed
            .wait_observed("huge", "Unschedulable", |seen| {
                seen.observation
                    .problems
                    .iter()
                    .any(|problem| problem.reason == "Unschedulable")
            })
            .await;
        assert!(seen.observation.problems[0].message.contains("nsufficient cpu"));
        bed.finish().await;
    }
}

#[tokio::test]
async fn what_is_not_ours_is_not_touched() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        bed.client
            .apply_workload(cluster.id, &bed.desired("first", 1, WEB))
            .await
            .unwrap();

        // A Service of the same name stands in the way: refused, and nothing at all is written.
        let services: Api<Service> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let foreign: Service = serde_json::from_value(json!({
            "metadata": { "name": "web" },
            "spec": { "ports": [{ "port": 80 }], "selector": { "app": "other" } },
        }))
        .unwrap();
        let foreign = services.create(&PostParams::default(), &foreign).await.unwrap();
        let desired = bed.desired_with(
            "web",
            1,
            json!({
                "ports": [{ "name": "http", "port": 8080 }],
                "config_files": [{ "path": "/a", "content": "a" }],
            }),
        );
        let refused = bed.client.apply_workload(cluster.id, &desired).await.unwrap_err();
        assert_eq!(refused.code(), Some("object_not_owned"), "{refused}");
        assert!(refused.to_string().contains("Service/web"), "{refused}");
        let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        assert!(maps.get_opt("web-r1").await.unwrap().is_none());
        assert!(deployments.get_opt("web").await.unwrap().is_none());

        // Removing the service that never was leaves it too.
        bed.client
            .delete_workload(cluster.id, (&bed.project, "test", "web"), false)
            .await
            .unwrap();
        let kept = services.get("web").await.unwrap();
        assert_eq!(kept.metadata.resource_version, foreign.metadata.resource_version);

        // A namespace that was there before is somebody's.
        let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
        let other = format!("{}-other", bed.project);
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(other.clone()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        namespaces
            .create(&PostParams::default(), &namespace)
            .await
            .unwrap();
        let mut elsewhere = bed.desired("web", 1, WEB);
        elsewhere.environment = "other".into();
        let refused = bed
            .client
            .apply_workload(cluster.id, &elsewhere)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some("namespace_not_owned"), "{refused}");
        namespaces.delete(&other, &Default::default()).await.unwrap();
        bed.finish().await;
    }
}

#[tokio::test]
async fn removing_takes_all_of_a_service_and_nothing_else() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        let spec = json!({
            "ports": [{ "name": "http", "port": 8080 }],
            "config_files": [{ "path": "/a", "content": "a" }],
            "secrets": [{ "name": "A", "value": "b" }],
        });
        for service in ["web", "web-api"] {
            let desired = bed.desired_with(service, 1, spec.clone());
            bed.client.apply_workload(cluster.id, &desired).await.unwrap();
            bed.wait_rolled_out(service, 1, 2).await;
        }
        for _ in 0..2 {
            bed.client
                .delete_workload(cluster.id, (&bed.project, "test", "web"), false)
                .await
                .unwrap();
        }
        wait_for("the service to be gone", PATIENCE, async || {
            match bed.observed(cluster, "web").await {
                None => Ok(()),
                Some(seen) => Err(seen),
            }
        })
        .await;
        assert!(bed.pods_of("web").await.is_empty());
        let snapshot = bed.client.list_workloads().await.unwrap();
        assert!(snapshot.complete.contains(&cluster.id));
        let listed = ListParams::default().labels("longshore.dev/service=web");
        let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        let services: Api<Service> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        assert!(maps.list(&listed).await.unwrap().items.is_empty());
        assert!(secrets.list(&listed).await.unwrap().items.is_empty());
        assert!(services.list(&listed).await.unwrap().items.is_empty());
        bed.wait_rolled_out("web-api", 1, 2).await;
        assert!(services.get_opt("web-api").await.unwrap().is_some());
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_body_that_can_not_be_is_refused() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        let mut bad = bed.desired("web", 1, WEB);
        bad.spec.resources.memory_limit = "much".into();
        let refused = bed.client.apply_workload(cluster.id, &bad).await.unwrap_err();
        assert_eq!(refused.code(), Some("invalid_spec"));
        // What only the API server knows to refuse comes back with its reason.
        let mut bad = bed.desired("web", 1, WEB);
        bad.spec.resources.cpu_request = "2".into();
        bad.spec.resources.cpu_limit = "1".into();
        let refused = bed.client.apply_workload(cluster.id, &bad).await.unwrap_err();
        assert_eq!(refused.code(), Some("cluster_refused"), "{refused}");
        assert!(refused.to_string().contains("limit"), "{refused}");
        let nobody = api_types::common::ClusterId::new();
        let refused = bed
            .client
            .apply_workload(nobody, &bed.desired("web", 1, WEB))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some("not_found"));
        bed.finish().await;
    }
}

/// `shop` + `a-b` and `shop-a` + `b` are the same namespace; whose it is its labels tell.
#[tokio::test]
async fn two_environments_that_share_a_namespace_by_name_stay_apart() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        let mut first = bed.desired("web", 1, WEB);
        first.environment = "a-b".into();
        bed.client.apply_workload(cluster.id, &first).await.unwrap();
        let path = |project: &str, environment: &str, rest: &str| {
            format!("/api/v1/projects/{project}/environments/{environment}/{rest}")
        };
        let pod = wait_for("a pod", PATIENCE, async || {
            let page: Page<Pod> = bed.get(&path(&bed.project, "a-b", "services/web/pods")).await;
            page.items.into_iter().next().ok_or("none yet")
        })
        .await;

        let other = format!("{}-a", bed.project);
        let page: Page<Pod> = bed.get(&path(&other, "b", "services/web/pods")).await;
        assert!(page.items.is_empty());
        let one = format!("clusters/alpha/pods/{}", pod.name);
        let (status, _) = bed
            .send("GET", &path(&bed.project, "a-b", &one), Some(&bed.operator()))
            .await;
        assert_eq!(status, 200);
        for method in ["GET", "DELETE"] {
            let (status, _) = bed
                .send(method, &path(&other, "b", &one), Some(&bed.operator()))
                .await;
            assert_eq!(status, 404);
        }
        let mut second = first.clone();
        second.project = other;
        second.environment = "b".into();
        let refused = bed.client.apply_workload(cluster.id, &second).await.unwrap_err();
        assert_eq!(refused.code(), Some("namespace_not_owned"), "{refused}");

        let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
        let name = format!("{}-a-b", bed.project);
        namespaces.delete(&name, &Default::default()).await.unwrap();
        // A namespace that is going, or gone, is made anew by and by.
        let seen = wait_for("the service in a new namespace", PATIENCE, async || {
            bed.client.apply_workload(cluster.id, &first).await
        })
        .await;
        assert!(seen.applied.contains(&"Deployment/web".to_owned()), "{seen:?}");
        namespaces.delete(&name, &Default::default()).await.unwrap();
        bed.finish().await;
    }
}

#[tokio::test]
async fn whoever_was_overtaken_changes_nothing() {
    use platform::lease::{Fence, acquire, release};
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let cluster = bed.cluster();
        let database = &bed.database.connection;
        let term = std::time::Duration::from_secs(600);
        let (first, second) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
        let older = acquire(database, "loops", first, term).await.unwrap().unwrap();
        release(database, "loops", first).await.unwrap();
        let newer = acquire(database, "loops", second, term).await.unwrap().unwrap();
        let under = |epoch| bed.client.under(&Fence::new("loops", epoch));
        let desired = bed.desired("web", 1, WEB);
        let refused = under(older)
            .apply_workload(cluster.id, &desired)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some("overtaken"), "{refused}");
        let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), &bed.namespace());
        assert!(deployments.get_opt("web").await.unwrap().is_none());

        under(newer).apply_workload(cluster.id, &desired).await.unwrap();
        let refused = under(older)
            .delete_workload(cluster.id, (&bed.project, "test", "web"), false)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some("overtaken"), "{refused}");
        let refused = under(older).delete_connection(cluster.id).await.unwrap_err();
        assert_eq!(refused.code(), Some("overtaken"), "{refused}");
        assert!(deployments.get_opt("web").await.unwrap().is_some());
        bed.finish().await;
    }
}
