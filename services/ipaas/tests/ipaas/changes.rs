//! The stream of changes.

use api_types::changes::{ChangeLine, Topic};
use futures::StreamExt as _;

use crate::bed::{Bed, PATIENCE, WEB, grounds};

#[tokio::test]
async fn a_follower_hears_of_what_changes_and_can_resume() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let cursor = bed.client.list_workloads().await.unwrap().cursor;
        let mut stream = Box::pin(bed.client.follow_changes(Some(&cursor)).await.unwrap());
        bed.client
            .apply_workload(bed.cluster().id, &bed.desired("web", 1, WEB))
            .await
            .unwrap();
        let mut heard = Vec::new();
        let everything = async {
            while !(heard.contains(&Topic::Workloads) && heard.contains(&Topic::Pods)) {
                if let ChangeLine::Change(change) = stream.next().await.unwrap().unwrap()
                    && change.project.as_deref() == Some(&bed.project)
                {
                    assert_eq!(change.service.as_deref(), Some("web"));
                    assert_eq!(change.cluster.as_deref(), Some("alpha"));
                    heard.push(change.topic);
                }
            }
        };
        tokio::time::timeout(PATIENCE, everything).await.unwrap();

        // From the same place again: nothing is missing.
        let mut again = Box::pin(bed.client.follow_changes(Some(&cursor)).await.unwrap());
        let first = tokio::time::timeout(PATIENCE, again.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(matches!(first, ChangeLine::Change(_)), "{first:?}");

        // From nowhere, or from another life: read everything again.
        for cursor in [None, Some("0123:7")] {
            let mut fresh = Box::pin(bed.client.follow_changes(cursor).await.unwrap());
            let first = tokio::time::timeout(PATIENCE, fresh.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            assert!(matches!(first, ChangeLine::Reset { .. }), "{first:?}");
        }
        bed.finish().await;
    }
}

#[tokio::test]
async fn silence_is_told() {
    for ground in grounds() {
        let bed = Bed::bare(ground).await;
        let cursor = bed.client.list_workloads().await.unwrap().cursor;
        let mut stream = Box::pin(bed.client.follow_changes(Some(&cursor)).await.unwrap());
        let line = tokio::time::timeout(PATIENCE, stream.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(line, ChangeLine::Alive { cursor });
        bed.finish().await;
    }
}
