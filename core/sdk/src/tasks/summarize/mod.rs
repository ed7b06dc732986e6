//! A voice note becomes a title, an overview, points and action items, each backed by the note's own words.
//!
//! How a long note is read: `docs/summaries.md`.

mod answer;
mod merge;
mod options;
mod parse;
mod read;
mod second_pass;
mod summary;
mod topics;
mod windows;
mod words;

use std::sync::Arc;

use self::answer::{Form, LONGEST_LIST, answer_tokens, prompt};
use self::merge::Merged;
pub use self::options::SummaryOptions;
use self::parse::Found;
use self::read::{Reader, Reading};
pub use self::summary::{Action, Coverage, NoteSummary, Point};
use self::windows::windows;
use super::context_for;
use crate::job::{Job, Reporter};
use crate::metrics::Metrics;
use crate::model::{Loaded, LocalModel};
use crate::note::{Segment, VoiceNote};
use crate::sequence::{Sequence, common_prefix};
use crate::{CancelToken, Error};

impl LocalModel {
    /// Summarizes a note, streaming growing snapshots.
    ///
    /// Greedy decoding under a grammar: points, actions, owners and dates are runs of the note's own words, so that
    /// nothing in them can be invented. A note of more than a few minutes is read in windows, one after the other; what they say is
    /// put together without repeats, and title and overview are written from that. A word that is longer than the context is left
    /// out, and its segment is not among [`Coverage::segments_read`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a note without words or a language that is no name, [`Error::ContextFull`] for a note of more than
    /// 32 contexts, or of nothing but words that fit none.
    pub fn summarize(&self, note: &VoiceNote, options: &SummaryOptions) -> Job<NoteSummary, NoteSummary> {
        let (model, note, options) = (self.loaded(), note.clone(), options.clone());
        Job::start("summarize", move |reporter, cancel| {
            let mut so_far = ReadSoFar::default();
            let summary = summarize(&model, &note, &options, &mut so_far, reporter, cancel);
            model.kept.put(&model, so_far.sequence);
            summary
        })
    }
}

/// What is known of a note that is read while it is spoken.
#[derive(Default)]
pub(super) struct ReadSoFar {
    /// May hold the beginning of the next prompt.
    pub sequence: Option<Sequence>,
    /// Of the first windows of the note, but never of its last.
    readings: Vec<Reading>,
}

/// Summarizes a note, of which some may be read already.
pub(super) fn summarize(
    model: &Arc<Loaded>,
    note: &VoiceNote,
    options: &SummaryOptions,
    so_far: &mut ReadSoFar,
    reporter: &Reporter<NoteSummary>,
    cancel: &CancelToken,
) -> Result<NoteSummary, Error> {
    options.check()?;
    if note.segments().is_empty() {
        return Err(Error::invalid_input("nothing is said in the note: there is nothing to summarize"));
    }
    if model.tuning.tuned && options.language.is_some() {
        log::warn!(
            "this model copies titles and overviews from the note: the language that was asked for changes nothing"
        );
    }
    let language = options.language.as_deref();
    let windows = windows(model, note.segments(), language, cancel)?;
    let several = windows.all.len() > 1;
    let ReadSoFar { sequence, readings } = so_far;
    let context = context_for(model, windows.prompt_tokens, answer_tokens(model))?;
    let sequence = match sequence {
        Some(sequence) => sequence,
        None => sequence.insert(model.kept.take(model, context)?),
    };
    let mut reader = Reader { model, language, sequence, cancel };
    let mut merged = Merged::new(note.segments(), options, windows.all.len());
    let mut cost = None;
    for (index, window) in windows.all.iter().enumerate() {
        let mut add = |found: Found| {
            // None of several windows tells what the whole note is about.
            if !several || !found.is_heading() {
                merged.tell(found, reporter);
            }
        };
        match readings.get(index) {
            Some(reading) => reading.found.iter().cloned().for_each(add),
            None => {
                let reading = reader.read(window, form(options), &mut add)?;
                absorb(&mut cost, &reading.metrics);
                if index + 1 < windows.all.len() {
                    readings.push(reading);
                }
            }
        }
        merged.coverage.segments_read.extend(windows.read_with(index));
        reporter.report(merged.summary());
    }
    if several {
        let best = merged.best(second_pass::POINTS, second_pass::ACTIONS);
        let mut add = |found| merged.tell(found, reporter);
        absorb(&mut cost, &second_pass::heading(&mut reader, &best, &windows.all[0], &mut add)?.metrics);
    }
    Ok(NoteSummary { metrics: cost, ..merged.summary() })
}

/// Reads what was said of a note so far: windows that are complete, and of the last one as much as no further word could change.
pub(super) fn read_ahead(
    model: &Arc<Loaded>,
    said: &[Segment],
    options: &SummaryOptions,
    so_far: &mut ReadSoFar,
    cancel: &CancelToken,
) -> Result<(), Error> {
    let language = options.language.as_deref();
    let windows = windows(model, said, language, cancel)?;
    let Some((last, complete)) = windows.all.split_last() else { return Ok(()) };
    let ReadSoFar { sequence, readings } = so_far;
    let sequence = match sequence {
        Some(sequence) => sequence,
        None => sequence.insert(Sequence::new(model.decoder(model.context_limit())?)),
    };
    let mut reader = Reader { model, language, sequence, cancel };
    for window in complete.iter().skip(readings.len()) {
        readings.push(reader.read(window, form(options), &mut |_| ())?);
    }
    reader.sequence.set(&lasting_prompt(model, last, language)?, cancel)?;
    Ok(())
}

/// The beginning of the prompt that stays as it is whatever is said next: at the seam, tokens may change.
fn lasting_prompt(model: &Loaded, said: &[Segment], language: Option<&str>) -> Result<Vec<u32>, Error> {
    let mut now = prompt(model, said, language)?;
    let one_more: Vec<Segment> = said.iter().chain(said.last()).cloned().collect();
    now.truncate(common_prefix(&now, &prompt(model, &one_more, language)?));
    Ok(now)
}

/// What a window is asked for: always the whole form, since models name more that is no action without a title before it. The limits
/// choose the best of what was found; a list that is not wanted at all is not written.
fn form(options: &SummaryOptions) -> Form {
    let list = |most: usize| if most == 0 { 0 } else { LONGEST_LIST };
    Form::Whole { points: list(options.max_points), actions: list(options.max_actions.unwrap_or(usize::MAX)) }
}

fn absorb(cost: &mut Option<Metrics>, part: &Metrics) {
    match cost {
        Some(cost) => cost.absorb(part),
        None => *cost = Some(part.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_model::demo;

    #[test]
    fn what_is_read_lasts_whatever_follows() {
        let model = demo().loaded();
        let plain =
            VoiceNote::text("I need to send the notes. Marcus will write a test by Thursday! Is the demo on Monday?");
        let spoken = VoiceNote::transcript("Marta: I'll send it.\nTom: Good (and the room is booked)\nMarta: At 7:30?");
        for note in [plain, spoken] {
            let segments = note.segments();
            let whole = prompt(&model, segments, None).unwrap();
            for count in 1..segments.len() {
                let read = lasting_prompt(&model, &segments[..count], None).unwrap();
                assert!(whole.starts_with(&read));
                // A mark at the end may become one token with a line break after it.
                let words = segments[count - 1].text.trim_end_matches(|last: char| last.is_ascii_punctuation());
                assert!(model.tokenizer.decode(&read).contains(words));
            }
        }
    }
}
