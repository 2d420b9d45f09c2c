//! Requests to one API server: every one with a deadline, none repeated, all within the cluster's limits.
//!
//! The library's client gives the transport (TLS, credentials, address); requests and replies are read
//! here, so that a reply that can't be read never ends up in a log with the secrets in it, and so that
//! an index is fed without building whole Kubernetes objects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::Client;
use kube::client::{Body, ConfigExt as _};
use kube::config::Config;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::limit::{ConcurrencyLimitLayer, RateLimitLayer};
use tower::{BoxError, ServiceBuilder};

use crate::app::names::MANAGER;
use crate::cluster::error::KubeError;
use crate::cluster::paths::with_query;
use crate::cluster::throttle::Throttle;

/// Replies larger than this aren't read; a page of 500 pods is some megabytes.
const LARGEST_REPLY: usize = 256 * 1024 * 1024;
/// A peer that vanished without a word is noticed after 20 s and three questions 10 s apart.
const KEEPALIVE: Duration = Duration::from_secs(20);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// A pause that a cluster asked for is waited out, a longer one is told.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How much may be asked of a cluster at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect_timeout: Duration,
    pub deadline: Duration,
    pub concurrency: usize,
    /// No limit when absent.
    pub per_second: Option<u32>,
}

/// A client of one API server.
#[derive(Clone)]
pub struct Rest {
    client: Client,
    deadline: Duration,
    throttle: Arc<Throttle>,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Rest(…)")
    }
}

impl Rest {
    /// A client with limits of its own.
    ///
    /// # Errors
    /// The library's, for credentials it can't use.
    pub fn new(config: &Config, limits: Limits) -> Result<Self, kube::Error> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(KEEPALIVE));
        connector.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
        connector.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
        connector.set_connect_timeout(Some(limits.connect_timeout));
        let https = config.rustls_https_connector_with_connector(connector)?;
        let http: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(https);
        let service = ServiceBuilder::new()
            .layer(ConcurrencyLimitLayer::new(limits.concurrency))
            .option_layer(
                limits
                    .per_second
                    .map(|count| RateLimitLayer::new(u64::from(count), Duration::from_secs(1))),
            )
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer()?)
            .layer(config.extra_headers_layer()?)
            .map_err(BoxError::from)
            .service(http);
        Ok(Self {
            client: Client::new(service, "default"),
            deadline: limits.deadline,
            throttle: Arc::default(),
        })
    }

    /// The same with another deadline.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Self {
        Self {
            client: self.client.clone(),
            deadline,
            throttle: self.throttle.clone(),
        }
    }

    /// The same, keeping to the pauses that another client of this cluster was asked for, too.
    #[must_use]
    pub fn sharing(mut self, throttle: &Arc<Throttle>) -> Self {
        self.throttle = throttle.clone();
        self
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, KubeError> {
        read(&self.bytes(request(Method::GET, path, None, None)?).await?)
    }

    /// The reply as text, whatever it is.
    pub async fn get_text(&self, path: &str) -> Result<String, KubeError> {
        let bytes = self.bytes(request(Method::GET, path, None, None)?).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, KubeError> {
        let request = request(Method::POST, path, Some("application/json"), Some(to_bytes(body)))?;
        read(&self.bytes(request).await?)
    }

    /// Server-side apply under our field manager; `force` takes fields that others hold.
    pub async fn apply(&self, path: &str, body: &Value, force: bool) -> Result<Value, KubeError> {
        let force = if force { "true" } else { "false" };
        let path = with_query(path, &[("fieldManager", MANAGER), ("force", force)]);
        let request = request(
            Method::PATCH,
            &path,
            Some("application/apply-patch+yaml"),
            Some(to_bytes(body)),
        )?;
        read(&self.bytes(request).await?)
    }

    /// Deletes; what isn't there is fine. Returns whether it was there.
    pub async fn delete(&self, path: &str, options: &Value) -> Result<bool, KubeError> {
        let request = request(
            Method::DELETE,
            path,
            Some("application/json"),
            Some(to_bytes(options)),
        )?;
        match self.bytes(request).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The body as it comes; the deadline holds for its beginning only.
    pub async fn stream(
        &self,
        path: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, KubeError>> + Send + use<>, KubeError> {
        let response = self.send(request(Method::GET, path, None, None)?).await?;
        let status = response.status();
        if !status.is_success() {
            let body = self.collect(response.into_body()).await?;
            return Err(KubeError::refused(status, &body));
        }
        let body = response.into_body().into_data_stream();
        Ok(body.map(|part| part.map_err(|error| KubeError::Connect(error.into()))))
    }

    async fn bytes(&self, request: Request<Body>) -> Result<Bytes, KubeError> {
        let whole = async {
            let response = self.send(request).await?;
            let status = response.status();
            let body = self.collect(response.into_body()).await?;
            Ok((status, body))
        };
        let (status, body) = tokio::time::timeout(self.deadline, whole)
            .await
            .map_err(|_| KubeError::Timeout(self.deadline))??;
        if status.is_success() {
            Ok(body)
        } else {
            Err(KubeError::refused(status, &body))
        }
    }

    async fn send(&self, request: Request<Body>) -> Result<http::Response<Body>, KubeError> {
        let pause = self.throttle.pause(Instant::now());
        if pause > LONGEST_PAUSE.min(self.deadline / 2) {
            return Err(KubeError::Refused {
                status: StatusCode::TOO_MANY_REQUESTS,
                reason: "TooManyRequests".to_owned(),
                message: format!(
                    "it asked to be left alone for another {} s",
                    pause.as_secs_f32().ceil()
                ),
                causes: Vec::new(),
            });
        }
        tokio::time::sleep(pause).await;
        let response = tokio::time::timeout(self.deadline, self.client.send(request))
            .await
            .map_err(|_| KubeError::Timeout(self.deadline))?
            .map_err(|error| KubeError::Connect(error.into()))?;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            self.throttle.take(response.headers(), Instant::now());
        }
        Ok(response)
    }

    async fn collect(&self, mut body: Body) -> Result<Bytes, KubeError> {
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| KubeError::Connect(error.into()))?;
            if let Ok(data) = frame.into_data() {
                if all.len() + data.len() > LARGEST_REPLY {
                    return Err(KubeError::Unreadable("the reply is too large".into()));
                }
                all.extend_from_slice(&data);
            }
        }
        Ok(all.freeze())
    }
}

fn request(
    method: Method,
    path: &str,
    content_type: Option<&str>,
    body: Option<Vec<u8>>,
) -> Result<Request<Body>, KubeError> {
    let mut builder = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, "application/json")
        .header(
            header::USER_AGENT,
            concat!("longshore/", env!("CARGO_PKG_VERSION")),
        );
    if let Some(content_type) = content_type {
        builder = builder.header(header::CONTENT_TYPE, content_type);
    }
    builder
        .body(body.map_or_else(Body::empty, Body::from))
        .map_err(|error| KubeError::Refused {
            status: StatusCode::BAD_REQUEST,
            reason: "BadRequest".to_owned(),
            message: error.to_string(),
            causes: Vec::new(),
        })
}

fn to_bytes(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("a body is plain data")
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, KubeError> {
    // The parser's own words may quote what stands there, which may be a secret.
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!(
            "{:?} error at line {}, column {}",
            error.classify(),
            error.line(),
            error.column()
        );
        KubeError::Unreadable(place.into())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::response::IntoResponse as _;
    use axum::routing::get;

    use super::*;

    /// Answers the first request with 429 and this pause, all others with a version.
    async fn busy(retry_after: &'static str) -> (Rest, Arc<AtomicUsize>) {
        platform::foundation::install_tls_provider();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let answer = get(move || async move {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                (
                    StatusCode::TOO_MANY_REQUESTS,
                    [(header::RETRY_AFTER, retry_after)],
                    "{}",
                )
                    .into_response()
            } else {
                "{}".into_response()
            }
        });
        let router = axum::Router::new().fallback_service(answer);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let limits = Limits {
            connect_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(10),
            concurrency: 5,
            per_second: None,
        };
        let rest = Rest::new(&Config::new(url.parse().unwrap()), limits).unwrap();
        (rest, asked)
    }

    #[tokio::test]
    async fn a_long_pause_that_a_cluster_asks_for_is_kept_by_all_of_its_clients() {
        let (rest, asked) = busy("30").await;
        let throttle = Arc::default();
        let (looks, writes) = (rest.clone().sharing(&throttle), rest.sharing(&throttle));
        for client in [&looks, &looks, &writes] {
            let error = client.get::<Value>("/version").await.unwrap_err();
            assert_eq!(error.status(), Some(StatusCode::TOO_MANY_REQUESTS));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "it was left alone");
    }

    #[tokio::test]
    async fn a_short_pause_is_waited_out() {
        let (rest, asked) = busy("1").await;
        assert!(rest.get::<Value>("/version").await.is_err());
        rest.get::<Value>("/version").await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
