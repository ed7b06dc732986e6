//! Requests to an OpenAI-compatible server.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use sotto::{CancelToken, Error, ServerCall};
use ureq::Agent;
use url::{Host, Url};

use crate::failure::Failure;
use crate::interrupt;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How often to look for Ctrl-C.
const MOMENT: Duration = Duration::from_millis(20);
const BUFFER: usize = 16 << 10;
/// Replies that wait to be read.
const MOST_WAITING: usize = 16;

/// Why a server gives no answer. None contains the user's text, or the server's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    #[error("the fallback server cannot be reached: {0}")]
    Unreachable(&'static str),
    #[error("the fallback server refuses the request (status {0})")]
    Refused(u16),
}

/// The server's address, and how it is talked to.
pub struct Server {
    completions: Url,
    key: Option<String>,
    silence: Duration,
}

impl Server {
    /// A server at `base`, over TLS or on this machine. `silence` is the most seconds between two pieces of an answer.
    pub fn new(base: &str, key: Option<String>, silence: f64) -> Result<Self, Failure> {
        let refuse = |why: &str| Failure::BadInput(format!("--fallback: {why}"));
        let url = Url::parse(base).ok().filter(|url| url.has_host() && matches!(url.scheme(), "https" | "http"));
        let mut url = url.ok_or_else(|| refuse("a web address is needed, such as https://models.example"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("leave the password out, and set SOTTO_FALLBACK_KEY"));
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(refuse("texts are only sent over TLS (https), or within this machine"));
        }
        let path = format!("{}/v1/chat/completions", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.set_query(None);
        Ok(Self { completions: url, key, silence: Duration::from_secs_f64(silence) })
    }

    fn agent(&self) -> Agent {
        let silence = Some(self.silence);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A text goes to the server that was named, and nowhere else.
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(silence)
            .timeout_per_write(silence)
            .user_agent(concat!("sotto/", env!("CARGO_PKG_VERSION")));
        // No proxy can reach this machine's own servers.
        let config = if is_loopback(&self.completions) { config.proxy(None) } else { config };
        config.build().into()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Sends a call, and reads the reply until it ends. Ctrl-C closes the connection.
pub fn watch<Snapshot, Value>(
    server: &Server,
    mut call: ServerCall<Snapshot, Value>,
    mut on_snapshot: impl FnMut(Snapshot) -> Result<(), Failure>,
) -> Result<Value, Failure> {
    let cancel = CancelToken::new();
    interrupt::cancels(cancel.clone());
    let agent = server.agent();
    let received = send(agent.clone(), server, call.body());
    let outcome = read_all(&received, &cancel, |bytes| call.read(bytes)?.into_iter().try_for_each(&mut on_snapshot));
    // Whatever still comes is not wanted.
    agent.shutdown();
    interrupt::nothing_runs();
    outcome?;
    Ok(call.value()?)
}

fn read_all(
    received: &Receiver<Result<Vec<u8>, ServerError>>,
    cancel: &CancelToken,
    mut read: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    loop {
        let next = received.recv_timeout(MOMENT);
        if cancel.is_cancelled() {
            return Err(Error::Cancelled.into());
        }
        match next {
            Ok(bytes) => read(&bytes?)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// The bytes of the reply, from a thread of its own.
fn send(agent: Agent, server: &Server, body: &str) -> Receiver<Result<Vec<u8>, ServerError>> {
    let (sender, received) = sync_channel(MOST_WAITING);
    let mut request = agent.post(server.completions.as_str()).content_type("application/json");
    if let Some(key) = &server.key {
        request = request.header("Authorization", format!("Bearer {key}"));
    }
    let body = body.to_owned();
    thread::spawn(move || {
        let outcome = match request.send(body) {
            Ok(response) if response.status() == 200 => pass_on(response.into_body().into_reader(), &sender),
            Ok(response) => Err(ServerError::Refused(response.status().as_u16())),
            Err(error) => Err(unreachable(&error)),
        };
        if let Err(error) = outcome {
            // Nobody listens any more after Ctrl-C.
            let _ = sender.send(Err(error));
        }
    });
    received
}

fn pass_on(mut reply: impl Read, sender: &SyncSender<Result<Vec<u8>, ServerError>>) -> Result<(), ServerError> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = reply.read(&mut buffer).map_err(|error| unreachable(&ureq::Error::from(error)))?;
        if count == 0 || sender.send(Ok(buffer[..count].to_vec())).is_err() {
            return Ok(());
        }
    }
}

/// What happened to a connection, without its address.
fn unreachable(error: &ureq::Error) -> ServerError {
    ServerError::Unreachable(match error {
        ureq::Error::Timeout(_) => "it was silent for too long (--fallback-timeout)",
        ureq::Error::HostNotFound => "its name is not known: check the connection",
        ureq::Error::ConnectionFailed => "there is no connection to it",
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => "nothing listens there",
        ureq::Error::Io(_) => "the connection was lost",
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => "it could not prove who it is (TLS)",
        ureq::Error::Http(_) => "SOTTO_FALLBACK_KEY is not a key",
        _ => "its answer is not HTTP",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_go_over_tls_or_stay_on_this_machine() {
        let address = |base: &str| Server::new(base, None, 1.0).map(|server| server.completions.to_string()).ok();
        let completions = "/v1/chat/completions";
        assert_eq!(address("https://a.example"), Some(format!("https://a.example{completions}")));
        assert_eq!(address("https://a.example/llm/?q=1"), Some(format!("https://a.example/llm{completions}")));
        assert_eq!(address("http://127.0.0.1:80/"), Some(format!("http://127.0.0.1{completions}")));
        assert!(address("http://localhost:1234").is_some() && address("http://[::1]:1").is_some());
        for refused in
            ["http://a.example", "http://192.168.1.7:8080", "https://u:p@a.example", "file:///a", "a.example"]
        {
            assert_eq!(address(refused), None, "{refused}");
        }
    }
}
