//! The model reads a window, and what it answers is told piece by piece.

use std::sync::Arc;

use sotto_text::OutputFormat;

use super::answer::{Form, answer_tokens, grammar, prompt};
use super::merge::distinct;
use super::parse::{Answer, Found, parse, whole_lines};
use crate::metrics::{Metrics, StopReason};
use crate::model::Loaded;
use crate::note::{NoteText, Segment};
use crate::sequence::Sequence;
use crate::tasks::constrained_answer;
use crate::{CancelToken, Error};

/// How often a window is halved when it has more actions than an answer can name.
const MOST_HALVINGS: usize = 2;

/// What a window says, in the order in which it was told, and what it cost to read it.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(super) found: Vec<Found>,
    pub(super) metrics: Metrics,
}

/// Reads windows.
pub(super) struct Reader<'a> {
    pub model: &'a Arc<Loaded>,
    pub language: Option<&'a str>,
    pub sequence: &'a mut Sequence,
    pub cancel: &'a CancelToken,
}

impl Reader<'_> {
    /// Reads a window, with an answer of this form. What it says goes to `on_found`, too, as soon as it is there.
    ///
    /// If the answer is full, there may be more actions than it could name: then both halves of the window are
    /// read again.
    pub(super) fn read(
        &mut self,
        window: &[Segment],
        form: Form,
        on_found: &mut dyn FnMut(Found),
    ) -> Result<Reading, Error> {
        self.read_or_halve(window, form, MOST_HALVINGS, on_found)
    }

    fn read_or_halve(
        &mut self,
        window: &[Segment],
        form: Form,
        halvings: usize,
        on_found: &mut dyn FnMut(Found),
    ) -> Result<Reading, Error> {
        let mut whole = self.answer(window, &NoteText::new(window).span_pieces(), form, on_found)?;
        if halvings > 0 && window.len() > 1 && is_full(&whole, form) {
            let (left, right) = window.split_at(window.len() / 2);
            for half in [left, right] {
                let mut part = self.read_or_halve(half, form, halvings - 1, &mut |found: Found| {
                    if !found.is_heading() {
                        on_found(found);
                    }
                })?;
                part.found.retain(|found| !found.is_heading());
                whole.found.extend(part.found);
                whole.metrics.absorb(&part.metrics);
            }
        }
        Ok(whole)
    }

    /// The model's answer to a window, made of these pieces of it.
    pub(super) fn answer(
        &mut self,
        window: &[Segment],
        pieces: &[Vec<String>],
        form: Form,
        on_found: &mut dyn FnMut(Found),
    ) -> Result<Reading, Error> {
        let Self { model, language, sequence, cancel } = self;
        let note = NoteText::new(window);
        let prompt = prompt(model, window, *language)?;
        // A title in another language is no span of the note.
        let free_heading = language.is_some() && !model.tuning.tuned;
        let format = OutputFormat::Lark(grammar(form, pieces, free_heading)?);
        let (mut written, mut told, mut found) = (String::new(), Answer::default(), Vec::new());
        let mut tell = |answer: Answer| {
            for new in answer.beyond(&told) {
                found.push(new.clone());
                on_found(new);
            }
            told = answer;
        };
        let answer = constrained_answer(model, sequence, &prompt, &format, answer_tokens(model), cancel, |piece| {
            written.push_str(piece);
            tell(parse(&written, &note, false));
        })?;
        let text = match answer.metrics.stop_reason {
            StopReason::Length => whole_lines(&answer.text),
            _ => &answer.text,
        };
        tell(parse(text, &note, true));
        Ok(Reading { found, metrics: answer.metrics })
    }
}

/// Whether an answer may have left out actions: it names as many as it can, or was cut off.
fn is_full(reading: &Reading, form: Form) -> bool {
    let Form::Whole { actions: most @ 1.., .. } = form else { return false };
    let actions = reading.found.iter().filter_map(|found| match found {
        Found::Action(action) => Some(action.clone()),
        _ => None,
    });
    distinct(actions) >= most || reading.metrics.stop_reason == StopReason::Length
}
