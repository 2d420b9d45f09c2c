//! The other targets.

use platform::crypto::MasterKey;
use serde_json::{Value, json};
use test_support::{Backend, TestDatabase, wait_for};

use crate::program::{PATIENCE, Program, RANGE, free_ports, http};

#[tokio::test]
async fn users_are_made_and_reset_without_anybody_signed_in() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let port = free_ports();
    let password = |said: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix("password  "));
        line.expect("a password").to_owned()
    };
    let make = ["admin", "create-user", "ann", "--role", "platform-admin"];
    let (status, said, complaint) = Program::start(&make, directory, port).ended().await;
    assert!(status.success(), "{complaint}");
    let first = password(&said);
    let (status, _, complaint) = Program::start(&make, directory, port).ended().await;
    assert!(!status.success() && complaint.contains("already"), "{complaint}");
    let (status, said, _) = Program::start(&["admin", "reset-password", "ann"], directory, port)
        .ended()
        .await;
    assert!(status.success());
    let second = password(&said);
    assert_ne!(first, second);

    let portal = Program::start(&["portal"], directory, port);
    let url = format!("http://127.0.0.1:{port}/api/v1/session");
    let sign_in = async |password: &str| {
        let body = json!({ "username": "ann", "password": password });
        let response = http()
            .post(&url)
            .json(&body)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        Ok::<u16, String>(response.status().as_u16())
    };
    assert_eq!(
        wait_for("the portal", PATIENCE, async || sign_in(&second).await).await,
        200
    );
    assert_eq!(sign_in(&first).await, Ok(401));
    assert!(
        !directory.join("admin-password").exists(),
        "there was a user already"
    );
    portal.signal("TERM").await;
    assert!(portal.ended().await.0.success());
}

#[tokio::test]
async fn a_first_portal_makes_its_first_user() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let port = free_ports();
    let mut portal = Program::start(&["portal"], directory, port);
    let password = portal.wrote(&directory.join("admin-password")).await;
    let url = format!("http://127.0.0.1:{port}/api/v1/session");
    let body = json!({ "username": "admin", "password": password.trim() });
    let session: Value = wait_for("the portal", PATIENCE, async || {
        let response = http().post(&url).json(&body).send().await?;
        response.error_for_status()?.json().await
    })
    .await;
    assert_eq!(session["grants"], json!([{ "role": "platform_admin" }]));
    portal.signal("INT").await;
    let (status, said, _) = portal.ended().await;
    assert!(status.success() && !said.contains(password.trim()));
}

#[tokio::test]
async fn settings_are_explained() {
    let directory = tempfile::tempdir().unwrap();
    let port = free_ports();
    let (status, said, _) = Program::start(&["config", "--explain"], directory.path(), port)
        .ended()
        .await;
    assert!(status.success());
    for name in ["base_port", "portal.public_url", "LONGSHORE_DATA_DIR"] {
        assert!(said.contains(name), "{name}");
    }
    let (status, said, _) = Program::start(&["config"], directory.path(), port).ended().await;
    assert!(
        status.success() && said.contains(&format!("base_port = {port}")),
        "{said}"
    );
    std::fs::write(directory.path().join("longshore.toml"), "listen = \"nowhere\"").unwrap();
    let (status, _, complaint) = Program::start(&["config"], directory.path(), port).ended().await;
    assert!(!status.success() && complaint.contains("listen"), "{complaint}");
}

/// Several replicas of one program, each in a directory of its own, on one PostgreSQL.
#[tokio::test]
async fn replicas_share_a_database() {
    if !Backend::all().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::empty().await;
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let key = directories[0].path().join("shared.key");
    MasterKey::read_or_generate(&key).unwrap();
    for directory in &directories {
        let settings = format!(
            "database_url = \"{}\"\nmaster_key_file = \"{}\"\n",
            database.url,
            key.display()
        );
        std::fs::write(directory.path().join("longshore.toml"), settings).unwrap();
    }
    // Both find an empty database, and one of them fills it.
    let migrate =
        |number: usize| Program::start(&["migrate"], directories[number].path(), free_ports()).ended();
    let (first, second) = tokio::join!(migrate(0), migrate(1));
    for (status, said, complaint) in [first, second] {
        assert!(status.success() && said.contains("up to date"), "{complaint}");
    }
    let ports = [free_ports(), free_ports()];
    let [first, second] =
        [0, 1].map(|number| Program::start(&["all"], directories[number].path(), ports[number]));
    let token = wait_for("the first user", PATIENCE, async || {
        let url = format!("http://127.0.0.1:{}/api/v1/session", ports[0]);
        // Each wrote its own; the slower one takes its file away again.
        for directory in &directories {
            let Ok(password) = std::fs::read_to_string(directory.path().join("admin-password")) else {
                continue;
            };
            let body = json!({ "username": "admin", "password": password.trim() });
            let response = http().post(&url).json(&body).send().await;
            let response = response.map_err(|error| error.to_string())?;
            if let Some(cookie) = response.headers().get("set-cookie") {
                return Ok(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
            }
        }
        Err("nobody can sign in yet".to_owned())
    })
    .await;
    // A session made at one is good at the other.
    wait_for("the other replica", PATIENCE, async || {
        let url = format!("http://127.0.0.1:{}/api/v1/services", ports[1]);
        let response = http().get(&url).header("cookie", &token).send().await;
        let response = response.map_err(|error| error.to_string())?;
        if response.status().is_success() {
            Ok(())
        } else {
            Err(response.status().to_string())
        }
    })
    .await;
    for program in [first, second] {
        program.signal("TERM").await;
        let (status, _, complaint) = program.ended().await;
        assert!(status.success(), "{complaint}");
    }
}

/// The database is away when the service starts, and comes back.
#[tokio::test]
async fn a_service_that_starts_before_its_database_waits_for_it() {
    if !Backend::all().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let (_, rest) = database.url.split_once('@').unwrap();
    let server = rest.split('/').next().unwrap().to_owned();
    let port = free_ports();
    // Nobody listens there yet; a port of the program's range that this target leaves alone.
    let way = format!("127.0.0.1:{}", port + RANGE - 1);
    let key = directory.path().join("master.key");
    MasterKey::read_or_generate(&key).unwrap();
    let url = database.url.replace(&server, &way);
    std::fs::write(
        directory.path().join("longshore.toml"),
        format!("database_url = \"{url}\"\n"),
    )
    .unwrap();
    let mut manager = Program::start(&["cluster-mgr"], directory.path(), port);
    manager.said("waiting for the database").await;
    let listener = tokio::net::TcpListener::bind(&way).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    wait_for("cluster-mgr to be ready", PATIENCE, async || {
        let url = format!("http://127.0.0.1:{}/readyz", port + 1);
        http().get(url).send().await?.error_for_status().map(drop)
    })
    .await;
    manager.signal("TERM").await;
    assert!(manager.ended().await.0.success());
}

#[tokio::test]
async fn a_database_that_refuses_is_told_at_once() {
    if !Backend::all().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let (before, _) = database.url.rsplit_once('/').unwrap();
    std::fs::write(
        directory.path().join("longshore.toml"),
        format!("database_url = \"{before}/nowhere\"\n"),
    )
    .unwrap();
    let (status, _, complaint) = Program::start(&["cluster-mgr"], directory.path(), free_ports())
        .ended()
        .await;
    assert!(
        !status.success() && complaint.contains("nowhere") && !complaint.contains("waiting"),
        "{complaint}"
    );
}
