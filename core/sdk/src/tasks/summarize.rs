//! A voice note becomes a title, an overview, points and action items, each backed by the note's own words.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sotto_text::{OutputFormat, spans_grammar};

use super::{constrained_answer, context_for, prompts, split_context, task_prompt};
use crate::job::{Job, Reporter};
use crate::metrics::{Metrics, StopReason};
use crate::model::{Loaded, LocalModel};
use crate::note::{NoteText, Segment, VoiceNote};
use crate::sequence::Sequence;
use crate::{CancelToken, Error};

/// The most tokens of one answer: a title, an overview, and eight points and actions of ordinary length.
const ANSWER_TOKENS: usize = 768;

/// A note is read in windows that fit the context; one that needs more of them than this is refused.
const MOST_WINDOWS: usize = 32;

/// The most tokens of a window, however long the context is: the grammar that lets its words be copied has its limits, too.
const LONGEST_WINDOW: usize = 16_384;

/// One thing to remember, in the note's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The words.
    pub text: String,
    /// Ids of the segments that they stand in.
    pub evidence: Vec<u32>,
}

/// One thing to do, in the note's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// What is to be done.
    pub text: String,
    /// Who has to do it; `None` for the speaker, or when the note does not say.
    pub owner: Option<String>,
    /// By when, as it was said.
    pub due: Option<String>,
    /// Ids of the segments that all this stands in.
    pub evidence: Vec<u32>,
}

/// Which segments of the note were read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Ids of the segments read so far.
    pub segments_read: Vec<u32>,
    /// How many segments the note has.
    pub segments: usize,
    /// How many windows the note was read in: 1 unless it is longer than the model's context.
    pub windows: usize,
}

/// A summarized note. While it is being written, it grows: later snapshots extend earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NoteSummary {
    /// A few words.
    pub title: String,
    /// What the note is about.
    pub overview: String,
    /// Things to remember.
    pub points: Vec<Point>,
    /// Things to do.
    pub actions: Vec<Action>,
    /// Which part of the note this rests on.
    pub coverage: Coverage,
    /// What it cost; there once the summary is complete.
    pub metrics: Option<Metrics>,
}

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
        Job::start("summarize", move |reporter, cancel| summarize(&model, &note, &mut None, reporter, cancel))
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
        return Err(Error::invalid_input("the note is empty: there is nothing to summarize"));
    }
    let windows = windows(model, note.segments(), cancel)?;
    let prompts = windows.iter().map(|window| prompt(model, window)).collect::<Result<Vec<_>, Error>>()?;
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    let needed = context_for(model, longest, answer_tokens(model))?;
    let sequence = match sequence {
        Some(sequence) => sequence,
        None => sequence.insert(Sequence::new(model.decoder(needed)?)),
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

/// What the model reads for a window of the note.
pub(super) fn prompt(model: &Loaded, window: &[Segment]) -> Result<Vec<u32>, Error> {
    task_prompt(model, prompts::summarize(model.tuned), NoteText::new(window).as_str())
}

fn answer_tokens(model: &Loaded) -> usize {
    split_context(model.context_limit(), ANSWER_TOKENS).1
}

/// Cuts the note into runs of segments that fit the context together with their answer.
pub(super) fn windows(model: &Loaded, segments: &[Segment], cancel: &CancelToken) -> Result<Vec<Vec<Segment>>, Error> {
    let (prompt_limit, _) = split_context(model.context_limit(), ANSWER_TOKENS);
    let limit = prompt_limit.saturating_sub(prompt(model, &[])?.len()).min(LONGEST_WINDOW);
    let mut parts = Parts { model, limit, found: Vec::with_capacity(segments.len()), total: 0 };
    parts.add(segments, cancel)?;
    let even = parts.total.div_ceil(parts.total.div_ceil(limit));
    let mut windows = vec![Vec::new()];
    let mut used = 0;
    for (segment, cost) in parts.found {
        if used > 0 && (used + cost > limit || used >= even) {
            windows.push(Vec::new());
            used = 0;
        }
        windows.last_mut().expect("there is one from the start").push(segment);
        used += cost;
    }
    Ok(windows)
}

/// Segments that fit a window, and at most how many tokens each takes. One that fits none is cut between words; its parts have its
/// id.
struct Parts<'a> {
    model: &'a Loaded,
    limit: usize,
    found: Vec<(Segment, usize)>,
    total: usize,
}

impl Parts<'_> {
    /// Ends at the first segment that is too much for all windows.
    fn add(&mut self, segments: &[Segment], cancel: &CancelToken) -> Result<(), Error> {
        let most = self.limit * MOST_WINDOWS;
        for segment in segments {
            cancel.check()?;
            let cost = cost(self.model, segment, most)?;
            let too_long = |needed| Error::ContextFull { limit: most, needed };
            if self.total + cost > most {
                return Err(too_long(self.total + cost));
            }
            if cost <= self.limit {
                self.found.push((segment.clone(), cost));
                self.total += cost;
            } else {
                self.add(&segment.halves().ok_or_else(|| too_long(cost))?, cancel)?;
            }
        }
        Ok(())
    }
}

/// At most how many tokens a segment takes, joined to others by a space or a new line and a name. Of one that takes more than `most`,
/// perhaps less than it takes.
fn cost(model: &Loaded, segment: &Segment, most: usize) -> Result<usize, Error> {
    let text = NoteText::new(std::slice::from_ref(segment));
    match model.tokenizer.fewest_tokens(text.as_str().len()) {
        fewest if fewest > most => Ok(fewest),
        _ => Ok(model.tokenizer.encode(text.as_str())?.len() + 2),
    }
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
    let format = OutputFormat::Lark(grammar(&note, model.tuned)?);
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

/// An answer that reached its limit ends anywhere, even within a word: its last line is no span.
fn whole_lines(answer: &str) -> &str {
    &answer[..answer.rfind('\n').map_or(0, |end| end + 1)]
}

/// The answer's form (`docs/task-format.md`), with the note's own words as its spans.
fn grammar(note: &NoteText, spans_only: bool) -> Result<String, Error> {
    // At its limit a line may end, but not a word be cut.
    let free_title = if spans_only { "SPAN" } else { "/ [^\\n]{1,60}[^\\n ]{0,20}/" };
    let free_overview = if spans_only { "SPAN" } else { "/ [^\\n]{1,380}[^\\n ]{0,20}/" };
    Ok(format!(
        "start: \"Title:\" {free_title} \"\\nOverview:\" {free_overview} \"\\nPoints:\\n\" point{{0,8}} \"Actions:\\n\" action{{0,8}}\n\
         point: \"-\" SPAN \"\\n\"\n\
         action: \"-\" SPAN \"\\n\" (\"  owner:\" SPAN \"\\n\")? (\"  due:\" SPAN \"\\n\")?\n\
         {}",
        spans_grammar("SPAN", &note.span_pieces())?
    ))
}

/// Reads as much of an answer as is there.
fn parse(answer: &str, note: &NoteText) -> NoteSummary {
    let mut summary = NoteSummary::default();
    let mut places: HashMap<&str, Range<usize>> = HashMap::new();
    let mut in_actions = false;
    for line in answer.lines() {
        if let Some(title) = line.strip_prefix("Title:") {
            summary.title = capitalized(title.trim());
        } else if let Some(overview) = line.strip_prefix("Overview:") {
            summary.overview = capitalized(overview.trim());
        } else if line.starts_with("Actions:") {
            in_actions = true;
        } else if let Some(owner) = line.strip_prefix("  owner:") {
            attach(&mut summary, note, &places, owner.trim(), |action| &mut action.owner);
        } else if let Some(due) = line.strip_prefix("  due:") {
            attach(&mut summary, note, &places, due.trim(), |action| &mut action.due);
        } else if let Some(words) = line.strip_prefix('-').map(str::trim).filter(|words| !words.is_empty()) {
            let text = words.to_owned();
            if in_actions {
                // What two people do in the same words stands in two places.
                let from = places.get(words).map_or(0, |place| place.end);
                let place = note.place_from(words, from);
                let evidence = place.iter().flat_map(|place| note.segments_in(place)).collect();
                places.insert(words, place.unwrap_or_default());
                summary.actions.push(Action { text, owner: None, due: None, evidence });
            } else {
                summary.points.push(Point { text, evidence: note.evidence(words) });
            }
        }
    }
    summary.drop_repeats(answer.ends_with('\n'));
    summary
}

/// Sets a field of the last action, with the evidence nearest to the action's own.
fn attach(
    summary: &mut NoteSummary,
    note: &NoteText,
    places: &HashMap<&str, Range<usize>>,
    words: &str,
    field: impl FnOnce(&mut Action) -> &mut Option<String>,
) {
    let Some(action) = summary.actions.last_mut().filter(|_| !words.is_empty()) else { return };
    let near = places.get(action.text.as_str()).cloned().unwrap_or_default();
    action.evidence.extend(note.evidence_near(words, &near));
    action.evidence.sort_unstable();
    action.evidence.dedup();
    *field(action) = Some(words.to_owned());
}

impl NoteSummary {
    /// Appends the summary of a later window. Title and overview are those of the first window.
    fn extend(&mut self, later: NoteSummary) {
        if self.title.is_empty() {
            self.title = later.title;
        }
        if self.overview.is_empty() {
            self.overview = later.overview;
        }
        self.points.extend(later.points);
        self.actions.extend(later.actions);
        match (&mut self.metrics, later.metrics) {
            (Some(metrics), Some(later)) => metrics.absorb(&later),
            (metrics @ None, later) => *metrics = later,
            (Some(_), None) => {}
        }
    }

    /// A small model may say the same thing twice; once is enough. Of an answer that is not `complete`, the last words may go on.
    fn drop_repeats(&mut self, complete: bool) {
        let mut seen = HashSet::new();
        self.points.retain(|point| seen.insert(point.text.to_lowercase()));
        let mut kept: Vec<Action> = Vec::with_capacity(self.actions.len());
        let last = self.actions.len().saturating_sub(1);
        for (index, action) in mem::take(&mut self.actions).into_iter().enumerate() {
            if !kept.iter().any(|earlier| action.repeats(earlier, complete || index < last)) {
                kept.push(action);
            }
        }
        self.actions = kept;
    }
}

impl Action {
    /// Whether it is `earlier` once more: what somebody else has to do in the same words is not, what the same person has to do by
    /// another time is. One that is not `complete` may turn out to be.
    fn repeats(&self, earlier: &Self, complete: bool) -> bool {
        let same_owner = match (&self.owner, &earlier.owner) {
            (None, _) => true,
            (Some(owner), Some(known)) => is_said(owner, known, complete),
            (Some(_), None) => false,
        };
        same_owner && is_said(&self.text, &earlier.text, complete)
    }
}

fn is_said(words: &str, known: &str, complete: bool) -> bool {
    let (words, known) = (words.to_lowercase(), known.to_lowercase());
    if complete { words == known } else { known.starts_with(&words) }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "Title: standup\nOverview: quick note after standup\nPoints:\n- the demo moved to Monday\n- the demo moved to Monday\nActions:\n- write a test\n  owner: Marcus\n  due: by Thursday\n- send the notes\n";

    fn note() -> NoteText {
        let note = VoiceNote::text(
            "Okay, quick note after standup. Marcus will write a test by Thursday. I need to send the notes. Oh, and the demo moved to Monday.",
        );
        NoteText::new(note.segments())
    }

    #[test]
    fn an_answer_becomes_a_summary_with_evidence() {
        let summary = parse(ANSWER, &note());
        assert_eq!(summary.title, "Standup");
        assert_eq!(summary.overview, "Quick note after standup");
        assert_eq!(summary.points, [Point { text: "the demo moved to Monday".into(), evidence: vec![4] }]);
        let first = Action {
            text: "write a test".into(),
            owner: Some("Marcus".into()),
            due: Some("by Thursday".into()),
            evidence: vec![2],
        };
        let second = Action { text: "send the notes".into(), owner: None, due: None, evidence: vec![3] };
        assert_eq!(summary.actions, [first, second]);
    }

    #[test]
    fn two_people_may_have_the_same_to_do() {
        let note = VoiceNote::text("Marcus will write a test by Thursday. Dana will write a test by Friday.");
        let note = NoteText::new(note.segments());
        let action = |owner: &str, due: &str, segment| Action {
            text: "write a test".into(),
            owner: Some(owner.into()),
            due: Some(due.into()),
            evidence: vec![segment],
        };
        let marcus = "- write a test\n  owner: Marcus\n  due: by Thursday\n";
        let dana = "- write a test\n  owner: Dana\n  due: by Friday\n";
        let actions = |answer: &str| parse(&format!("Actions:\n{answer}"), &note).actions;
        let both = [action("Marcus", "by Thursday", 1), action("Dana", "by Friday", 2)];
        assert_eq!(actions(&[marcus, dana].concat()), both);
        // Said again, with less or in other letters, it is the same.
        let later = "- write a test\n  due: by Friday\n";
        for again in ["- write a test\n", "- Write a test\n  owner: marcus\n", marcus, later] {
            for end in 0..=again.len() {
                assert_eq!(actions(&[marcus, &again[..end]].concat())[1..], [], "{}", &again[..end]);
            }
        }
    }

    #[test]
    fn every_beginning_of_an_answer_is_a_beginning_of_the_summary() {
        let note = note();
        let whole = parse(ANSWER, &note);
        for end in (0..=ANSWER.len()).filter(|&end| ANSWER.is_char_boundary(end)) {
            let part = parse(&ANSWER[..end], &note);
            assert!(whole.title.starts_with(&part.title));
            assert!(whole.overview.starts_with(&part.overview));
            assert!(part.actions.len() <= whole.actions.len());
            assert!(part.actions.iter().zip(&whole.actions).all(|(a, b)| b.text.starts_with(&a.text)));
        }
    }

    #[test]
    fn an_answer_cut_off_within_a_line_loses_that_line() {
        assert_eq!(whole_lines("Title: a\nOverview: b"), "Title: a\n");
        assert_eq!(whole_lines("Title: a\n"), "Title: a\n");
        assert_eq!(whole_lines("Title"), "");
    }

    #[test]
    fn windows_are_put_together_in_order() {
        let mut whole = parse(ANSWER, &note());
        let later = parse("Title: more\nOverview: rest\nPoints:\n- quick note\nActions:\n", &note());
        whole.extend(later);
        assert_eq!(whole.title, "Standup");
        assert_eq!(whole.points.len(), 2);
        assert_eq!(whole.actions.len(), 2);
    }

    #[test]
    fn capitals_come_in_every_script() {
        assert_eq!(capitalized("élan"), "Élan");
        assert_eq!(capitalized("ßig"), "SSig");
        assert_eq!(capitalized(""), "");
    }
}
