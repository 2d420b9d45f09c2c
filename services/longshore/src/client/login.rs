//! Signing in and out, and which portal is meant.

use api_types::access::{Credentials, Grant, NewApiToken, Session as Who};
use clients::PortalClient;
use reqwest::Url;
use serde_json::json;

use super::arguments::{Common, ContextCommand, Format, Login};
use super::contexts::{Context, Contexts};
use super::failure::{Failure, Outcome};
use super::output::{answer, note, write};
use super::prompt;
use super::session::Session;
use super::table::{Table, pairs};
use super::text::word;

pub async fn login(login: Login) -> Outcome {
    let mut contexts = Contexts::load()?;
    let (name, url) = target(&login, &contexts)?;
    let http = platform::foundation::http_client();
    let failed = |error| Failure::of_call(error, &url);
    let (token, token_id) = if login.token {
        (prompt::secret("API token").await?, None)
    } else {
        let username = match login.user {
            Some(user) => user,
            None => prompt::line("User").await?,
        };
        let password = prompt::secret("Password").await?;
        let new = NewApiToken {
            grant: None,
            name: token_name(),
            expires_in_days: Some(login.expires_in_days),
        };
        let credentials = Credentials { username, password };
        let created = PortalClient::sign_in(http.clone(), &url, &credentials, &new)
            .await
            .map_err(failed)?;
        (created.secret, Some(created.token.id))
    };
    let portal = PortalClient::new(http.clone(), &url, &token);
    let who = portal.get_session().await.map_err(failed)?;
    let before = contexts.contexts.get(&name).cloned();
    let kept =
        |given: Option<String>, before: Option<String>| given.filter(|text| !text.is_empty()).or(before);
    let same = before.as_ref().filter(|before| before.url == url);
    let context = Context {
        url: url.clone(),
        token,
        token_id,
        project: kept(login.project, same.and_then(|before| before.project.clone())),
        environment: kept(
            login.environment,
            same.and_then(|before| before.environment.clone()),
        ),
    };
    contexts.contexts.insert(name.clone(), context);
    contexts.current = Some(name.clone());
    contexts.save()?;
    // The token of the sign-in before is of no more use; that it can't be revoked is no reason to fail.
    if let Some(Context {
        url,
        token,
        token_id: Some(id),
        ..
    }) = before
        && PortalClient::new(http, &url, &token)
            .delete_api_token(id)
            .await
            .is_err()
    {
        note("the API token of the sign-in before could not be revoked; it ends by itself");
    }
    write(&format!(
        "signed in to {url} as {}; context {name}\n",
        who.user.name
    ))
}

/// Which context is signed in to, and where.
fn target(login: &Login, contexts: &Contexts) -> Outcome<(String, String)> {
    let Some(given) = &login.url else {
        let (name, context) = contexts.find(login.context.as_deref())?;
        return Ok((name.to_owned(), context.url.clone()));
    };
    let text = if given.contains("://") {
        given.clone()
    } else {
        format!("https://{given}")
    };
    let url = Url::parse(&text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Failure::usage(format!(
                "`{given}` is no address of a portal, such as https://longshore.example"
            ))
        })?;
    let host = url.host_str().unwrap_or_default();
    let place = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let known = contexts
        .contexts
        .iter()
        .find(|(_, context)| context.url == url.as_str().trim_end_matches('/'))
        .map(|(name, _)| name.clone());
    let name = login.context.clone().or(known).unwrap_or(place);
    Ok((name, url.as_str().trim_end_matches('/').to_owned()))
}

/// As it stands in the portal's list of API tokens.
fn token_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().take(40).collect();
    if host.is_empty() {
        "longshore login".to_owned()
    } else {
        format!("longshore login on {host}")
    }
}

pub async fn logout(common: &Common) -> Outcome {
    let mut contexts = Contexts::load()?;
    let name = contexts.find(common.context.as_deref())?.0.to_owned();
    let context = contexts.contexts.remove(&name).expect("it was found");
    if contexts.current.as_ref() == Some(&name) {
        contexts.current = None;
    }
    contexts.save()?;
    if let Some(id) = context.token_id {
        let http = platform::foundation::http_client();
        let portal = PortalClient::new(http, &context.url, &context.token);
        match portal
            .delete_api_token(id)
            .await
            .map_err(|error| Failure::of_call(error, &context.url))
        {
            Ok(()) => {}
            Err(failure) if matches!(failure.code(), Some("not_signed_in" | "not_found")) => {}
            Err(failure) => {
                note(&format!(
                    "context {name} is forgotten here, but its API token could not be revoked: do it in the portal"
                ));
                return Err(failure);
            }
        }
    }
    write(&format!(
        "signed out of {}; context {name} is gone\n",
        context.url
    ))
}

pub async fn whoami(common: &Common) -> Outcome {
    let session = Session::open(common)?;
    let who = session.done(session.portal.get_session().await)?;
    answer(common.output, &who, || who_text(&who, &session))
}

fn who_text(who: &Who, session: &Session) -> String {
    let grants: Vec<String> = who.grants.iter().map(grant).collect();
    pairs(&[
        ("user", who.user.name.clone()),
        ("portal", session.url.clone()),
        ("context", session.context.clone().unwrap_or_default()),
        (
            "roles",
            if grants.is_empty() {
                "none".to_owned()
            } else {
                grants.join(", ")
            },
        ),
        ("until", who.expires_at.to_rfc3339()),
    ])
}

fn grant(grant: &Grant) -> String {
    let role = word(grant.role).replace('_', "-");
    match (&grant.project, &grant.environment) {
        (Some(project), Some(environment)) => format!("{role} in {project}/{environment}"),
        (Some(project), None) => format!("{role} in {project}"),
        _ => format!("{role} everywhere"),
    }
}

pub fn context(command: ContextCommand) -> Outcome {
    let mut contexts = Contexts::load()?;
    match command {
        ContextCommand::List { output } => list(&contexts, output),
        ContextCommand::Use { name } => {
            contexts.find(Some(&name))?;
            contexts.current = Some(name.clone());
            contexts.save()?;
            write(&format!("context {name} is the current one\n"))
        }
        ContextCommand::Set {
            context,
            project,
            environment,
        } => {
            let name = contexts.find(context.as_deref())?.0.to_owned();
            let entry = contexts.contexts.get_mut(&name).expect("it was found");
            let set = |field: &mut Option<String>, given: Option<String>| {
                if let Some(given) = given {
                    *field = Some(given).filter(|text| !text.is_empty());
                }
            };
            set(&mut entry.project, project);
            set(&mut entry.environment, environment);
            let text = format!(
                "context {name}: project {}, environment {}\n",
                entry.project.as_deref().unwrap_or("none"),
                entry.environment.as_deref().unwrap_or("none")
            );
            contexts.save()?;
            write(&text)
        }
    }
}

fn list(contexts: &Contexts, format: Format) -> Outcome {
    let is_current = |name: &String| contexts.current.as_ref() == Some(name);
    // What is kept, without the tokens.
    let shown: Vec<_> = contexts
        .contexts
        .iter()
        .map(|(name, context)| {
            json!({
                "name": name,
                "current": is_current(name),
                "url": context.url,
                "project": context.project,
                "environment": context.environment,
            })
        })
        .collect();
    answer(format, &shown, || {
        let mut table = Table::new(&["current", "name", "portal", "project", "environment"]);
        for (name, context) in &contexts.contexts {
            table.row([
                if is_current(name) { "*" } else { "" }.to_owned(),
                name.clone(),
                context.url.clone(),
                context.project.clone().unwrap_or_default(),
                context.environment.clone().unwrap_or_default(),
            ]);
        }
        table.text("no contexts; `longshore login URL` makes one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(url: &str, context: Option<&str>) -> Outcome<(String, String)> {
        let login = Login {
            url: Some(url.into()),
            context: context.map(Into::into),
            user: None,
            token: false,
            expires_in_days: 90,
            project: None,
            environment: None,
        };
        target(&login, &Contexts::default())
    }

    #[test]
    fn a_context_is_named_after_its_portal() {
        assert_eq!(
            to("http://127.0.0.1:7800/", None).unwrap(),
            ("127.0.0.1:7800".to_owned(), "http://127.0.0.1:7800".to_owned())
        );
        assert_eq!(
            to("longshore.example", Some("x")).unwrap(),
            ("x".to_owned(), "https://longshore.example".to_owned())
        );
        for bad in ["ftp://x", "http://", "http://a b"] {
            assert!(to(bad, None).is_err(), "{bad}");
        }
    }
}
