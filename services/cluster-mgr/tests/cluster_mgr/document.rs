//! The committed OpenAPI document.

use std::path::Path;

fn updating() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the test run, not a setting of the service"
    )]
    std::env::var("LONGSHORE_UPDATE_OPENAPI").is_ok()
}

#[test]
fn the_committed_document_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let fresh = cluster_mgr::openapi().to_pretty_json().unwrap() + "\n";
    if updating() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == fresh,
        "openapi.json is stale; run the tests once with LONGSHORE_UPDATE_OPENAPI=1"
    );
}

#[test]
fn every_operation_names_its_permission() {
    let document = serde_json::to_value(cluster_mgr::openapi()).unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let name = operation["x-permission"].as_str().unwrap_or_default();
            // No user's: it takes the token of a cluster's agent.
            let heartbeat = name == "cluster-token" && operation["operationId"] == "report_heartbeat";
            assert!(
                heartbeat || name.parse::<auth::Permission>().is_ok(),
                "{method} {path} needs a permission, not `{name}`"
            );
            assert!(operation["operationId"].is_string(), "{method} {path}");
        }
    }
    assert_eq!(operations, 62);
}
