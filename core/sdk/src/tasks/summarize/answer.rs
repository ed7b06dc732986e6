//! What the model reads for a window of the note, and the form that its answer is held to.

use sotto_text::spans_grammar;

use crate::Error;
use crate::loaded::Loaded;
use crate::note::{NoteText, Segment};
use crate::tasks::{prompts, split_context, task_prompt};

/// The most tokens of one answer: a title, an overview, and eight points and actions of ordinary length.
pub(super) const ANSWER_TOKENS: usize = 768;

/// The most points and the most actions of an answer, as the task format has it (`docs/task-format.md`).
pub(super) const LONGEST_LIST: usize = 8;

/// The example that a general model is shown may take this part of its context.
const EXAMPLE_SHARE: usize = 4;

/// What the model reads for a window of the note.
pub(crate) fn prompt(model: &Loaded, window: &[Segment], language: Option<&str>) -> Result<Vec<u32>, Error> {
    let read = |with_example, note: &str| {
        task_prompt(model, prompts::summarize(model.tuning.tuned, language, with_example), note)
    };
    let with_example = read(true, "")?.len() <= model.context_limit() / EXAMPLE_SHARE;
    read(with_example, NoteText::new(window).as_str())
}

pub(super) fn answer_tokens(model: &Loaded) -> usize {
    split_context(model.context_limit(), ANSWER_TOKENS).1
}

/// Which parts of the task format an answer has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// All of it, with at most so many points and actions.
    Whole { points: usize, actions: usize },
    /// Title and overview.
    Heading,
}

/// The answer's form as a grammar. `pieces` are what a span may be made of ([`NoteText::span_pieces`]). With a `free_heading`, title and
/// overview are free text of one line.
pub(super) fn grammar(form: Form, pieces: &[Vec<String>], free_heading: bool) -> Result<String, Error> {
    // At its limit a line may end, but not a word be cut.
    let (title, overview) = match free_heading {
        true => ("/ [^\\n]{1,60}[^\\n ]{0,20}/", "/ [^\\n]{1,380}[^\\n ]{0,20}/"),
        false => ("SPAN", "SPAN"),
    };
    let heading = format!("\"Title:\" {title} \"\\nOverview:\" {overview} \"\\n\"");
    let start = match form {
        Form::Whole { points, actions } => {
            let (points, actions) = (at_most(points, POINT), at_most(actions, ACTION));
            format!("{heading} \"Points:\\n\" {points} \"Actions:\\n\" {actions}")
        }
        Form::Heading => heading,
    };
    Ok(format!("start: {start}\n{}", spans_grammar("SPAN", pieces)?))
}

const POINT: &str = "\"-\" SPAN \"\\n\"";
const ACTION: &str = "\"-\" SPAN \"\\n\" (\"  owner:\" SPAN \"\\n\")? (\"  due:\" SPAN \"\\n\")?";

/// Nothing may not be written as a repetition.
fn at_most(count: usize, item: &str) -> String {
    if count == 0 { String::new() } else { format!("({item}){{0,{count}}}") }
}
