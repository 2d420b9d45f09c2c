//! Registering clusters: what is checked, what is refused and why, what is kept.

use api_types::clusters::Kubeconfig;
use api_types::internal::PutConnection;
use clients::ClientError;
use sandbox::AccessRule;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::Value;
use test_support::wait_for;

use crate::bed::{Bed, PATIENCE, breakable, client_of, grounds};

async fn refusal(bed: &Bed, kubeconfig: &str) -> (String, String, Value) {
    let body = Kubeconfig {
        kubeconfig: kubeconfig.to_owned(),
    };
    match bed.client.check_kubeconfig(&body).await {
        Err(ClientError::Refused { body, .. }) => (body.code, body.message, body.details),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_cluster_is_checked_and_shows_what_it_has() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let connections = bed.client.list_connections().await.unwrap();
        let alpha = connections
            .iter()
            .find(|connection| connection.name == "alpha")
            .unwrap();
        assert!(alpha.check.nodes >= 1 && alpha.check.kubernetes_version.starts_with('v'));
        assert!(!alpha.check.cluster_uid.is_empty());
        assert!(alpha.check.rights.iter().all(|right| right.allowed));
        assert!(
            alpha
                .check
                .rights
                .iter()
                .any(|right| right.action == "patch deployments.apps")
        );
        let observed = alpha.observed.as_ref().unwrap();
        assert_eq!(observed.nodes, alpha.check.nodes);
        assert_eq!(observed.nodes_ready, observed.nodes);
        assert!(observed.allocatable.cpu_millicores > 0 && observed.allocatable.memory_bytes > 0);
        let largest = observed.largest_node.unwrap();
        assert!(largest.cpu_millicores * u64::from(observed.nodes) >= observed.allocatable.cpu_millicores);
        let free = observed.free.as_ref().unwrap();
        let cores: u64 = free
            .nodes
            .iter()
            .map(|kind| kind.free.cpu_millicores * u64::from(kind.nodes))
            .sum();
        assert!(cores > 0 && cores <= observed.allocatable.cpu_millicores);
        bed.finish().await;
    }
}

#[tokio::test]
async fn what_can_not_work_is_refused_with_its_reason() {
    for ground in grounds() {
        let bed = Bed::bare(ground).await;
        let good = &bed.cluster().kubeconfig;

        let (code, _, _) = refusal(&bed, "clusters: [").await;
        assert_eq!(code, "kubeconfig_invalid");

        // A port that nothing listens on.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let free = listener.local_addr().unwrap();
        drop(listener);
        let server = server_of(good);
        let (code, message, _) = refusal(&bed, &good.replace(&server, &format!("https://{free}"))).await;
        assert_eq!(code, "cluster_unreachable");
        assert!(message.contains("nothing listens"), "{message}");

        // Something listens, but it speaks no TLS.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = listener.local_addr().unwrap();
        let closing = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                drop(socket);
            }
        });
        let (code, _, _) = refusal(&bed, &good.replace(&server, &format!("https://{other}"))).await;
        assert_eq!(code, "cluster_unreachable");
        closing.abort();

        // The right address, somebody else's credentials.
        let stranger = format!(
            "{{\"current-context\":\"a\",\"contexts\":[{{\"name\":\"a\",\"context\":{{\"cluster\":\"a\",\"user\":\"a\"}}}}],\
             \"clusters\":[{{\"name\":\"a\",\"cluster\":{{\"server\":\"{server}\",\"insecure-skip-tls-verify\":true}}}}],\
             \"users\":[{{\"name\":\"a\",\"user\":{{\"token\":\"not-the-token\"}}}}]}}"
        );
        let (code, message, _) = refusal(&bed, &stranger).await;
        assert_eq!(code, "kubeconfig_rejected", "{message}");
        assert!(!message.contains("not-the-token"));

        // Its certificate isn't from the authority that we are told.
        let distrusting = stranger.replace(",\"insecure-skip-tls-verify\":true", "");
        let (code, message, _) = refusal(&bed, &distrusting).await;
        assert_eq!(code, "cluster_unreachable");
        assert!(message.contains("certificate"), "{message}");
        assert!(bed.client.list_connections().await.unwrap().is_empty());
        bed.finish().await;
    }
}

fn server_of(kubeconfig: &str) -> String {
    let start = kubeconfig.find("https://").unwrap();
    let rest = &kubeconfig[start..];
    let end = rest.find(|character: char| character.is_whitespace() || "\"',}".contains(character));
    rest[..end.unwrap_or(rest.len())].to_owned()
}

#[tokio::test]
async fn missing_rights_are_named() {
    for ground in breakable() {
        let bed = Bed::bare(ground).await;
        let reading = AccessRule {
            group: "*",
            resources: &["*"],
            verbs: &["get", "list", "watch"],
        };
        let limited = bed
            .handle("alpha")
            .limited_kubeconfig("reader", &[reading])
            .unwrap();
        let (code, message, details) = refusal(&bed, &limited).await;
        assert_eq!(code, "rights_missing", "{message}");
        let missing: Vec<&str> = details["missing"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(missing.contains(&"patch deployments.apps"), "{missing:?}");
        assert!(missing.contains(&"create pods/exec"), "{missing:?}");
        assert!(
            !missing.iter().any(|right| right.starts_with("list ")),
            "{missing:?}"
        );
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_cluster_is_registered_once() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let alpha = bed.cluster();
        let twice = PutConnection {
            name: "again".into(),
            kubeconfig: alpha.kubeconfig.clone(),
        };
        let refused = bed
            .client
            .put_connection(api_types::common::ClusterId::new(), &twice)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some("cluster_registered_twice"), "{refused}");
        assert!(refused.to_string().contains("alpha"));
        // Under its own id it is taken again, which is how a kubeconfig is replaced.
        bed.connect(alpha).await;
        bed.wait_connected().await;

        bed.client.delete_connection(alpha.id).await.unwrap();
        bed.client.delete_connection(alpha.id).await.unwrap();
        let left = bed.client.list_connections().await.unwrap();
        assert!(left.iter().all(|connection| connection.id != alpha.id));
        bed.client
            .put_connection(api_types::common::ClusterId::new(), &twice)
            .await
            .unwrap();
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_kubeconfig_is_kept_sealed() {
    for ground in breakable() {
        let bed = Bed::new(ground).await;
        let backend = bed.database.connection.get_database_backend();
        let rows = bed
            .database
            .connection
            .query_all_raw(Statement::from_string(
                backend,
                "SELECT kubeconfig FROM connections",
            ))
            .await
            .unwrap();
        assert_eq!(rows.len(), 2);
        for row in rows {
            let sealed: Vec<u8> = row.try_get("", "kubeconfig").unwrap();
            let text = String::from_utf8_lossy(&sealed);
            assert!(!text.contains("client-key-data") && !text.contains("server"));
        }
        bed.finish().await;
    }
}

#[tokio::test]
async fn another_replica_connects_what_this_one_took() {
    for ground in grounds() {
        let bed = Bed::bare(ground).await;
        let second = ipaas::start(bed.foundation.clone(), bed.config.clone())
            .await
            .unwrap();
        let second_client = client_of(&bed.foundation, &second);
        bed.connect(bed.cluster()).await;
        let count = async |wanted: usize| {
            wait_for("the other replica to follow", PATIENCE, async || {
                let connections = second_client.list_connections().await.unwrap();
                let synced = connections.iter().all(|connection| connection.synced);
                if connections.len() == wanted && synced {
                    Ok(())
                } else {
                    Err(connections)
                }
            })
            .await;
        };
        count(1).await;
        bed.client.delete_connection(bed.cluster().id).await.unwrap();
        count(0).await;
        bed.finish().await;
    }
}
