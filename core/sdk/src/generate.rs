//! The loop that every answer comes from: prefill, then one token after another, or some at once where they were guessed.

use std::sync::Arc;
use std::time::Instant;

use sotto_engine::LogitRows;
use sotto_text::{Constraint, DecodeStream, Logits, OutputFormat, Sampler, TokenMask};

use crate::grammar::Grammar;
use crate::guess::Guesser;
use crate::metrics::{Metrics, StopReason, Stopwatch};
use crate::model::Loaded;
use crate::sequence::{Sequence, common_prefix};
use crate::{CancelToken, Error};

/// The share of the vocabulary beyond which it costs less to compute all of its logits in order.
const MANY: usize = 8;

/// What is to be generated after a prompt.
pub(crate) struct Request<'a> {
    pub prompt: &'a [u32],
    pub sampler: Sampler,
    pub format: Option<&'a OutputFormat>,
    /// The most tokens of the answer.
    pub max_tokens: usize,
    /// Where the answer may end as well as go on with another line `- `, what is added to the logits of tokens that begin one.
    pub item_bias: f32,
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
    model: &Arc<Loaded>,
    sequence: &mut Sequence,
    request: Request<'_>,
    cancel: &CancelToken,
    on_text: impl FnMut(&str),
) -> Result<Answer, Error> {
    let started = Instant::now();
    let grammar = request.format.map(|format| Grammar::start(model, format)).transpose()?;
    let mut prefill_watch = Stopwatch::default();
    let mut decode_watch = Stopwatch::default();
    let prefill = prefill_watch.time(|| sequence.set(request.prompt, cancel))?;

    let constraint = grammar.map(|grammar| grammar.wait(cancel)).transpose()?;
    let mut writer = Writer::new(model, request, constraint, on_text);
    let mut rows = Rows { ids: None, logits: prefill.logits };
    let mut guesses = Vec::new();
    let mut time_to_first_token = None;
    let stop_reason = decode_watch.time(|| {
        loop {
            cancel.check()?;
            let (right, next) = match writer.follow(&rows, &guesses)? {
                Step::Stop(reason) => return Ok::<_, Error>(reason),
                Step::Go { right, next } => (right, next),
            };
            time_to_first_token.get_or_insert_with(|| started.elapsed().as_secs_f64());
            sequence.forget(guesses.len() - right);
            guesses = writer.guess(sequence.tokens_at_once().saturating_sub(next.len()))?;
            rows = writer.read(sequence, &next, &guesses, cancel)?;
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

/// Logits of some tokens behind each other: what comes next, and what would come behind each guess.
struct Rows {
    /// Whose; `None` for the whole vocabulary.
    ids: Option<Vec<u32>>,
    logits: Vec<f32>,
}

impl Rows {
    fn row(&self, index: usize, model: &Loaded) -> Logits<'_> {
        let width = self.ids.as_ref().map_or(model.engine.config().vocab_size, Vec::len);
        let row = &self.logits[index * width..][..width];
        match &self.ids {
            Some(ids) => Logits::Of(ids, row),
            // An embedding may have more rows than there are tokens.
            None => Logits::All(&row[..model.tokenizer.trained_tokens()]),
        }
    }
}

impl Loaded {
    /// The tokens that may come next and their logits, with `bias` added to those that begin another item; `None` where the
    /// answer may not end.
    fn with_item_bias(&self, logits: Logits<'_>, allowed: &TokenMask, bias: f32) -> Option<(Vec<u32>, Vec<f32>)> {
        if !self.tokenizer.end_tokens().iter().any(|&end| allowed.allows(end)) {
            return None;
        }
        let begins_item = |id| self.tokenizer.token_bytes(id).starts_with(b"-");
        let (mut ids, mut biased) = (Vec::new(), Vec::new());
        logits.for_each(|id, logit| {
            if allowed.allows(id) {
                ids.push(id);
                biased.push(if begins_item(id) { logit + bias } else { logit });
            }
        });
        Some((ids, biased))
    }
}

enum Step {
    /// So many guesses were right, and these tokens come behind them.
    Go {
        right: usize,
        next: Vec<u32>,
    },
    Stop(StopReason),
}

/// Chooses tokens and turns them into text.
struct Writer<'a, OnText> {
    model: &'a Loaded,
    request: Request<'a>,
    constraint: Option<Constraint>,
    history: Vec<u32>,
    guesser: Guesser,
    stream: DecodeStream,
    text: String,
    on_text: OnText,
}

impl<'a, OnText: FnMut(&str)> Writer<'a, OnText> {
    fn new(model: &'a Loaded, request: Request<'a>, constraint: Option<Constraint>, on_text: OnText) -> Self {
        let history = request.prompt.to_vec();
        let stream = DecodeStream::new(&model.tokenizer);
        Self { model, request, constraint, history, guesser: Guesser::default(), stream, text: String::new(), on_text }
    }

    fn written(&self) -> usize {
        self.history.len() - self.request.prompt.len()
    }

    fn room(&self) -> usize {
        self.request.max_tokens.saturating_sub(self.written())
    }

    /// Writes tokens for as long as the guesses, which the rows are behind, come true.
    fn follow(&mut self, rows: &Rows, guesses: &[u32]) -> Result<Step, Error> {
        let mut right = 0;
        loop {
            let written = self.history.len();
            if let Some(reason) = self.write_next(rows.row(right, self.model))? {
                return Ok(Step::Stop(reason));
            }
            let next = &self.history[written..];
            let agreed = common_prefix(next, &guesses[right..]);
            right += agreed;
            if agreed < next.len() {
                let next = next[agreed..].to_vec();
                self.guesser.learn(guesses.len(), right);
                return Ok(Step::Go { right, next });
            }
        }
    }

    /// Writes a sampled token, unless the grammar leaves no choice, and those that it leaves no choice about then. Tells why the
    /// answer ends, if it does.
    fn write_next(&mut self, logits: Logits<'_>) -> Result<Option<StopReason>, Error> {
        if self.room() == 0 {
            return Ok(Some(StopReason::Length));
        }
        let written = self.history.len();
        if let reason @ Some(_) = self.write_forced()? {
            return Ok(reason);
        }
        if self.history.len() > written {
            return Ok(None);
        }
        let mask = match &mut self.constraint {
            Some(constraint) => Some(constraint.allowed()?),
            None => None,
        };
        let bias = self.request.item_bias;
        let biased = mask.filter(|_| bias != 0.0).and_then(|mask| self.model.with_item_bias(logits, mask, bias));
        let logits = biased.as_ref().map_or(logits, |(ids, logits)| Logits::Of(ids, logits));
        let token = self.request.sampler.sample(logits, &self.history, mask)?;
        if self.model.tokenizer.end_tokens().contains(&token) {
            return Ok(Some(StopReason::End));
        }
        match self.write(token)? {
            None => self.write_forced(),
            reason => Ok(reason),
        }
    }

    /// Writes the tokens that the grammar leaves no choice about.
    fn write_forced(&mut self) -> Result<Option<StopReason>, Error> {
        let mut forced = self.constraint.as_mut().map(Constraint::forced).unwrap_or_default();
        forced.truncate(self.room());
        for token in forced {
            if let reason @ Some(_) = self.write(token)? {
                return Ok(reason);
            }
        }
        Ok(None)
    }

    /// Appends a token to the answer; tells when the grammar is complete with it.
    fn write(&mut self, token: u32) -> Result<Option<StopReason>, Error> {
        self.history.push(token);
        let piece = self.stream.push(token);
        self.emit(&piece);
        let Some(constraint) = &mut self.constraint else { return Ok(None) };
        constraint.commit(token)?;
        Ok(constraint.is_finished().then_some(StopReason::End))
    }

    /// What may come next: at most so many tokens, which the grammar allows.
    fn guess(&mut self, most: usize) -> Result<Vec<u32>, Error> {
        let most = most.min(self.room());
        let Some(constraint) = &mut self.constraint else {
            return Ok(self.guesser.guess(&self.history, most, |_| true).to_vec());
        };
        let mask = constraint.allowed()?;
        let mut guesses = self.guesser.guess(&self.history, most, |token| mask.allows(token)).to_vec();
        guesses.truncate(constraint.look_ahead(&guesses)?);
        Ok(guesses)
    }

    /// Passes tokens and the guesses behind them through the model.
    fn read(
        &mut self,
        sequence: &mut Sequence,
        next: &[u32],
        guesses: &[u32],
        cancel: &CancelToken,
    ) -> Result<Rows, Error> {
        let ids = self.candidates()?;
        let rows = LogitRows::Tail(1 + guesses.len());
        let logits = sequence.append_for(&[next, guesses].concat(), rows, ids.as_deref(), cancel)?;
        Ok(Rows { ids, logits })
    }

    /// The tokens that may be chosen behind what was written and behind each guess, where they are few.
    fn candidates(&mut self) -> Result<Option<Vec<u32>>, Error> {
        let Some(constraint) = &mut self.constraint else { return Ok(None) };
        let (allowed, vocab_size) = (constraint.allowed_ahead()?, self.model.engine.config().vocab_size);
        if allowed.count() > vocab_size / MANY {
            return Ok(None);
        }
        Ok(Some(allowed.ids().into_iter().filter(|&id| (id as usize) < vocab_size).collect()))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sotto_engine::{Adapter, Decoder, EngineError, ModelConfig};
    use sotto_text::{OutputFormat, SamplingOptions};

    use super::*;
    use crate::demo_model::demo;

    /// A decoder that counts its passes, and may say that it takes one token at a time.
    struct Counting {
        decoder: Box<dyn Decoder>,
        tokens_at_once: usize,
        passes: Arc<AtomicUsize>,
    }

    impl Decoder for Counting {
        fn config(&self) -> &ModelConfig {
            self.decoder.config()
        }

        fn context_length(&self) -> usize {
            self.decoder.context_length()
        }

        fn position(&self) -> usize {
            self.decoder.position()
        }

        fn tokens_at_once(&self) -> usize {
            self.tokens_at_once
        }

        fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError> {
            self.passes.fetch_add(1, Ordering::Relaxed);
            self.decoder.forward(tokens, rows, cancel)
        }

        fn forward_for(
            &mut self,
            tokens: &[u32],
            rows: LogitRows,
            ids: &[u32],
            cancel: &CancelToken,
        ) -> Result<&[f32], EngineError> {
            self.passes.fetch_add(1, Ordering::Relaxed);
            self.decoder.forward_for(tokens, rows, ids, cancel)
        }

        fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
            self.decoder.set_adapters(adapters)
        }

        fn truncate(&mut self, length: usize) {
            self.decoder.truncate(length);
        }

        fn private_bytes(&self) -> u64 {
            self.decoder.private_bytes()
        }
    }

    /// The answer, the tokens that the sequence holds in the end, and the passes that it took.
    fn answer(
        model: &Arc<Loaded>,
        tokens_at_once: usize,
        format: Option<&OutputFormat>,
        sampling: &SamplingOptions,
        max_tokens: usize,
    ) -> (Answer, Vec<u32>, usize) {
        const PROMPT: &str = "Marcus will write a test for the upload by Thursday, and Dana will write a test for the \
            download. Marcus will write a test for the upload";
        let prompt = model.tokenizer.encode(PROMPT).expect("tokens");
        let passes = Arc::new(AtomicUsize::new(0));
        let decoder = model.decoder(prompt.len() + max_tokens).expect("a decoder");
        let mut sequence = Sequence::new(Box::new(Counting { decoder, tokens_at_once, passes: Arc::clone(&passes) }));
        let sampler = Sampler::new(sampling.clone()).expect("a sampler");
        let request = Request { prompt: &prompt, sampler, format, max_tokens, item_bias: 0.0 };
        let mut streamed = String::new();
        let answer = generate(model, &mut sequence, request, &CancelToken::new(), |piece| streamed.push_str(piece))
            .expect("text");
        assert_eq!(streamed, answer.text);
        (answer, sequence.tokens().to_vec(), passes.load(Ordering::Relaxed))
    }

    #[test]
    fn guesses_change_nothing_but_the_number_of_passes() {
        let model = demo().loaded();
        let grammar = "start: (\"- \" (\"Marcus\" | \"Dana\") \" will write a test for the \" \
            (\"upload\" | \"download\") \"\\n\"){6}\n";
        let formats =
            [None, Some(OutputFormat::Lark(grammar.to_owned())), Some(OutputFormat::Regex("[ a-z]{1,60}".into()))];
        let (mut with, mut without) = (0, 0);
        for format in &formats {
            for (temperature, repetition_penalty, max_tokens) in
                [(0.0, 1.0, 40), (0.9, 1.0, 25), (0.9, 1.1, 6), (0.0, 1.0, 1)]
            {
                let sampling = SamplingOptions { temperature, repetition_penalty, ..SamplingOptions::default() };
                let (expected, held, singly) = answer(&model, 1, format.as_ref(), &sampling, max_tokens);
                let (guessed, also_held, passes) = answer(&model, 4, format.as_ref(), &sampling, max_tokens);
                assert_eq!(guessed.ids, expected.ids, "{format:?} {temperature} {max_tokens}");
                assert_eq!(guessed.text, expected.text);
                assert_eq!(guessed.metrics.stop_reason, expected.metrics.stop_reason);
                // Both hold the prompt and the answer, but for what was written when it ended.
                assert!(
                    held.len() == common_prefix(&held, &also_held) || guessed.metrics.stop_reason == StopReason::End
                );
                assert!(passes <= singly, "{passes} {singly}");
                // What a grammar forces takes no pass, guessed or not.
                if format.is_none() {
                    with += passes;
                    without += singly;
                }
            }
        }
        assert!(5 * with < 4 * without, "guesses save a fifth of the passes and more: {with} of {without}");
    }
}
