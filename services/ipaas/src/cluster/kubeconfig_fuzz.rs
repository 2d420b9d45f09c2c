//! Kubeconfigs that nobody would write, and some that somebody would.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};
use test_support::fuzz;

use super::*;

/// Stands where a secret would; no refusal may repeat it.
const SECRET: &str = "s3cretMark";

fn document() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "main",
        "contexts": [
            { "name": "main", "context": { "cluster": "one", "user": "admin", "namespace": "web" } },
            { "name": "other", "context": { "cluster": "two", "user": "other" } },
        ],
        "clusters": [
            { "name": "one", "cluster": { "server": "https://127.0.0.1:6443", "insecure-skip-tls-verify": true } },
            { "name": "two", "cluster": { "server": "https://127.0.0.1:7443", "certificate-authority": "/etc/ca" } },
        ],
        "users": [
            { "name": "admin", "user": { "token": SECRET } },
            { "name": "other", "user": { "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": "aws" } } },
        ],
    })
}

const TEXT: &str = "
apiVersion: v1
kind: Config
current-context: main
contexts:
- name: main
  context: { cluster: one, user: admin }
clusters:
- name: one
  cluster:
    server: https://127.0.0.1:6443
    tls-server-name: kubernetes
    certificate-authority-data: czNjcmV0TWFyaw==
users:
- name: admin
  user: { token: s3cretMark }
";

fn read_now(text: &str) -> Result<Target, ApiError> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(read(text))
}

/// Refused with a code and without a word of what stands there, or taken with nothing that leaves the text.
fn holds(text: &str) -> Result<Option<Target>, TestCaseError> {
    let target = match read_now(text) {
        Ok(target) => target,
        Err(error) => {
            let known = ["kubeconfig_invalid", "kubeconfig_unsupported"];
            prop_assert!(known.contains(&error.code.as_ref()), "{}", error.code);
            prop_assert_eq!(error.status, StatusCode::UNPROCESSABLE_ENTITY);
            prop_assert!(!error.message.contains(SECRET), "{}", error.message);
            return Ok(None);
        }
    };
    let kept: Value = serde_json::from_str(&target.minimal).unwrap();
    for (list, part, fields) in [
        (
            "users",
            "user",
            &[
                "exec",
                "auth-provider",
                "tokenFile",
                "client-certificate",
                "client-key",
            ][..],
        ),
        ("clusters", "cluster", &["certificate-authority", "proxy-url"][..]),
    ] {
        for named in kept[list].as_array().unwrap() {
            for field in fields {
                let value = &named[part][field];
                prop_assert!(value.is_null() || value == "", "{field} is kept: {value}");
            }
        }
    }
    prop_assert!(target.server.starts_with("http"), "{}", target.server);
    let again = read_now(&target.minimal);
    prop_assert!(again.is_ok_and(|again| again.minimal == target.minimal));
    Ok(Some(target))
}

/// What would run a program or read a file, at its place in the user or the cluster.
fn outside(mark: &Path) -> Vec<(&'static str, &'static str, Value)> {
    let mark = mark.to_str().unwrap();
    let program = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": [mark],
        "interactiveMode": "Never" });
    vec![
        ("/users/0/user", "exec", program),
        ("/users/0/user", "tokenFile", json!(mark)),
        ("/users/0/user", "client-certificate", json!(mark)),
        ("/users/0/user", "client-key", json!(mark)),
        (
            "/users/0/user",
            "auth-provider",
            json!({ "name": "gcp", "config": { "cmd-path": "touch", "cmd-args": mark } }),
        ),
        ("/clusters/0/cluster", "certificate-authority", json!(mark)),
        ("/clusters/0/cluster", "proxy-url", json!("http://127.0.0.1:1")),
    ]
}

proptest! {
    #![proptest_config(fuzz::cases(400))]

    #[test]
    fn any_text_is_read_or_refused(text in fuzz::text()) {
        holds(&text)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        holds(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn text_that_was_good_is_read_or_refused(text in fuzz::edited(TEXT)) {
        holds(&text)?;
    }

    #[test]
    fn a_document_that_was_good_is_read_or_refused(document in fuzz::changed(document())) {
        holds(&document.to_string())?;
    }
}

proptest! {
    #![proptest_config(fuzz::cases(100))]

    #[test]
    fn nothing_runs_and_no_file_is_read(
        chosen in subsequence((0..7_usize).collect::<Vec<_>>(), 0..4),
        token in any::<bool>(),
        style in select(&["json", "yaml"][..]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let mut document = document();
        if !token {
            document["users"][0]["user"].as_object_mut().unwrap().remove("token");
        }
        let outside = outside(&mark);
        for place in &chosen {
            let (at, field, value) = &outside[*place];
            document.pointer_mut(at).unwrap()[field] = value.clone();
        }
        let text = if style == "json" { document.to_string() } else { yaml(&document) };
        let taken = holds(&text)?;
        prop_assert_eq!(taken.is_some(), chosen.is_empty());
        prop_assert!(!mark.exists());
    }
}

/// As people write it: a document in block style.
fn yaml(document: &Value) -> String {
    fn write(value: &Value, depth: usize, text: &mut String) {
        let pad = "  ".repeat(depth);
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, value) in fields {
                    text.push_str(&format!("\n{pad}{name}:"));
                    write(value, depth + 1, text);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    text.push_str(&format!("\n{pad}- "));
                    text.push_str(&item.to_string());
                }
            }
            plain => text.push_str(&format!(" {plain}")),
        }
    }
    let mut text = String::new();
    write(document, 0, &mut text);
    text
}

#[test]
fn deep_and_repeated_documents_end_soon() {
    let bomb: String = (0..30)
        .map(|level| match level {
            0 => "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(),
            level => format!(
                "a{level}: &a{level} [{}]\n",
                vec![format!("*a{}", level - 1); 10].join(", ")
            ),
        })
        .collect();
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        format!("contexts: {}", "[{context: ".repeat(50_000)),
        bomb,
        "&a [*a]".to_owned(),
        format!("current-context: {}", "x".repeat(1 << 20)),
    ] {
        let error = read_now(&text).expect_err("refused");
        assert_eq!(error.code, "kubeconfig_invalid");
    }
}
