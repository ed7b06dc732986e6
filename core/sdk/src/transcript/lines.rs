//! Recognizes the kind of a line in a transcript.

use super::names::{LONGEST_NAME, is_numbered_speaker, is_speaker};
use super::time::{Span, after_any, span, whole_span};

/// A line of a transcript. A time or a name alone stands before the words of the next lines.
#[derive(Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// White space.
    Blank,
    /// The times of a cue in WebVTT, SRT or SBV.
    Times(Span),
    /// `[00:04] words`, `00:04 - words`.
    Timed(Span, &'a str),
    /// `Priya [00:04]: words`, `Priya Shah  0:03`; a time of day has no place in a recording.
    Turn { speaker: &'a str, time: Option<Span>, said: &'a str },
    /// `00:12:34 From Priya Shah to Everyone: words`, as Zoom saves a chat: the time is of the recording, or of the day.
    Chat { speaker: &'a str, time: Span, said: &'a str },
    /// Words.
    Text(&'a str),
}

impl<'a> Line<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        let line = line.trim();
        if line.is_empty() {
            return Self::Blank;
        }
        if let Some((span, said)) = bracketed_time(line) {
            return Self::Timed(span, said);
        }
        let bare = span(line);
        if let Some(times) = bare.and_then(|(times, rest)| cue_times(line, times, rest)) {
            return Self::Times(times);
        }
        if let Some(chat) = chat(line) {
            return chat;
        }
        if let Some((span, said)) = bare.and_then(|(span, rest)| Some((span, words_after(rest)?))) {
            return Self::Timed(span, said);
        }
        turn(line).unwrap_or(Self::Text(line))
    }
}

/// `[00:04] words`, `(00:04 - 00:09) words`. Of several times, as a song's chorus has them, the first counts.
fn bracketed_time(line: &str) -> Option<(Span, &str)> {
    let (times, mut said) = in_brackets(line)?;
    let span = whole_span(times)?;
    let span = Span { ambiguous: span.ambiguous && line.starts_with('('), ..span };
    while let Some((times, rest)) = in_brackets(said) {
        if whole_span(times).is_none() {
            break;
        }
        said = rest;
    }
    Some((span, after_mark(said)))
}

/// What stands in the brackets that `text` begins with, and what follows.
fn in_brackets(text: &str) -> Option<(&str, &str)> {
    let close = match text.chars().next()? {
        '[' => ']',
        '(' => ')',
        _ => return None,
    };
    let (inner, rest) = text[1..].split_once(close)?;
    Some((inner, rest.trim_start()))
}

/// `start --> end`, with or without the settings of a cue, or SBV's `start,end`.
fn cue_times(line: &str, times: Span, rest: &str) -> Option<Span> {
    const SETTINGS: [&str; 10] =
        ["region:", "vertical:", "line:", "position:", "size:", "align:", "X1:", "X2:", "Y1:", "Y2:"];
    let is_setting = |word: &str| SETTINGS.iter().any(|setting| word.starts_with(setting));
    if times.end.is_some() {
        return (line.contains("-->") && rest.split_whitespace().all(is_setting)).then_some(times);
    }
    let (end, rest) = span(rest.strip_prefix(',')?)?;
    (rest.is_empty() && end.end.is_none()).then_some(Span { end: Some(end.start), ambiguous: false, ..times })
}

/// What follows a bare time, but not where that is a time of day (`10:30 am`) or a part of something else (`10:30ish`).
fn words_after(rest: &str) -> Option<&str> {
    let ends = rest.chars().next().is_none_or(|next| next.is_whitespace() || "-–—:|•".contains(next));
    (ends && !is_time_of_day(rest)).then(|| after_mark(rest))
}

fn is_time_of_day(rest: &str) -> bool {
    let word = rest.split_whitespace().next().unwrap_or_default().to_lowercase();
    ["am", "pm", "a.m", "p.m", "uhr", "h", "hrs", "o'clock"].contains(&word.trim_end_matches(['.', ',', ':']))
}

/// Without the mark that parts a time from the words.
fn after_mark(text: &str) -> &str {
    let text = text.trim_start();
    let after = after_any(text, &["-", "–", "—", ":", "|", "•"]);
    let mark = text.chars().next().map_or(0, char::len_utf8);
    after.filter(|_| text[mark..].starts_with(char::is_whitespace) || text.len() == mark).unwrap_or(text)
}

/// A date or none, a time with seconds, `From`, a name, to whom or not, and a colon before the words.
fn chat(line: &str) -> Option<Line<'_>> {
    let is_date = |word: &str| word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let line = line.split_once(' ').filter(|(word, _)| is_date(word)).map_or(line, |(_, rest)| rest);
    let (time, rest) = span(line)?;
    let head = rest.trim_start().strip_prefix("From ")?;
    let colon = head[..head.floor_char_boundary(2 * LONGEST_NAME)].find(':')?;
    let (names, said) = (head[..colon].trim(), head[colon + 1..].trim());
    let (speaker, is_addressed) = match names.split_once(" to ") {
        Some((speaker, _)) => (speaker.trim(), true),
        None => (names, false),
    };
    let is_name = is_addressed || is_speaker(speaker);
    (is_name && !speaker.is_empty() && !time.ambiguous && time.end.is_none()).then_some(Line::Chat {
        speaker,
        time,
        said,
    })
}

/// A name and a time, in brackets or not: at the end of the line, or with a colon before the words.
fn turn(line: &str) -> Option<Line<'_>> {
    let head = &line[..line.floor_char_boundary(LONGEST_NAME + 8)];
    let begins = |(at, sign): (usize, char)| {
        let before = line[..at].chars().next_back()?;
        (sign.is_ascii_digit() && (before.is_whitespace() || before == '[' || before == '(')).then_some(at)
    };
    head.char_indices().filter_map(begins).find_map(|at| turn_with_time_at(line, at))
}

fn turn_with_time_at(line: &str, at: usize) -> Option<Line<'_>> {
    let (time, mut rest) = span(&line[at..])?;
    let before = line[..at].trim_end();
    let close = if before.ends_with('[') { "]" } else { ")" };
    let is_bracketed = before.ends_with(['[', '(']);
    let of_day = is_time_of_day(rest);
    if of_day {
        rest = rest
            .trim_start()
            .trim_start_matches(|sign: char| !sign.is_whitespace() && sign != ':' && sign != ']' && sign != ')');
    }
    if is_bracketed {
        rest = rest.trim_start().strip_prefix(close)?;
    }
    let name = before.trim_end_matches(|sign: char| sign.is_whitespace() || "[(,|-–—·•:*".contains(sign));
    let name = name.trim_start_matches('*');
    let speaker = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let said = match rest.trim_start().strip_prefix(':') {
        Some(said) => said.trim_start_matches('*').trim(),
        None if rest.trim().is_empty() || (is_bracketed && is_numbered_speaker(speaker)) => rest.trim(),
        None => return None,
    };
    is_speaker(speaker).then_some(Line::Turn { speaker, time: (!of_day).then_some(time), said })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: f64, end: Option<f64>, ambiguous: bool) -> Span {
        Span { start, end, ambiguous }
    }

    #[test]
    fn times_come_before_words() {
        for (line, start, end, ambiguous, said) in [
            ("[00:04] Buy milk.", 4.0, None, false, "Buy milk."),
            ("[00:04.5 --> 00:06] Buy", 4.5, Some(6.0), false, "Buy"),
            ("[00:00.000 -> 00:04.000]  Buy", 0.0, Some(4.0), false, "Buy"),
            ("[0.00s -> 3.50s] Buy", 0.0, Some(3.5), false, "Buy"),
            ("(00:04) Buy", 4.0, None, true, "Buy"),
            ("00:04 - Buy", 4.0, None, true, "Buy"),
            ("00:04 Buy", 4.0, None, true, "Buy"),
            ("00:04", 4.0, None, true, ""),
            ("1:00:04\tBuy", 3604.0, None, false, "Buy"),
            ("00:04 - 00:09 Buy", 4.0, Some(9.0), true, "Buy"),
            ("[00:12.00][01:15.00]Buy", 12.0, None, false, "Buy"),
            ("[00:04]: Buy", 4.0, None, false, "Buy"),
            ("00:00 --> 00:04 Buy", 0.0, Some(4.0), false, "Buy"),
        ] {
            assert_eq!(Line::new(line), Line::Timed(at(start, end, ambiguous), said), "{line}");
        }
    }

    #[test]
    fn cues_have_lines_of_times() {
        for line in [
            "00:00:01.000 --> 00:00:04.000",
            "00:01.000 --> 00:04.000 align:start position:0%",
            "00:00:01,000 --> 00:00:04,000 X1:63 X2:223 Y1:43 Y2:58",
            "0:00:01.000,0:00:04.000",
        ] {
            assert_eq!(Line::new(line), Line::Times(at(1.0, Some(4.0), false)), "{line}");
        }
    }

    #[test]
    fn turns_have_a_name_and_a_time() {
        for (line, speaker, time, said) in [
            ("Priya [00:04]: Buy", "Priya", Some(4.0), "Buy"),
            ("Priya Shah  0:04", "Priya Shah", Some(4.0), ""),
            ("Priya (00:04):", "Priya", Some(4.0), ""),
            ("Speaker 1 (00:04)", "Speaker 1", Some(4.0), ""),
            ("SPEAKER_00 [00:04] Buy", "SPEAKER_00", Some(4.0), "Buy"),
            ("[Priya Shah] 00:00:04", "Priya Shah", Some(4.0), ""),
            ("Priya | 00:04", "Priya", Some(4.0), ""),
            ("**Priya** (00:04):", "Priya", Some(4.0), ""),
            ("**Priya (00:04):** Buy", "Priya", Some(4.0), "Buy"),
            ("Priya Shah 10:03 AM", "Priya Shah", None, ""),
        ] {
            let Line::Turn { speaker: found, time: at, said: words } = Line::new(line) else { panic!("{line}") };
            assert_eq!((found, at.map(|at| at.start), words), (speaker, time, said), "{line}");
        }
    }

    #[test]
    fn chats_say_from_whom() {
        for (line, speaker, time, said) in [
            ("00:12:34 From Priya Shah to Everyone: Buy", "Priya Shah", 754.0, "Buy"),
            ("00:12:34\t From  Priya Shah : Buy: milk", "Priya Shah", 754.0, "Buy: milk"),
            ("00:12:34 From priyas phone to Tom(Direct Message): Buy", "priyas phone", 754.0, "Buy"),
            ("2026-01-09 00:12:34 From Priya to Everyone:", "Priya", 754.0, ""),
        ] {
            let Line::Chat { speaker: found, time: at, said: words } = Line::new(line) else { panic!("{line}") };
            assert_eq!((found, at.start, words), (speaker, time, said), "{line}");
        }
        for line in
            ["From Priya to Everyone: Buy", "12:34 From here to Ulm: two hours", "00:12:34 From here on we walk"]
        {
            assert!(!matches!(Line::new(line), Line::Chat { .. }), "{line}");
        }
    }

    #[test]
    fn a_time_within_words_is_no_turn() {
        for line in [
            "Lunch (12:30) with Tom",
            "Meeting with Tom 10:30",
            "We leave at 7:30",
            "10:30am dentist",
            "10:30 am dentist",
            "Tomorrow 10:30",
            "[4] One",
            "[00:0x] One",
            "[00:99] One",
            "[00:00 One",
            "99:99:99 One",
            "-1:00 One",
            "Ratio 3:1",
            "12:30ish",
        ] {
            assert_eq!(Line::new(line), Line::Text(line), "{line}");
        }
    }
}
