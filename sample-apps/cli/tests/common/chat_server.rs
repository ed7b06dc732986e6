//! A server on the loopback address that answers chat completions as a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What the server does with each request.
#[derive(Clone)]
pub enum Does {
    /// Streams a text, with a pause after each piece.
    Answers(&'static str, Duration),
    /// Replies with a status, and words that nobody may repeat.
    Refuses(&'static str),
    /// Replies with these bytes, and closes.
    Sends(Vec<u8>),
    /// Takes the request, and says nothing.
    Stalls,
    /// Streams without an end.
    Drips(Duration),
}

/// The server, and the requests that it got: the head in small letters, and the body.
pub struct ChatServer {
    pub address: String,
    pub requests: Arc<Mutex<Vec<(String, Value)>>>,
    /// When the client closed the connection, for a server that drips or stalls.
    pub closed: Arc<Mutex<Option<Instant>>>,
}

pub fn serve(does: Does) -> ChatServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = ChatServer { address, requests: Arc::default(), closed: Arc::default() };
    let (requests, closed) = (Arc::clone(&server.requests), Arc::clone(&server.closed));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (does, requests, closed) = (does.clone(), Arc::clone(&requests), Arc::clone(&closed));
            thread::spawn(move || {
                requests.lock().unwrap().push(request(&stream));
                // The client may be gone.
                let _ = answer(stream, does, &closed);
            });
        }
    });
    server
}

fn request(stream: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

fn answer(mut stream: TcpStream, does: Does, closed: &Mutex<Option<Instant>>) -> std::io::Result<()> {
    let begin = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    match does {
        Does::Answers(text, pause) => {
            stream.write_all(begin)?;
            for event in events(text) {
                stream.write_all(event.as_bytes())?;
                thread::sleep(pause);
            }
            Ok(())
        }
        Does::Refuses(status) => {
            let body = "{\"error\": \"secret\"}";
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLocation: /secret\r\n\r\n{body}", body.len())
        }
        Does::Sends(bytes) => stream.write_all(&bytes),
        Does::Stalls => {
            stream.read_to_end(&mut Vec::new())?;
            *closed.lock().unwrap() = Some(Instant::now());
            Ok(())
        }
        Does::Drips(pause) => {
            stream.write_all(begin)?;
            while stream.write_all(event(&json!({ "content": "drop " }), None).as_bytes()).is_ok() {
                thread::sleep(pause);
            }
            *closed.lock().unwrap() = Some(Instant::now());
            Ok(())
        }
    }
}

/// The events of a whole answer.
pub fn events(text: &str) -> Vec<String> {
    let words = text.split_inclusive(' ').map(|word| event(&json!({ "content": word }), None));
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 5000, "completion_tokens": 12 } });
    let end = [event(&json!({}), Some("stop")), format!("data: {usage}\n\n"), "data: [DONE]\n\n".to_owned()];
    words.chain(end).collect()
}

fn event(delta: &Value, finish_reason: Option<&str>) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }] }))
}
