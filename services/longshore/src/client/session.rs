//! One command's way to the platform: the client of the chosen portal, and the chosen project and environment.

use api_types::common::{ListQuery, Page};
use clients::portal::ServiceAt;
use clients::{ClientError, PortalClient};

use super::arguments::{Common, Listing, One, Scope};
use super::contexts::Contexts;
use super::failure::{Failure, Outcome};
use super::output::note;

/// The most that the API gives at once.
const PAGE: u32 = 500;

pub struct Session {
    pub portal: PortalClient,
    pub url: String,
    /// Absent where the portal was given instead of a context.
    pub context: Option<String>,
    project: Option<String>,
    environment: Option<String>,
}

impl Session {
    pub fn open(common: &Common) -> Outcome<Self> {
        let http = platform::foundation::http_client();
        if let Some(url) = &common.url {
            let Some(token) = &common.token else {
                return Err(Failure::usage(
                    "--url (or LONGSHORE_URL) goes with an API token in LONGSHORE_TOKEN; there is none",
                ));
            };
            return Ok(Self {
                portal: PortalClient::new(http, url, token),
                url: url.clone(),
                context: None,
                project: None,
                environment: None,
            });
        }
        let contexts = Contexts::load()?;
        let (name, context) = contexts.find(common.context.as_deref())?;
        Ok(Self {
            portal: PortalClient::new(http, &context.url, &context.token),
            url: context.url.clone(),
            context: Some(name.to_owned()),
            project: context.project.clone(),
            environment: context.environment.clone(),
        })
    }

    /// The project and the environment that were asked for, or the context's.
    #[must_use]
    pub fn scope(&self, scope: &Scope) -> (Option<String>, Option<String>) {
        let project = scope.project.clone().or_else(|| self.project.clone());
        // The context's environment belongs to the context's project.
        let own = scope.project.is_none() || scope.project == self.project;
        let environment = scope
            .environment
            .clone()
            .or_else(|| self.environment.clone().filter(|_| own));
        (project, environment)
    }

    /// The project and the environment; an error that says how to give what is missing.
    pub fn environment(&self, scope: &Scope) -> Outcome<(String, String)> {
        let missing = |what: &str, flag: &str| {
            Failure::usage(format!(
                "which {what}? Give {flag}, or set a default with `longshore context set {flag} NAME`"
            ))
        };
        let (project, environment) = self.scope(scope);
        Ok((
            project.ok_or_else(|| missing("project", "--project"))?,
            environment.ok_or_else(|| missing("environment", "--environment"))?,
        ))
    }

    pub fn at(&self, scope: &Scope, service: &str) -> Outcome<ServiceAt> {
        let (project, environment) = self.environment(scope)?;
        Ok(ServiceAt {
            project,
            environment,
            service: service.to_owned(),
        })
    }

    /// Turns an answer's error into what is told.
    pub fn done<T>(&self, outcome: Result<T, ClientError>) -> Outcome<T> {
        outcome.map_err(|error| Failure::of_call(error, &self.url))
    }

    /// Reads page after page up to the limit; says when there is more, and which clusters did not answer.
    pub async fn pages<T>(
        &self,
        listing: &Listing,
        read: impl AsyncFn(ListQuery) -> Result<Page<T>, ClientError>,
    ) -> Outcome<Page<T>> {
        let mut whole: Page<T> = Page::whole(Vec::new());
        let limit = listing.limit as usize;
        loop {
            let query = ListQuery {
                limit: Some(PAGE.min((limit - whole.items.len()) as u32)),
                cursor: whole.next_cursor.take(),
                sort: listing.sort.clone(),
                q: listing.query.clone(),
            };
            let page = self.done(read(query).await)?;
            whole.items.extend(page.items);
            whole.total_estimate = page.total_estimate;
            whole.gaps = page.gaps;
            whole.next_cursor = page.next_cursor;
            if whole.next_cursor.is_none() || whole.items.len() >= limit {
                break;
            }
        }
        for gap in &whole.gaps {
            let since = gap
                .observed_at
                .map_or_else(String::new, |at| format!(", last seen {at}"));
            note(&format!(
                "cluster {} doesn't answer: {}{since}; its part may be old or missing",
                gap.cluster, gap.reason
            ));
        }
        if whole.next_cursor.is_some() {
            note(&format!(
                "there are more, about {} in all; --limit shows more of them",
                whole.total_estimate
            ));
        }
        Ok(whole)
    }
}

/// Opens the session of a command about one service.
pub fn of_service(one: &One) -> Outcome<(Session, ServiceAt)> {
    let session = Session::open(&one.scope.common)?;
    let at = session.at(&one.scope, &one.service)?;
    Ok((session, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::arguments::Format;

    fn scope(project: Option<&str>, environment: Option<&str>) -> Scope {
        Scope {
            project: project.map(Into::into),
            environment: environment.map(Into::into),
            common: Common {
                context: None,
                url: None,
                token: None,
                output: Format::Table,
            },
        }
    }

    #[test]
    fn a_contexts_environment_goes_with_its_project() {
        let session = Session {
            portal: PortalClient::new(platform::foundation::http_client(), "http://x", "t"),
            url: "http://x".into(),
            context: None,
            project: Some("shop".into()),
            environment: Some("test".into()),
        };
        let at = |project, environment| {
            session
                .at(&scope(project, environment), "web")
                .map(|at| at.to_string())
                .map_err(|error| error.to_string())
        };
        assert_eq!(at(None, None).unwrap(), "shop/test/web");
        assert_eq!(at(None, Some("production")).unwrap(), "shop/production/web");
        assert_eq!(at(Some("shop"), None).unwrap(), "shop/test/web");
        assert!(at(Some("other"), None).unwrap_err().contains("--environment"));
        assert_eq!(at(Some("other"), Some("dev")).unwrap(), "other/dev/web");
    }
}
