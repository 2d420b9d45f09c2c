//! A unit of work: a transaction whose changes are told to the followers when it commits, and only then.

use std::collections::HashSet;
use std::ops::Deref;

use api_types::changes::Topic;
use platform::database::begin;
use platform::driver::Signal;
use platform::time::now;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use tokio::sync::watch;
use uuid::Uuid;

use crate::db::{changes, environments, operations, services};

/// Something that changed, on its way to the change stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub topic: Topic,
    pub project: Option<String>,
    pub environment: Option<String>,
    pub service: Option<String>,
    pub service_id: Option<Uuid>,
    pub cluster: Option<String>,
    pub object: Option<String>,
    /// Whether what is wanted changed, so that the loops have to look; otherwise only what is known did.
    pub intent: bool,
}

impl Record {
    fn of(topic: Topic) -> Self {
        Self {
            topic,
            project: None,
            environment: None,
            service: None,
            service_id: None,
            cluster: None,
            object: None,
            intent: false,
        }
    }

    #[must_use]
    pub fn cluster(name: &str) -> Self {
        Self {
            cluster: Some(name.to_owned()),
            ..Self::of(Topic::Clusters)
        }
    }

    #[must_use]
    pub fn project(name: &str) -> Self {
        Self {
            project: Some(name.to_owned()),
            ..Self::of(Topic::Projects)
        }
    }

    #[must_use]
    pub fn environment(environment: &environments::Model) -> Self {
        Self {
            project: Some(environment.project.clone()),
            environment: Some(environment.name.clone()),
            ..Self::of(Topic::Projects)
        }
    }

    #[must_use]
    pub fn service(service: &services::Model) -> Self {
        Self {
            project: Some(service.project.clone()),
            environment: Some(service.environment.clone()),
            service: Some(service.name.clone()),
            service_id: Some(service.id),
            ..Self::of(Topic::Services)
        }
    }

    #[must_use]
    pub fn workload(service: &services::Model, cluster: &str) -> Self {
        Self {
            topic: Topic::Workloads,
            cluster: Some(cluster.to_owned()),
            ..Self::service(service)
        }
    }

    /// Something of a service was seen on a cluster, or is gone from one that is not named; `place` is project,
    /// environment and name.
    #[must_use]
    pub fn seen(service_id: Uuid, place: (&str, &str, &str), cluster: Option<&str>) -> Self {
        Self {
            project: Some(place.0.to_owned()),
            environment: Some(place.1.to_owned()),
            service: Some(place.2.to_owned()),
            service_id: Some(service_id),
            cluster: cluster.map(str::to_owned),
            ..Self::of(Topic::Workloads)
        }
    }

    #[must_use]
    pub fn operation(operation: &operations::Model) -> Self {
        Self {
            project: operation.project.clone(),
            environment: operation.environment.clone(),
            service: operation.service.clone(),
            cluster: operation.cluster.clone(),
            object: Some(operation.id.to_string()),
            ..Self::of(Topic::Operations)
        }
    }

    /// Marks that what is wanted changed.
    #[must_use]
    pub fn intended(mut self) -> Self {
        self.intent = true;
        self
    }
}

/// Who is told of commits in this process.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// The newest sequence that this process committed.
    pub committed: watch::Sender<i64>,
    /// Wakes the loop that reconciles.
    pub reconcile: Signal,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            committed: watch::Sender::new(0),
            reconcile: Signal::default(),
        }
    }
}

/// A transaction, and what it will have changed.
#[derive(Debug)]
pub struct Unit {
    transaction: DatabaseTransaction,
    /// In the order in which they were noted.
    records: Vec<Record>,
    noted: HashSet<Record>,
    outbox: Outbox,
}

impl Deref for Unit {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

impl Unit {
    /// Begins. Until the commit everything must go through this unit: SQLite has one connection.
    pub async fn begin(database: &DatabaseConnection, outbox: &Outbox) -> Result<Self, DbErr> {
        Ok(Self {
            transaction: begin(database).await?,
            records: Vec::new(),
            noted: HashSet::new(),
            outbox: outbox.clone(),
        })
    }

    /// Notes a change once.
    pub fn record(&mut self, record: Record) {
        if self.noted.insert(record.clone()) {
            self.records.push(record);
        }
    }

    /// Commits; followers hear of it. Dropped without this, nothing happened.
    pub async fn commit(self) -> Result<(), DbErr> {
        let sequence = if self.records.is_empty() {
            None
        } else {
            Some(changes::append(&self.transaction, &self.records, now()).await?)
        };
        self.transaction.commit().await?;
        if let Some(sequence) = sequence {
            self.outbox
                .committed
                .send_modify(|newest| *newest = (*newest).max(sequence));
            if self.records.iter().any(|record| record.intent) {
                self.outbox.reconcile.wake();
            }
        }
        Ok(())
    }
}
