use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::index::wire;

fn pod(namespace: &str, name: &str, change: impl FnOnce(&mut serde_json::Value)) -> wire::Pod {
    let mut pod = json!({
        "metadata": { "namespace": namespace, "name": name, "creationTimestamp": "2026-01-01T00:00:00Z" },
        "spec": { "nodeName": "node-1", "containers": [{ "name": "c", "image": "registry/web:1",
            "resources": { "requests": { "cpu": "100m", "memory": "64Mi" } } }] },
        "status": { "phase": "Running", "podIP": "10.1.2.3",
            "conditions": [{ "type": "Ready", "status": "True" }],
            "containerStatuses": [{ "name": "c", "ready": true, "restartCount": 0, "state": { "running": {} } }] },
    });
    change(&mut pod);
    serde_json::from_value(pod).unwrap()
}

fn of_service(project: &str, service: &str, name: &str) -> wire::Pod {
    let key = ServiceKey::new(project, "test", service);
    pod(&key.namespace(), name, |pod| {
        pod["metadata"]["labels"] = json!(key.labels());
    })
}

fn everything() -> PodQuery {
    PodQuery {
        visible: Visible::Everything,
        project: None,
        environment: None,
        service: None,
        node: None,
        statuses: vec![],
        ready: None,
        text: None,
        sort: PodSort::Name,
        descending: false,
        after: None,
        limit: 50,
    }
}

fn part<'a>(cluster: &'a str, table: &'a PodTable) -> Part<'a> {
    Part {
        cluster,
        table,
        observed_at: chrono::Utc::now(),
        stale: false,
    }
}

fn names(table: &PodTable, query: &PodQuery) -> Vec<String> {
    page(&[part("alpha", table)], query)
        .items
        .into_iter()
        .map(|pod| pod.name)
        .collect()
}

proptest! {
    #[test]
    fn an_address_begins_as_its_text_does(address: [u8; 4], typed: [u8; 4], length in 0usize..16) {
        let ip = IpAddr::from(address);
        for begun in [ip.to_string(), IpAddr::from(typed).to_string()] {
            let begun: String = begun.chars().take(length).collect();
            if let Some(prefix) = AddressPrefix::new(&begun) {
                prop_assert_eq!(prefix.begins(ip), ip.to_string().starts_with(&begun), "{} {}", ip, begun);
            }
        }
    }
}

#[test]
fn filters_and_search_find_what_they_say() {
    let mut table = PodTable::default();
    table.upsert(&of_service("shop", "web", "web-1"));
    table.upsert(&of_service("shop", "api", "api-1"));
    table.upsert(&of_service("bank", "web", "web-2"));
    table.upsert(&pod("kube-system", "dns-1", |pod| {
        pod["spec"]["nodeName"] = json!("node-2");
        pod["status"]["podIP"] = json!("10.9.9.9");
        pod["status"]["conditions"] = json!([]);
        pod["status"]["containerStatuses"][0]["state"] =
            json!({ "waiting": { "reason": "ImagePullBackOff" } });
    }));
    let find = |change: fn(&mut PodQuery)| {
        let mut query = everything();
        change(&mut query);
        names(&table, &query)
    };
    assert_eq!(find(|_| {}), ["api-1", "dns-1", "web-1", "web-2"]);
    assert_eq!(
        find(|query| query.project = Some("shop".into())),
        ["api-1", "web-1"]
    );
    assert_eq!(
        find(|query| query.service = Some("web".into())),
        ["web-1", "web-2"]
    );
    assert_eq!(
        find(|query| {
            query.project = Some("shop".into());
            query.environment = Some("test".into());
            query.service = Some("web".into());
        }),
        ["web-1"]
    );
    assert_eq!(find(|query| query.node = Some("node-2".into())), ["dns-1"]);
    assert_eq!(
        find(|query| query.node = Some("node-9".into())),
        Vec::<String>::new()
    );
    assert_eq!(
        find(|query| query.statuses = vec!["ImagePullBackOff".into(), "Other".into()]),
        ["dns-1"]
    );
    assert_eq!(find(|query| query.ready = Some(false)), ["dns-1"]);
    assert_eq!(find(|query| query.text = Some("DNS".into())), ["dns-1"]);
    assert_eq!(find(|query| query.text = Some("10.9.".into())), ["dns-1"]);
    assert_eq!(find(|query| query.text = Some("registry/web".into())).len(), 4);
    assert_eq!(find(|query| query.text = Some("node-2".into())), ["dns-1"]);
    assert_eq!(
        find(|query| query.visible = Visible::Only(vec![("bank".into(), None)])),
        ["web-2"]
    );
    assert_eq!(
        find(|query| query.visible = Visible::Only(vec![("bank".into(), Some("production".into()))])),
        Vec::<String>::new()
    );
}

#[test]
fn nothing_stale_is_ready() {
    let mut table = PodTable::default();
    table.upsert(&of_service("shop", "web", "web-1"));
    let stale = Part {
        stale: true,
        ..part("alpha", &table)
    };
    let query = PodQuery {
        ready: Some(true),
        ..everything()
    };
    assert!(page(&[stale], &query).items.is_empty());
    let shown = page(&[stale], &everything()).items;
    assert!(shown[0].stale && !shown[0].ready);
    assert_eq!(shown[0].status, "Running");
}

#[test]
fn what_a_list_does_not_name_stays_until_the_list_is_complete() {
    let mut table = PodTable::default();
    table.begin_list();
    for name in ["web-1", "web-2"] {
        table.upsert(&of_service("shop", "web", name));
    }
    assert!(table.finish_list().is_empty());
    table.begin_list();
    table.upsert(&of_service("shop", "web", "web-2"));
    assert_eq!(table.len(), 2);
    assert_eq!(table.finish_list(), [ServiceKey::new("shop", "test", "web")]);
    assert_eq!(names(&table, &everything()), ["web-2"]);
}

#[test]
fn sums_of_nodes_follow_the_pods() {
    let mut table = PodTable::default();
    table.upsert(&of_service("shop", "web", "web-1"));
    table.upsert(&of_service("shop", "web", "web-2"));
    assert_eq!(table.requested_on("node-1").cpu_millicores, 200);
    table.upsert(&pod("shop-test", "web-2", |pod| {
        pod["status"]["phase"] = json!("Succeeded");
    }));
    let sum = table.requested_on("node-1");
    assert_eq!(
        (sum.cpu_millicores, sum.memory_bytes, sum.pods),
        (100, 64 << 20, 1)
    );
    assert_eq!(
        table.of_service(&ServiceKey::new("shop", "test", "web")).count(),
        1
    );
    table.remove("shop-test", "web-1");
    table.remove("shop-test", "web-2");
    assert_eq!(table.requested_on("node-1").pods, 0);
    assert_eq!(table.services().count(), 0);
}

#[test]
fn a_table_is_as_small_after_many_changes_as_before() {
    let mut table = PodTable::default();
    for round in 0..100_000 {
        let name = format!("web-{round}");
        table.upsert(&pod("shop-test", &name, |pod| {
            pod["spec"]["containers"][0]["image"] = json!(format!("web:{round}"));
        }));
        table.remove("shop-test", &name);
    }
    assert_eq!(table.len(), 0);
    assert!(table.bytes() < 10_000, "{}", table.bytes());
    assert!(table.texts.positions() < 10);
}

#[test]
fn a_row_takes_a_few_hundred_bytes() {
    let mut table = PodTable::default();
    for number in 0..10_000 {
        table.upsert(&of_service(
            "shop",
            &format!("service-{}", number % 100),
            &format!("service-7c9f8d6b5-{number:05}"),
        ));
    }
    let each = table.bytes() / table.len();
    assert!(each <= 400, "{each} bytes a pod");
}

/// Reads the whole list page by page while `between` changes the table.
fn walk(table: &mut PodTable, query: &mut PodQuery, mut between: impl FnMut(&mut PodTable)) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let found = page(&[part("alpha", table)], query);
        seen.extend(found.items.into_iter().map(|pod| pod.name));
        query.after = found.next;
        if query.after.is_none() {
            return seen;
        }
        between(table);
    }
}

const ALL_SORTS: [PodSort; 6] = [
    PodSort::Name,
    PodSort::CreatedAt,
    PodSort::Restarts,
    PodSort::Status,
    PodSort::Cluster,
    PodSort::Node,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_neither_repeat_nor_skip_what_stays(
        restarts in proptest::collection::vec(0_u32..4, 1..40),
        limit in 1_usize..7,
        sort in 0_usize..6,
        descending: bool,
    ) {
        let mut table = PodTable::default();
        for (number, restarts) in restarts.iter().enumerate() {
            table.upsert(&pod("shop-test", &format!("pod-{number:02}"), |pod| {
                pod["status"]["containerStatuses"][0]["restartCount"] = json!(restarts);
                pod["spec"]["nodeName"] = json!(format!("node-{restarts}"));
            }));
        }
        let mut query = PodQuery { sort: ALL_SORTS[sort], descending, limit, ..everything() };
        let mut round = 0;
        let seen = walk(&mut table, &mut query, |table| {
            // Pods that come and go between two pages are others than those we count.
            table.remove("shop-test", &format!("passing-{round}"));
            round += 1;
            table.upsert(&pod("shop-test", &format!("passing-{round}"), |_| {}));
        });
        let stayed: Vec<_> = seen.iter().filter(|name| name.starts_with("pod-")).collect();
        let distinct: BTreeSet<_> = stayed.iter().collect();
        prop_assert_eq!(distinct.len(), stayed.len());
        prop_assert_eq!(stayed.len(), restarts.len());
    }

    #[test]
    fn a_walk_is_in_order(
        restarts in proptest::collection::vec(0_u32..100, 1..40),
        descending: bool,
    ) {
        let mut table = PodTable::default();
        for (number, restarts) in restarts.iter().enumerate() {
            table.upsert(&pod("shop-test", &format!("pod-{number}"), |pod| {
                pod["status"]["containerStatuses"][0]["restartCount"] = json!(restarts);
            }));
        }
        let query = PodQuery { sort: PodSort::Restarts, descending, limit: 500, ..everything() };
        let found = page(&[part("alpha", &table)], &query);
        let mut expected = restarts.clone();
        expected.sort_unstable();
        if descending {
            expected.reverse();
        }
        prop_assert_eq!(found.total, restarts.len() as u64);
        prop_assert_eq!(found.items.iter().map(|pod| pod.restarts).collect::<Vec<_>>(), expected);
    }
}
