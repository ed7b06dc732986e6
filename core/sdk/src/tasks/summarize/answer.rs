//! What the model reads for a window of the note, and the form that its answer is held to.

use sotto_text::spans_grammar;

use crate::Error;
use crate::model::Loaded;
use crate::note::{NoteText, Segment};
use crate::tasks::{prompts, split_context, task_prompt};

/// The most tokens of one answer: a title, an overview, and eight points and actions of ordinary length.
pub(super) const ANSWER_TOKENS: usize = 768;

/// The example that a general model is shown may take this part of its context.
const EXAMPLE_SHARE: usize = 4;

/// What the model reads for a window of the note.
pub(crate) fn prompt(model: &Loaded, window: &[Segment]) -> Result<Vec<u32>, Error> {
    let read =
        |with_example, note: &str| task_prompt(model, prompts::summarize(model.tuning.tuned, with_example), note);
    let with_example = read(true, "")?.len() <= model.context_limit() / EXAMPLE_SHARE;
    read(with_example, NoteText::new(window).as_str())
}

pub(super) fn answer_tokens(model: &Loaded) -> usize {
    split_context(model.context_limit(), ANSWER_TOKENS).1
}

/// The answer's form (`docs/task-format.md`), with the note's own words as its spans.
pub(super) fn grammar(note: &NoteText) -> Result<String, Error> {
    Ok(format!(
        "start: \"Title:\" SPAN \"\\nOverview:\" SPAN \"\\nPoints:\\n\" point{{0,8}} \"Actions:\\n\" action{{0,8}}\n\
         point: \"-\" SPAN \"\\n\"\n\
         action: \"-\" SPAN \"\\n\" (\"  owner:\" SPAN \"\\n\")? (\"  due:\" SPAN \"\\n\")?\n\
         {}",
        spans_grammar("SPAN", &note.span_pieces())?
    ))
}
