//! The second witness: the agent inside a cluster, its token, its heartbeats; and the history that both witnesses make.

mod manifest;

use api_types::clusters::{ClusterAgentInstallation, ClusterStateChange, Heartbeat, NewClusterAgent};
use api_types::common::{ListQuery, Page};
use auth::Caller;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use http::StatusCode;
use platform::page::{self, decode_cursor, encode_cursor};
use platform::time::storable;
use platform::{ApiError, ApiResult};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::app::clusters::{locked, missing};
use crate::app::validation::Fields;
use crate::app::{health, image};
use crate::db::{Record, cluster_agents, cluster_states, clusters};
use crate::state::AppState;

/// Of what an agent complains.
const LONGEST_ERROR: usize = 500;
/// Between two heartbeats.
const LONGEST_INTERVAL_SECONDS: u64 = 10;

/// Gives a cluster's agent a new token; the one before is no longer good. What was heard of it stays.
///
/// # Errors
/// 404, 409 `cluster_removing`, 422 `invalid_spec`.
pub async fn install(
    state: &AppState,
    caller: &Caller,
    name: &str,
    new: NewClusterAgent,
) -> ApiResult<ClusterAgentInstallation> {
    let mut fields = Fields::default();
    fields.check("image", image::check(&new.image));
    let url = new.portal_url.trim_end_matches('/');
    check_portal_url(url, &mut fields);
    fields.done()?;
    let mut unit = state.unit().await?;
    let row = locked(&unit, name).await?;
    let token = random_token();
    let before = cluster_agents::find(&*unit, row.id).await?;
    let agent = cluster_agents::Model {
        cluster_id: row.id,
        token_digest: digest(&token),
        issued_by: caller.name.clone(),
        issued_at: state.now(),
        heard_at: before.as_ref().and_then(|agent| agent.heard_at),
        renewed_at: before.as_ref().and_then(|agent| agent.renewed_at),
        error: before.and_then(|agent| agent.error),
    };
    cluster_agents::replace(&*unit, agent).await?;
    unit.record(Record::cluster(name));
    unit.commit().await?;
    Ok(ClusterAgentInstallation {
        manifest: manifest::manifest(&manifest::Agent {
            cluster: name,
            portal_url: url,
            image: &new.image,
            token: &token,
            interval_seconds: interval_seconds(state.config.patience()),
        }),
        token,
    })
}

/// How often an agent is to speak: several times while its silence is still no sign.
fn interval_seconds(patience: health::Patience) -> u64 {
    (patience.unreachable_after.as_secs() / 3).clamp(1, LONGEST_INTERVAL_SECONDS)
}

fn check_portal_url(url: &str, fields: &mut Fields) {
    let good = url.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    });
    if !good {
        fields.refuse("portal_url", "must be an http:// or https:// address");
    }
}

/// Takes the agent's token away and forgets what it said: the cluster has one witness again.
///
/// # Errors
/// 404, 409 `cluster_removing`.
pub async fn remove(state: &AppState, name: &str) -> ApiResult<()> {
    let mut unit = state.unit().await?;
    let row = locked(&unit, name).await?;
    cluster_agents::delete(&*unit, row.id).await?;
    unit.record(Record::cluster(name));
    unit.commit().await?;
    state.work.health.wake();
    Ok(())
}

/// Takes a heartbeat.
///
/// # Errors
/// 401 `agent_token_invalid`, also for a cluster that doesn't exist: whoever has no token learns nothing.
pub async fn hear(state: &AppState, name: &str, token: Option<&str>, heartbeat: Heartbeat) -> ApiResult<()> {
    let database = &state.foundation.database;
    let token_digest = digest(token.unwrap_or_default());
    let cluster = clusters::find(database, name).await?;
    let agent = match &cluster {
        Some(cluster) => cluster_agents::find(database, cluster.id).await?,
        None => None,
    };
    let (Some(cluster), Some(mut agent)) = (cluster, agent) else {
        return Err(bad_token(name));
    };
    if agent.token_digest != token_digest {
        return Err(bad_token(name));
    }
    let now = state.now();
    let was_fresh = is_fresh(state, &agent);
    let first = agent.renewed_at.is_none();
    agent.heard_at = Some(now);
    if let Some(age) = heartbeat.lease_age_ms {
        let age = i64::try_from(age).ok().and_then(Duration::try_milliseconds);
        let renewed_at = age.and_then(|age| now.checked_sub_signed(age)).map(storable);
        // What was known stays, as when an agent is new and its first renewal fails.
        agent.renewed_at = renewed_at.max(agent.renewed_at);
    }
    agent.error = heartbeat
        .error
        .map(|error| error.chars().take(LONGEST_ERROR).collect());
    let news = first || was_fresh != is_fresh(state, &agent);
    if !cluster_agents::hear(database, agent).await? {
        return Err(bad_token(name));
    }
    if news {
        let mut unit = state.unit().await?;
        unit.record(Record::cluster(&cluster.name));
        unit.commit().await?;
        state.work.health.wake();
    }
    Ok(())
}

fn is_fresh(state: &AppState, agent: &cluster_agents::Model) -> bool {
    health::agent_witness(agent.renewed_at, None, state.config.patience(), state.now()).fresh
}

fn bad_token(name: &str) -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "agent_token_invalid",
        format!("the token is none of the agent of cluster {name}; install the agent anew for another one"),
    )
}

/// 256 random bits. The prefix is known to the portal, and to scanners of leaked secrets.
fn random_token() -> String {
    let bits = rand::random::<[u8; 32]>();
    format!("{}{}", auth::CLUSTER_TOKEN_PREFIX, URL_SAFE_NO_PAD.encode(bits))
}

/// Enough for random secrets of 256 bits.
fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// What became of a cluster, newest first.
///
/// # Errors
/// 400 `invalid_cursor`, 404.
pub async fn history(state: &AppState, name: &str, query: &ListQuery) -> ApiResult<Page<ClusterStateChange>> {
    let database = &state.foundation.database;
    let row = clusters::find(database, name)
        .await?
        .ok_or_else(|| missing(name))?;
    let before: Option<Uuid> = decode_cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit);
    let rows = cluster_states::page(database, row.id, before, limit as u64 + 1).await?;
    let total = cluster_states::count(database, row.id).await?;
    let page = page::of(rows, limit, total, |row| encode_cursor(&row.id));
    Ok(Page {
        items: page
            .items
            .iter()
            .map(cluster_states::Model::to_change)
            .collect::<Result<_, _>>()?,
        next_cursor: page.next_cursor,
        total_estimate: page.total_estimate,
        gaps: Vec::new(),
    })
}
