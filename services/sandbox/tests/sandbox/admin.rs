//! The admin endpoint.

use serde_json::Value;

use crate::support::{Stage, http};

#[tokio::test]
async fn clusters_are_listed_and_switched() {
    let stage = Stage::new().await;
    let admin = stage.sandbox.admin_address().unwrap().to_string();
    let (status, body) = http("GET", &admin, "/clusters").await.unwrap();
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["items"][0]["name"], "east");
    assert_eq!(body["items"][0]["nodes"], 2);
    assert_eq!(body["items"][0]["up"], true);

    let (status, _) = http("POST", &admin, "/clusters/east/down").await.unwrap();
    assert_eq!(status, 200);
    assert!(stage.client.apiserver_version().await.is_err());
    let (status, _) = http("POST", &admin, "/clusters/east/up").await.unwrap();
    assert_eq!(status, 200);
    assert!(stage.client.apiserver_version().await.is_ok());

    let (status, kubeconfig) = http("GET", &admin, "/clusters/east/kubeconfig").await.unwrap();
    assert_eq!((status, kubeconfig), (200, stage.cluster().kubeconfig()));
    let (status, body) = http("POST", &admin, "/clusters/north/down").await.unwrap();
    assert_eq!(status, 404);
    assert!(body.contains("not_found"), "{body}");
}
