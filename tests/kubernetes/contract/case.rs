//! One case at work: a client, a namespace of its own, and the calls that cases make.
//!
//! Most calls are plain HTTP with JSON, through kube's client stack: the contract is about status codes and
//! bodies, which typed clients hide.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use futures::{FutureExt as _, TryStreamExt as _};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use k8s_openapi::NamespaceResourceScope;
use kube::client::Body;
use kube::core::WatchEvent;
use kube::{Api, Client, Config, Resource};
use serde_json::{Value, json};

/// The slowest case waits for a compaction of etcd, half a minute apart.
const LONGEST: Duration = Duration::from_secs(480);
/// A busy kubelet takes most of a minute to let go of a pod, and some cases replace three, one after the other.
pub const PATIENCE: Duration = Duration::from_secs(200);

pub const JSON: &str = "application/json";
pub const JSON_PATCH: &str = "application/json-patch+json";
pub const MERGE_PATCH: &str = "application/merge-patch+json";
pub const STRATEGIC_MERGE_PATCH: &str = "application/strategic-merge-patch+json";
pub const APPLY_PATCH: &str = "application/apply-patch+yaml";

/// A case, as the list of cases has it.
#[derive(Clone)]
pub struct Described {
    pub group: &'static str,
    pub name: &'static str,
    /// The first minor version of Kubernetes that has what the case is about.
    pub since: u32,
    pub body: for<'a> fn(&'a Case) -> LocalBoxFuture<'a, ()>,
}

pub struct Case {
    pub config: Config,
    pub client: Client,
    pub namespace: String,
    pub minor: u32,
    /// The file that the configuration was read from.
    pub kubeconfig: PathBuf,
}

/// What a server answered, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub body: Value,
}

pub async fn run(config: &Config, kubeconfig: &Path, minor: u32, described: &Described) {
    let case = Case::open(config, kubeconfig, minor, described.name).await;
    let work = AssertUnwindSafe(tokio::time::timeout(LONGEST, (described.body)(&case)));
    let outcome = work.catch_unwind().await;
    case.close().await;
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(_)) => panic!("the case took longer than {LONGEST:?}"),
        Err(panic) => resume_unwind(panic),
    }
}

impl Case {
    async fn open(config: &Config, kubeconfig: &Path, minor: u32, name: &str) -> Self {
        let client = Client::try_from(config.clone()).expect("a client");
        let id = uuid::Uuid::new_v4().simple().to_string();
        let short: String = name.replace('_', "-").chars().take(40).collect();
        let namespace = format!("{short}-{}", &id[..8]);
        let case = Self {
            config: config.clone(),
            client,
            namespace,
            minor,
            kubeconfig: kubeconfig.to_owned(),
        };
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": case.namespace}});
        case.post("/api/v1/namespaces", body).await.ok(201);
        case
    }

    async fn close(&self) {
        self.delete(&format!("/api/v1/namespaces/{}", self.namespace))
            .await;
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The path of `configmaps`, `configmaps/name`, `deployments.apps/name/scale`, ... in the case's namespace.
    pub fn path(&self, what: &str) -> String {
        let (resource, rest) = what.split_at(what.find(['/', '?']).unwrap_or(what.len()));
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        let root = match group {
            "" => "/api/v1".to_owned(),
            "policy" | "discovery.k8s.io" if self.minor < 21 => format!("/apis/{group}/v1beta1"),
            _ => format!("/apis/{group}/v1"),
        };
        format!("{root}/namespaces/{}/{plural}{rest}", self.namespace)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some((JSON, body))).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some((JSON, body))).await
    }

    pub async fn patch(&self, path: &str, kind: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some((kind, body))).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    pub async fn delete_with(&self, path: &str, options: Value) -> Answer {
        self.call(Method::DELETE, path, Some((JSON, options))).await
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<(&str, Value)>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        let mut bytes = Vec::new();
        if let Some((kind, body)) = body {
            request = request.header(http::header::CONTENT_TYPE, kind);
            bytes = serde_json::to_vec(&body).expect("a value is JSON");
        }
        self.send(request.body(Body::from(bytes)).expect("a request"))
            .await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let asked = format!("{} {}", request.method(), request.uri());
        let reply = tokio::time::timeout(PATIENCE, self.client.send(request)).await;
        let reply = reply
            .unwrap_or_else(|_| panic!("{asked}: no answer in {PATIENCE:?}"))
            .unwrap_or_else(|error| panic!("{asked}: {error}"));
        let code = reply.status().as_u16();
        let body = reply.into_body().collect().await;
        let body = body
            .unwrap_or_else(|error| panic!("{asked}: reading the answer: {error}"))
            .to_bytes();
        // A few answers are text: an unknown path, a log, a health check.
        let body = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
        Answer { code, body }
    }

    /// Creates an object of the resource and gives it as it was stored.
    pub async fn create(&self, resource: &str, body: Value) -> Value {
        self.post(&self.path(resource), body).await.ok(201)
    }

    pub async fn read(&self, what: &str) -> Value {
        self.get(&self.path(what)).await.ok(200)
    }

    pub async fn list(&self, resource_and_query: &str) -> Vec<Value> {
        self.read(resource_and_query).await["items"]
            .as_array()
            .expect("a list has items")
            .clone()
    }

    /// Reads `what` until the condition gives a value.
    pub async fn until<T, E: Debug>(
        &self,
        what: &str,
        mut condition: impl FnMut(&Value) -> Result<T, E>,
    ) -> T {
        eventually(what, async || {
            let object = self.read(what).await;
            condition(&object).map_err(|reason| format!("{reason:?} of {}", object["status"]))
        })
        .await
    }

    pub async fn until_gone(&self, what: &str) {
        eventually(what, async || {
            let answer = self.get(&self.path(what)).await;
            if answer.code == 404 { Ok(()) } else { Err(answer) }
        })
        .await;
    }

    /// Follows a watch until `enough` says so of the events so far, or the server ends it.
    pub async fn watch(
        &self,
        resource_and_query: &str,
        mut enough: impl FnMut(&[Event]) -> bool,
    ) -> Vec<Event> {
        let separator = if resource_and_query.contains('?') {
            '&'
        } else {
            '?'
        };
        let uri = format!("{}{separator}watch=true", self.path(resource_and_query));
        let request = Request::get(uri).body(Vec::new()).expect("a request");
        let mut events = Vec::new();
        let follow = async {
            let stream = self.client.request_events::<Value>(request).await;
            let stream = match stream {
                Ok(stream) => stream,
                Err(kube::Error::Api(status)) => {
                    events.push(Event::failed(*status));
                    return;
                }
                Err(error) => panic!("watching {resource_and_query}: {error}"),
            };
            futures::pin_mut!(stream);
            while let Some(event) = stream.try_next().await.expect("a watch gives events") {
                events.push(Event::from(event));
                if enough(&events) {
                    return;
                }
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, follow).await.is_ok();
        assert!(
            in_time,
            "watching {resource_and_query}: not enough in {PATIENCE:?}: {:?}",
            events.iter().map(Event::told).collect::<Vec<_>>()
        );
        events
    }
}

impl Answer {
    #[track_caller]
    pub fn ok(self, code: u16) -> Value {
        assert_eq!(self.code, code, "{:#}", self.body);
        self.body
    }

    /// Gives the `Status` of a refusal, which always has this form.
    #[track_caller]
    pub fn refused(self, code: u16, reason: &str) -> Value {
        assert_eq!(self.code, code, "{:#}", self.body);
        assert_eq!(self.body["kind"], "Status", "{:#}", self.body);
        assert_eq!(self.body["apiVersion"], "v1", "{:#}", self.body);
        assert_eq!(self.body["status"], "Failure", "{:#}", self.body);
        assert_eq!(self.body["code"], code, "{:#}", self.body);
        assert_eq!(self.body["reason"], reason, "{:#}", self.body);
        let message = self.body["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "a refusal says why: {:#}", self.body);
        self.body
    }
}

/// An event of a watch: its type, and the object, the bookmark's metadata or the error's status.
#[derive(Debug)]
pub struct Event {
    pub kind: &'static str,
    pub object: Value,
}

impl Event {
    fn failed(status: kube::core::Status) -> Self {
        let object = serde_json::to_value(status).expect("a status is JSON");
        Self {
            kind: "ERROR",
            object,
        }
    }

    pub fn version(&self) -> u64 {
        version(&self.object)
    }

    /// What happened to whom.
    pub fn told(&self) -> (&str, &str) {
        (
            self.kind,
            self.object["metadata"]["name"].as_str().unwrap_or_default(),
        )
    }
}

impl From<WatchEvent<Value>> for Event {
    fn from(event: WatchEvent<Value>) -> Self {
        match event {
            WatchEvent::Added(object) => Self {
                kind: "ADDED",
                object,
            },
            WatchEvent::Modified(object) => Self {
                kind: "MODIFIED",
                object,
            },
            WatchEvent::Deleted(object) => Self {
                kind: "DELETED",
                object,
            },
            WatchEvent::Bookmark(bookmark) => Self {
                kind: "BOOKMARK",
                object: json!({"metadata": {"resourceVersion": bookmark.metadata.resource_version}}),
            },
            WatchEvent::Error(status) => Self::failed(*status),
        }
    }
}

/// The resource version of an object or a list. Clients may only compare them for equality; a number is what every
/// server gives, and what the order of events is checked by here.
#[track_caller]
pub fn version(object: &Value) -> u64 {
    let text = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    text.parse()
        .unwrap_or_else(|_| panic!("no resource version in {object:#}"))
}

pub async fn eventually<T, E: Debug>(what: &str, mut condition: impl AsyncFnMut() -> Result<T, E>) -> T {
    let started = Instant::now();
    loop {
        match condition().await {
            Ok(value) => return value,
            Err(reason) if started.elapsed() > PATIENCE => {
                panic!("waited {PATIENCE:?} for {what}; the last reason: {reason:?}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
