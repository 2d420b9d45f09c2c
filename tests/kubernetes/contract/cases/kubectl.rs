//! `kubectl`, whichever is installed, as a person at a terminal uses it.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::cases;
use crate::case::{Case, PATIENCE, eventually};
use crate::objects::{WEB, WEB_2, deployment, pod, talking_pod};

cases![
    applies_and_shows_what_would_change,
    rolls_out_and_back,
    edits_and_scales,
    looks_into_pods,
    copies_files,
    follows_a_log,
    opens_a_terminal,
    says_what_is_used,
    says_what_one_may_do,
];

const ROLLED_OUT: &str = "rollout status deployment/web --timeout=200s";

/// A user with a home of their own, in the case's namespace.
struct Kubectl<'a> {
    case: &'a Case,
    home: tempfile::TempDir,
}

impl<'a> Kubectl<'a> {
    fn new(case: &'a Case) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::copy(&case.kubeconfig, home.path().join("config")).expect("a kubeconfig");
        Self { case, home }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.home.path().join("config"))
            .env("KUBE_EDITOR", "sed -i s/replicas:.1/replicas:\\ 3/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn try_with(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = self.command("kubectl");
        command
            .args(["--namespace", &self.case.namespace])
            .args(arguments);
        finish(command, input)
            .await
            .map_err(|told| format!("{arguments:?}: {told}"))
    }

    async fn with(&self, arguments: &[&str], input: &str) -> String {
        self.try_with(arguments, input)
            .await
            .unwrap_or_else(|told| panic!("{told}"))
    }

    async fn run(&self, line: &str) -> String {
        self.with(&line.split(' ').collect::<Vec<_>>(), "").await
    }

    async fn apply(&self, object: &Value) -> String {
        self.with(&["apply", "-f", "-"], &object.to_string()).await
    }

    async fn web_pod(&self) {
        super::pods::create(self.case, pod("web", WEB)).await;
        self.run("wait --for=condition=ready --timeout=200s pod/web")
            .await;
    }
}

async fn finish(mut command: Command, input: &str) -> Result<String, String> {
    let mut child = command
        .spawn()
        .expect("it is installed: tests/setup/packages kubernetes");
    // One that does not read its input is done with it.
    let _ = child
        .stdin
        .take()
        .expect("an input")
        .write_all(input.as_bytes())
        .await;
    let output = child.wait_with_output().await.expect("an output");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(out)
    } else {
        Err(format!("{out}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

async fn applies_and_shows_what_would_change(case: &Case) {
    let kubectl = Kubectl::new(case);
    let first = deployment("web", 2, WEB);
    assert_eq!(kubectl.apply(&first).await, "deployment.apps/web created\n");
    let done = kubectl.run(ROLLED_OUT).await;
    assert!(
        done.ends_with("deployment \"web\" successfully rolled out\n"),
        "{done}"
    );
    let table = kubectl.run("get deployments").await;
    let mut lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(
        lines.next().expect("a header"),
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    );
    assert_eq!(lines.next().expect("a row")[..4], ["web", "2/2", "2", "2"]);
    let node = case.list("pods").await[0]["spec"]["nodeName"].clone();
    let wide = kubectl.run("get pods -o wide").await;
    assert!(
        wide.contains(node.as_str().expect("a node")),
        "wide tables name the node: {wide}"
    );

    let second = deployment("web", 2, WEB_2).to_string();
    let changed = kubectl
        .try_with(&["diff", "-f", "-"], &second)
        .await
        .expect_err("differences are exit code 1");
    assert!(changed.contains(&format!("image: {WEB_2}")), "{changed}");
    let tried = kubectl
        .with(&["apply", "--dry-run=server", "-f", "-"], &second)
        .await;
    assert_eq!(tried, "deployment.apps/web configured (server dry run)\n");
    assert_eq!(
        kubectl.apply(&first).await,
        "deployment.apps/web unchanged\n",
        "trying changed nothing"
    );
    let conflict = kubectl
        .try_with(
            &["apply", "--server-side", "--field-manager=somebody", "-f", "-"],
            &second,
        )
        .await
        .expect_err("another one owns the image");
    assert!(conflict.contains("conflict"), "{conflict}");
}

async fn rolls_out_and_back(case: &Case) {
    let kubectl = Kubectl::new(case);
    kubectl.apply(&deployment("web", 1, WEB)).await;
    kubectl.run(ROLLED_OUT).await;
    kubectl.apply(&deployment("web", 1, WEB_2)).await;
    kubectl.run(ROLLED_OUT).await;
    let image = "jsonpath={.spec.template.spec.containers[0].image}";
    assert_eq!(
        kubectl.with(&["get", "deployment", "web", "-o", image], "").await,
        WEB_2
    );
    kubectl.run("rollout undo deployment/web").await;
    kubectl.run(ROLLED_OUT).await;
    assert_eq!(
        kubectl.with(&["get", "deployment", "web", "-o", image], "").await,
        WEB
    );
    let history = kubectl.run("rollout history deployment/web").await;
    assert_eq!(
        history.lines().filter(|line| line.contains("<none>")).count(),
        2,
        "{history}"
    );
    kubectl
        .run(&format!("set image deployment/web web={WEB_2}"))
        .await;
    kubectl.run("rollout restart deployment/web").await;
    kubectl.run(ROLLED_OUT).await;
    let described = kubectl.run("describe deployment web").await;
    assert!(described.contains("ScalingReplicaSet"), "{described}");
}

async fn edits_and_scales(case: &Case) {
    let kubectl = Kubectl::new(case);
    kubectl.apply(&deployment("web", 1, WEB)).await;
    assert_eq!(
        kubectl.run("edit deployment web").await,
        "deployment.apps/web edited\n"
    );
    kubectl.run(ROLLED_OUT).await;
    let replicas = [
        "get",
        "deployment",
        "web",
        "-o",
        "jsonpath={.status.readyReplicas}",
    ];
    assert_eq!(kubectl.with(&replicas, "").await, "3");
    assert_eq!(
        kubectl.run("scale deployment/web --replicas=2").await,
        "deployment.apps/web scaled\n"
    );
    kubectl
        .run("wait --for=condition=available --timeout=200s deployment/web")
        .await;
    kubectl.run("expose deployment web --name=front --port=80").await;
    assert!(kubectl.run("get all").await.contains("service/front"));
    let deleted = kubectl.run("delete deployment web").await;
    assert!(
        deleted.starts_with("deployment.apps \"web\" deleted"),
        "{deleted}"
    );
    eventually("no pods", async || {
        let left = kubectl.run("get pods --no-headers").await;
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}

async fn looks_into_pods(case: &Case) {
    let kubectl = Kubectl::new(case);
    kubectl.web_pod().await;
    assert_eq!(
        kubectl
            .with(&["exec", "-i", "web", "--", "tr", "a-z", "A-Z"], "hello")
            .await,
        "HELLO"
    );
    let failed = kubectl
        .try_with(&["exec", "web", "--", "sh", "-c", "exit 7"], "")
        .await
        .expect_err("the command failed");
    assert!(failed.contains("exit code 7"), "{failed}");
    let described = kubectl.run("describe pod web").await;
    assert!(described.contains("Successfully assigned"), "{described}");
    let deleted = kubectl.run("delete pod web --wait=true --timeout=200s").await;
    assert!(deleted.starts_with("pod \"web\" deleted"), "{deleted}");
}

async fn copies_files(case: &Case) {
    let kubectl = Kubectl::new(case);
    kubectl.web_pod().await;
    std::fs::write(kubectl.home.path().join("note"), "by hand\n").expect("written");
    kubectl.run("cp note web:tmp-note").await;
    assert_eq!(kubectl.run("exec web -- cat tmp-note").await, "by hand\n");
    kubectl.run("cp web:tmp-note copy").await;
    let copy = std::fs::read_to_string(kubectl.home.path().join("copy")).expect("a copy");
    assert_eq!(copy, "by hand\n");
}

async fn follows_a_log(case: &Case) {
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    let kubectl = Kubectl::new(case);
    super::pods::create(case, talking_pod("web")).await;
    kubectl
        .run("wait --for=condition=ready --timeout=200s pod/web")
        .await;
    let mut command = kubectl.command("kubectl");
    command.args(["--namespace", &case.namespace, "logs", "-f", "--tail=1", "web"]);
    let mut child = command.spawn().expect("kubectl");
    let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    let three = async {
        for _ in 0..3 {
            let line = lines.next_line().await.expect("a line");
            assert!(line.is_some(), "the log ended");
        }
    };
    tokio::select! {
        () = three => {}
        () = super::logs::talk(case) => {}
    }
    child.kill().await.expect("it runs until it is stopped");
}

/// `script` gives it a terminal, as a person has. The command ends at a key: what is written and ended at once may be
/// cut off on its way.
async fn opens_a_terminal(case: &Case) {
    let kubectl = Kubectl::new(case);
    kubectl.web_pod().await;
    let line = format!(
        "kubectl --namespace {} exec -it web -- sh -c 'test -t 0 && echo a ter\"\"minal && read key'",
        case.namespace
    );
    let mut command = kubectl.command("script");
    command.args(["-qec", &line, "/dev/null"]);
    let mut child = command
        .spawn()
        .expect("it is installed: tests/setup/packages kubernetes");
    let mut screen = String::new();
    let mut output = child.stdout.take().expect("an output");
    let shown = async {
        let mut bytes = [0; 1024];
        while !screen.contains("a terminal") {
            let count = output.read(&mut bytes).await.expect("output");
            assert!(count > 0, "it ended: {screen:?}");
            screen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, shown).await.is_ok();
    assert!(in_time, "no terminal in {PATIENCE:?}: {screen:?}");
    let mut keys = child.stdin.take().expect("an input");
    keys.write_all(b"\n").await.expect("typed");
    let ended = tokio::time::timeout(PATIENCE, child.wait())
        .await
        .expect("it ends in time")
        .expect("a status");
    assert!(ended.success(), "{ended}: {screen:?}");
}

/// Where nobody measures, it says so.
async fn says_what_is_used(case: &Case) {
    let kubectl = Kubectl::new(case);
    kubectl.web_pod().await;
    if case.get("/apis/metrics.k8s.io/v1beta1").await.code == 404 {
        let told = kubectl
            .try_with(&["top", "pods"], "")
            .await
            .expect_err("nobody measures");
        assert!(told.contains("Metrics API not available"), "{told}");
        return;
    }
    eventually("figures of the pod", async || {
        let table = kubectl.try_with(&["top", "pods"], "").await?;
        if table.contains("web") { Ok(()) } else { Err(table) }
    })
    .await;
    assert!(kubectl.run("top nodes").await.lines().count() > 1);
}

async fn says_what_one_may_do(case: &Case) {
    let kubectl = Kubectl::new(case);
    assert_eq!(kubectl.run("auth can-i delete pods").await, "yes\n");
    kubectl
        .run("create configmap settings --from-literal=colour=blue")
        .await;
    let colour = ["get", "cm", "settings", "-o", "jsonpath={.data.colour}"];
    assert_eq!(kubectl.with(&colour, "").await, "blue");
    let missing = kubectl
        .try_with(&["get", "cm", "none"], "")
        .await
        .expect_err("it is not there");
    assert!(
        missing.contains("Error from server (NotFound): configmaps \"none\" not found"),
        "{missing}"
    );
}
