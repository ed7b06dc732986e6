//! Makes text from notes, models and files safe for a terminal.

use std::borrow::Cow;

/// `text` with control characters escaped (`\u{1b}`), so that a terminal shows them instead of obeying them, and also
/// marks that reverse the text direction. Line breaks and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_command) {
        return Cow::Borrowed(text);
    }
    let spelled = |sign: char| if is_command(sign) { sign.escape_unicode().to_string() } else { sign.to_string() };
    Cow::Owned(text.chars().map(spelled).collect())
}

/// Whether a terminal does anything other than show it.
pub fn is_command(sign: char) -> bool {
    let reverses = matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    reverses || (sign.is_control() && !matches!(sign, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_spelled_and_words_stay() {
        assert_eq!(visible("a\tb\nc é 明日 🎉"), "a\tb\nc é 明日 🎉");
        assert_eq!(visible("\u{1b}[31mred\u{7}\r"), "\\u{1b}[31mred\\u{7}\\u{d}");
        assert_eq!(visible("\u{9b}2J\u{7f}\u{202e}x\u{2069}"), "\\u{9b}2J\\u{7f}\\u{202e}x\\u{2069}");
        // All control characters are in the first plane.
        for sign in ('\0'..='\u{ffff}').filter(|sign| sign.is_control() && !"\n\t".contains(*sign)) {
            assert!(!visible(&sign.to_string()).contains(sign), "{sign:?}");
        }
    }
}
