//! Emoji, and the faces that people type with punctuation.

use unicode_segmentation::UnicodeSegmentation;

const EMOTICONS: [&str; 10] = [":)", ":-)", ";)", ";-)", ":(", ":-(", ":D", ":P", "<3", "xD"];

/// All of a text, in order.
pub(super) fn all(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().flat_map(|word| match EMOTICONS.contains(&word) {
        true => vec![word.to_owned()],
        false => word.graphemes(true).filter(|grapheme| is_emoji(grapheme)).map(str::to_owned).collect(),
    })
}

/// A text without them.
pub(super) fn without(text: &str) -> String {
    let words = text.split(' ').filter(|word| !EMOTICONS.contains(word)).collect::<Vec<_>>().join(" ");
    words.graphemes(true).filter(|grapheme| !is_emoji(grapheme)).collect::<String>().trim_end().to_owned()
}

fn is_emoji(grapheme: &str) -> bool {
    grapheme
        .chars()
        .any(|char| matches!(u32::from(char), 0x1F1E6..=0x1F1FF | 0x1F300..=0x1FAFF | 0x2600..=0x27BF | 0x2B50))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_one_and_faces_are_found() {
        assert_eq!(all("hi 👨‍👩‍👧 :) ok👍🏽 ❤️ a:)b").collect::<Vec<_>>(), ["👨‍👩‍👧", ":)", "👍🏽", "❤️"]);
        assert_eq!(without("hi :) ok👍🏽 see you ❤️"), "hi ok see you");
    }
}
