//! What the model reads for a window of the note, and the form that its answer is held to.

use sotto_text::spans_grammar;

use crate::Error;
use crate::model::Loaded;
use crate::note::{NoteText, Segment};
use crate::tasks::{prompts, split_context, task_prompt};

/// The most tokens of one answer: a title, an overview, and eight points and actions of ordinary length.
pub(super) const ANSWER_TOKENS: usize = 768;

/// What the model reads for a window of the note.
pub(crate) fn prompt(model: &Loaded, window: &[Segment]) -> Result<Vec<u32>, Error> {
    task_prompt(model, prompts::summarize(model.tuning.tuned), NoteText::new(window).as_str())
}

pub(super) fn answer_tokens(model: &Loaded) -> usize {
    split_context(model.context_limit(), ANSWER_TOKENS).1
}

/// The answer's form (`docs/task-format.md`), with the note's own words as its spans.
pub(super) fn grammar(note: &NoteText, spans_only: bool) -> Result<String, Error> {
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
