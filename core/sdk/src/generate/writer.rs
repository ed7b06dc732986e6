//! Chooses the tokens of one answer and turns them into text.

use std::sync::Arc;

use sotto_text::{Constraint, DecodeStream, Logits, Sampler, TokenMask};

use super::Request;
use super::slots::{Pass, Rows, is_much};
use crate::Error;
use crate::finish_reason::FinishReason;
use crate::guess::Guesser;
use crate::loaded::Loaded;
use crate::sequence::common_prefix;

/// What comes after some logits.
pub(super) enum Step {
    /// More logits are needed.
    Read(Pass),
    Stop(FinishReason),
}

/// An answer that is being written.
pub(super) struct Writer {
    model: Arc<Loaded>,
    sampler: Sampler,
    constraint: Option<Constraint>,
    max_tokens: usize,
    item_bias: f32,
    /// The prompt and the answer.
    history: Vec<u32>,
    prompt_tokens: usize,
    guesser: Guesser,
    /// The guessed tokens of the last pass.
    guesses: Vec<u32>,
    stream: DecodeStream,
    text: String,
    /// Where the text of each token ends.
    piece_ends: Vec<usize>,
}

impl Writer {
    pub(super) fn new(model: Arc<Loaded>, request: Request<'_>, constraint: Option<Constraint>) -> Self {
        let Request { prompt, sampler, max_tokens, item_bias, .. } = request;
        Self {
            sampler,
            constraint,
            max_tokens,
            item_bias,
            history: prompt.to_vec(),
            prompt_tokens: prompt.len(),
            guesser: Guesser::default(),
            guesses: Vec::new(),
            stream: DecodeStream::new(&model.tokenizer),
            text: String::new(),
            piece_ends: Vec::new(),
            model,
        }
    }

    /// The text so far, in complete characters.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text that a token added after the first `told` bytes; empty if there is none.
    pub(super) fn piece_after(&self, told: usize) -> &str {
        let next = self.piece_ends.partition_point(|&end| end <= told);
        let end = self.piece_ends.get(next).copied().unwrap_or(told);
        &self.text[told..end]
    }

    /// The tokens of the answer.
    pub(super) fn ids(&self) -> &[u32] {
        &self.history[self.prompt_tokens..]
    }

    /// Continues as far as these logits allow. They are the logits after the prompt or the requested ones. The next
    /// pass may include guesses, up to `tokens_at_once` tokens in total.
    ///
    /// # Errors
    /// Errors of the constraint. The text contains everything before them.
    pub(super) fn go_on(&mut self, rows: &Rows, tokens_at_once: usize) -> Result<Step, Error> {
        let guesses = std::mem::take(&mut self.guesses);
        let mut right = 0;
        loop {
            let written = self.history.len();
            if let Some(reason) = self.write_next(rows.row(right, &self.model))? {
                let rest = self.stream.finish();
                self.add_text(&rest);
                return Ok(Step::Stop(reason));
            }
            let next = &self.history[written..];
            let agreed = common_prefix(next, &guesses[right..]);
            right += agreed;
            if agreed < next.len() {
                let next = next[agreed..].to_vec();
                self.guesser.learn(guesses.len(), right);
                return self.read(guesses.len() - right, next, tokens_at_once).map(Step::Read);
            }
        }
    }

    /// Requests that these tokens be read, with guesses after them.
    fn read(&mut self, forget: usize, next: Vec<u32>, tokens_at_once: usize) -> Result<Pass, Error> {
        self.guesses = self.guess(tokens_at_once.saturating_sub(next.len()))?;
        let tokens = [&next[..], &self.guesses].concat();
        Ok(Pass { forget, tokens, rows: 1 + self.guesses.len(), ids: self.candidates()? })
    }

    fn room(&self) -> usize {
        self.max_tokens.saturating_sub(self.ids().len())
    }

    /// Writes a sampled token (or a forced one, if the grammar leaves no choice), and the forced tokens after it.
    /// Returns why the answer ends, if it does.
    fn write_next(&mut self, logits: Logits<'_>) -> Result<Option<FinishReason>, Error> {
        if self.room() == 0 {
            return Ok(Some(FinishReason::MaxTokens));
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
        let bias = self.item_bias;
        let biased = mask.filter(|_| bias != 0.0).and_then(|mask| self.model.with_item_bias(logits, mask, bias));
        let logits = biased.as_ref().map_or(logits, |(ids, logits)| Logits::Of(ids, logits));
        let token = self.sampler.sample(logits, &self.history, mask)?;
        if self.model.tokenizer.end_tokens().contains(&token) {
            return Ok(Some(FinishReason::Complete));
        }
        match self.write(token)? {
            None => self.write_forced(),
            reason => Ok(reason),
        }
    }

    /// Writes the tokens that the grammar forces.
    fn write_forced(&mut self) -> Result<Option<FinishReason>, Error> {
        let mut forced = self.constraint.as_mut().map(Constraint::forced).unwrap_or_default();
        forced.truncate(self.room());
        for token in forced {
            if let reason @ Some(_) = self.write(token)? {
                return Ok(reason);
            }
        }
        Ok(None)
    }

    /// Appends a token to the answer. Returns whether this completes the grammar.
    fn write(&mut self, token: u32) -> Result<Option<FinishReason>, Error> {
        self.history.push(token);
        let piece = self.stream.push(token);
        self.add_text(&piece);
        let Some(constraint) = &mut self.constraint else { return Ok(None) };
        constraint.commit(token)?;
        Ok(constraint.is_finished().then_some(FinishReason::Complete))
    }

    fn add_text(&mut self, piece: &str) {
        self.text.push_str(piece);
        self.piece_ends.push(self.text.len());
    }

    /// Guesses for what comes next: at most this many tokens, all allowed by the grammar.
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

    /// The tokens that may be chosen after the text so far and after each guess, if they are few.
    fn candidates(&mut self) -> Result<Option<Vec<u32>>, Error> {
        let Some(constraint) = &mut self.constraint else { return Ok(None) };
        let (allowed, vocab_size) = (constraint.allowed_ahead()?, self.model.engine.config().vocab_size);
        if is_much(allowed.count(), vocab_size) {
            return Ok(None);
        }
        Ok(Some(allowed.ids().into_iter().filter(|&id| (id as usize) < vocab_size).collect()))
    }
}

impl Loaded {
    /// The allowed next tokens and their logits, with `bias` added to those that begin another item; `None` if the
    /// answer cannot end here.
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
