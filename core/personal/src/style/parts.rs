//! The parts of a text. Sentences begin with lower-case letters, too, so Unicode's rules would not find them.

/// The sentences of a text, without white space around them: they end with a line, or with punctuation before white space.
pub(super) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(sentences_of_line).map(str::trim).filter(|sentence| !sentence.is_empty())
}

fn sentences_of_line(line: &str) -> Vec<&str> {
    let (mut found, mut start, mut has_ended) = (Vec::new(), 0, false);
    for (place, char) in line.char_indices() {
        if has_ended && char.is_whitespace() {
            found.push(&line[start..place]);
            start = place;
        }
        has_ended = is_end(char);
        if matches!(char, '。' | '！' | '？') {
            let end = place + char.len_utf8();
            found.push(&line[start..end]);
            (start, has_ended) = (end, false);
        }
    }
    found.push(&line[start..]);
    found
}

fn is_end(char: char) -> bool {
    matches!(char, '.' | '!' | '?' | '…')
}

/// What stands between punctuation marks, without white space around it.
pub(super) fn clauses(text: &str) -> impl Iterator<Item = &str> {
    const MARKS: [char; 19] =
        ['.', ',', ';', ':', '!', '?', '…', '–', '—', '(', ')', '"', '“', '”', '\n', '。', '，', '！', '？'];
    text.split(MARKS).map(str::trim).filter(|clause| !clause.is_empty())
}

/// How many words a text has.
pub(super) fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// The first letter of a text.
pub(super) fn first_letter(text: &str) -> Option<char> {
    text.chars().find(|char| char.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_begin_with_any_letter() {
        let found: Vec<&str> = sentences("ha. yes! at 10.30? see v1.2\n\nBest,\nTom").collect();
        assert_eq!(found, ["ha.", "yes!", "at 10.30?", "see v1.2", "Best,", "Tom"]);
        assert_eq!(sentences("好。走吧！").collect::<Vec<_>>(), ["好。", "走吧！"]);
    }

    #[test]
    fn clauses_are_between_marks() {
        assert_eq!(
            clauses("tiny thing: could you (ta), m.").collect::<Vec<_>>(),
            ["tiny thing", "could you", "ta", "m"]
        );
    }
}
