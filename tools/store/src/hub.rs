//! The server that `owner/repo:file` names files on.

use std::env;
use std::net::IpAddr;

use url::{Host, Url};

use crate::StoreError;

/// Hugging Face's address. `HF_ENDPOINT` names a mirror.
const ENDPOINT: &str = "https://huggingface.co";

/// A server like Hugging Face's, and the user's token for it.
#[derive(Clone)]
pub struct Hub {
    endpoint: Url,
    token: Option<String>,
}

impl Hub {
    /// Hugging Face, or the mirror that the variable `HF_ENDPOINT` names, with the token in `HF_TOKEN`.
    ///
    /// # Errors
    /// [`StoreError::InvalidSource`] if `HF_ENDPOINT` is not a web address.
    pub fn from_env() -> Result<Self, StoreError> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self::new(variable("HF_ENDPOINT").as_deref().unwrap_or(ENDPOINT), variable("HF_TOKEN"))
    }

    /// The hub at `endpoint`. `token` is sent there only, and only over TLS or within this machine.
    ///
    /// # Errors
    /// [`StoreError::InvalidSource`] if `endpoint` is not a web address.
    pub fn new(endpoint: &str, token: Option<String>) -> Result<Self, StoreError> {
        let url = Url::parse(endpoint).ok().filter(|url| url.has_host() && matches!(url.scheme(), "https" | "http"));
        let why = || "HF_ENDPOINT is not a web address, such as https://huggingface.co".to_owned();
        Ok(Self { endpoint: url.ok_or_else(|| StoreError::InvalidSource { why: why() })?, token })
    }

    pub(crate) fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// Whether `url` is on this server.
    pub(crate) fn has(&self, url: &Url) -> bool {
        url.origin() == self.endpoint.origin()
    }

    /// What may be sent with a request for `url`.
    pub(crate) fn token_for(&self, url: &Url) -> Option<&str> {
        self.token.as_deref().filter(|_| self.has(url) && is_private(url))
    }
}

/// Whether nobody can read along: over TLS, or within this machine.
pub(crate) fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_to_its_server_alone_and_never_in_the_open() {
        let sent = |endpoint: &str, to: &str| {
            let hub = Hub::new(endpoint, Some("secret".into())).unwrap();
            hub.token_for(&Url::parse(to).unwrap()).is_some()
        };
        assert!(sent(ENDPOINT, "https://huggingface.co/a/b"));
        assert!(sent("http://127.0.0.1:80", "http://127.0.0.1/a"));
        assert!(!sent(ENDPOINT, "http://huggingface.co/a/b"));
        assert!(!sent(ENDPOINT, "https://cdn.huggingface.co/a/b"));
        assert!(!sent(ENDPOINT, "https://huggingface.co:8443/a/b"));
        assert!(!sent("http://mirror.example", "http://mirror.example/a"));
    }
}
