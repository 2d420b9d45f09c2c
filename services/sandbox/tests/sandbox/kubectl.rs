//! `kubectl`, whichever is installed: what the contract of `tests/kubernetes` doesn't try on real clusters too.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::support::{Stage, eventually, http};

/// A user at a terminal, with a home of their own.
struct Kubectl {
    home: tempfile::TempDir,
}

impl Kubectl {
    fn new(stage: &Stage) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config"), stage.cluster().kubeconfig()).unwrap();
        Self { home }
    }

    async fn try_with(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new("kubectl");
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.home.path().join("config"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .expect("kubectl is installed: tests/setup/packages kubernetes");
        // One that does not read its input is done with it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = child.wait_with_output().await.unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            Ok(out)
        } else {
            Err(format!("{arguments:?}: {out}{errors}"))
        }
    }

    async fn with(&self, arguments: &[&str], input: &str) -> String {
        self.try_with(arguments, input).await.unwrap()
    }

    async fn run(&self, line: &str) -> String {
        self.with(&line.split(' ').collect::<Vec<_>>(), "").await
    }

    /// A pod `web` that is ready.
    async fn web_pod(&self) {
        // A namespace that has just been made has no service account at first.
        eventually(|| async { self.try_with(&["run", "web", "--image=shop/web:1"], "").await }).await;
        self.run("wait --for=condition=ready --timeout=30s pod/web").await;
    }
}

#[tokio::test]
async fn a_node_is_drained() {
    let stage = Stage::new().await;
    let kubectl = Kubectl::new(&stage);
    kubectl.web_pod().await;
    let place = ["get", "pod", "web", "-o", "jsonpath={.spec.nodeName}"];
    let node = kubectl.with(&place, "").await;
    let drain = format!("drain {node} --ignore-daemonsets");
    let refused = kubectl
        .try_with(&drain.split(' ').collect::<Vec<_>>(), "")
        .await
        .unwrap_err();
    assert!(refused.contains("--force"), "nothing brings it back: {refused}");
    kubectl.run(&format!("{drain} --force")).await;
    let gone = kubectl.try_with(&place, "").await.unwrap_err();
    assert!(gone.contains("\"web\" not found"), "{gone}");
    let closed = "Ready,SchedulingDisabled";
    assert!(kubectl.run("get nodes").await.contains(closed));
    kubectl.run(&format!("uncordon {node}")).await;
    assert!(!kubectl.run("get nodes").await.contains(closed));
}

#[tokio::test]
async fn ports_are_forwarded() {
    let stage = Stage::new().await;
    let kubectl = Kubectl::new(&stage);
    let pod = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [
        {"name": "web", "image": "shop/web:1", "ports": [{"containerPort": 8080}]}]}}"#;
    eventually(|| async { kubectl.try_with(&["apply", "-f", "-"], pod).await }).await;
    kubectl
        .run("wait --for=condition=ready --timeout=30s pod/web")
        .await;
    // Over a WebSocket, as today, and over SPDY alone, as before 1.31.
    for tunnelled in ["true", "false"] {
        let mut command = Command::new("kubectl");
        command
            .args(["port-forward", "pod/web", ":8080", ":9"])
            .env("KUBECONFIG", kubectl.home.path().join("config"))
            .env("HOME", kubectl.home.path())
            .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", tunnelled)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        // `Forwarding from 127.0.0.1:40123 -> 8080`, for each port and for each of localhost's addresses.
        let mut port_to = async |wanted: &str| loop {
            let line = within(lines.next_line()).await.unwrap().expect("it goes on");
            if let Some((from, to)) = line.split_once(" -> ")
                && to == wanted
                && let Some(port) = from.strip_prefix("Forwarding from 127.0.0.1:")
            {
                return port.parse::<u16>().unwrap();
            }
        };
        let (open, closed) = (port_to("8080").await, port_to("9").await);
        let mut many = tokio::task::JoinSet::new();
        for number in 0..20 {
            many.spawn(
                async move { http("GET", &format!("127.0.0.1:{open}"), &format!("/n{number}")).await },
            );
        }
        let mut paths = Vec::new();
        while let Some(answer) = many.join_next().await {
            let (status, body) = answer.unwrap().unwrap();
            assert_eq!(status, 200, "{body}");
            let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(
                (&answer["pod"], &answer["port"]),
                (&"web".into(), &8080.into()),
                "{answer}"
            );
            paths.push(answer["path"].as_str().unwrap().to_owned());
        }
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 20);
        let mut refused = TcpStream::connect(("127.0.0.1", closed)).await.unwrap();
        let mut nothing = Vec::new();
        // Closed or reset, whichever comes first.
        let _ = within(refused.read_to_end(&mut nothing)).await;
        assert!(nothing.is_empty());
        let said = within(errors.next_line()).await.unwrap().unwrap();
        assert!(said.contains("connection refused"), "{said}");
        // It ends by itself after a connection that failed, or now.
        let _ = child.kill().await;
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("within half a minute")
}

#[tokio::test]
async fn a_pod_is_debugged() {
    let stage = Stage::new().await;
    let kubectl = Kubectl::new(&stage);
    kubectl.web_pod().await;
    kubectl
        .run("debug web --image=tools:1 --target=web --container=look --env=A=b -- sleep 1000")
        .await;
    let running = "{.status.ephemeralContainerStatuses[?(@.name=='look')].state.running.startedAt}";
    eventually(|| async {
        let since = kubectl
            .with(&["get", "pod", "web", "-o", &format!("jsonpath={running}")], "")
            .await;
        if since.is_empty() {
            Err("it does not run")
        } else {
            Ok(())
        }
    })
    .await;
    assert!(
        kubectl
            .run("logs web -c look")
            .await
            .starts_with("started look from image tools:1")
    );
    assert_eq!(kubectl.run("exec web -c look -- printenv A").await, "b\n");
    let again = kubectl
        .try_with(
            &[
                "debug",
                "web",
                "--image=tools:1",
                "--container=web",
                "--",
                "sleep",
                "1",
            ],
            "",
        )
        .await
        .unwrap_err();
    assert!(again.contains("Duplicate value: \"web\""), "{again}");
    // The pod stays as ready as it was.
    assert_eq!(
        kubectl
            .run("get pod web --no-headers")
            .await
            .split_whitespace()
            .nth(1),
        Some("1/1")
    );
}

#[tokio::test]
async fn a_custom_kind_is_used() {
    const DEFINITION: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"#;
    const WIDGET: &str =
        "{apiVersion: example.com/v1, kind: Widget, metadata: {name: one}, spec: {size: 1, tags: [a]}}";
    let stage = Stage::new().await;
    let kubectl = Kubectl::new(&stage);
    let made = kubectl.with(&["apply", "-f", "-"], DEFINITION).await;
    assert_eq!(
        made,
        "customresourcedefinition.apiextensions.k8s.io/widgets.example.com created\n"
    );
    kubectl
        .run("wait --for=condition=established --timeout=30s crd/widgets.example.com")
        .await;
    assert_eq!(
        kubectl.with(&["apply", "-f", "-"], WIDGET).await,
        "widget.example.com/one created\n"
    );
    let second = WIDGET.replace("size: 1", "size: 2");
    assert_eq!(
        kubectl.with(&["apply", "-f", "-"], &second).await,
        "widget.example.com/one configured\n"
    );
    assert_eq!(
        kubectl.with(&["apply", "-f", "-"], &second).await,
        "widget.example.com/one unchanged\n"
    );
    let size = ["get", "wd", "one", "-o", "jsonpath={.spec.size} {.spec.tags[0]}"];
    assert_eq!(kubectl.with(&size, "").await, "2 a");
    let table = kubectl.run("get widgets").await;
    assert!(table.starts_with("NAME   AGE\none "), "{table}");
    let conflict = kubectl
        .try_with(&["apply", "--server-side", "-f", "-"], WIDGET)
        .await
        .unwrap_err();
    assert!(conflict.contains("Apply failed with 1 conflict"), "{conflict}");
    kubectl
        .with(
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            WIDGET,
        )
        .await;
    assert_eq!(kubectl.with(&size, "").await, "1 a");
    kubectl.run("label widget one a=b").await;
    assert!(
        kubectl
            .run("api-resources --api-group=example.com")
            .await
            .contains("widgets")
    );
    assert!(kubectl.run("describe wd one").await.contains("Size:  1"));
    kubectl.run("delete crd widgets.example.com --timeout=30s").await;
    let gone = kubectl.try_with(&["get", "widgets"], "").await.unwrap_err();
    assert!(
        gone.contains("the server could not find the requested resource"),
        "{gone}"
    );
}
