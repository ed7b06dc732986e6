//! Removes control characters from pasted text.

use std::borrow::Cow;

/// `text` without terminal control sequences (`ESC [ 31 m`) and other control characters, except white space.
pub(crate) fn without_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_control) {
        clean.push_str(&rest[..at]);
        rest = after_control(&rest[at..]);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

fn is_control(sign: char) -> bool {
    sign.is_control() && !sign.is_whitespace()
}

/// The text after the control sequence or control character that `text` begins with.
fn after_control(text: &str) -> &str {
    if let Some(parameters) = text.strip_prefix("\u{1b}[").or_else(|| text.strip_prefix('\u{9b}')) {
        return after_parameters(parameters).unwrap_or(parameters);
    }
    if let Some(string) = text.strip_prefix("\u{1b}]") {
        return after_string(string).unwrap_or(string);
    }
    text.strip_prefix(is_control).unwrap_or(text)
}

/// The text after a control sequence, which consists of parameters and a final letter or mark (ECMA-48).
fn after_parameters(text: &str) -> Option<&str> {
    text.trim_start_matches(|sign: char| (' '..='?').contains(&sign))
        .strip_prefix(|sign: char| ('@'..='~').contains(&sign))
}

/// The text after an operating system command, such as a window title, which ends with a bell or `ESC \`.
fn after_string(text: &str) -> Option<&str> {
    let end = &text[text.find(char::is_control)?..];
    end.strip_prefix('\u{7}').or_else(|| end.strip_prefix("\u{1b}\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_commands_go_and_words_stay() {
        for (text, clean) in [
            ("plain\n\ttext é", "plain\n\ttext é"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}words", "words"),
            ("\u{1b}]8;;http://x\u{1b}\\words", "words"),
            ("\u{1b}]never ended\nwords", "never ended\nwords"),
            ("\u{9b}2Jwords\u{7}\u{8}\u{7f}\u{80}", "words"),
            ("\u{1b}", ""),
            ("\u{1b}[é", "é"),
            ("\u{1b}cwords", "cwords"),
        ] {
            assert_eq!(without_controls(text), clean, "{text:?}");
        }
    }
}
