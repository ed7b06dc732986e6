//! Writes several answers together, with one pass through the model for all of them.

use std::sync::Arc;
use std::time::Instant;

use super::slots::{Pass, Rows, Slots};
use super::writer::{Step, Writer};
use super::{Answer, Request};
use crate::finish_reason::FinishReason;
use crate::grammar::Grammar;
use crate::loaded::Loaded;
use crate::metrics::{Metrics, Stopwatch};
use crate::{CancelToken, Error};

/// Answers that are being written, at most one per slot. Each is the same as if written alone.
pub(crate) struct Writers<'a> {
    model: &'a Arc<Loaded>,
    slots: &'a mut dyn Slots,
    writing: Vec<Option<Writing>>,
}

/// An answer in a slot.
struct Writing {
    writer: Writer,
    next: Next,
    /// The number of bytes of its text that were already returned.
    told: usize,
    started: Instant,
    time_to_first_token: Option<f64>,
    prefill_seconds: f64,
    prefill_tokens: usize,
    reused_tokens: usize,
    /// Its share of the passes' time.
    decode_seconds: f64,
}

enum Next {
    /// The next token is chosen from these.
    Choose(Rows),
    /// These have to be computed.
    Read(Pass),
    Finished(FinishReason),
}

impl<'a> Writers<'a> {
    pub(crate) fn new(model: &'a Arc<Loaded>, slots: &'a mut dyn Slots) -> Self {
        let writing = (0..slots.count()).map(|_| None).collect();
        Self { model, slots, writing }
    }

    /// A free slot.
    pub(crate) fn free_slot(&self) -> Option<usize> {
        self.writing.iter().position(Option::is_none)
    }

    /// Reads a prompt. Its answer stays in that slot until it is taken.
    ///
    /// # Errors
    /// Errors of the request's format, and of a pass.
    pub(crate) fn start(&mut self, slot: usize, request: Request<'_>, cancel: &CancelToken) -> Result<(), Error> {
        let started = Instant::now();
        let grammar = request.format.map(|format| Grammar::start(self.model, format)).transpose()?;
        let mut watch = Stopwatch::default();
        let mut prefills = watch.time(|| self.slots.set(&[(slot, request.prompt)], cancel))?;
        let mut prefill = prefills.pop().ok_or_else(|| Error::internal("a prompt was not read"))?;
        self.slots.keep(slot, request.lasting);
        let constraint = grammar.map(|grammar| grammar.wait(cancel)).transpose()?;
        self.writing[slot] = Some(Writing {
            next: Next::Choose(Rows::behind(&mut prefill)),
            writer: Writer::new(Arc::clone(self.model), request, constraint),
            told: 0,
            started,
            time_to_first_token: None,
            prefill_seconds: watch.seconds(),
            prefill_tokens: prefill.computed,
            reused_tokens: prefill.reused,
            decode_seconds: 0.0,
        });
        Ok(())
    }

    /// Continues all answers, by at least one token each or to their end.
    ///
    /// # Errors
    /// Errors of a pass or a constraint. The texts contain everything before them.
    pub(crate) fn go_on(&mut self, cancel: &CancelToken) -> Result<(), Error> {
        cancel.check()?;
        let started = Instant::now();
        self.read(cancel)?;
        let tokens_at_once = self.slots.tokens_at_once();
        for writing in self.writing.iter_mut().flatten() {
            writing.choose(tokens_at_once)?;
        }
        let going_on = self.writing.iter().flatten().count();
        let share = started.elapsed().as_secs_f64() / going_on as f64;
        self.writing.iter_mut().flatten().for_each(|writing| writing.decode_seconds += share);
        Ok(())
    }

    /// Computes what the answers need.
    fn read(&mut self, cancel: &CancelToken) -> Result<(), Error> {
        let needed = self.writing.iter().enumerate().filter_map(|(slot, writing)| match &writing.as_ref()?.next {
            Next::Read(pass) => Some((slot, pass)),
            Next::Choose(_) | Next::Finished(_) => None,
        });
        let passes: Vec<(usize, &Pass)> = needed.collect();
        if passes.is_empty() {
            return Ok(());
        }
        let rows = self.slots.read(&passes, cancel)?;
        let slots: Vec<usize> = passes.iter().map(|(slot, _)| *slot).collect();
        for (slot, rows) in slots.into_iter().zip(rows) {
            if let Some(writing) = &mut self.writing[slot] {
                writing.next = Next::Choose(rows);
            }
        }
        Ok(())
    }

    /// The text that the next unreported token added in a slot; `None` if there is none.
    pub(crate) fn next_piece(&mut self, slot: usize) -> Option<&str> {
        let writing = self.writing[slot].as_mut()?;
        let new = writing.writer.piece_after(writing.told);
        writing.told += new.len();
        (!new.is_empty()).then_some(new)
    }

    /// The answer in a slot, if it is finished. This frees the slot.
    pub(crate) fn take_finished(&mut self, slot: usize) -> Option<Answer> {
        let Next::Finished(finish_reason) = self.writing[slot].as_ref()?.next else { return None };
        let writing = self.writing[slot].take()?;
        let engine = &self.model.engine;
        let ids = writing.writer.ids().to_vec();
        let metrics = Metrics {
            time_to_first_token: writing.time_to_first_token.unwrap_or_default(),
            prefill_tokens: writing.prefill_tokens,
            prefill_seconds: writing.prefill_seconds,
            reused_tokens: writing.reused_tokens,
            decode_tokens: ids.len(),
            decode_seconds: writing.decode_seconds,
            private_bytes: self.slots.private_bytes(),
            mapped_bytes: engine.mapped_bytes(),
            kernels: engine.kernels().to_owned(),
            threads: engine.threads(),
            handed_over: None,
        };
        Some(Answer { text: writing.writer.text().to_owned(), ids, finish_reason, metrics })
    }
}

impl Writing {
    /// Chooses the next tokens from the logits, if there are any.
    fn choose(&mut self, tokens_at_once: usize) -> Result<(), Error> {
        let Next::Choose(rows) = &self.next else { return Ok(()) };
        self.next = match self.writer.go_on(rows, tokens_at_once)? {
            Step::Read(pass) => Next::Read(pass),
            Step::Stop(reason) => Next::Finished(reason),
        };
        self.time_to_first_token.get_or_insert_with(|| self.started.elapsed().as_secs_f64());
        Ok(())
    }
}
