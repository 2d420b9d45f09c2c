//! The program as a client that moves load: clusters closed and emptied, policies of autoscaling.

use test_support::wait_for;

use crate::client::World;
use crate::program::PATIENCE;

#[tokio::test]
async fn clusters_are_closed_and_emptied() {
    let world = World::start().await;
    world.sign_in().await;
    wait_for("the web service runs on both clusters", PATIENCE, async || {
        let text = world.text(&["service", "get", "web"]).await;
        if text.contains("3 of 3") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;

    let said = world.text(&["cluster", "cordon", "west-1"]).await;
    assert!(said.contains("no new replicas from now on"), "{said}");
    let again = world.text(&["cluster", "cordon", "west-1"]).await;
    assert!(again.contains("already"), "{again}");
    assert!(
        world
            .text(&["cluster", "get", "west-1"])
            .await
            .contains("cordoned")
    );
    let plan = world.text(&["cluster", "evacuate", "east-1", "--dry-run"]).await;
    assert!(
        plan.contains("demo/production/web") && plan.contains("no room elsewhere"),
        "{plan}"
    );
    world
        .refused(
            &["cluster", "evacuate", "east-1", "--yes"],
            1,
            "evacuation_incomplete",
        )
        .await;
    assert_eq!(
        world.both(&["cluster", "uncordon", "west-1"]).await["cordoned"],
        false
    );

    world
        .refused(&["cluster", "evacuate", "nowhere", "--yes"], 1, "not_found")
        .await;
    world
        .refused(&["cluster", "evacuate", "east-1"], 2, "say --yes")
        .await;
    let done = world
        .text(&[
            "cluster",
            "evacuate",
            "east-1",
            "--yes",
            "--reason",
            "new racks",
            "--wait",
        ])
        .await;
    assert!(done.contains("done"), "{done}");
    let text = world.text(&["service", "get", "web"]).await;
    assert!(text.contains("west-1") && !text.contains("east-1"), "{text}");
    let text = world.text(&["cluster", "get", "east-1"]).await;
    assert!(text.contains("nothing is left"), "{text}");
    let said = world.text(&["cluster", "take-back", "east-1"]).await;
    assert!(said.contains("gets replicas again"), "{said}");
    let said = world.text(&["cluster", "take-back", "east-1"]).await;
    assert!(said.contains("was not evacuated"), "{said}");
}

#[tokio::test]
async fn a_policy_comes_from_a_file() {
    let world = World::start().await;
    world.sign_in().await;
    let autoscaling = |rest: &[&'static str]| [&["service", "autoscaling"], rest].concat();
    let none = world.text(&autoscaling(&["get", "web"])).await;
    assert!(none.contains("set by hand"), "{none}");
    world
        .refused(&autoscaling(&["pause", "web"]), 2, "has no policy")
        .await;

    let policy = "min_replicas: 2\nmax_replicas: 6\nmetrics:\n- source: {type: cpu}\n  target: 60\n";
    let file = world.file("policy.yaml", policy);
    let set = ["service", "autoscaling", "set", "web", "-f", &file];
    let said = world.text(&set).await;
    assert!(said.contains("between 2 and 6 replicas"), "{said}");
    let version = world.both(&autoscaling(&["get", "web"])).await["version"].clone();
    world.text(&set).await;
    let again = world.both(&autoscaling(&["get", "web"])).await["version"].clone();
    assert_eq!(version, again, "what is the same is not written");
    world
        .refused(&["service", "scale", "web", "5"], 1, "autoscaled")
        .await;
    let decided = wait_for("a decision", PATIENCE, async || {
        let page = world.both(&autoscaling(&["decisions", "web"])).await;
        match page["items"].as_array().unwrap().first() {
            Some(first) => Ok(first.clone()),
            None => Err("none yet"),
        }
    })
    .await;
    assert_eq!(decided["min_replicas"], 2);
    let text = world.text(&autoscaling(&["get", "web"])).await;
    assert!(text.contains("cpu") && text.contains("ago:"), "{text}");

    let paused = world.text(&autoscaling(&["pause", "web"])).await;
    assert!(paused.contains("paused"), "{paused}");
    let exported = world.text(&autoscaling(&["export", "web"])).await;
    assert!(exported.contains("paused: true"), "{exported}");
    let resumed = world.text(&autoscaling(&["resume", "web"])).await;
    assert!(!resumed.contains("paused"), "{resumed}");
    let wrong = world.file("wrong.yaml", "min_replicas: 9\nmax_replicas: 6\nmetrics: []\n");
    world
        .refused(
            &["service", "autoscaling", "set", "web", "-f", &wrong],
            1,
            "invalid_spec",
        )
        .await;
    let said = world.text(&autoscaling(&["delete", "web"])).await;
    assert!(said.contains("by hand from now on"), "{said}");
}
