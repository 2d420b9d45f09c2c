//! Two witnesses of whether a cluster is alive, and what becomes of it by what they say.

use api_types::clusters::{Cluster, ClusterState, ClusterStateChange, WitnessKind};
use api_types::services::ServiceState;
use auth::Caller;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::wait_for;
use tokio_util::sync::CancellationToken;

use crate::world::{LONG, SERVICES, World, new_service, on_each, read};

const AGENT: &str = "/clusters/east/agent";

fn new_agent() -> Value {
    json!({ "portal_url": "https://longshore.example.com/", "image": "registry.example.com/longshore:1" })
}

async fn install(world: &World, cluster: &str) -> String {
    let (status, reply) = world
        .post(&format!("/clusters/{cluster}/agent"), new_agent())
        .await;
    assert_eq!(status, StatusCode::CREATED, "{reply}");
    reply["token"].as_str().unwrap().to_owned()
}

/// A heartbeat as it comes through the portal.
async fn beat(world: &World, cluster: &str, token: &str, body: &Value) -> (StatusCode, Value) {
    let nobody = Caller {
        subject: "cluster-agent".to_owned(),
        name: "cluster-agent".to_owned(),
        grants: Vec::new(),
    };
    let path = format!("/api/v1/clusters/{cluster}/heartbeat");
    let request = world
        .request(&nobody, Method::POST, &path)
        .header("x-cluster-token", token)
        .json(body);
    read(request.send().await.unwrap()).await
}

/// Heartbeats until they are stopped.
struct Beating(CancellationToken);

impl Drop for Beating {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Beating {
    /// `age` is how old the renewal of the Lease is.
    fn start(world: &World, cluster: &str, token: &str, body: Value) -> Self {
        let stop = CancellationToken::new();
        let nobody = Caller {
            subject: "cluster-agent".to_owned(),
            name: "cluster-agent".to_owned(),
            grants: Vec::new(),
        };
        let path = format!("/api/v1/clusters/{cluster}/heartbeat");
        let request = world
            .request(&nobody, Method::POST, &path)
            .header("x-cluster-token", token)
            .json(&body);
        let ended = stop.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(std::time::Duration::from_millis(100));
            while !ended.is_cancelled() {
                ticks.tick().await;
                // The internal token lives for a minute, which is longer than any test here beats.
                drop(request.try_clone().expect("the body is in memory").send().await);
            }
        });
        Self(stop)
    }
}

async fn cluster_until(world: &World, name: &str, what: &str, wanted: impl Fn(&Cluster) -> bool) -> Cluster {
    wait_for(what, LONG, async || {
        let cluster: Cluster = world.get(&format!("/clusters/{name}")).await;
        if wanted(&cluster) {
            Ok(cluster)
        } else {
            Err(cluster)
        }
    })
    .await
}

async fn history(world: &World, name: &str) -> Vec<ClusterState> {
    let page: api_types::Page<ClusterStateChange> = world.get(&format!("/clusters/{name}/history")).await;
    let mut states: Vec<ClusterState> = page.items.iter().map(|change| change.state).collect();
    states.reverse();
    states
}

#[tokio::test]
async fn one_silent_witness_closes_a_cluster_and_both_lose_it() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        let token = install(&world, "east").await;
        let alive = json!({ "lease_age_ms": 5 });
        let beating = Beating::start(&world, "east", &token, alive.clone());
        let cluster = cluster_until(&world, "east", "the agent to be heard", |cluster| {
            cluster
                .witnesses
                .iter()
                .any(|one| one.kind == WitnessKind::Agent && one.fresh)
        })
        .await;
        assert_eq!((cluster.witnesses.len(), cluster.state), (2, ClusterState::Ready));

        // The probes are silent: nothing moves, nothing new goes there, nothing old counts.
        world.ipaas.change("east", |cluster| cluster.up = false);
        let suspect = cluster_until(&world, "east", "east to be suspect", |cluster| {
            cluster.state == ClusterState::Suspect
        })
        .await;
        assert!(
            suspect.state_reason.contains("its agent says that it is alive"),
            "{}",
            suspect.state_reason
        );
        assert!(suspect.observed.unwrap().stale);
        let service = world.service_is("web", ServiceState::Unknown).await;
        assert_eq!((service.status.ready, service.status.unknown), (2, 2));
        assert_eq!(
            world.spread("web").await,
            [("east".to_owned(), 2), ("west".to_owned(), 2)]
        );

        // The agent is silent too.
        drop(beating);
        let lost = cluster_until(&world, "east", "east to be lost", |cluster| {
            cluster.state == ClusterState::Unreachable
        })
        .await;
        assert!(
            lost.state_reason.ends_with("its agent is not heard either"),
            "{}",
            lost.state_reason
        );
        assert!(lost.witnesses.iter().all(|witness| !witness.fresh));

        // Both are back: it is open again only after the hold-down.
        let _beating = Beating::start(&world, "east", &token, alive);
        world.ipaas.change("east", |cluster| cluster.up = true);
        world.cluster_is("east", "ready").await;
        world.service_is("web", ServiceState::Running).await;
        let states = history(&world, "east").await;
        use ClusterState as S;
        let fell = states.windows(2).any(|pair| pair == [S::Suspect, S::Unreachable]);
        assert!(fell && states[..2] == [S::Pending, S::Ready], "{states:?}");
        assert_eq!(
            states[states.len() - 2..],
            [S::Recovering, S::Ready],
            "{states:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_silent_agent_closes_a_cluster_that_goes_on_running_what_it_has() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        let token = install(&world, "east").await;
        let (status, reply) = beat(&world, "east", &token, &json!({ "lease_age_ms": 0 })).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{reply}");
        let suspect = cluster_until(&world, "east", "east to be suspect", |cluster| {
            cluster.state == ClusterState::Suspect
        })
        .await;
        assert!(
            suspect
                .state_reason
                .starts_with("its API server answers, but its agent"),
            "{}",
            suspect.state_reason
        );
        assert!(!suspect.observed.unwrap().stale, "what ipaas sees is fresh");
        let service = world.service("web").await;
        assert_eq!((service.status.ready, service.status.unknown), (4, 0));
        // What is new goes elsewhere, what is there is still brought up to date.
        let accepted = world
            .accepted(Method::POST, SERVICES, &[], new_service("cart", 4))
            .await;
        world.succeeded(&accepted).await;
        assert_eq!(world.spread("cart").await, [("west".to_owned(), 4)]);
        let accepted = world
            .accepted(
                Method::POST,
                &format!("{SERVICES}/web/releases"),
                &[],
                json!({ "image": "registry.example.com/shop/web:2" }),
            )
            .await;
        world.succeeded(&accepted).await;
        world.runs("east", "web", 2, 2).await;
        // An agent that can't renew is heard, and says as much.
        let body = json!({ "lease_age_ms": 60_000, "error": "the API server didn't answer within 5 s" });
        let (status, _) = beat(&world, "east", &token, &body).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        cluster_until(&world, "east", "the complaint to be told", |cluster| {
            cluster.witnesses[1].message.contains("didn't answer within 5 s")
        })
        .await;
        // Without the agent there is one witness again, and it is well.
        let (status, _) = world.call(Method::DELETE, AGENT, &[], Value::Null).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        world.cluster_is("east", "ready").await;
        let cluster: Cluster = world.get("/clusters/east").await;
        assert_eq!(cluster.witnesses.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn heartbeats_need_the_token_of_their_own_cluster() {
    on_each(async |world| {
        world.furnish().await;
        let alive = json!({ "lease_age_ms": 0 });
        let refused = async |cluster: &str, token: &str| {
            let (status, reply) = beat(&world, cluster, token, &alive).await;
            assert_eq!(
                (status, reply["code"].as_str()),
                (StatusCode::UNAUTHORIZED, Some("agent_token_invalid")),
                "{cluster}: {reply}"
            );
        };
        refused("east", "lsa_guessed").await;
        let first = install(&world, "east").await;
        assert!(first.starts_with("lsa_"));
        refused("west", &first).await;
        refused("nowhere", &first).await;
        refused("east", "lsa_guessed").await;
        refused("east", "").await;
        let west = install(&world, "west").await;
        refused("east", &west).await;
        assert_eq!(
            beat(&world, "east", &first, &alive).await.0,
            StatusCode::NO_CONTENT
        );
        // A new token ends the one before.
        let second = install(&world, "east").await;
        refused("east", &first).await;
        assert_eq!(
            beat(&world, "east", &second, &alive).await.0,
            StatusCode::NO_CONTENT
        );
        let (status, reply) = beat(&world, "east", &second, &json!({ "age": 3 })).await;
        assert_eq!(
            (status, &reply["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_body"))
        );
        // Ages that no clock has are taken for what they are: old.
        for age in [u64::MAX, u64::MAX / 2] {
            let (status, _) = beat(&world, "east", &second, &json!({ "lease_age_ms": age })).await;
            assert_eq!(status, StatusCode::NO_CONTENT);
        }
        let (status, _) = world.call(Method::DELETE, AGENT, &[], Value::Null).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        refused("east", &second).await;
    })
    .await;
}

#[tokio::test]
async fn bad_orders_for_an_agent_are_refused_and_a_good_one_gives_the_manifest() {
    on_each(async |world| {
        world.register("east", "east").await;
        for (field, value) in [
            ("portal_url", json!("longshore.example.com")),
            ("portal_url", json!("ftp://longshore.example.com")),
            ("image", json!("")),
            ("image", json!("a b")),
        ] {
            let mut body = new_agent();
            body[field] = value;
            let reply = world
                .refused(
                    Method::POST,
                    AGENT,
                    &[],
                    body,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid_spec",
                )
                .await;
            assert_eq!(reply["details"]["fields"][0]["field"], field, "{reply}");
        }
        let (status, reply) = world.post(AGENT, new_agent()).await;
        assert_eq!(status, StatusCode::CREATED);
        let manifest = reply["manifest"].as_str().unwrap();
        for part in [
            "kind: Deployment",
            "https://longshore.example.com\n",
            reply["token"].as_str().unwrap(),
        ] {
            assert!(manifest.contains(part), "{part}");
        }
        let cluster: Cluster = world.get("/clusters/east").await;
        let agent = &cluster.witnesses[1];
        assert!(!agent.counts && !agent.fresh && agent.heard_at.is_none());
        assert_eq!(
            cluster.state,
            ClusterState::Ready,
            "one that was never heard is no witness"
        );
        for path in ["/clusters/north/agent", "/clusters/north/history"] {
            let method = if path.ends_with("agent") {
                Method::DELETE
            } else {
                Method::GET
            };
            world
                .refused(method, path, &[], Value::Null, StatusCode::NOT_FOUND, "not_found")
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn each_flap_makes_the_next_return_slower_and_the_history_tells_all_of_it() {
    on_each(async |world| {
        world.register("east", "east").await;
        for round in 1..=2 {
            world.ipaas.change("east", |cluster| cluster.up = false);
            world.cluster_is("east", "unreachable").await;
            world.ipaas.change("east", |cluster| cluster.up = true);
            world.cluster_is("east", "ready").await;
            let page: api_types::Page<ClusterStateChange> = world.get("/clusters/east/history?limit=2").await;
            let (ready, recovering) = (&page.items[0], &page.items[1]);
            assert_eq!(
                (ready.state, recovering.state),
                (ClusterState::Ready, ClusterState::Recovering)
            );
            let held = (ready.at - recovering.at).num_milliseconds();
            assert!(held >= 300 * round, "round {round}: {held} ms");
        }
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: api_types::Page<ClusterStateChange> = world
                .get(&format!("/clusters/east/history?limit=3&cursor={cursor}"))
                .await;
            assert_eq!(page.total_estimate, 8);
            all.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = next,
                None => break,
            }
        }
        assert_eq!(all.len(), 8);
        assert!(all.windows(2).all(|pair| pair[0].at >= pair[1].at));
        let lost = all
            .iter()
            .find(|change| change.state == ClusterState::Unreachable)
            .unwrap();
        assert!(lost.reason.contains("connection refused"), "{}", lost.reason);
        let slow = all
            .iter()
            .find(|change| change.state == ClusterState::Recovering)
            .unwrap();
        assert!(slow.reason.contains("lost 2 times lately"), "{}", slow.reason);
    })
    .await;
}

#[tokio::test]
async fn an_evacuation_is_told_as_the_cluster_s_status_and_in_its_history() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.change("west", |cluster| cluster.starts = false);
        let path = "/clusters/east/evacuation";
        let (status, reply) = world.post(path, json!({ "reason": "new racks" })).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
        let cluster: Cluster = world.get("/clusters/east").await;
        assert_eq!(
            (
                cluster.state,
                cluster.status.state,
                cluster.status.reason.as_str()
            ),
            (ClusterState::Ready, ClusterState::Evacuating, "new racks")
        );
        world.ipaas.change("west", |cluster| {
            cluster.starts = true;
            for workload in cluster.workloads.values_mut() {
                workload.ready = workload.replicas;
            }
        });
        cluster_until(&world, "east", "east to be empty", |cluster| {
            cluster.status.state == ClusterState::Evacuated
        })
        .await;
        let (status, _) = world.call(Method::DELETE, path, &[], Value::Null).await;
        assert_eq!(status, StatusCode::OK);
        let cluster: Cluster = world.get("/clusters/east").await;
        assert_eq!(cluster.status.state, ClusterState::Ready);
        use ClusterState as S;
        assert_eq!(
            history(&world, "east").await,
            [S::Pending, S::Ready, S::Evacuating, S::Evacuated, S::Ready]
        );
    })
    .await;
}
