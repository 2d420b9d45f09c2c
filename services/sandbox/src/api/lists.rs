//! Lists: selectors, pages, consistent snapshots; and deletion of all that a list holds.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::Call;
use super::body::{self, Body, Format};
use super::errors::{ApiError, ApiResult};
use super::path::Resource;
use super::tables;
use crate::kinds::KindRef;
use crate::registry::delete::{DeleteOptions, delete};
use crate::store::Object;
use crate::store::selector::{FieldSelector, LabelSelector};

/// What a list or a watch picks.
#[derive(Debug, Clone)]
pub struct Filter {
    pub labels: LabelSelector,
    pub fields: FieldSelector,
}

impl Filter {
    pub fn of(call: &Call, target: &Resource) -> ApiResult<Self> {
        Self::for_kind(call, target.kind)
    }

    pub fn for_kind(call: &Call, kind: KindRef) -> ApiResult<Self> {
        let labels = call.query.get("labelSelector").unwrap_or("");
        let labels = LabelSelector::parse(labels)
            .map_err(|why| ApiError::bad_request(format!("unable to parse requirement: {why}")))?;
        let fields = call.query.get("fieldSelector").unwrap_or("");
        let fields = FieldSelector::parse(fields, kind).map_err(ApiError::bad_request)?;
        Ok(Self { labels, fields })
    }

    pub fn matches(&self, object: &Object) -> bool {
        self.labels.matches_object(object) && self.fields.matches(object)
    }

    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

/// Where the next page starts: the state it belongs to, and the last object of the page before.
struct Continue {
    version: u64,
    namespace: String,
    name: String,
}

impl Continue {
    fn encode(&self) -> String {
        BASE64.encode(
            json!({"v": "sandbox", "rv": self.version, "ns": self.namespace, "name": self.name}).to_string(),
        )
    }

    fn decode(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_slice(&BASE64.decode(text).ok()?).ok()?;
        Some(Self {
            version: value["rv"].as_u64()?,
            namespace: value["ns"].as_str()?.to_owned(),
            name: value["name"].as_str()?.to_owned(),
        })
    }
}

/// A page and what to say about it.
struct Page {
    objects: Vec<Arc<Object>>,
    version: u64,
    next: Option<String>,
    remaining: Option<usize>,
}

fn page(call: &Call, target: &Resource) -> ApiResult<Page> {
    let (store, kind, namespace) = (&call.cluster.store, target.kind, target.namespace.as_deref());
    let filter = Filter::of(call, target)?;
    let limit = call.query.number("limit")?.unwrap_or(0);
    let limit = usize::try_from(limit).map_err(|_| ApiError::bad_request("limit must not be negative"))?;
    let asked = call.query.get("resourceVersion").unwrap_or("");
    let exact = call.query.get("resourceVersionMatch").unwrap_or("");
    let token = call.query.get("continue").filter(|token| !token.is_empty());

    let (mut objects, version, start) = match token {
        Some(token) => {
            if !asked.is_empty() && asked != "0" {
                return Err(ApiError::bad_request(
                    "specifying resource version is not allowed when using continue",
                ));
            }
            let token = Continue::decode(token)
                .ok_or_else(|| ApiError::bad_request("continue key is not valid: the token is malformed"))?;
            let objects = store
                .list_at(kind, namespace, token.version)
                .ok_or_else(expired_token)?;
            (objects, token.version, Some(token))
        }
        None if exact == "Exact" => {
            let version = parse_version(asked)?;
            let objects = store
                .list_at(kind, namespace, version)
                .ok_or_else(|| too_old(version, store.oldest(kind)))?;
            (objects, version, None)
        }
        None => {
            let (objects, version) = store.list(kind, namespace);
            let wanted = if asked.is_empty() {
                0
            } else {
                parse_version(asked)?
            };
            if wanted > version {
                return Err(too_large(wanted, version));
            }
            (objects, version, None)
        }
    };
    // The watch cache of the real server ignores a limit on "any version".
    let limit = if asked == "0" && token.is_none() && exact.is_empty() {
        0
    } else {
        limit
    };
    if let Some(start) = &start {
        let after = objects.partition_point(|object| {
            (object.namespace(), object.name()) <= (start.namespace.as_str(), start.name.as_str())
        });
        objects.drain(..after);
    }
    objects.retain(|object| filter.matches(object));
    let mut next = None;
    let mut remaining = None;
    if limit > 0 && objects.len() > limit {
        if filter.is_empty() {
            remaining = Some(objects.len() - limit);
        }
        objects.truncate(limit);
        next = objects.last().map(|last| {
            Continue {
                version,
                namespace: last.namespace().into(),
                name: last.name().into(),
            }
            .encode()
        });
    }
    Ok(Page {
        objects,
        version,
        next,
        remaining,
    })
}

pub fn parse_version(text: &str) -> ApiResult<u64> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        ApiError::bad_request(format!(
            "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        ))
    })
}

fn expired_token() -> ApiError {
    ApiError::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
}

fn too_old(asked: u64, oldest: u64) -> ApiError {
    ApiError::expired(format!("too old resource version: {asked} ({oldest})"))
}

fn too_large(asked: u64, current: u64) -> ApiError {
    let message = format!("Too large resource version: {asked}, current: {current}");
    ApiError::new(504, "Timeout", format!("Timeout: {message}")).with_details(json!({
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }))
}

pub fn answer(call: &Call, target: &Resource) -> ApiResult<Response<Body>> {
    let page = page(call, target)?;
    let version = page.version.to_string();
    if call.format == Format::Table {
        let policy = tables::Inclusion::of(&call.query);
        let objects = page.objects.iter().map(Arc::as_ref);
        let mut table = tables::table(target.kind, objects, policy, &version, true);
        finish_metadata(&mut table["metadata"], &page);
        return Ok(body::json(StatusCode::OK, &table));
    }
    let mut metadata = json!({"resourceVersion": version});
    finish_metadata(&mut metadata, &page);
    let partial = call.format == Format::Metadata;
    let (kind, api_version) = if partial {
        (
            "PartialObjectMetadataList".to_owned(),
            "meta.k8s.io/v1".to_owned(),
        )
    } else {
        (format!("{}List", target.kind.name), target.kind.api_version())
    };
    let mut out = Vec::with_capacity(256 + page.objects.len() * 2048);
    out.extend_from_slice(
        format!("{{\"kind\":{kind:?},\"apiVersion\":{api_version:?},\"metadata\":{metadata},\"items\":[")
            .as_bytes(),
    );
    for (position, object) in page.objects.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        if partial {
            out.extend_from_slice(tables::metadata(object).to_string().as_bytes());
        } else {
            object.write(false, &mut out);
        }
    }
    out.extend_from_slice(b"]}\n");
    Ok(body::full(StatusCode::OK, "application/json", out))
}

fn finish_metadata(metadata: &mut Value, page: &Page) {
    if let Some(next) = &page.next {
        metadata["continue"] = next.clone().into();
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = remaining.into();
    }
}

pub fn delete_all(call: &Call, target: &Resource, options: &DeleteOptions) -> ApiResult<Response<Body>> {
    let page = page(call, target)?;
    let mut items = Vec::with_capacity(page.objects.len());
    for object in &page.objects {
        match delete(
            &call.cluster,
            target.kind,
            object.namespace(),
            object.name(),
            options,
        ) {
            Ok(_) => items.push(object.bare_value()),
            Err(error) if error.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(body::json(
        StatusCode::OK,
        &json!({
            "kind": format!("{}List", target.kind.name),
            "apiVersion": target.kind.api_version(),
            "metadata": {"resourceVersion": page.version.to_string()},
            "items": items,
        }),
    ))
}
