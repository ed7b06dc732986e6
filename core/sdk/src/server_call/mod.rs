//! What a server of the app is asked in place of this device, and how its answer is read. Sending it is the caller's: there is no
//! network code here (`docs/fallback.md`).

mod events;
mod tasks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};
use sotto_text::{Message, Role};

use self::events::{Delta, End, Events};
use crate::Error;
use crate::metrics::Metrics;

/// The most bytes of an answer's text, on the whole and for each token that it may have.
const MOST_TEXT_BYTES: usize = 1 << 20;
const MOST_TOKEN_BYTES: usize = 32;

/// Why a server of the app answers instead of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoverReason {
    /// The text or the conversation is too long for the context.
    ContextTooLong,
    /// The device's label is not sure enough.
    LowConfidence,
    /// The model is not there, or cannot be loaded on this device.
    ModelMissing,
}

/// A request to an OpenAI-compatible server (llama.cpp's, vLLM, ollama), in place of this device.
///
/// Send [`body`](ServerCall::body) as JSON to `{base}/v1/chat/completions`. Pass the bytes of a reply with status 200 to
/// [`read`](ServerCall::read) as they arrive, and call [`value`](ServerCall::value) at their end.
///
/// What the server says is never trusted: labels, values and quotes are checked as the device's own are.
pub struct ServerCall<Snapshot, Value> {
    body: String,
    events: Events,
    answer: ServerText,
    most_bytes: usize,
    started: Instant,
    snapshot: ToSnapshot<Snapshot>,
    value: ToValue<Value>,
}

/// Makes a snapshot of what is new of the answer, and all of it so far.
type ToSnapshot<Snapshot> = Box<dyn FnMut(&str, &str) -> Option<Snapshot> + Send>;
/// Makes the value of the whole answer.
type ToValue<Value> = Box<dyn FnOnce(ServerText) -> Result<Value, Error> + Send>;

/// What the server has written so far.
struct ServerText {
    text: String,
    end: Option<End>,
    metrics: Metrics,
}

/// How an answer is written.
struct Style {
    max_tokens: usize,
    temperature: f32,
    top_p: Option<f32>,
    /// A JSON schema that the answer must fit.
    schema: Option<Value>,
}

impl Style {
    /// As tasks have it: the most probable answer.
    fn greedy(max_tokens: usize, schema: Option<Value>) -> Self {
        Self { max_tokens, temperature: 0.0, top_p: None, schema }
    }
}

impl<Snapshot, T> ServerCall<Snapshot, T> {
    fn new(
        (server_model, reason): (&str, HandoverReason),
        messages: &[Message],
        style: Style,
        snapshot: impl FnMut(&str, &str) -> Option<Snapshot> + Send + 'static,
        value: impl FnOnce(ServerText) -> Result<T, Error> + Send + 'static,
    ) -> Self {
        Self {
            most_bytes: style.max_tokens.saturating_mul(MOST_TOKEN_BYTES).min(MOST_TEXT_BYTES),
            body: body(server_model, messages, style),
            events: Events::default(),
            answer: ServerText { text: String::new(), end: None, metrics: no_cost(reason) },
            started: Instant::now(),
            snapshot: Box::new(snapshot),
            value: Box::new(value),
        }
    }

    /// The request's body: JSON.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Reads the next bytes of the reply, which may end anywhere, and returns the snapshots that they complete.
    ///
    /// # Errors
    /// [`Error::ServerAnswer`] for a reply that is not a streamed chat completion, or too long for one. Close the connection then.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Vec<Snapshot>, Error> {
        let mut snapshots = Vec::new();
        for Delta { text, end, usage } in self.events.read(bytes)? {
            let answer = &mut self.answer;
            answer.end = end.or(answer.end);
            if let Some((prompt, written)) = usage {
                (answer.metrics.prefill_tokens, answer.metrics.decode_tokens) = (prompt, written);
            }
            if text.is_empty() {
                continue;
            }
            if answer.text.is_empty() {
                answer.metrics.time_to_first_token = self.started.elapsed().as_secs_f64();
            }
            answer.text.push_str(&text);
            if answer.text.len() > self.most_bytes {
                return Err(Error::server_answer("it is too long"));
            }
            snapshots.extend((self.snapshot)(&text, &answer.text));
        }
        Ok(snapshots)
    }

    /// What the whole reply means.
    ///
    /// # Errors
    /// [`Error::ServerAnswer`] for a reply that broke off, or one that does not fit the request.
    pub fn value(mut self) -> Result<T, Error> {
        if self.answer.end.is_none() {
            return Err(Error::server_answer("it broke off"));
        }
        let metrics = &mut self.answer.metrics;
        metrics.prefill_seconds = metrics.time_to_first_token;
        metrics.decode_seconds = self.started.elapsed().as_secs_f64() - metrics.time_to_first_token;
        (self.value)(self.answer)
    }
}

impl<Snapshot, T> fmt::Debug for ServerCall<Snapshot, T> {
    /// Without the user's text.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServerCall").field("reason", &self.answer.metrics.handed_over).finish_non_exhaustive()
    }
}

fn body(server_model: &str, messages: &[Message], style: Style) -> String {
    let Style { max_tokens, temperature, top_p, schema } = style;
    let messages: Vec<Value> = messages.iter().map(turn).collect();
    let mut body = json!({
        "model": server_model,
        "messages": messages,
        "stream": true,
        "stream_options": { "include_usage": true },
        "max_tokens": max_tokens,
        "temperature": temperature,
    });
    if let Some(top_p) = top_p {
        body["top_p"] = top_p.into();
    }
    if let Some(schema) = schema {
        let format = json!({ "name": "answer", "strict": true, "schema": schema });
        body["response_format"] = json!({ "type": "json_schema", "json_schema": format });
    }
    body.to_string()
}

fn turn(message: &Message) -> Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    json!({ "role": role, "content": message.content })
}

/// What this device has spent so far on an answer that a server writes.
fn no_cost(reason: HandoverReason) -> Metrics {
    Metrics {
        time_to_first_token: 0.0,
        prefill_tokens: 0,
        prefill_seconds: 0.0,
        reused_tokens: 0,
        decode_tokens: 0,
        decode_seconds: 0.0,
        private_bytes: 0,
        mapped_bytes: 0,
        kernels: String::new(),
        threads: 0,
        handed_over: Some(reason),
    }
}
