//! Queries of lists that nobody would send.

use test_support::{Backend, fuzz};

use crate::bed::{Bed, Ground, WEB};

const PARAMETERS: &[(&str, &[&str])] = &[
    (
        "sort",
        &[
            "name",
            "-name",
            "created_at",
            "-restarts",
            "status",
            "-cluster",
            "node",
        ],
    ),
    ("limit", &["1", "2", "500", "0", "501"]),
    ("q", &["web", "127.", "node", "a:b", "%"]),
    ("project", &["shop"]),
    ("environment", &["test"]),
    ("service", &["web"]),
    ("cluster", &["alpha", "none"]),
    ("node", &["alpha-1"]),
    ("status", &["Running", "Running,Pending"]),
    ("ready", &["true", "false"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn any_query_of_a_list_gets_a_page_or_a_clear_refusal() {
    // These lists come from the index and from the clusters: no database has a part in them.
    let bed = Bed::new(Ground::Sandbox(Backend::Sqlite)).await;
    bed.client
        .apply_workload(bed.cluster().id, &bed.desired("web", 1, WEB))
        .await
        .unwrap();
    bed.wait_rolled_out("web", 1, 2).await;
    let service = format!("/api/v1/projects/{}/environments/test/services/web", bed.project);
    let lists = [
        "/api/v1/pods".to_owned(),
        format!("{service}/pods"),
        format!("{service}/events"),
        format!("{}/events", bed.pod_path(&bed.a_pod("web").await)),
        "/api/v1/clusters/alpha/nodes".to_owned(),
    ];
    let token = bed.operator();
    let mut cursors = Vec::new();
    for list in &lists {
        for sort in ["name", "-name", "-restarts", "status"] {
            let (status, page) = bed
                .send("GET", &format!("{list}?limit=1&sort={sort}"), Some(&token))
                .await;
            if status == 200 {
                cursors.push(page["next_cursor"].as_str().expect("a second page").to_owned());
            }
        }
    }
    assert!(cursors.len() >= lists.len(), "{cursors:?}");
    fuzz::ask_lists(file!(), 400, &lists, PARAMETERS, cursors, async |path| {
        bed.send("GET", path, Some(&token)).await
    });
    bed.finish().await;
}
