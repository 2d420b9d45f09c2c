//! What a decision about one service rests on, as it is now.

use platform::{ApiError, ApiResult};

use crate::app::placement::{Candidate, Decision, Request, decide};
use crate::app::reconcile::applicant::{Applicant, Seen};
use crate::app::reconcile::fleet::Fleet;
use crate::app::reservations::reserve;
use crate::app::services as service_logic;
use crate::db::{Connection, assignments, clusters, environments, observations, services};
use crate::paths::ServicePath;
use crate::state::AppState;

pub struct Ground {
    pub service: services::Model,
    pub environment: environments::Model,
    pub fleet: Fleet,
    pub assignments: Vec<assignments::Model>,
    pub observations: Vec<observations::Model>,
}

impl Ground {
    pub async fn load(connection: &impl Connection, path: &ServicePath) -> ApiResult<Self> {
        let service = services::find(connection, &path.project, &path.environment, &path.service)
            .await?
            .ok_or_else(|| service_logic::missing(path))?;
        let environment = environments::find(connection, &path.project, &path.environment)
            .await?
            .ok_or_else(|| ApiError::internal("the service's environment is missing"))?;
        let mut fleet = Fleet::of(&clusters::all(connection).await?)?;
        reserve(connection, &mut fleet).await?;
        let ids = [service.id];
        Ok(Self {
            assignments: assignments::of_services(connection, &ids).await?,
            observations: observations::of_services(connection, &ids).await?,
            service,
            environment,
            fleet,
        })
    }

    #[must_use]
    pub fn applicant(&self, state: &AppState) -> Applicant<'_> {
        let seen = Seen {
            observations: &self.observations,
            pace: state.config.pace(),
            now: state.now(),
        };
        Applicant::of(&self.service, &self.environment, &self.assignments, &seen)
    }

    /// What would be decided now over the candidates; `afresh` as if nothing were held.
    #[must_use]
    pub fn decide<'a>(
        &'a self,
        path: &'a str,
        candidates: &'a [Candidate<'a>],
        afresh: bool,
    ) -> Decision<'a> {
        decide(
            Request {
                placement: &self.service.placement.0,
                replicas: self.service.replicas.max(0) as u32,
                seed: path,
                afresh,
            },
            candidates,
        )
    }
}
