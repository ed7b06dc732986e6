//! Cuts long text into pieces that can be tokenized one by one.
//!
//! Tokenizing holds many bytes per byte of text, and a pre-token of megabytes (one letter over and over) would make the
//! regular expressions backtrack for long. Pieces keep both bounded. A cut is made only where every supported tokenizer
//! has a token boundary anyway: before white space that follows something else, and after a single line break between
//! words. Only a run of [`HARD_LIMIT`] bytes without any such place is cut elsewhere; ordinary text has no such run.

/// From this length on a piece ends at the next token boundary.
const SOFT_LIMIT: usize = 16 << 10;
/// No piece is longer than this, boundary or not.
const HARD_LIMIT: usize = 64 << 10;

/// Where text may be cut without changing its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boundaries {
    /// Between words: the tokenizer never joins a word to the white space behind it.
    Words,
    /// Nowhere: the vocabulary has tokens of several words.
    Nowhere,
}

/// The pieces of `text`, in order; together they are `text`.
pub(crate) fn pieces(text: &str, boundaries: Boundaries) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(first_cut(rest, boundaries));
        rest = after;
        Some(piece)
    })
}

fn first_cut(text: &str, boundaries: Boundaries) -> usize {
    if text.len() <= SOFT_LIMIT {
        return text.len();
    }
    let hard = text.floor_char_boundary(HARD_LIMIT);
    if boundaries == Boundaries::Nowhere {
        return hard;
    }
    let soft = text.floor_char_boundary(SOFT_LIMIT);
    text[soft..hard]
        .char_indices()
        .map(|(offset, _)| soft + offset)
        .find(|&at| is_token_boundary(text, at))
        .unwrap_or(hard)
}

/// Whether all supported pre-tokenizers have a boundary at `at`.
fn is_token_boundary(text: &str, at: usize) -> bool {
    let mut before = text[..at].chars().rev();
    let (last, last_but_one) = (before.next(), before.next());
    let (Some(last), Some(next)) = (last, text[at..].chars().next()) else {
        return false;
    };
    // Punctuation takes the line breaks behind it into its own token, so a line break is no place to cut before.
    let word_then_space = !last.is_whitespace() && next.is_whitespace() && !matches!(next, '\r' | '\n');
    let single_line_break =
        last == '\n' && next.is_alphanumeric() && last_but_one.is_some_and(|character| !character.is_whitespace());
    word_then_space || single_line_break
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_bounded_and_complete() {
        for text in ["a".repeat(1 << 20), "word ".repeat(100_000), "né\n".repeat(100_000), "🦙".repeat(50_000)] {
            for boundaries in [Boundaries::Words, Boundaries::Nowhere] {
                let parts: Vec<_> = pieces(&text, boundaries).collect();
                assert!(parts.iter().all(|part| !part.is_empty() && part.len() <= HARD_LIMIT));
                assert_eq!(parts.concat(), text);
            }
        }
    }

    #[test]
    fn short_text_is_one_piece() {
        assert_eq!(pieces("two words", Boundaries::Words).collect::<Vec<_>>(), ["two words"]);
        assert_eq!(pieces("", Boundaries::Words).count(), 0);
    }
}
