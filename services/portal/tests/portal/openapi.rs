//! The merged document is committed, fresh, and names a permission for every operation.

use std::path::Path;

use portal::api::own_document;
use portal::app::document::Documents;
use portal::app::routes::RouteTable;
use serde_json::Value;

#[expect(
    clippy::disallowed_methods,
    reason = "the variable asks this test to write the document anew"
)]
fn asked_to_update() -> bool {
    std::env::var("LONGSHORE_UPDATE_OPENAPI").is_ok()
}

/// From the files as they lie there now: the ones in this program may be older.
fn documents() -> Documents {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |service: &str| std::fs::read_to_string(services.join(service).join("openapi.json")).unwrap();
    let own = serde_json::to_value(own_document()).unwrap();
    Documents::of(own, &read("cluster-mgr"), &read("ipaas")).unwrap()
}

#[test]
fn the_committed_document_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let merged = documents().merged().unwrap();
    if asked_to_update() {
        let text = serde_json::to_string_pretty(&merged).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let committed: Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap_or_default()).unwrap_or_default();
    assert!(
        committed == merged,
        "services/portal/openapi.json is stale: run this test with LONGSHORE_UPDATE_OPENAPI=1 and commit it"
    );
}

#[test]
fn every_operation_says_what_it_needs() {
    let documents = documents();
    // An operation without a permission can't be in the table: building it fails.
    let table = RouteTable::build(&documents.each()).unwrap();
    let merged = documents.merged().unwrap();
    let mut count = 0;
    for (path, item) in merged["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["x-permission"].is_string(), "{method} {path}");
            assert!(path.starts_with("/api/v1/"), "{path}");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            count += 1;
        }
    }
    assert_eq!(table.operations().count(), count);
}
