//! Where a span of a note may start and end.

use std::ops::{Range, RangeInclusive};

use unicode_segmentation::UnicodeSegmentation;

/// The pieces of a text at which a span may start and end, each with its position. Text between white space is one
/// piece, except that punctuation at its outer edges forms separate pieces. Scripts without spaces between words are
/// cut into words or characters by UAX #29.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split(char::is_whitespace).flat_map(move |token| {
        let at = start;
        let space = text[at + token.len()..].chars().next().map_or(0, char::len_utf8);
        start = at + token.len() + space;
        token_pieces(token).map(move |(within, piece)| (at + within, piece))
    })
}

/// The pieces of a line, each with the space before it. The first piece also gets a space, so that all spans start the
/// same way.
pub(super) fn spaced_pieces(line: &str) -> Vec<String> {
    let mut end = None;
    let spaced = |(at, piece): (usize, &str)| {
        let space = if end == Some(at) { "" } else { " " };
        end = Some(at + piece.len());
        format!("{space}{piece}")
    };
    pieces(line).map(spaced).collect()
}

fn token_pieces(token: &str) -> impl Iterator<Item = (usize, &str)> {
    let Range { start, end } = inner(token);
    let before = token[..start].grapheme_indices(true);
    let inner = words(&token[start..end]).map(move |(at, word)| (start + at, word));
    let after = token[end..].grapheme_indices(true).map(move |(at, mark)| (end + at, mark));
    before.chain(inner).chain(after)
}

/// A token without the punctuation around it. Signs that belong to an amount stay, as in `-5`, `.5`, `€12.50` and
/// `50%`.
fn inner(token: &str) -> Range<usize> {
    let mut marks = token.grapheme_indices(true).filter(|(_, sign)| !is_outer_mark(sign));
    let Some((start, first)) = marks.next() else { return token.len()..token.len() };
    let end = marks.next_back().map_or(start + first.len(), |(at, last)| at + last.len());
    let before_number =
        token[..start].chars().next_back().filter(|sign| "-−.".contains(*sign) && first.starts_with(char::is_numeric));
    start - before_number.map_or(0, char::len_utf8)..end
}

/// Whether a sign can be left out at the edge of a token: a full stop, a bracket, an emoji.
fn is_outer_mark(sign: &str) -> bool {
    let belongs = |sign: char| {
        sign.is_alphanumeric() || "#@&+=%‰°§$¢£¤¥".contains(sign) || ('\u{20a0}'..='\u{20cf}').contains(&sign)
    };
    !sign.contains(belongs)
}

/// A span without words at its ends that are only punctuation. A span may begin with a closing bracket, or end with an
/// opening one.
pub(crate) fn without_loose_marks(mut span: &str) -> &str {
    let is_loose = |word: &&str| word.graphemes(true).all(is_outer_mark);
    span = span.trim();
    while let Some(first) = span.split_whitespace().next().filter(is_loose) {
        span = span[first.len()..].trim_start();
    }
    while let Some(last) = span.split_whitespace().next_back().filter(is_loose) {
        span = span[..span.len() - last.len()].trim_end();
    }
    span
}

/// A token, cut at word boundaries within and next to scripts without spaces.
fn words(token: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    let ends = token.split_word_bound_indices().map(|(at, word)| at + word.len());
    ends.filter_map(move |end| {
        let may_end = end == token.len()
            || is_unspaced(token[..end].chars().next_back())
            || is_unspaced(token[end..].chars().next());
        may_end.then(|| (std::mem::replace(&mut start, end), end))
    })
    .map(|(start, end)| (start, &token[start..end]))
}

/// Whether a character belongs to a script without spaces between words, or is Chinese or Japanese punctuation.
fn is_unspaced(sign: Option<char>) -> bool {
    const SCRIPTS: [RangeInclusive<char>; 15] = [
        '\u{0e00}'..='\u{109f}',   // Thai, Lao, Tibetan, Myanmar
        '\u{1780}'..='\u{17ff}',   // Khmer
        '\u{1950}'..='\u{19ff}',   // Tai Le, New Tai Lue, Khmer symbols
        '\u{1a20}'..='\u{1aaf}',   // Tai Tham
        '\u{2e80}'..='\u{312f}',   // radicals, CJK marks, kana, Bopomofo
        '\u{3190}'..='\u{9fff}',   // kana and CJK ideographs
        '\u{a980}'..='\u{a9ff}',   // Javanese, Myanmar
        '\u{aa60}'..='\u{aadf}',   // Myanmar, Tai Viet
        '\u{f900}'..='\u{faff}',   // CJK ideographs
        '\u{fe30}'..='\u{fe4f}',   // CJK marks
        '\u{ff01}'..='\u{ff0f}',   // full-width marks
        '\u{ff1a}'..='\u{ff20}',   // full-width marks
        '\u{ff5b}'..='\u{ff9f}',   // full-width marks, half-width kana
        '\u{1b000}'..='\u{1b2ff}', // kana, Nushu
        '\u{20000}'..='\u{3ffff}', // CJK ideographs
    ];
    sign.is_some_and(|sign| SCRIPTS.iter().any(|script| script.contains(&sign)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(line: &str) -> Vec<String> {
        spaced_pieces(line)
    }

    #[test]
    fn marks_alone_are_no_ends() {
        for (span, left) in [
            ("Call Tom <", "Call Tom"),
            ("\\", ""),
            (". Then (", "Then"),
            ("call (0171) 55 - 3", "call (0171) 55 - 3"),
            ("pay -5 €", "pay -5 €"),
            ("今日は。", "今日は。"),
            (" ( [ ", ""),
        ] {
            assert_eq!(without_loose_marks(span), left, "{span}");
        }
    }

    #[test]
    fn tokens_stay_whole() {
        for token in [
            "03/04/2026",
            "2026-04-03",
            "03.04.2026",
            "10:30",
            "7:30",
            "follow-up",
            "well🎉done",
            "and/or",
            "https://example.org/a?b=c&d=e#f",
            "tom@example.org",
            "€12.50",
            "12,50€",
            "3,5",
            "50%",
            "-5",
            "−5°C",
            ".5",
            "l'eau",
            "don't",
            "aujourd’hui",
            "C++",
            "#12",
            "@tom",
            "R2-D2",
            "p.m",
            "U.S",
            "AT&T",
            "₹500",
            "1/2",
            "+49",
            "v1.2.3",
            "snake_case",
            "4×4",
            "O(n)log",
            "naïve",
            "हिन्दी",
            "tomorrow—call",
            "5kg",
        ] {
            assert_eq!(cut(token), [format!(" {token}")]);
            assert_eq!(cut(&format!("by ({token}).")), [" by", " (", token, ")", "."]);
        }
    }

    #[test]
    fn marks_at_the_edges_are_pieces() {
        assert_eq!(cut("Marta: It's 7:30."), [" Marta", ":", " It's", " 7:30", "."]);
        assert_eq!(cut("“Good,” she said…"), [" “", "Good", ",", "”", " she", " said", "…"]);
        assert_eq!(cut("- done 🎉👩‍👩‍👧!"), [" -", " done", " 🎉", "👩‍👩‍👧", "!"]);
        assert_eq!(cut("¿Vale? (sí)"), [" ¿", "Vale", "?", " (", "sí", ")"]);
        assert_eq!(cut("--5"), [" -", "-5"]);
        // A vowel sign makes a letter of the mark that it stands on.
        assert_eq!(cut("0_\u{b82}"), [" 0_\u{b82}"]);
        assert_eq!(cut(""), Vec::<String>::new());
    }

    #[test]
    fn scripts_without_spaces_are_cut_at_words_or_characters() {
        assert_eq!(cut("明日、会議"), [" 明", "日", "、", "会", "議"]);
        assert_eq!(cut("カタカナを2026-04-03にv1.2で"), [" カタカナ", "を", "2026-04-03", "に", "v1.2", "で"]);
        assert_eq!(cut("ไปบ้าน"), [" ไ", "ป", "บ้", "า", "น"]);
    }

    proptest! {
        /// What has letters or digits in a token without white space, of scripts with spaces, is in one piece.
        #[test]
        fn no_span_cuts_a_token(line in "([a-zA-Zéß0-9€%.,:;/@'’()\\[\\]\"!?#&+=_—-]{1,12}|[a-z0-9]{1,5}| |🎉|中|\\PC){0,20}") {
            let pieces: Vec<(usize, &str)> = pieces(&line).collect();
            let visible: String = line.split_whitespace().collect();
            prop_assert_eq!(pieces.iter().map(|(_, piece)| *piece).collect::<String>(), visible);
            let mut from = 0;
            for token in line.split_whitespace() {
                let at = from + line[from..].find(token).unwrap();
                from = at + token.len();
                if token.chars().any(|sign| is_unspaced(Some(sign))) {
                    continue;
                }
                let inside = pieces.iter().filter(|(place, _)| (at..from).contains(place));
                let worded = inside.filter(|(_, piece)| piece.contains(char::is_alphanumeric)).count();
                prop_assert!(worded <= 1, "{token:?}");
            }
            prop_assert!(pieces.iter().all(|(at, piece)| line[*at..].starts_with(piece) && !piece.is_empty()));
        }
    }
}
