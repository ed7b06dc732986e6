//! Requests, with redirects followed here: a token must not go along, and the hub says a file's SHA-256 before it redirects.

use std::time::Duration;

use ureq::http::header::{AUTHORIZATION, LOCATION};
use ureq::http::{HeaderMap, Response};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, RequestBuilder};
use url::Url;

use crate::Hub;
use crate::hub::{is_loopback, is_private};
use crate::source::digest;

const MOST_REDIRECTS: usize = 10;

/// What a request fails with, before there is a reply.
#[derive(Debug)]
pub enum RequestError {
    /// Perhaps it works later.
    Passing(String),
    /// It will not work.
    Final(String),
}

/// A reply that is no redirect, and what the hub said on the way to it.
pub struct Reply {
    pub response: Response<Body>,
    pub hub: HubSays,
}

/// What the hub's headers say of a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct HubSays {
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
}

pub struct Client<'a> {
    agent: Agent,
    hub: &'a Hub,
    /// Whether a SHA-256 of the app protects the file, so that others may read and change it on its way.
    is_protected: bool,
}

impl<'a> Client<'a> {
    pub fn new(hub: &'a Hub, silence: Duration, is_protected: bool) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(silence))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .user_agent(concat!("sotto/", env!("CARGO_PKG_VERSION")))
            // After an interruption, a new connection is the better bet.
            .max_idle_connections(0)
            .build();
        Self { agent: config.into(), hub, is_protected }
    }

    /// Asks for `url`: for all of it, or from `from` on if it still has the `etag`, if there is one.
    pub fn get(&self, url: &Url, from: u64, etag: Option<&str>) -> Result<Reply, RequestError> {
        let (mut url, mut hub) = (url.clone(), HubSays::default());
        for _ in 0..MOST_REDIRECTS {
            let mut request = self.agent.get(url.as_str()).header("Accept-Encoding", "identity");
            if from > 0 {
                request = request.header("Range", format!("bytes={from}-"));
                request = etag.into_iter().fold(request, |request, etag| request.header("If-Range", etag));
            }
            let response = self.send(request, &url)?;
            if self.hub.has(&url) && is_private(&url) {
                hub = hub.or(HubSays::in_headers(response.headers()));
            }
            match response.status().as_u16() {
                301 | 302 | 303 | 307 | 308 => url = self.next(&url, response.headers())?,
                _ => return Ok(Reply { response, hub }),
            }
        }
        Err(RequestError::Passing("the server redirects in circles".into()))
    }

    fn send(&self, mut request: RequestBuilder<WithoutBody>, url: &Url) -> Result<Response<Body>, RequestError> {
        if let Some(token) = self.hub.token_for(url) {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        // No proxy can reach this machine's own servers.
        if is_loopback(url) {
            request = request.config().proxy(None).build();
        }
        request.call().map_err(|error| match error {
            // These name the address, or the header.
            ureq::Error::BadUri(_) => RequestError::Final("its address is not valid".into()),
            ureq::Error::Http(_) => RequestError::Final("HF_TOKEN is not a token".into()),
            error => RequestError::Passing(passing(&error)),
        })
    }

    /// Where a redirect leads.
    fn next(&self, url: &Url, headers: &HeaderMap) -> Result<Url, RequestError> {
        let next = headers.get(LOCATION).and_then(|location| url.join(location.to_str().ok()?).ok());
        let next = next.filter(|next| next.has_host() && matches!(next.scheme(), "https" | "http"));
        let next = next.ok_or_else(|| RequestError::Passing("the server redirects to nowhere".into()))?;
        match is_private(&next) || self.is_protected && !is_private(url) {
            true => Ok(next),
            false => Err(RequestError::Final("the server redirects to an address without TLS".into())),
        }
    }
}

/// What happened to a connection, without its address.
pub fn passing(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "the server was silent for too long".into(),
        ureq::Error::HostNotFound => "the server's name is not known: check the connection".into(),
        ureq::Error::Io(_) => "the connection was lost".into(),
        ureq::Error::ConnectionFailed => "there is no connection to the server".into(),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => "the server could not prove who it is (TLS)".into(),
        _ => "the server's answer is not HTTP".into(),
    }
}

impl HubSays {
    fn in_headers(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            bytes: text("x-linked-size").and_then(|size| size.parse().ok()),
            sha256: text("x-linked-etag").and_then(|etag| digest(etag.trim_matches('"'))),
        }
    }

    fn or(self, other: Self) -> Self {
        Self { bytes: self.bytes.or(other.bytes), sha256: self.sha256.or(other.sha256) }
    }
}
