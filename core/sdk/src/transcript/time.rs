//! Times: of a cue, of a line, of a turn.

/// When something is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    /// Seconds from the beginning of the recording.
    pub(super) start: f64,
    pub(super) end: Option<f64>,
    /// Whether it may be a time of day: `10:30` may, `00:10:30` and `10:30.5` are times of a recording.
    pub(super) ambiguous: bool,
}

/// What may stand between the start and the end of a span.
const ARROWS: [&str; 3] = ["-->", "->", "→"];
const DASHES: [&str; 3] = ["–", "—", "-"];

/// The clock times that `text` begins with, a start or a start and an end, and what follows them.
pub(super) fn span(text: &str) -> Option<(Span, &str)> {
    let (start, ambiguous, rest) = clock(text)?;
    let alone = Span { start, end: None, ambiguous };
    let arrow = after_any(rest, &ARROWS).and_then(|after| clock(after)).map(|found| (found, false));
    let dash = || after_any(rest, &DASHES).and_then(|after| clock(after)).map(|found| (found, ambiguous));
    Some(match arrow.or_else(dash) {
        Some(((end, _, rest), ambiguous)) => (Span { end: Some(end), ambiguous, ..alone }, rest),
        None => (alone, rest),
    })
}

/// A span with nothing before or after it, as it stands in brackets: of clock times, or of seconds (`0.00s -> 3.50s`).
pub(super) fn whole_span(text: &str) -> Option<Span> {
    let text = text.trim();
    match span(text) {
        Some((span, "")) => Some(span),
        _ => seconds_span(text),
    }
}

fn seconds_span(text: &str) -> Option<Span> {
    let (start, end) = match ARROWS.iter().chain(&DASHES).find_map(|sign| text.split_once(sign)) {
        Some((start, end)) => (start, Some(seconds(end)?)),
        // `[4]` is no time, `[4s]` is.
        None if text.ends_with('s') => (text, None),
        None => return None,
    };
    Some(Span { start: seconds(start)?, end, ambiguous: false })
}

/// `12.5` or `12.5s`.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let number = text.strip_suffix('s').unwrap_or(text);
    (number.len() < text.len() || number.contains('.')).then(|| plain_number(number)).flatten()
}

/// Seconds as a clock (`1:02:03.5`) or as a number; nothing else stands there.
pub(super) fn clock_or_number(text: &str) -> Option<f64> {
    match clock(text.trim()) {
        Some((seconds, _, "")) => Some(seconds),
        _ => plain_number(text.trim()),
    }
}

fn plain_number(text: &str) -> Option<f64> {
    let plain = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain)
}

/// `mm:ss` or `hh:mm:ss`, the seconds with an optional fraction after a point or a comma: as seconds, whether it may be a time
/// of day, and what follows.
fn clock(text: &str) -> Option<(f64, bool, &str)> {
    let (first, _, rest) = number(text, 3)?;
    let (second, width, rest) = number(rest.strip_prefix(':')?, 2)?;
    let third = rest.strip_prefix(':').and_then(|rest| number(rest, 2));
    let (hours, minutes, seconds, rest) = match third {
        Some((third, _, rest)) => (first, second, third, rest),
        None if width == 2 => (0, first, second, rest),
        None => return None,
    };
    let (fraction, rest) = fraction(rest).unwrap_or(("0", rest));
    let in_range = seconds < 60 && (third.is_none() || minutes < 60);
    let goes_on = |rest: &str| rest.starts_with(|next: char| next.is_alphanumeric());
    let ends = !goes_on(rest) && !rest.strip_prefix(':').is_some_and(goes_on);
    // Parsed at once: a sum would be a bit off.
    let total = format!("{}.{fraction}", (hours * 60 + minutes) * 60 + seconds).parse().ok()?;
    (in_range && ends).then_some((total, third.is_none() && fraction == "0", rest))
}

/// A number of one to `most` digits, how many it has, and what follows.
fn number(text: &str, most: usize) -> Option<(u32, usize, &str)> {
    let width = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(width);
    (1..=most).contains(&width).then(|| digits.parse().ok().map(|number| (number, width, rest))).flatten()
}

/// The digits after a point or a comma, and what follows.
fn fraction(text: &str) -> Option<(&str, &str)> {
    let digits = text.strip_prefix(['.', ','])?;
    let width = digits.bytes().take_while(u8::is_ascii_digit).count();
    (1..=9).contains(&width).then(|| digits.split_at(width))
}

/// What follows the first of `signs` that `text` has, white space around it.
pub(super) fn after_any<'a>(text: &'a str, signs: &[&str]) -> Option<&'a str> {
    let text = text.trim_start();
    signs.iter().find_map(|sign| text.strip_prefix(sign)).map(str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_have_two_or_three_parts() {
        for (text, seconds) in [
            ("00:04", 4.0),
            ("1:02:03", 3723.0),
            ("00:00:03,500", 3.5),
            ("75:30.25", 4530.25),
            ("0:0:4.2", 4.2),
            ("100:00:00", 360_000.0),
        ] {
            assert_eq!(clock_or_number(text), Some(seconds), "{text}");
        }
        for text in
            ["99:99:99", "00:60", "1:2", "1:2:3:4", "-1:00", "1:-2", ":30", "NaN", "inf", "1e9", "00:04x", "٠٠:٠٤"]
        {
            assert_eq!(clock_or_number(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_written_in_many_ways() {
        let pair = |start, end, ambiguous| Some(Span { start, end: Some(end), ambiguous });
        for (text, expected) in [
            ("00:00:00.000 --> 00:00:03.500", pair(0.0, 3.5, false)),
            ("00:00.000 -> 00:04.000", pair(0.0, 4.0, false)),
            ("00:01 – 00:04", pair(1.0, 4.0, true)),
            ("0.00s -> 3.50s", pair(0.0, 3.5, false)),
            ("0.5 - 1.25", pair(0.5, 1.25, false)),
            ("4s", Some(Span { start: 4.0, end: None, ambiguous: false })),
            ("4", None),
            ("2.5", None),
            ("x", None),
        ] {
            assert_eq!(whole_span(text), expected, "{text}");
        }
    }
}
