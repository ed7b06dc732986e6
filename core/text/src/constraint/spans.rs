//! Grammar text for spans that are copied from lines of chunks.

use serde_json::json;

use super::invalid;
use crate::TextError;

/// A Lark rule for the terminal `name` that matches any run of one or more consecutive chunks within one of the
/// lines.
///
/// Chunks are taken as they are: a note cut into `" word"` pieces gives spans that begin with a space. A chunk must
/// not be empty or hold a line break, so that a span never does. The automaton behind it grows with the number of
/// chunks, not with the number of spans.
///
/// # Errors
/// [`TextError::InvalidConstraint`] for a name that is no name of a terminal, lines without any chunk, and a chunk that is empty or has a
/// line break.
pub fn spans_grammar(name: &str, lines: &[Vec<String>]) -> Result<String, TextError> {
    check_terminal_name(name)?;
    let chunks = || lines.iter().flatten();
    if chunks().next().is_none() {
        return Err(invalid("there is no text to copy from"));
    }
    if chunks().any(|chunk| chunk.is_empty() || chunk.contains(['\n', '\r'])) {
        return Err(invalid("a chunk is empty or has a line break"));
    }
    // One automaton for all lines: one for each would be tried for every text. Nothing crosses the breaks between them. (The engine's
    // substrings include the empty one.)
    let chunks = lines.join(&"\n".to_owned());
    Ok(format!("{name}: /[^\\n]+/ & %regex {}\n", json!({ "substring_chunks": chunks })))
}

/// The most pieces of a span in a schema: names, places, things.
const LONGEST_SPAN: usize = 12;
/// Texts of more pieces would make a pattern that takes long to follow.
const MOST_PIECES: usize = 400;

/// A regular expression for a run of consecutive pieces of one of the lines, without the space before it; `None` for a text that is too
/// long, or has no pieces.
pub(super) fn spans_pattern(lines: &[Vec<String>]) -> Option<String> {
    let count: usize = lines.iter().map(Vec::len).sum();
    let spans = lines.iter().flat_map(|line| (0..line.len()).map(|start| span_from(&line[start..])));
    (1..=MOST_PIECES).contains(&count).then(|| format!("^(?:{})$", spans.collect::<Vec<_>>().join("|")))
}

/// The first piece, and perhaps the next, and so on: `a(?: b(?: c)?)?`.
fn span_from(pieces: &[String]) -> String {
    let pieces = &pieces[..pieces.len().min(LONGEST_SPAN)];
    let first = escaped(pieces[0].trim_start());
    let more: String = pieces[1..].iter().map(|piece| format!("(?:{}", escaped(piece))).collect();
    format!("{first}{more}{}", ")?".repeat(pieces.len() - 1))
}

fn escaped(text: &str) -> String {
    let escape =
        |sign: char| if ".+*?()|[]{}^$\\#&-~/".contains(sign) { format!("\\{sign}") } else { sign.to_string() };
    text.chars().map(escape).collect()
}

fn check_terminal_name(name: &str) -> Result<(), TextError> {
    let mut characters = name.chars();
    let starts_well = characters.next().is_some_and(|first| first.is_ascii_uppercase());
    match starts_well && characters.all(|rest| rest.is_ascii_uppercase() || rest.is_ascii_digit() || rest == '_') {
        true => Ok(()),
        false => Err(invalid("a terminal's name must consist of upper-case letters, digits and underscores")),
    }
}
