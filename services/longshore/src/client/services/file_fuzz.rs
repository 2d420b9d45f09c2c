//! Files that nobody would write.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};
use test_support::fuzz;

use super::*;

const TEXT: &str = "
project: shop
environment: test
name: web
kind: Deployment
description: &shop 'the shop'
replicas: 3
placement:
  strategy: { type: weights, weights: { east: 2, west: 1 } }
  min_per_cluster: 1
spec:
  image: web:1
  command: [sh, -c, 'echo \"on\"; exec yes']
  env:
    - { name: A, value: 'true' }
    - name: B
      value: *shop
  config_files:
    - path: /etc/app
      content: |
        one: 1

        # two
  annotations: { note: 'no' }
comment: >-
  first
  try
---
name: cart
spec: { image: 'cart:1' }
";

fn document() -> Value {
    json!({
        "project": "shop", "environment": "test", "name": "web", "kind": "Deployment", "description": "the shop",
        "replicas": 3, "placement": { "strategy": { "type": "pinned", "replicas": { "east": 2, "west": 1 } } },
        "spec": {
            "image": "web:1", "command": ["a"], "args": ["b", "c"], "env": [{ "name": "A", "value": "b" }],
            "config_files": [{ "path": "/etc/a", "content": "one: 1\n\ntwo: 2\n" }],
            "secrets": [{ "name": "TOKEN", "value": "s" }, { "name": "key", "value": "k", "path": "/etc/key" }],
            "ports": [{ "name": "http", "port": 80, "protocol": "TCP" }],
            "probes": { "readiness": { "check": { "type": "http", "path": "/", "port": 80 }, "period_seconds": 5 } },
            "host_aliases": [{ "ip": "10.0.0.1", "hostnames": ["db"] }],
            "run_as_user": 1000, "annotations": { "team": "shop" },
        },
        "comment": "first",
    })
}

/// Refused with a reason, or read as something that says the same when it is written and read again.
fn holds(text: &str) -> Result<(), TestCaseError> {
    let files = match read(text) {
        Ok(files) => files,
        Err(error) => {
            prop_assert!(!error.is_empty());
            return Ok(());
        }
    };
    prop_assert!(!files.is_empty());
    for file in files {
        let written = crate::client::output::yaml(&file).unwrap();
        prop_assert_eq!(read(&written), Ok(vec![file]), "{}", written);
    }
    Ok(())
}

proptest! {
    #![proptest_config(fuzz::cases(300))]

    #[test]
    fn any_text_is_read_or_refused(text in fuzz::text()) {
        holds(&text)?;
    }

    #[test]
    fn text_that_was_good_is_read_or_refused(text in fuzz::edited(TEXT)) {
        holds(&text)?;
    }

    #[test]
    fn a_document_that_was_good_is_read_or_refused(document in fuzz::changed(document())) {
        holds(&document.to_string())?;
    }

    /// What people export holds whatever their services do.
    #[test]
    fn any_text_in_a_service_survives_its_export(texts in prop::collection::vec(fuzz::text(), 5)) {
        let mut document = document();
        for (place, text) in ["/description", "/comment", "/spec/env/0/value", "/spec/config_files/0/content", "/spec/args/1"]
            .into_iter()
            .zip(texts)
        {
            *document.pointer_mut(place).unwrap() = Value::String(text);
        }
        let file: ServiceFile = serde_json::from_value(document).unwrap();
        let written = crate::client::output::yaml(&file).unwrap();
        prop_assert_eq!(read(&written), Ok(vec![file]), "{}", written);
    }
}

#[test]
fn deep_and_repeated_documents_end_soon() {
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        format!("name: a\nspec: {}", "{image: ".repeat(50_000)),
        "&a [*a]".to_owned(),
        "---\n".repeat(100_000),
    ] {
        assert!(!read(&text).expect_err("refused").is_empty());
    }
}
