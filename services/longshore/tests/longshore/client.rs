//! The program as a client of a demo.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::wait_for;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::program::{PATIENCE, Program, free_ports, http};

/// A demo that runs, and somebody with a home directory who uses it.
pub struct World {
    _demo: Program,
    directory: TempDir,
    url: String,
    password: String,
    token: String,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    code: i32,
    out: String,
    error: String,
}

impl World {
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut demo = Program::start(&["demo"], directory.path(), free_ports());
        let text = demo.wrote(&directory.path().join("demo.json")).await;
        let file: Value = serde_json::from_str(&text).unwrap();
        let text = |name: &str| file[name].as_str().unwrap().to_owned();
        Self {
            _demo: demo,
            url: text("portal_url"),
            password: text("admin_password"),
            token: text("admin_token"),
            directory,
        }
    }

    fn home(&self) -> std::path::PathBuf {
        self.directory.path().join("home")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn with_input(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        ended(child).await
    }

    pub async fn run(&self, arguments: &[&str]) -> Said {
        self.with_input(arguments, "").await
    }

    /// A command that does what it should.
    pub async fn text(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments).await;
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.out
    }

    /// What a command answers, read as JSON and as YAML: both say the same.
    pub async fn both(&self, arguments: &[&str]) -> Value {
        let read = async |format: &str| self.text(&[arguments, &["-o", format]].concat()).await;
        let json: Value = serde_json::from_str(&read("json").await).unwrap();
        let yaml: Value = serde_saphyr::from_str(&read("yaml").await).unwrap();
        let keys = |value: &Value| {
            value
                .as_object()
                .map(|object| object.keys().cloned().collect::<Vec<_>>())
        };
        assert_eq!(keys(&json), keys(&yaml), "{arguments:?}");
        json
    }

    pub async fn refused(&self, arguments: &[&str], code: i32, part: &str) -> String {
        let said = self.run(arguments).await;
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        assert!(said.error.contains(part), "{arguments:?}: {said:?}");
        said.error
    }

    pub async fn sign_in(&self) {
        let login = [
            "login",
            &self.url,
            "-u",
            "admin",
            "-p",
            "demo",
            "-e",
            "production",
            "--context",
            "demo",
        ];
        let said = self.with_input(&login, &format!("{}\n", self.password)).await;
        assert_eq!(said.code, 0, "{said:?}");
    }

    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn tokens(&self) -> Vec<String> {
        let response = http()
            .get(format!("{}/api/v1/api-tokens", self.url))
            .bearer_auth(&self.token)
            .send()
            .await
            .unwrap();
        let page: Value = response.json().await.unwrap();
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|token| token["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn ended(child: Child) -> Said {
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("a command ends")
        .unwrap();
    Said {
        code: output.status.code().expect("it ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn one_signs_in_and_out() {
    let world = World::start().await;
    world.refused(&["whoami"], 2, "longshore login").await;
    world.refused(&["login"], 2, "longshore login URL").await;
    world
        .refused(&["login", "ftp://x", "-u", "a"], 2, "no address")
        .await;
    let wrong = world
        .with_input(&["login", &world.url, "-u", "admin"], "wrong-password\n")
        .await;
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.error.contains("(wrong_credentials, request "), "{wrong:?}");
    let nothing = world.run(&["login", &world.url, "-u", "admin"]).await;
    assert_eq!(nothing.code, 2, "{nothing:?}");

    world.sign_in().await;
    let file = world.home().join(".config/longshore/contexts.toml");
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&world.password));
    assert!(
        world
            .tokens()
            .await
            .iter()
            .any(|name| name.starts_with("longshore login"))
    );
    let text = world.text(&["whoami"]).await;
    assert!(
        text.contains("admin") && text.contains("platform-admin everywhere"),
        "{text}"
    );
    assert_eq!(world.both(&["whoami"]).await["user"]["name"], "admin");
    // Once more: the token of the first time is of no more use.
    world.sign_in().await;
    let made = world.tokens().await;
    assert_eq!(made.len(), 2, "the demo's own and ours: {made:?}");

    let other = ["login", &world.url, "--token", "--context", "other"];
    let said = world.with_input(&other, &format!("{}\n", world.token)).await;
    assert_eq!(said.code, 0, "{said:?}");
    let contexts = world.both(&["context", "list"]).await;
    assert_eq!(
        contexts,
        json!([
            { "name": "demo", "current": false, "url": world.url, "project": "demo", "environment": "production" },
            { "name": "other", "current": true, "url": world.url, "project": null, "environment": null },
        ])
    );
    world.refused(&["service", "get", "web"], 2, "--project").await;
    world.text(&["service", "get", "web", "--context", "demo"]).await;
    world.text(&["context", "set", "-p", "demo", "-e", "test"]).await;
    world.text(&["service", "get", "importer"]).await;
    world.text(&["context", "set", "-e", ""]).await;
    world
        .refused(&["service", "get", "importer"], 2, "--environment")
        .await;
    world.text(&["context", "use", "demo"]).await;
    let list = world.text(&["context", "list"]).await;
    assert!(list.contains("*         demo "), "{list}");
    world
        .refused(&["context", "use", "third"], 2, "demo, other")
        .await;

    // A token that was brought along is not ours to revoke; the one that was made is.
    world.text(&["logout", "--context", "other"]).await;
    assert_eq!(world.tokens().await.len(), 2);
    world.text(&["logout"]).await;
    assert_eq!(world.tokens().await, ["demo"]);
    world.refused(&["whoami"], 2, "longshore login").await;

    // A machine needs no context.
    let mut command = world.command(&["project", "list", "-o", "json"]);
    let child = command
        .env("LONGSHORE_URL", &world.url)
        .env("LONGSHORE_TOKEN", &world.token)
        .spawn();
    let said = ended(child.unwrap()).await;
    assert!(said.code == 0 && said.out.contains("\"demo\""), "{said:?}");
    let child = world
        .command(&["project", "list"])
        .env("LONGSHORE_URL", &world.url)
        .spawn();
    let said = ended(child.unwrap()).await;
    assert!(
        said.code == 2 && said.error.contains("LONGSHORE_TOKEN"),
        "{said:?}"
    );
}

#[tokio::test]
async fn everything_can_be_looked_at() {
    let world = World::start().await;
    world.sign_in().await;
    wait_for("web to run", PATIENCE, async || {
        let service = world.both(&["service", "get", "web"]).await;
        if service["status"]["state"] == "running" {
            Ok(())
        } else {
            Err(service)
        }
    })
    .await;
    for (arguments, parts) in [
        (vec!["service", "list"], vec!["NAME", "web", "running", "3 of 3"]),
        (vec!["service", "list", "--all"], vec!["importer", "reports"]),
        (
            vec!["service", "list", "-e", "test", "--sort=-updated_at"],
            vec!["importer"],
        ),
        (
            vec!["service", "get", "web"],
            vec!["demo/production/web", "east-1", "room for"],
        ),
        (
            vec!["service", "pods", "web"],
            vec!["west-1", "Running", "1 of 1"],
        ),
        (vec!["service", "events", "web"], vec!["Started", "Pod/web-"]),
        (vec!["service", "revisions", "web"], vec!["*", "first version"]),
        (vec!["service", "diff", "web"], vec!["say the same"]),
        (vec!["cluster", "list"], vec!["east-1", "ready", "3 of 3"]),
        (vec!["cluster", "get", "west-1"], vec!["simulated=true", "v1."]),
        (
            vec!["cluster", "nodes", "west-1"],
            vec!["west-1-node-3", "of 110"],
        ),
        (vec!["project", "list"], vec!["demo", "production, test"]),
        (
            vec!["operation", "list"],
            vec!["create demo/production/web", "succeeded"],
        ),
    ] {
        let text = world.text(&arguments).await;
        for part in parts {
            assert!(text.contains(part), "{arguments:?}: no {part} in {text}");
        }
        let value = world.both(&arguments).await;
        assert!(value.is_object(), "{arguments:?}: {value}");
    }
    let only = world.text(&["service", "list"]).await;
    assert!(
        !only.contains("importer"),
        "the context names an environment: {only}"
    );
    let running = world
        .both(&["service", "list", "--all", "--state", "running"])
        .await;
    // The one that crashes again and again runs for a moment now and then; the one without an image never does.
    let running = running["items"].as_array().unwrap();
    assert!(running.iter().all(|one| one["status"]["state"] == "running"));
    assert!(running.iter().any(|one| one["name"] == "web"));
    assert!(running.iter().all(|one| one["name"] != "reports"));
    let on_none = world
        .text(&["service", "list", "--cluster", "east-1", "-q", "nothing"])
        .await;
    assert_eq!(on_none, "no services\n");
    let some = world.run(&["service", "list", "--all", "--limit", "2"]).await;
    assert_eq!(some.out.lines().count(), 3, "{some:?}");
    assert!(some.error.contains("about 3 in all"), "{some:?}");

    let id = world.both(&["operation", "list"]).await["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let text = world.text(&["operation", "get", &id]).await;
    assert!(text.contains("placement") && text.contains("100% done"), "{text}");
    assert_eq!(
        world.both(&["operation", "watch", &id]).await["state"],
        "succeeded"
    );
    world
        .refused(&["operation", "get", "nonsense"], 2, "invalid value")
        .await;
    let unknown = "01890000-0000-7000-8000-000000000000";
    world
        .refused(&["operation", "get", unknown], 1, "(not_found, request ")
        .await;
    world
        .refused(&["cluster", "get", "nowhere"], 1, "not_found")
        .await;
    world
        .refused(
            &["cluster", "nodes", "east-1", "--sort", "nonsense"],
            1,
            "invalid_sort",
        )
        .await;

    // Nobody there, and somebody else there.
    let call = async |url: &str| {
        let mut command = world.command(&["service", "list", "--url", url]);
        ended(command.env("LONGSHORE_TOKEN", "x").spawn().unwrap()).await
    };
    let silent = call("http://127.0.0.1:1").await;
    assert!(
        silent.code == 3 && silent.error.contains("can't be reached"),
        "{silent:?}"
    );
    let bad_token = call(&world.url).await;
    assert!(
        bad_token.code == 1 && bad_token.error.contains("`longshore login`"),
        "{bad_token:?}"
    );

    // Whoever reads has enough.
    let mut child = world.command(&["service", "list", "-o", "json"]).spawn().unwrap();
    drop(child.stdout.take());
    let said = ended(child).await;
    assert_eq!((said.code, said.error.as_str()), (0, ""));
}

#[tokio::test]
async fn a_file_is_applied() {
    let world = World::start().await;
    world.sign_in().await;
    let spec = "spec:\n  image: registry.example/demo/shop:1\n  secrets: [{ name: TOKEN, value: s3cret-one }]\n  \
                resources: { cpu_request: 100m, cpu_limit: 100m, memory_request: 64Mi, memory_limit: 64Mi }\n";
    let file = world.file(
        "shop.yaml",
        &format!("name: shop\nreplicas: 2\ncomment: one\n{spec}"),
    );
    let apply = ["service", "apply", "-f", &file];
    let dry = [&apply[..], &["--dry-run"]].concat();

    let text = world.text(&dry).await;
    assert!(
        text.contains("would be created") && !text.contains("s3cret"),
        "{text}"
    );
    assert_eq!(world.both(&dry).await["action"], "create");
    world.refused(&["service", "get", "shop"], 1, "not_found").await;
    let said = world.run(&[&apply[..], &["--wait"]].concat()).await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "create demo/production/shop: done\n"),
        "{said:?}"
    );
    assert!(said.error.contains("100%"), "{said:?}");
    for arguments in [&apply[..], &dry] {
        assert_eq!(
            world.text(arguments).await,
            "demo/production/shop: nothing to change\n"
        );
    }
    assert_eq!(world.both(&apply).await["action"], "nothing");

    // A secret's value is compared without being shown.
    let changed = spec.replace("one", "two").replace("shop:1", "shop:2");
    std::fs::write(&file, format!("name: shop\nreplicas: 3\ncomment: two\n{changed}")).unwrap();
    let text = world.text(&dry).await;
    for part in [
        "replicas: 2 -> 3",
        "revision: 1 -> 2",
        "+image: registry.example/demo/shop:2",
        "fingerprint",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(
        world.both(&["service", "get", "shop"]).await["revision"],
        1,
        "nothing was done"
    );
    let operation = world
        .text(&[&apply[..], &["--wait", "-o", "json"]].concat())
        .await;
    let operation: Value = serde_json::from_str(&operation).unwrap();
    assert_eq!(
        (&operation["state"], &operation["revision"]),
        (&json!("succeeded"), &json!(2))
    );
    let service = world.both(&["service", "get", "shop"]).await;
    assert_eq!(
        (&service["replicas"], &service["status"]["ready"]),
        (&json!(3), &json!(3))
    );

    // What is exported changes nothing; from standard input too.
    let exported = world.text(&["service", "export", "shop"]).await;
    assert!(
        exported.starts_with("project: demo\n") && !exported.contains("s3cret"),
        "{exported}"
    );
    let from_input = ["service", "apply", "-f", "-"];
    let said = world.with_input(&from_input, &exported).await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "demo/production/shop: nothing to change\n"),
        "{said:?}"
    );
    let json = world.text(&["service", "export", "shop", "-o", "json"]).await;
    let said = world.with_input(&from_input, &json).await;
    assert!(
        said.code == 0 && said.out.contains("nothing to change"),
        "{said:?}"
    );

    // Back to a revision that is there already: no new one is made.
    world.text(&["service", "rollback", "shop", "--wait"]).await;
    let said = world.run(&[&apply[..], &["--wait"]].concat()).await;
    assert!(
        said.code == 0 && said.out.contains("release revision 2"),
        "{said:?}"
    );
    assert_eq!(
        world.both(&["service", "get", "shop"]).await["latest_revision"],
        2
    );

    // Several at once; one that is refused doesn't keep the others from it.
    let several = format!(
        "name: broken\n{}---\nname: second\nenvironment: test\n{spec}",
        spec.replace("registry.example/demo/shop:1", "'not an image'")
    );
    let said = world.with_input(&from_input, &several).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.error.contains("demo/production/broken: spec.image"),
        "{said:?}"
    );
    world.text(&["service", "get", "second", "-e", "test"]).await;

    for (text, part) in [
        ("name: x\nspec: { imgae: a }", "imgae"),
        ("", "no service"),
        (
            "name: shop\nproject: other\nspec: { image: a }",
            "--project says demo",
        ),
    ] {
        let said = world
            .with_input(&["service", "apply", "-f", "-", "-p", "demo"], text)
            .await;
        assert!(said.code == 2 && said.error.contains(part), "{text}: {said:?}");
    }
    world
        .refused(&["service", "apply", "-f", "/nowhere.yaml"], 2, "can't be read")
        .await;
    let nowhere = ["service", "apply", "-f", &file, "-e", "nowhere"];
    world.refused(&nowhere, 1, "not_found").await;
}

#[tokio::test]
async fn a_service_is_changed_by_a_word() {
    let world = World::start().await;
    world.sign_in().await;
    let done = async |arguments: &[&str], said: &str| {
        let text = world.text(&[arguments, &["--wait"]].concat()).await;
        assert_eq!(text, format!("{said}: done\n"), "{arguments:?}");
    };
    done(
        &["service", "scale", "web", "4"],
        "scale demo/production/web from 3 to 4 replicas",
    )
    .await;
    let again = world.text(&["service", "scale", "web", "4"]).await;
    assert!(again.contains("already"), "{again}");
    let two = [
        "service",
        "release",
        "web",
        "--image",
        "registry.example/demo/web:2.0",
        "-c",
        "second",
    ];
    done(&two, "release revision 2 of demo/production/web").await;
    let again = world.text(&two).await;
    assert!(again.contains("already"), "{again}");
    let diff = world.text(&["service", "diff", "web"]).await;
    assert!(diff.contains("+image: registry.example/demo/web:2.0"), "{diff}");
    let diff = world
        .both(&["service", "diff", "web", "--from", "2", "--to", "1"])
        .await;
    assert_eq!(diff["changes"][0]["after"], "registry.example/demo/web:1.0");
    done(
        &["service", "rollback", "web"],
        "roll back to revision 1 of demo/production/web",
    )
    .await;
    world
        .refused(&["service", "rollback", "web"], 2, "none before it")
        .await;
    world
        .refused(
            &["service", "rollback", "web", "--to", "9"],
            1,
            "revision_not_found",
        )
        .await;
    done(
        &["service", "release", "web", "--revision", "2"],
        "release revision 2 of demo/production/web",
    )
    .await;
    done(&["service", "restart", "web"], "restart demo/production/web").await;
    world.refused(&["service", "release", "web"], 2, "--image").await;
    world.refused(&["service", "scale", "web", "-1"], 2, "").await;
    world
        .refused(&["service", "scale", "nothere", "1"], 1, "not_found")
        .await;

    // A release that can't work: not yet, stopped, replaced.
    let bad = ["service", "release", "web", "--image", "missing.example/web:1"];
    let late = world
        .refused(
            &[&bad[..], &["--wait", "--timeout", "1s"]].concat(),
            5,
            "it goes on",
        )
        .await;
    let id = late
        .split("operation watch ")
        .nth(1)
        .unwrap()
        .split('`')
        .next()
        .unwrap()
        .to_owned();
    let mut watching = world.command(&["operation", "watch", &id]).spawn().unwrap();
    let mut told = tokio::io::BufReader::new(watching.stderr.take().unwrap());
    let mut line = String::new();
    let reading = tokio::io::AsyncBufReadExt::read_line(&mut told, &mut line);
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("it tells at once")
        .unwrap();
    let pid = watching.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    assert_eq!(ended(watching).await.code, 130);
    let accepted = world
        .text(&["service", "rollback", "web", "--to", "1", "-o", "json"])
        .await;
    let accepted: Value = serde_json::from_str(&accepted).unwrap();
    world
        .refused(&["operation", "watch", &id], 4, "newer operation")
        .await;
    let next = accepted["operation"].as_str().unwrap();
    world.text(&["operation", "watch", next]).await;

    // One that fails.
    let failing = "name: failing\nspec:\n  image: missing.example/x:1\n  rollout: { progress_deadline_seconds: 2 }\n  \
                   resources: { cpu_request: 10m, cpu_limit: 10m, memory_request: 16Mi, memory_limit: 16Mi }\n";
    let said = world
        .with_input(&["service", "apply", "-f", "-", "--wait"], failing)
        .await;
    assert_eq!(said.code, 4, "{said:?}");
    assert!(
        said.error.contains("failed") && said.error.contains("missing.example/x:1"),
        "{said:?}"
    );

    world.refused(&["service", "delete", "failing"], 2, "--yes").await;
    done(
        &["service", "delete", "failing", "--yes"],
        "delete demo/production/failing",
    )
    .await;
    world
        .refused(&["service", "get", "failing"], 1, "not_found")
        .await;
    world
        .refused(&["service", "delete", "failing", "--yes"], 1, "not_found")
        .await;
}

#[tokio::test]
async fn logs_of_all_replicas_are_read_together() {
    let world = World::start().await;
    world.sign_in().await;
    let sources = |text: &str| {
        let mut sources: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().next().unwrap().to_owned())
            .collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    };
    let seen = wait_for("lines of three replicas", PATIENCE, async || {
        let text = world.text(&["service", "logs", "web"]).await;
        let sources = sources(&text);
        if sources.len() == 3 {
            Ok(sources)
        } else {
            Err(text)
        }
    })
    .await;
    assert!(
        seen[0].starts_with("east-1/web-") && seen[2].starts_with("west-1/web-"),
        "{seen:?}"
    );
    let one = world.text(&["service", "logs", "web", "--tail", "1", "-t"]).await;
    assert!(one.lines().count() == 1 && one.starts_with("20"), "{one}");
    let pod = seen[0].split('/').nth(1).unwrap();
    let of_one = world.text(&["service", "logs", "web", "--pod", pod]).await;
    assert_eq!(sources(&of_one), [seen[0].clone()]);
    let log = world
        .both(&[
            "service",
            "logs",
            "web",
            "--cluster",
            "west-1",
            "--container",
            "web",
        ])
        .await;
    assert_eq!(log["lines"][0]["cluster"], "west-1");
    world.text(&["service", "logs", "web", "--since", "1h"]).await;
    world
        .refused(&["service", "logs", "web", "--since", "soon"], 2, "such as")
        .await;
    world
        .refused(
            &["service", "logs", "web", "-f", "--previous"],
            2,
            "cannot be used",
        )
        .await;
    world
        .refused(&["service", "logs", "nothere"], 1, "not_found")
        .await;
    world
        .refused(&["service", "logs", "nothere", "-f"], 1, "not_found")
        .await;
    let previous = wait_for("a run before the restart", PATIENCE, async || {
        let text = world
            .text(&["service", "logs", "importer", "-e", "test", "--previous"])
            .await;
        if text.is_empty() {
            Err("nothing yet")
        } else {
            Ok(text)
        }
    })
    .await;
    assert!(previous.contains("/importer-"), "{previous}");

    // A live log, and a replica that joins; Ctrl-C ends it.
    let mut following = world.command(&["service", "logs", "web", "-f"]).spawn().unwrap();
    let lines = tokio::io::BufReader::new(following.stdout.take().unwrap());
    let mut lines = tokio::io::AsyncBufReadExt::lines(lines);
    let mut followed = std::collections::BTreeSet::new();
    let reading = async {
        while followed.len() < 3 {
            let line = lines.next_line().await.unwrap().expect("it goes on");
            followed.insert(line.split_whitespace().next().unwrap().to_owned());
        }
        world.text(&["service", "scale", "web", "4"]).await;
        while followed.len() < 4 {
            let line = lines.next_line().await.unwrap().expect("it goes on");
            followed.insert(line.split_whitespace().next().unwrap().to_owned());
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the new replica's lines come");
    assert!(
        seen.iter().all(|source| followed.contains(source)),
        "{followed:?}"
    );
    let pid = following.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    assert_eq!(ended(following).await.code, 130);
}

#[tokio::test]
async fn what_is_stored_is_listed_and_deleted() {
    let world = World::start().await;
    world.sign_in().await;
    let stored = "name: stored\nreplicas: 1\nspec:\n  image: registry.example/demo/shop:1\n  \
                  volumes: [{ name: data, mount_path: /data, size: 1Gi, access: many_nodes }]\n  \
                  resources: { cpu_request: 10m, cpu_limit: 10m, memory_request: 16Mi, memory_limit: 16Mi }\n";
    let said = world
        .with_input(&["service", "apply", "-f", "-", "--wait"], stored)
        .await;
    assert_eq!(said.code, 0, "{said:?}");
    let list = ["volume", "list", "--service", "stored"];
    let claim = wait_for("its claim", PATIENCE, async || {
        let page = world.both(&list).await;
        match page["items"].as_array().unwrap().as_slice() {
            [item] => Ok(item.clone()),
            _ => Err(page),
        }
    })
    .await;
    let cluster = claim["cluster"].as_str().unwrap();
    let text = world.text(&["volume", "list"]).await;
    assert!(
        text.starts_with("SERVICE") && text.contains("stored-data") && text.contains(cluster),
        "{text}"
    );
    let delete = ["volume", "delete", "stored-data", "--cluster", cluster];
    world.refused(&delete, 2, "--yes").await;
    let sure = [&delete[..], &["--yes"]].concat();
    world.refused(&sure, 1, "volume_wanted").await;
    world
        .text(&["service", "delete", "stored", "--yes", "--wait"])
        .await;
    let kept = world.text(&list).await;
    assert!(kept.contains("kept"), "{kept}");
    assert_eq!(
        world.text(&sure).await,
        format!("stored-data on {cluster}: deleted, with what was stored in it\n")
    );
    assert_eq!(world.text(&list).await, "no volumes\n");
    world.refused(&sure, 1, "not_found").await;
}
