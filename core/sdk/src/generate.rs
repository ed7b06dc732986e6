//! The loop that every answer comes from: prefill, then one token after another.

use std::time::Instant;

use sotto_engine::LogitRows;
use sotto_text::{Constraint, DecodeStream, Sampler};

use crate::metrics::{Metrics, StopReason, Stopwatch};
use crate::model::Loaded;
use crate::sequence::Sequence;
use crate::{CancelToken, Error};

/// What is to be generated after a prompt.
pub(crate) struct Request<'a> {
    pub prompt: &'a [u32],
    pub sampler: Sampler,
    pub constraint: Option<Constraint>,
    /// The most tokens of the answer.
    pub max_tokens: usize,
}

/// A finished answer. End tokens are not part of it.
pub(crate) struct Answer {
    pub text: String,
    pub ids: Vec<u32>,
    pub metrics: Metrics,
}

/// Generates an answer, handing each new piece of text to `on_text` as soon as it is whole characters.
///
/// On an error, `on_text` has seen everything up to it, and `sequence` holds a whole prefix.
pub(crate) fn generate(
    model: &Loaded,
    sequence: &mut Sequence,
    request: Request<'_>,
    cancel: &CancelToken,
    on_text: impl FnMut(&str),
) -> Result<Answer, Error> {
    let started = Instant::now();
    let mut prefill_watch = Stopwatch::default();
    let mut decode_watch = Stopwatch::default();
    let prefill = prefill_watch.time(|| sequence.set(request.prompt, cancel))?;

    let mut writer = Writer::new(model, request, on_text);
    let mut logits = prefill.logits;
    let mut time_to_first_token = None;
    let stop_reason = decode_watch.time(|| {
        loop {
            cancel.check()?;
            let next = match writer.choose(&mut logits)? {
                Choice::Tokens(tokens) => tokens,
                Choice::Stop(reason) => return Ok::<_, Error>(reason),
            };
            time_to_first_token.get_or_insert_with(|| started.elapsed().as_secs_f64());
            if let Some(reason) = writer.write(&next)? {
                return Ok(reason);
            }
            logits = sequence.append(&next, LogitRows::Last, cancel)?;
        }
    })?;

    let (text, ids) = writer.finish();
    let metrics = Metrics {
        time_to_first_token: time_to_first_token.unwrap_or_else(|| started.elapsed().as_secs_f64()),
        prefill_tokens: prefill.computed,
        prefill_seconds: prefill_watch.seconds(),
        reused_tokens: prefill.reused,
        decode_tokens: ids.len(),
        decode_seconds: decode_watch.seconds(),
        private_bytes: sequence.private_bytes(),
        mapped_bytes: model.engine.mapped_bytes(),
        kernels: model.engine.kernels().to_owned(),
        threads: model.engine.threads(),
        stop_reason,
    };
    Ok(Answer { text, ids, metrics })
}

enum Choice {
    Tokens(Vec<u32>),
    Stop(StopReason),
}

/// Chooses tokens and turns them into text.
struct Writer<'a, OnText> {
    model: &'a Loaded,
    request: Request<'a>,
    history: Vec<u32>,
    stream: DecodeStream,
    text: String,
    on_text: OnText,
}

impl<'a, OnText: FnMut(&str)> Writer<'a, OnText> {
    fn new(model: &'a Loaded, request: Request<'a>, on_text: OnText) -> Self {
        let history = request.prompt.to_vec();
        let stream = DecodeStream::new(&model.tokenizer);
        Self { model, request, history, stream, text: String::new(), on_text }
    }

    fn written(&self) -> usize {
        self.history.len() - self.request.prompt.len()
    }

    fn room(&self) -> usize {
        self.request.max_tokens.saturating_sub(self.written())
    }

    /// The next tokens: those that the grammar leaves no choice about, or else a sampled one.
    fn choose(&mut self, logits: &mut [f32]) -> Result<Choice, Error> {
        if self.room() == 0 {
            return Ok(Choice::Stop(StopReason::Length));
        }
        if let Some(constraint) = &mut self.request.constraint {
            let mut forced = constraint.forced();
            if !forced.is_empty() {
                forced.truncate(self.room());
                return Ok(Choice::Tokens(forced));
            }
        }
        let mask = match &mut self.request.constraint {
            Some(constraint) => Some(constraint.allowed()?),
            None => None,
        };
        let token = self.request.sampler.sample(logits, &self.history, mask)?;
        if self.model.tokenizer.end_tokens().contains(&token) {
            return Ok(Choice::Stop(StopReason::End));
        }
        Ok(Choice::Tokens(vec![token]))
    }

    /// Appends tokens to the answer; tells when the grammar is complete with them.
    fn write(&mut self, tokens: &[u32]) -> Result<Option<StopReason>, Error> {
        for &token in tokens {
            self.history.push(token);
            let piece = self.stream.push(token);
            self.emit(&piece);
            if let Some(constraint) = &mut self.request.constraint {
                constraint.commit(token)?;
                if constraint.is_finished() {
                    return Ok(Some(StopReason::End));
                }
            }
        }
        Ok(None)
    }

    fn emit(&mut self, piece: &str) {
        if !piece.is_empty() {
            self.text.push_str(piece);
            (self.on_text)(piece);
        }
    }

    fn finish(self) -> (String, Vec<u32>) {
        let Self { request, mut history, stream, mut text, mut on_text, .. } = self;
        let rest = stream.finish();
        if !rest.is_empty() {
            text.push_str(&rest);
            on_text(&rest);
        }
        (text, history.split_off(request.prompt.len()))
    }
}
