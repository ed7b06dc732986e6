//! Lets the model read windows, and reports its answers piece by piece.

use std::collections::VecDeque;
use std::sync::Arc;

use sotto_text::OutputFormat;

use super::answer::{Form, answer_tokens, grammar, prompt};
use super::merge::distinct;
use super::parse::{Answer, Found, parse, whole_lines};
use crate::finish_reason::FinishReason;
use crate::generate::{Slots, Writers};
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::note::{NoteText, Segment};
use crate::sequence::common_prefix;
use crate::tasks::constrained_request;
use crate::{CancelToken, Error};

/// How often a window is halved if it has more actions than an answer can hold.
const MOST_HALVINGS: usize = 2;

/// The results of a window, in the order in which they were reported, and the cost of reading it.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(super) found: Vec<Found>,
    pub(super) metrics: Metrics,
}

/// Reports while windows are read, one complete window after the other.
pub(super) enum Told {
    /// A result, as soon as it and everything before it are there.
    Found(Found),
    /// A window has been read: all its results again.
    Window(Reading),
}

/// Reads windows, as many at a time as there are slots.
pub(super) struct Reader<'a> {
    pub model: &'a Arc<Loaded>,
    pub language: Option<&'a str>,
    pub slots: &'a mut dyn Slots,
    pub cancel: &'a CancelToken,
}

/// A part to be read at once, and its state.
struct Part<'a> {
    /// The window that it belongs to.
    window: usize,
    segments: &'a [Segment],
    /// The pieces that a span of the answer may consist of.
    pieces: Vec<Vec<String>>,
    form: Form,
    halvings: usize,
    /// Half of a window does not tell what the note is about.
    is_half: bool,
    state: State,
    found: Vec<Found>,
    /// How many of these have been reported.
    told: usize,
}

enum State {
    Waiting,
    Reading(Draft),
    Read { metrics: Metrics, is_cut_off: bool },
}

/// An answer that is being written.
struct Draft {
    slot: usize,
    note: NoteText,
    written: String,
    parsed: Answer,
}

impl Reader<'_> {
    /// Reads windows, with answers of this form. The reports are the same however many are read together.
    ///
    /// If an answer is full, there may be more actions than it could hold. Then both halves of the window are read
    /// again.
    pub(super) fn read(
        &mut self,
        windows: &[Vec<Segment>],
        form: Form,
        on_told: &mut dyn FnMut(Told),
    ) -> Result<(), Error> {
        let parts = windows.iter().enumerate().map(|(index, window)| Part::new(index, window, form, MOST_HALVINGS));
        self.read_parts(parts.collect(), on_told)
    }

    /// Reads one note, made of these pieces of it.
    pub(super) fn read_pieces(
        &mut self,
        segments: &[Segment],
        pieces: Vec<Vec<String>>,
        form: Form,
        on_told: &mut dyn FnMut(Told),
    ) -> Result<(), Error> {
        self.read_parts(VecDeque::from([Part { pieces, ..Part::new(0, segments, form, 0) }]), on_told)
    }

    /// `parts` are in the order of the note, and stay so.
    fn read_parts(&mut self, mut parts: VecDeque<Part<'_>>, on_told: &mut dyn FnMut(Told)) -> Result<(), Error> {
        let without_note = prompt(self.model, &[], self.language)?;
        let mut writers = Writers::new(self.model, self.slots);
        let mut window: Option<Reading> = None;
        while !parts.is_empty() {
            let waiting = parts.iter_mut().filter(|part| matches!(part.state, State::Waiting));
            for part in waiting {
                let Some(slot) = writers.free_slot() else { break };
                part.start(slot, &mut writers, self.model, self.language, &without_note, self.cancel)?;
            }
            let outcome = writers.go_on(self.cancel);
            for index in (0..parts.len()).rev() {
                if parts[index].take_written(&mut writers) {
                    for half in parts[index].halves().into_iter().rev() {
                        parts.insert(index + 1, half);
                    }
                }
            }
            while let Some(part) = parts.front_mut() {
                part.tell(on_told);
                let State::Read { metrics, .. } = &part.state else { break };
                match &mut window {
                    Some(window) => window.add(&part.found, metrics),
                    None => window = Some(Reading { found: part.found.clone(), metrics: metrics.clone() }),
                }
                let read = parts.pop_front();
                if read.map(|part| part.window) != parts.front().map(|part| part.window) {
                    window.take().map(Told::Window).into_iter().for_each(&mut *on_told);
                }
            }
            outcome?;
        }
        Ok(())
    }
}

impl Reading {
    fn add(&mut self, found: &[Found], metrics: &Metrics) {
        self.found.extend_from_slice(found);
        self.metrics.absorb(metrics);
    }
}

impl<'a> Part<'a> {
    fn new(window: usize, segments: &'a [Segment], form: Form, halvings: usize) -> Self {
        let pieces = NoteText::new(segments).span_pieces();
        let (state, found) = (State::Waiting, Vec::new());
        Self { window, segments, pieces, form, halvings, is_half: false, state, found, told: 0 }
    }

    /// Begins to write the answer. `without_note` is the prompt for an empty note.
    fn start(
        &mut self,
        slot: usize,
        writers: &mut Writers<'_>,
        model: &Arc<Loaded>,
        language: Option<&str>,
        without_note: &[u32],
        cancel: &CancelToken,
    ) -> Result<(), Error> {
        let prompt = prompt(model, self.segments, language)?;
        let lasting = common_prefix(without_note, &prompt);
        // A title in another language is not a span of the note.
        let free_heading = language.is_some() && !model.tuning.tuned;
        let format = OutputFormat::Lark(grammar(self.form, &self.pieces, free_heading)?);
        writers.start(slot, constrained_request(model, &prompt, lasting, &format, answer_tokens(model))?, cancel)?;
        let note = NoteText::new(self.segments);
        self.state = State::Reading(Draft { slot, note, written: String::new(), parsed: Answer::default() });
        Ok(())
    }

    /// Takes the new part of the answer. Returns whether it is finished.
    fn take_written(&mut self, writers: &mut Writers<'_>) -> bool {
        let State::Reading(draft) = &mut self.state else { return false };
        let is_told = |found: &Found| !(self.is_half && found.is_heading());
        while let Some(text) = writers.next_piece(draft.slot) {
            draft.written.push_str(text);
            self.found.extend(draft.parse(false).into_iter().filter(is_told));
        }
        let Some(answer) = writers.take_finished(draft.slot) else { return false };
        let is_cut_off = answer.finish_reason == FinishReason::MaxTokens;
        if is_cut_off {
            draft.written.truncate(whole_lines(&draft.written).len());
        }
        self.found.extend(draft.parse(true).into_iter().filter(is_told));
        self.state = State::Read { metrics: answer.metrics, is_cut_off };
        true
    }

    fn tell(&mut self, on_told: &mut dyn FnMut(Told)) {
        self.found[self.told..].iter().cloned().map(Told::Found).for_each(on_told);
        self.told = self.found.len();
    }

    /// The parts to read again after the answer.
    fn halves(&self) -> Vec<Self> {
        if self.halvings == 0 || self.segments.len() < 2 || !self.is_full() {
            return Vec::new();
        }
        let (left, right) = self.segments.split_at(self.segments.len() / 2);
        let half = |segments| Self { is_half: true, ..Self::new(self.window, segments, self.form, self.halvings - 1) };
        vec![half(left), half(right)]
    }

    /// Whether the answer may have missed actions: it has as many as it can hold, or was cut off.
    fn is_full(&self) -> bool {
        let (Form::Whole { actions: most @ 1.., .. }, &State::Read { is_cut_off, .. }) = (self.form, &self.state)
        else {
            return false;
        };
        let actions = self.found.iter().filter_map(|found| match found {
            Found::Action(action) => Some(action.clone()),
            _ => None,
        });
        distinct(actions) >= most || is_cut_off
    }
}

impl Draft {
    /// The new results in the text written so far.
    fn parse(&mut self, finished: bool) -> Vec<Found> {
        let answer = parse(&self.written, &self.note, finished);
        let found = answer.beyond(&self.parsed);
        self.parsed = answer;
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::demo_model::demo;
    use crate::generate::SequenceBatch;
    use crate::note::VoiceNote;
    use crate::tasks::context_for;
    use crate::tasks::summarize::answer::LONGEST_LIST;
    use crate::tasks::summarize::windows::windows;

    /// What is told of a note: points and actions as they come, and what each window says in the end.
    #[derive(Debug, PartialEq)]
    struct Heard {
        items: Vec<Found>,
        windows: Vec<Vec<Found>>,
    }

    fn hear(model: &Arc<Loaded>, windows: &[Vec<Segment>], slots: &mut dyn Slots) -> (Heard, usize) {
        let mut heard = Heard { items: Vec::new(), windows: Vec::new() };
        let mut tokens = 0;
        let form = Form::Whole { points: LONGEST_LIST, actions: LONGEST_LIST };
        let cancel = CancelToken::new();
        let mut reader = Reader { model, language: None, slots, cancel: &cancel };
        let on_told = &mut |told| match told {
            Told::Found(found) => heard.items.extend(Some(found).filter(|found| !found.is_heading())),
            Told::Window(reading) => {
                heard.windows.push(reading.found.into_iter().filter(|found| !found.is_heading()).collect());
                tokens += reading.metrics.decode_tokens;
            }
        };
        reader.read(windows, form, on_told).expect("it is read");
        (heard, tokens)
    }

    fn sentence() -> impl Strategy<Value = String> {
        let who =
            prop_oneof!["Marcus will", "Dana has to", "I need to", "Priya is going to", "Tom already", "Nobody can"];
        let what = "(call|send|print|check|book|clean) the (plumber|figures|posters|van|room|contract)( again| for Ana| in May)?";
        let when = "( by Thursday| tonight| before noon|, I think|)";
        (who, what, when).prop_map(|(who, what, when)| format!("{who} {what}{when}."))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

        #[test]
        fn windows_that_are_read_together_say_what_they_say_one_by_one(
            sentences in proptest::collection::vec(sentence(), 60..90),
        ) {
            let model = demo().loaded();
            let note = VoiceNote::text(&sentences.join(" "));
            let windows = windows(&model, note.segments(), None, &CancelToken::new()).expect("windows");
            let context = context_for(&model, windows.prompt_tokens, answer_tokens(&model)).expect("it fits");
            let mut alone = model.sequence(context).expect("a sequence");
            let (expected, tokens) = hear(&model, &windows.all, &mut alone);
            prop_assert!(windows.all.len() > 4);
            prop_assert_eq!(expected.windows.len(), windows.all.len());
            prop_assert_eq!(&expected.windows.concat(), &expected.items);
            for count in [2, 4] {
                let mut batch = SequenceBatch::of_at_most(count, &model, context).expect("room").expect("a batch");
                let (together, tokens_together) = hear(&model, &windows.all, &mut batch);
                prop_assert_eq!(&together, &expected, "{} at a time", count);
                prop_assert_eq!(tokens_together, tokens);
            }
        }
    }
}
