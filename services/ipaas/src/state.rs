//! What handlers and loops share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api_types::common::ClusterId;
use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use platform::{ApiError, ApiResult, Foundation};
use tokio::sync::Semaphore;

use crate::app::changes::ChangeLog;
use crate::app::fields::FieldReader;
use crate::app::gpu::GpuResource;
use crate::cluster::member::Member;
use crate::config::Config;

/// Pages of lists under way at a time, over all clusters: a start must not be a stampede.
const LISTS_AT_A_TIME: usize = 8;
const FIELDS_KEY: &str = "longshore/applied-fields";

#[derive(Clone)]
pub struct AppState(Arc<Inner>);

pub struct Inner {
    pub foundation: Foundation,
    pub config: Config,
    pub members: Members,
    pub changes: Arc<ChangeLog>,
    pub fields: FieldReader,
    pub gpu: GpuResource,
    pub lists: Arc<Semaphore>,
    /// One reload at a time.
    pub reloading: tokio::sync::Mutex<()>,
    loaded: AtomicBool,
}

impl std::ops::Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl AppState {
    #[must_use]
    pub fn new(foundation: Foundation, config: Config) -> Self {
        Self(Arc::new(Inner {
            fields: FieldReader::new(foundation.master_key.derive(FIELDS_KEY)),
            changes: Arc::new(ChangeLog::new(config.changes_kept)),
            members: Members::default(),
            gpu: GpuResource::new(&config.gpu_resource),
            lists: Arc::new(Semaphore::new(LISTS_AT_A_TIME)),
            reloading: tokio::sync::Mutex::default(),
            loaded: AtomicBool::new(false),
            foundation,
            config,
        }))
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.foundation.clock.now()
    }

    /// The connections were read once.
    pub fn set_loaded(&self) {
        self.loaded.store(true, Ordering::Release);
    }
}

impl platform::server::Ready for AppState {
    async fn waits_for(&self) -> Vec<String> {
        if self.loaded.load(Ordering::Acquire) {
            Vec::new()
        } else {
            vec!["the connections to be read from the database".to_owned()]
        }
    }
}

/// A connection that is stored but can't be used.
#[derive(Clone, Debug)]
pub struct Broken {
    pub name: String,
    pub check: api_types::clusters::ConnectionCheck,
    pub error: String,
}

/// What is held of a connection of the table.
#[derive(Clone)]
pub enum Held {
    Works(Arc<Member>),
    Broken(Arc<Broken>),
}

/// The connected clusters.
#[derive(Default)]
pub struct Members {
    held: RwLock<BTreeMap<ClusterId, (DateTime<Utc>, Held)>>,
}

impl Members {
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Member>> {
        self.held
            .read()
            .values()
            .filter_map(|(_, held)| match held {
                Held::Works(member) => Some(member.clone()),
                Held::Broken(_) => None,
            })
            .collect()
    }

    #[must_use]
    pub fn broken(&self) -> Vec<(ClusterId, Arc<Broken>)> {
        self.held
            .read()
            .iter()
            .filter_map(|(id, (_, held))| match held {
                Held::Works(_) => None,
                Held::Broken(broken) => Some((*id, broken.clone())),
            })
            .collect()
    }

    #[must_use]
    pub fn get(&self, id: ClusterId) -> Option<Arc<Member>> {
        match self.held.read().get(&id) {
            Some((_, Held::Works(member))) => Some(member.clone()),
            _ => None,
        }
    }

    /// # Errors
    /// 404; 503 for one whose stored kubeconfig can't be used.
    pub fn require(&self, id: ClusterId) -> ApiResult<Arc<Member>> {
        match self.held.read().get(&id) {
            Some((_, Held::Works(member))) => Ok(member.clone()),
            Some((_, Held::Broken(broken))) => {
                Err(crate::cluster::error::unreachable(&broken.name, &broken.error))
            }
            None => Err(ApiError::not_found(format!("the connection to cluster {id}"))),
        }
    }

    /// # Errors
    /// 404; 503 for one whose stored kubeconfig can't be used.
    pub fn require_by_name(&self, name: &str) -> ApiResult<Arc<Member>> {
        let held = self.held.read();
        let named = |held: &Held| match held {
            Held::Works(member) => &*member.name == name,
            Held::Broken(broken) => broken.name == name,
        };
        match held.values().rev().map(|(_, held)| held).find(|held| named(held)) {
            Some(Held::Works(member)) => Ok(member.clone()),
            Some(Held::Broken(broken)) => {
                Err(crate::cluster::error::unreachable(&broken.name, &broken.error))
            }
            None => Err(ApiError::not_found(format!("cluster {name}"))),
        }
    }

    /// What is held, with the version of the row it was made from.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<ClusterId, DateTime<Utc>> {
        self.held
            .read()
            .iter()
            .map(|(id, (version, _))| (*id, *version))
            .collect()
    }

    /// Puts what is held of a connection in the place of what was.
    pub fn put(&self, id: ClusterId, version: DateTime<Utc>, held: Held) {
        self.held.write().insert(id, (version, held));
    }

    pub fn remove(&self, id: ClusterId) -> Option<Held> {
        self.held.write().remove(&id).map(|(_, held)| held)
    }
}
