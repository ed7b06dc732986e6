use std::time::Duration;

use serde::Serialize;

use crate::server_call::HandoverReason;

/// Time, tokens and memory of a request. Times are wall-clock seconds, sizes are bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// From the start of the request to the first token of the answer.
    pub time_to_first_token: f64,
    /// Prompt tokens that were computed.
    pub prefill_tokens: usize,
    /// Time spent on them.
    pub prefill_seconds: f64,
    /// Prompt tokens that were already in the KV cache and cost nothing.
    pub reused_tokens: usize,
    /// Tokens of the answer.
    pub decode_tokens: usize,
    /// Time spent on them.
    pub decode_seconds: f64,
    /// Private memory of this request: KV cache and scratch space.
    pub private_bytes: u64,
    /// The mapped model file: clean pages, which the system can reclaim at any time.
    pub mapped_bytes: u64,
    /// The instruction set in use.
    pub kernels: String,
    /// Number of threads.
    pub threads: usize,
    /// Why a server of the app answered instead of this device; `None` if the device did.
    pub handed_over: Option<HandoverReason>,
}

impl Metrics {
    /// Prompt tokens per second; 0 if there were none.
    pub fn prefill_tokens_per_second(&self) -> f64 {
        rate(self.prefill_tokens, self.prefill_seconds)
    }

    /// Answer tokens per second; 0 if there were none.
    pub fn decode_tokens_per_second(&self) -> f64 {
        rate(self.decode_tokens, self.decode_seconds)
    }

    /// Adds the cost of a later part of the same request.
    pub(crate) fn absorb(&mut self, later: &Metrics) {
        self.prefill_tokens += later.prefill_tokens;
        self.prefill_seconds += later.prefill_seconds;
        self.reused_tokens += later.reused_tokens;
        self.decode_tokens += later.decode_tokens;
        self.decode_seconds += later.decode_seconds;
        self.private_bytes = self.private_bytes.max(later.private_bytes);
    }
}

/// `count` per second; 0 if no time passed.
pub(crate) fn rate(count: usize, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

/// Adds up the time that one kind of work takes.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch(Duration);

impl Stopwatch {
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = std::time::Instant::now();
        let value = work();
        self.0 += start.elapsed();
        value
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.as_secs_f64()
    }
}
