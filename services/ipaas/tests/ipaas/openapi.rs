//! The committed document is what the code says.

use std::path::Path;

#[test]
fn the_committed_document_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let mut now = serde_json::to_string_pretty(&ipaas::openapi()).unwrap();
    now.push('\n');
    #[expect(clippy::disallowed_methods, reason = "set by hand to write the document anew")]
    if std::env::var("LONGSHORE_UPDATE_OPENAPI").is_ok() {
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == now,
        "openapi.json is stale; run the tests of ipaas with LONGSHORE_UPDATE_OPENAPI=1 and commit it"
    );
}

#[test]
fn every_operation_names_a_permission_there_is() {
    let document = serde_json::to_value(ipaas::openapi()).unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, operation) in item.as_object().unwrap() {
            let permission = operation["x-permission"]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path}"));
            permission
                .parse::<auth::Permission>()
                .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
            assert!(operation["operationId"].is_string(), "{method} {path}");
            operations += 1;
        }
    }
    assert_eq!(operations, 11);
}
