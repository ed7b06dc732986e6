//! A voice note becomes a title, an overview, points and action items, each backed by the note's own words.

mod answer;
mod merge;
mod parse;
mod summary;
mod windows;

use std::sync::Arc;

use sotto_text::OutputFormat;

pub(super) use self::answer::prompt;
use self::answer::{answer_tokens, grammar};
use self::parse::{parse, whole_lines};
pub use self::summary::{Action, Coverage, NoteSummary, Point};
pub(super) use self::windows::windows;
use super::{constrained_answer, context_for};
use crate::job::{Job, Reporter};
use crate::metrics::StopReason;
use crate::model::{Loaded, LocalModel};
use crate::note::{NoteText, Segment, VoiceNote};
use crate::sequence::Sequence;
use crate::{CancelToken, Error};

impl LocalModel {
    /// Summarizes a note, streaming growing snapshots.
    ///
    /// Greedy decoding under a grammar: points, actions, owners and dates are runs of the note's own words, so that
    /// nothing in them can be invented. A note longer than the context is read in windows, one after the other, and
    /// their points and actions are put together.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a note without words, [`Error::ContextFull`] for one of more than 32 windows, or with a word
    /// that fits none.
    pub fn summarize(&self, note: &VoiceNote) -> Job<NoteSummary, NoteSummary> {
        let model = self.loaded();
        let note = note.clone();
        Job::start("summarize", move |reporter, cancel| {
            let mut sequence = None;
            let summary = summarize(&model, &note, &mut sequence, reporter, cancel);
            model.kept.put(&model, sequence);
            summary
        })
    }
}

/// Summarizes a note in `sequence`, which may hold the beginning of its prompt already; without one, in a new one that is
/// just large enough.
pub(super) fn summarize(
    model: &Arc<Loaded>,
    note: &VoiceNote,
    sequence: &mut Option<Sequence>,
    reporter: &Reporter<NoteSummary>,
    cancel: &CancelToken,
) -> Result<NoteSummary, Error> {
    if note.segments().is_empty() {
        return Err(Error::invalid_input("nothing is said in the note: there is nothing to summarize"));
    }
    let windows = windows(model, note.segments(), cancel)?;
    let prompts = windows.iter().map(|window| prompt(model, window)).collect::<Result<Vec<_>, Error>>()?;
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    let needed = context_for(model, longest, answer_tokens(model))?;
    let sequence = match sequence {
        Some(sequence) => sequence,
        None => sequence.insert(model.kept.take(model, needed)?),
    };
    let mut whole = NoteSummary {
        coverage: Coverage { segments: note.segments().len(), windows: windows.len(), ..Coverage::default() },
        ..NoteSummary::default()
    };
    for (window, prompt) in windows.iter().zip(&prompts) {
        let part = summarize_window(model, sequence, window, prompt, cancel, |part| {
            let mut snapshot = whole.clone();
            snapshot.extend(part);
            // There once the summary is complete.
            snapshot.metrics = None;
            reporter.report(snapshot);
        })?;
        whole.extend(part);
        whole.coverage.segments_read.extend(window.iter().map(|segment| segment.id));
        whole.coverage.segments_read.dedup();
    }
    Ok(whole)
}

fn summarize_window(
    model: &Arc<Loaded>,
    sequence: &mut Sequence,
    window: &[Segment],
    prompt: &[u32],
    cancel: &CancelToken,
    mut on_part: impl FnMut(NoteSummary),
) -> Result<NoteSummary, Error> {
    let note = NoteText::new(window);
    let format = OutputFormat::Lark(grammar(&note)?);
    let mut written = String::new();
    let mut last = NoteSummary::default();
    let answer = constrained_answer(model, sequence, prompt, &format, answer_tokens(model), cancel, |piece| {
        written.push_str(piece);
        let part = parse(&written, &note);
        if part != last {
            last = part.clone();
            on_part(part);
        }
    })?;
    let text = match answer.metrics.stop_reason {
        StopReason::Length => whole_lines(&answer.text),
        _ => &answer.text,
    };
    Ok(NoteSummary { metrics: Some(answer.metrics), ..parse(text, &note) })
}
