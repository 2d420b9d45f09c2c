//! The demo from its first start to its second.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::wait_for;

use crate::program::{PATIENCE, Program, free_ports, http};

/// What `demo.json` says.
struct Demo {
    url: String,
    token: String,
    password: Value,
    clusters: Vec<Value>,
}

impl Demo {
    async fn ready(program: &mut Program, directory: &Path) -> Self {
        let text = program.wrote(&directory.join("demo.json")).await;
        let file: Value = serde_json::from_str(&text).unwrap();
        Self {
            url: file["portal_url"].as_str().unwrap().to_owned(),
            token: file["admin_token"].as_str().unwrap().to_owned(),
            password: file["admin_password"].clone(),
            clusters: file["clusters"].as_array().unwrap().clone(),
        }
    }

    async fn get(&self, path: &str) -> Value {
        let request = http()
            .get(format!("{}/api/v1{path}", self.url))
            .bearer_auth(&self.token);
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Every service's name and state.
    async fn states(&self) -> Vec<(String, String)> {
        let page = self.get("/services?sort=name").await;
        let items = page["items"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        items
            .map(|service| (text(&service["name"]), text(&service["status"]["state"])))
            .collect()
    }

    async fn settles(&self) {
        wait_for("the services to be as told", PATIENCE, async || {
            let states = self.states().await;
            let of = |name: &str| {
                states
                    .iter()
                    .find(|(own, _)| own == name)
                    .map(|(_, state)| state.as_str())
            };
            let bad = |state: Option<&str>| matches!(state, Some("failed" | "degraded" | "progressing"));
            if of("web") == Some("running") && bad(of("importer")) && bad(of("reports")) {
                Ok(())
            } else {
                Err(states)
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_demo_starts_stops_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let port = free_ports();
    let mut program = Program::start(&["demo"], directory, port);
    let demo = Demo::ready(&mut program, directory).await;
    assert_eq!(demo.url, format!("http://127.0.0.1:{port}"));
    let names: Vec<&str> = demo
        .clusters
        .iter()
        .map(|cluster| cluster["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["east-1", "west-1"]);
    assert!(
        demo.clusters[0]["kubeconfig"]
            .as_str()
            .unwrap()
            .contains("clusters:")
    );
    for file in ["demo.json", "admin-password", "admin-token", "master.key"] {
        let mode = std::fs::metadata(directory.join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file} is for its owner only");
    }
    let credentials = json!({ "username": "admin", "password": demo.password });
    let session = http()
        .post(format!("{}/api/v1/session", demo.url))
        .json(&credentials)
        .send()
        .await
        .unwrap();
    assert_eq!(session.status(), 200);
    demo.settles().await;
    let registered = demo.get("/clusters").await;
    assert_eq!(registered["items"].as_array().unwrap().len(), 2);
    for cluster in registered["items"].as_array().unwrap() {
        let path = format!("/clusters/{}/prometheus", cluster["name"].as_str().unwrap());
        let url = cluster["prometheus_url"].as_str().unwrap();
        assert!(url.ends_with(&path), "{url}");
    }

    // Another one on the same data, or the same ports, says why not.
    let (status, _, complaint) = Program::start(&["demo"], directory, free_ports()).ended().await;
    assert!(!status.success() && complaint.contains("runs on"), "{complaint}");
    let other = tempfile::tempdir().unwrap();
    let (status, _, complaint) = Program::start(&["demo"], other.path(), port).ended().await;
    assert!(!status.success() && complaint.contains("is taken"), "{complaint}");

    let begun = Instant::now();
    let children = program.children();
    program.signal("INT").await;
    let (status, said, complaint) = program.ended().await;
    assert_eq!(status.code(), Some(0), "{complaint}");
    assert_eq!(complaint, "", "nothing went wrong");
    for child in children {
        assert!(!Path::new(&format!("/proc/{child}")).exists(), "{child} is left");
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    for part in [demo.url.as_str(), demo.password.as_str().unwrap()] {
        assert!(said.contains(part), "{part} in {said}");
    }

    assert!(
        !directory.join("demo.json").exists(),
        "it is there while everything runs"
    );

    let begun = Instant::now();
    let mut program = Program::start(&["demo"], directory, port);
    let again = Demo::ready(&mut program, directory).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!((&again.token, &again.password), (&demo.token, &demo.password));
    again.settles().await;
    program.signal("TERM").await;
    assert!(program.ended().await.0.success());
}

#[tokio::test]
async fn a_demo_that_cannot_start_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let start = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_longshore"));
        command.arg("demo").args(arguments).current_dir(directory.path());
        let ended = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = ended.expect("it ends by itself").unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), complaint)
    };
    let (code, complaint) = start(&["--data-dir", "file/data"]).await;
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("can't keep its data in file/data") && complaint.contains("Not a directory"),
        "{complaint}"
    );
    // Any port of the range, not only the first.
    let base = free_ports();
    let text = base.to_string();
    let data = directory.path().join("data");
    let arguments = ["--data-dir", data.to_str().unwrap(), "--port", &text];
    for offset in [0, 1, 2, 9, 11] {
        let taken = std::net::TcpListener::bind(("127.0.0.1", base + offset)).unwrap();
        let (code, complaint) = start(&arguments).await;
        assert_eq!(code, Some(1));
        let named = format!("port {} is taken", base + offset);
        assert!(
            complaint.contains(&named) && complaint.contains("--port"),
            "{complaint}"
        );
        drop(taken);
    }
    let (code, complaint) = start(&["--port", "65530"]).await;
    assert!(code == Some(1) && complaint.contains("run out"), "{complaint}");
    let (code, complaint) = start(&["--port", "many"]).await;
    assert!(code == Some(2) && complaint.contains("--port"), "{complaint}");
}

#[tokio::test]
async fn a_demo_moves_to_other_ports_and_keeps_what_was_changed() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut program = Program::start(&["demo"], directory, free_ports());
    let demo = Demo::ready(&mut program, directory).await;
    let gone = http()
        .delete(format!(
            "{}/api/v1/projects/demo/environments/test/services/reports",
            demo.url
        ))
        .bearer_auth(&demo.token)
        .send()
        .await
        .unwrap();
    assert!(gone.status().is_success());
    wait_for("the service to be gone", PATIENCE, async || {
        let states = demo.states().await;
        if states.len() == 2 { Ok(()) } else { Err(states) }
    })
    .await;
    // Not even time to stop in order.
    program.signal("KILL").await;
    program.ended().await;
    // Nobody took it away, and the next one must not be taken for this one.
    std::fs::remove_file(directory.join("demo.json")).unwrap();

    let mut program = Program::start(&["demo"], directory, free_ports());
    let moved = Demo::ready(&mut program, directory).await;
    assert_ne!(moved.url, demo.url);
    wait_for(
        "the clusters to be found at their new address",
        PATIENCE,
        async || {
            let page = moved.get("/clusters").await;
            let ready =
                |cluster: &Value| cluster["state"] == "ready" && cluster["observed"]["stale"] == false;
            if page["items"].as_array().unwrap().iter().all(ready) {
                Ok(())
            } else {
                Err(page)
            }
        },
    )
    .await;
    let names: Vec<String> = moved.states().await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["importer", "web"], "what was removed stays removed");
    program.signal("INT").await;
    assert!(program.ended().await.0.success());
}

#[tokio::test]
async fn load_is_put_on_a_service_of_a_demo() {
    let directory = tempfile::tempdir().unwrap();
    let mut program = Program::start(&["demo"], directory.path(), free_ports());
    let demo = Demo::ready(&mut program, directory.path()).await;
    assert_eq!(demo.get("/session").await["simulated"], true);
    let path = "/projects/demo/environments/production/services/web/simulated-load";
    assert_eq!(demo.get(path).await, json!({ "load": null, "now": 0.0 }));
    let call = async |method: reqwest::Method, body: Value| {
        let request = http()
            .request(method, format!("{}/api/v1{path}", demo.url))
            .bearer_auth(&demo.token)
            .json(&body);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    let load = json!({ "requests_per_second": 90.0, "ramp_seconds": 0, "cpu_milliseconds": 4.0 });
    assert_eq!(
        call(reqwest::Method::PUT, load.clone()).await,
        (200, json!({ "load": load, "now": 90.0 }))
    );
    // A ramp begins where the load before it is.
    let less = json!({ "requests_per_second": 30.0, "ramp_seconds": 3600, "cpu_milliseconds": 4.0 });
    let (status, told) = call(reqwest::Method::PUT, less.clone()).await;
    assert_eq!((status, &told["load"]), (200, &less));
    assert!((80.0..=90.0).contains(&told["now"].as_f64().unwrap()), "{told}");
    let (status, told) = call(reqwest::Method::PUT, json!({ "requests_per_second": -1.0 })).await;
    assert_eq!((status, &told["code"]), (422, &json!("invalid_spec")));
    assert_eq!(told["details"]["fields"][0]["field"], "requests_per_second");
    assert_eq!(
        call(reqwest::Method::DELETE, json!(null)).await,
        (200, json!({ "load": null, "now": 0.0 }))
    );
}
