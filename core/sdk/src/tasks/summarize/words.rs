//! Tells when two texts say the same.

use unicode_segmentation::UnicodeSegmentation;

/// The words of a text in lower case, without marks.
pub(super) fn words(text: &str) -> Vec<String> {
    text.unicode_words().map(str::to_lowercase).collect()
}

/// Whether two spans of a note say the same.
///
/// They do when their words are the same; when they share a segment and overlap in it: one is part of the other, or begins with the
/// second half of the other or more; and when all words of the one are among the other's, and are three quarters of them or more.
pub(super) fn say_the_same(one: &[String], other: &[String], share_a_segment: bool) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if short.is_empty() || short == long {
        return short == long;
    }
    if share_a_segment && (long.windows(short.len()).any(|run| run == short) || overlap(short, long)) {
        return true;
    }
    short.iter().all(|word| long.contains(word)) && 4 * short.len() >= 3 * long.len()
}

/// Whether one ends with what the other begins with, and that is half of the shorter or more.
fn overlap(short: &[String], long: &[String]) -> bool {
    (short.len().div_ceil(2)..short.len())
        .any(|count| short.ends_with(&long[..count]) || long.ends_with(&short[..count]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str, share_a_segment: bool) -> bool {
        let (one, other) = (words(one), words(other));
        assert_eq!(say_the_same(&one, &other, share_a_segment), say_the_same(&other, &one, share_a_segment));
        say_the_same(&one, &other, share_a_segment)
    }

    #[test]
    fn the_same_words_say_the_same_anywhere() {
        assert!(same("Call Tom tonight.", "call Tom tonight", false));
        assert!(same("the garden was fine", "garden was fine", false));
        assert!(!same("call Tom", "call Tom about the roof", false));
        assert!(!same("Room 12 is done", "Room 13 is done", false));
        assert!(!same("order a valve for the kitchen", "order a valve for the bathroom", false));
    }

    #[test]
    fn in_one_segment_what_overlaps_says_the_same() {
        assert!(same("call Tom", "call Tom about the roof", true));
        assert!(same("the demo moved to Monday", "and the demo moved", true));
        assert!(!same("call Tom on Monday", "call Anna on Monday", true));
        assert!(!same("send it to Tom", "send it to Anna", true));
    }

    #[test]
    fn what_has_no_words_says_nothing() {
        assert!(!same("…", "call Tom", true));
        assert!(same("…", "!", false));
    }
}
