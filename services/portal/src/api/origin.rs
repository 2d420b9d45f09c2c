//! Where a request comes from: address, scheme, and whether its page is ours.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{Extensions, HeaderMap};

use crate::config::Config;
use crate::state::AppState;

/// The other end of a request.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    pub address: IpAddr,
    /// Whether the browser speaks HTTPS, to us or to the proxy before us.
    pub secure: bool,
}

impl Client {
    #[must_use]
    pub fn of(config: &Config, headers: &HeaderMap, extensions: &Extensions) -> Self {
        let peer = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let forwarded = |name: &str| {
            // The last entry is the one that our own proxy wrote.
            let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
            value.rsplit(',').next().map(str::trim)
        };
        let address = config
            .trust_forwarded
            .then(|| forwarded("x-forwarded-for"))
            .flatten()
            .and_then(|text| text.parse().ok())
            .unwrap_or(peer);
        let secure = match &config.public_url {
            Some(url) => url.starts_with("https://"),
            None => config.trust_forwarded && forwarded("x-forwarded-proto") == Some("https"),
        };
        Self {
            address: address.to_canonical(),
            secure,
        }
    }
}

impl FromRequestParts<AppState> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&state.config, &parts.headers, &parts.extensions))
    }
}

/// Whether a browser says that one of our own pages made the request. Who is no browser says nothing.
#[must_use]
pub fn of_own_page(config: &Config, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else { return false };
    if let Some(own) = &config.public_url {
        return origin.eq_ignore_ascii_case(own);
    }
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let place = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    match (place, host) {
        (Some(place), Some(host)) => place.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    fn config(public_url: Option<&str>, trust_forwarded: bool) -> Config {
        Config {
            public_url: public_url.map(Into::into),
            trust_forwarded,
            ..Config::default()
        }
    }

    #[test]
    fn forwarded_headers_are_believed_only_when_told_to() {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 9))));
        let headers = headers(&[
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7"),
            ("x-forwarded-proto", "https"),
        ]);
        let plain = Client::of(&config(None, false), &headers, &extensions);
        assert_eq!(plain.address, IpAddr::from([10, 0, 0, 1]));
        assert!(!plain.secure);
        let behind = Client::of(&config(None, true), &headers, &extensions);
        assert_eq!(behind.address, IpAddr::from([192, 0, 2, 7]));
        assert!(behind.secure);
        assert!(Client::of(&config(Some("https://x"), false), &headers, &extensions).secure);
    }

    #[test]
    fn another_sites_page_is_told_from_ours() {
        let own = |public: Option<&str>, pairs: &[(&'static str, &str)]| {
            of_own_page(&config(public, false), &headers(pairs))
        };
        let host = ("host", "portal.example:7800");
        assert!(own(None, &[host]));
        assert!(own(None, &[host, ("origin", "http://portal.example:7800")]));
        assert!(!own(None, &[host, ("origin", "http://evil.example")]));
        assert!(!own(None, &[host, ("origin", "null")]));
        assert!(!own(None, &[("origin", "http://portal.example")]));
        assert!(own(
            Some("https://p.example"),
            &[host, ("origin", "https://p.example")]
        ));
        assert!(!own(
            Some("https://p.example"),
            &[host, ("origin", "http://p.example")]
        ));
    }
}
