//! Whose logs are read when a service's are asked for.

use std::sync::Arc;

use api_types::common::Gap;
use api_types::logs::LeftOutPod;

use crate::app::names::ServiceKey;
use crate::app::pods::PodPlace;
use crate::cluster::member::Member;
use crate::state::AppState;

/// Pods whose logs are read at once; each costs a connection to its cluster.
pub const MOST_PODS: usize = 50;

#[derive(Clone, Debug)]
pub struct Selection {
    pub key: ServiceKey,
    pub cluster: Option<String>,
    /// All when empty.
    pub pods: Vec<String>,
    /// All of a pod when absent.
    pub container: Option<String>,
}

#[derive(Clone)]
pub struct Found {
    pub member: Arc<Member>,
    pub pod: String,
    /// Seconds since 1970.
    pub created_at: i64,
}

impl Found {
    #[must_use]
    pub fn id(&self) -> LeftOutPod {
        LeftOutPod {
            cluster: self.member.name.to_string(),
            pod: self.pod.clone(),
        }
    }
}

impl Selection {
    fn members(&self, state: &AppState) -> impl Iterator<Item = Arc<Member>> {
        let wanted = |member: &Arc<Member>| self.cluster.as_deref().is_none_or(|own| own == &*member.name);
        state.members.all().into_iter().filter(wanted)
    }

    /// The pods that the index knows, the newest first.
    #[must_use]
    pub fn find(&self, state: &AppState) -> Vec<Found> {
        let mut found: Vec<Found> = self
            .members(state)
            .flat_map(|member| {
                let table = member.tables.pods.read();
                table
                    .of_service(&self.key)
                    .filter(|row| {
                        self.pods.is_empty() || self.pods.iter().any(|name| **name == *table.name(row))
                    })
                    .map(|row| Found {
                        member: member.clone(),
                        pod: table.name(row).to_owned(),
                        created_at: row.created_at,
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        found.sort_by(|a, b| {
            (b.created_at, &a.member.name, &a.pod).cmp(&(a.created_at, &b.member.name, &b.pod))
        });
        found
    }

    /// The clusters that have, or may have, pods of it and don't answer.
    #[must_use]
    pub fn gaps(&self, state: &AppState) -> Vec<Gap> {
        let now = state.now();
        self.members(state)
            .filter(|member| {
                !member.is_synced() || member.tables.pods.read().of_service(&self.key).next().is_some()
            })
            .filter_map(|member| member.gap(now))
            .collect()
    }

    #[must_use]
    pub fn place(&self, found: &Found) -> PodPlace {
        PodPlace {
            project: self.key.project.clone(),
            environment: self.key.environment.clone(),
            cluster: found.member.name.to_string(),
            pod: found.pod.clone(),
        }
    }

    /// The containers of a pod that are wanted.
    #[must_use]
    pub fn containers(&self, names: Vec<&str>) -> Vec<Arc<str>> {
        names
            .into_iter()
            .filter(|name| self.container.as_deref().is_none_or(|wanted| wanted == *name))
            .map(Arc::from)
            .collect()
    }
}
