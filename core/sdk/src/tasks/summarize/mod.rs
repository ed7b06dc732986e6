//! Summarizes a voice note: title, overview, points and action items, each quoted from the note.
//!
//! How a long note is read: `docs/summaries.md`.

mod all;
mod answer;
pub(crate) mod dictation;
mod duties;
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
use self::read::{Reader, Reading, Told};
pub use self::summary::{Action, Coverage, NoteSummary, Point};
use self::windows::windows;
use super::{context_for, most_together};
use crate::generate::{SequenceBatch, Slots};
use crate::job::{Job, Reporter};
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::model::LocalModel;
use crate::note::{Segment, VoiceNote};
use crate::sequence::{Sequence, common_prefix};
use crate::{CancelToken, Error};

impl LocalModel {
    /// Summarizes a note, streaming growing snapshots.
    ///
    /// Decoding is greedy, under a grammar: points, actions, owners and dates are quoted from the note, so nothing in
    /// them can be invented. A note of more than a few minutes is read in windows, several at a time. Their results are
    /// merged without repeats, and title and overview are written from them. A word that is longer than the context is
    /// left out, and its segment is missing from [`Coverage::segments_read`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a note without words or an invalid language name, [`Error::ContextFull`] for a note
    /// longer than 32 contexts, or one whose words are all too long.
    pub fn summarize(&self, note: &VoiceNote, options: &SummaryOptions) -> Job<NoteSummary, NoteSummary> {
        let (model, note, options) = (self.loaded(), note.clone(), options.clone());
        Job::start("summarize", move |reporter, cancel| {
            summarize(&model, &note, &options, &mut ReadSoFar::default(), reporter, cancel)
        })
    }
}

/// What has been read of a note that is still being spoken.
#[derive(Default)]
pub(super) struct ReadSoFar {
    /// May hold the beginning of the next prompt.
    pub sequence: Option<Sequence>,
    /// The readings of the note's first windows, never of the last.
    readings: Vec<Reading>,
}

/// Summarizes a note, part of which may have been read already.
pub(super) fn summarize(
    model: &Arc<Loaded>,
    note: &VoiceNote,
    options: &SummaryOptions,
    so_far: &mut ReadSoFar,
    reporter: &Reporter<NoteSummary>,
    cancel: &CancelToken,
) -> Result<NoteSummary, Error> {
    summarize_together(model, note, options, most_together(model), so_far, reporter, cancel)
}

/// Like [`summarize`], with at most this many windows read together. The summary is the same.
fn summarize_together(
    model: &Arc<Loaded>,
    note: &VoiceNote,
    options: &SummaryOptions,
    together: usize,
    so_far: &mut ReadSoFar,
    reporter: &Reporter<NoteSummary>,
    cancel: &CancelToken,
) -> Result<NoteSummary, Error> {
    check(note, options)?;
    if model.tuning.tuned && options.language.is_some() {
        log::warn!("this model copies titles and overviews from the note: the requested language has no effect");
    }
    let language = options.language.as_deref();
    let windows = windows(model, note.segments(), language, cancel)?;
    let several = windows.all.len() > 1;
    let ReadSoFar { sequence, readings } = so_far;
    let context = context_for(model, windows.prompt_tokens, answer_tokens(model))?;
    let unread = windows.all.len() - readings.len();
    let mut batch = SequenceBatch::of_at_most(unread.min(together), model, context)?;
    let slots: &mut dyn Slots = match (&mut batch, sequence) {
        (Some(batch), _) => batch,
        (None, Some(sequence)) => sequence,
        (None, none) => none.insert(model.sequence(context)?),
    };
    let mut reader = Reader { model, language, slots, cancel };
    let mut merged = Merged::new(note.segments(), options, windows.all.len());
    let mut cost = None;
    let known = std::mem::take(readings);
    let (known_windows, mut window) = (known.len(), 0);
    let mut on_told = |told| match told {
        // A single window does not tell what the whole note is about.
        Told::Found(found) if several && found.is_heading() => {}
        Told::Found(found) => merged.tell(found, reporter),
        Told::Window(reading) => {
            merged.coverage.segments_read.extend(windows.read_with(window));
            reporter.report(merged.summary());
            if window >= known_windows {
                absorb(&mut cost, &reading.metrics);
            }
            window += 1;
            if window < windows.all.len() {
                readings.push(reading);
            }
        }
    };
    for reading in known {
        reading.found.iter().cloned().map(Told::Found).for_each(&mut on_told);
        on_told(Told::Window(reading));
    }
    reader.read(&windows.all[known_windows..], form(options), &mut on_told)?;
    if several {
        let best = merged.best(second_pass::POINTS, second_pass::ACTIONS);
        second_pass::heading(&mut reader, &best, &windows.all[0], &mut |told| match told {
            Told::Found(found) => merged.tell(found, reporter),
            Told::Window(reading) => absorb(&mut cost, &reading.metrics),
        })?;
    }
    Ok(NoteSummary { metrics: cost, ..merged.summary() })
}

/// # Errors
/// [`Error::InvalidInput`] for a note without words or an invalid language name.
pub(crate) fn check(note: &VoiceNote, options: &SummaryOptions) -> Result<(), Error> {
    options.check()?;
    match note.segments().is_empty() {
        true => Err(Error::invalid_input("the note has no words: there is nothing to summarize")),
        false => Ok(()),
    }
}

/// Reads the note so far: complete windows, and the part of the last one that no further word can change.
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
        None => sequence.insert(model.sequence(model.context_limit())?),
    };
    let unread = &complete[readings.len().min(complete.len())..];
    let mut reader = Reader { model, language, slots: &mut *sequence, cancel };
    reader.read(unread, form(options), &mut |told| match told {
        Told::Found(_) => {}
        Told::Window(reading) => readings.push(reading),
    })?;
    sequence.set(&lasting_prompt(model, last, language)?, cancel)?;
    Ok(())
}

/// The beginning of the prompt that stays the same whatever is said next. Tokens at the seam may change.
fn lasting_prompt(model: &Loaded, said: &[Segment], language: Option<&str>) -> Result<Vec<u32>, Error> {
    let mut now = prompt(model, said, language)?;
    let one_more: Vec<Segment> = said.iter().chain(said.last()).cloned().collect();
    now.truncate(common_prefix(&now, &prompt(model, &one_more, language)?));
    Ok(now)
}

/// The form of a window's answer: always the complete form, because models report more wrong actions without a title
/// before them. The limits select the best results; only a list that is not wanted at all is not written.
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

    /// What a reader of the job sees: all that is not a measurement, up to the end.
    fn seen(together: usize, note: &VoiceNote) -> (Vec<NoteSummary>, NoteSummary) {
        let (model, note) = (demo().loaded(), note.clone());
        let mut job = Job::start("summarize", move |reporter, cancel| {
            let (options, mut so_far) = (SummaryOptions::default(), ReadSoFar::default());
            summarize_together(&model, &note, &options, together, &mut so_far, reporter, cancel)
        });
        let mut snapshots: Vec<NoteSummary> = job.by_ref().collect();
        // Title and overview of the second pass come in pieces, as those of a single window do.
        snapshots.retain(|snapshot| snapshot.title.is_empty());
        (snapshots, NoteSummary { metrics: None, ..job.wait().unwrap() })
    }

    #[test]
    fn windows_that_are_read_together_are_told_in_the_order_of_the_note() {
        let sentences = (0..60).map(|n| format!("Dana has to send list {n} by Friday. The lift in hall {n} is stuck."));
        let note = VoiceNote::text(&sentences.collect::<Vec<_>>().join(" "));
        let (one_by_one, summary) = seen(1, &note);
        assert!(summary.coverage.windows > 4 && one_by_one.len() > 10);
        let (together, again) = seen(4, &note);
        assert_eq!(again, summary);
        assert_eq!(together, one_by_one);
    }

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
