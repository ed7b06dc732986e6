//! Where a span of a note may start and end.

use unicode_segmentation::UnicodeSegmentation;

/// The pieces of a line that a span may start and end at: a word with the space before it, or a single mark. The first word
/// of a line gets a space too, so that every span starts alike.
pub(super) fn pieces_of(line: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut space = " ";
    for bound in line.split_word_bounds() {
        if bound == " " {
            space = " ";
        } else {
            pieces.push(format!("{space}{bound}"));
            space = "";
        }
    }
    pieces
}
