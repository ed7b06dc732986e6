//! Splits text into sentences.

use unicode_segmentation::UnicodeSegmentation;

use super::collapse_white_space;

/// A sentence without punctuation is cut after this many words, so that evidence stays readable.
const LONGEST_SEGMENT_WORDS: usize = 60;
/// The same for scripts without spaces, where a word may be one character.
const LONGEST_SEGMENT_UNSPACED_WORDS: usize = 240;

/// The maximum length of a word or an address, in bytes.
const LONGEST_WORD: usize = 500;

/// The sentences of a text by Unicode's rules (UAX #29), except that a title ("Mr.") does not end a sentence, and that
/// a very long sentence is cut between words.
pub(super) fn sentences(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for bound in text.split_sentence_bounds() {
        let sentence = collapse_white_space(bound);
        match found.last_mut() {
            Some(last) if ends_in_title(last) && !sentence.is_empty() => {
                last.push(' ');
                last.push_str(&sentence);
            }
            _ if sentence.is_empty() => {}
            _ => found.push(sentence),
        }
    }
    found.iter().flat_map(|sentence| around_long_words(sentence)).flat_map(|part| cut_long(&part)).collect()
}

/// Splits a sentence into parts. Anything that is not a word becomes a separate part, because a sentence may end before
/// it unnoticed.
fn around_long_words(sentence: &str) -> Vec<String> {
    let is_long = |word: &&str| word.len() > LONGEST_WORD;
    let words: Vec<&str> = sentence.split(' ').collect();
    words.chunk_by(|left, right| !is_long(left) && !is_long(right)).map(|part| part.join(" ")).collect()
}

fn ends_in_title(sentence: &str) -> bool {
    const TITLES: [&str; 12] =
        ["mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "sr.", "sra.", "jr.", "vs.", "no.", "approx."];
    let last_word = sentence.rsplit(' ').next().unwrap_or_default();
    TITLES.iter().any(|title| last_word.eq_ignore_ascii_case(title))
}

fn cut_long(sentence: &str) -> Vec<String> {
    let words: Vec<&str> = sentence.split(' ').collect();
    words.chunks(LONGEST_SEGMENT_WORDS).flat_map(|part| cut_unspaced(&part.join(" "))).collect()
}

fn cut_unspaced(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_word_bounds().collect();
    words.chunks(LONGEST_SEGMENT_UNSPACED_WORDS).map(<[&str]>::concat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VoiceNote;

    fn texts(note: &VoiceNote) -> Vec<&str> {
        note.segments().iter().map(|segment| segment.text.as_str()).collect()
    }

    #[test]
    fn plain_text_is_cut_into_sentences() {
        let note = VoiceNote::text("  Call Mr. Alvarez today.\nIt's  urgent!  Is it? yes ");
        assert_eq!(texts(&note), ["Call Mr. Alvarez today.", "It's urgent!", "Is it?", "yes"]);
        assert_eq!(note.segments().iter().map(|segment| segment.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn a_run_on_text_without_spaces_is_cut_too() {
        let text = "今日は会議があります".repeat(100);
        let note = VoiceNote::text(&text);
        assert!(note.segments().len() > 3);
        assert_eq!(texts(&note).concat(), text);
    }

    #[test]
    fn what_is_no_word_is_a_segment_of_its_own() {
        let long = "a".repeat(600);
        let note = VoiceNote::text(&format!("Call Tom. {long} and milk. Good."));
        assert_eq!(texts(&note), ["Call Tom.", &long, "and milk.", "Good."]);
    }

    #[test]
    fn a_run_on_text_is_cut_between_words() {
        let note = VoiceNote::text(&"word ".repeat(150));
        assert_eq!(note.segments().len(), 3);
        assert!(note.segments().iter().all(|segment| segment.text.split(' ').count() <= LONGEST_SEGMENT_WORDS));
    }
}
