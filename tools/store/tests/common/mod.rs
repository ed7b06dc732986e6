//! A server on the loopback address that does with each request what a test wants.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sotto_store::{Hub, Patience};

/// A request: its path with the query, and its headers by their names in small letters.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let path = lines.next()?.split(' ').nth(1)?.to_owned();
        let headers = lines.take_while(|line| !line.is_empty());
        let headers = headers
            .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())));
        Some(Self { path, headers: headers.collect() })
    }

    /// The first byte that is asked for.
    pub fn from(&self) -> usize {
        let range = self.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        range.map_or(0, |from| from.parse().unwrap())
    }
}

pub struct Server {
    pub address: String,
    pub requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Each request is `answer`ed with a thread and a connection of its own.
    pub fn start(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || {
                    if let Some(request) = Request::read(&stream) {
                        seen.lock().unwrap().push(request.clone());
                        answer(&request, &mut stream);
                    }
                });
            }
        });
        Self { address, requests }
    }

    pub fn hub(&self) -> Hub {
        Hub::new(&self.address, Some("hf_secret".into())).expect("an address")
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Answers as a server should: from where it is asked for, if this is still the version.
pub fn honest(request: &Request, stream: &mut TcpStream, bytes: &[u8], etag: &str) -> std::io::Result<()> {
    let from = match request.headers.get("if-range") {
        Some(version) if version != etag => 0,
        _ => request.from(),
    };
    let len = bytes.len();
    match from {
        0 => reply(stream, "200 OK", &[("Content-Length", &len.to_string()), ("ETag", etag)], bytes),
        _ if from >= len => {
            reply(stream, "416 Range Not Satisfiable", &[("Content-Range", &format!("bytes */{len}"))], &[])
        }
        _ => {
            let range = format!("bytes {from}-{}/{len}", len - 1);
            let headers = [("Content-Length", &*(len - from).to_string()), ("Content-Range", &range), ("ETag", etag)];
            reply(stream, "206 Partial Content", &headers, &bytes[from..])
        }
    }
}

pub fn reply(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<()> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n").as_bytes())?;
    stream.write_all(body)
}

/// One that gives up soon.
pub fn impatient() -> Patience {
    Patience {
        attempts: 4,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_secs(2),
        silence: Duration::from_millis(300),
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
