//! A time at the start of a line.

pub(super) struct TimedLine<'a> {
    pub(super) start: f64,
    pub(super) end: Option<f64>,
    pub(super) said: &'a str,
}

pub(super) fn timed_line(line: &str) -> Option<TimedLine<'_>> {
    let (times, said) = line.strip_prefix('[')?.split_once(']')?;
    let (start, end) = match times.split_once("-->").or_else(|| times.split_once('-')) {
        Some((start, end)) => (start, Some(end)),
        None => (times, None),
    };
    let end = match end {
        Some(end) => Some(seconds(end)?),
        None => None,
    };
    Some(TimedLine { start: seconds(start)?, end, said: said.trim() })
}

/// `ss`, `mm:ss` or `hh:mm:ss`, the seconds with an optional fraction, as seconds.
fn seconds(time: &str) -> Option<f64> {
    let parts: Vec<&str> = time.trim().split(':').collect();
    let plain =
        |part: &&str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if parts.len() > 3 || parts.len() < 2 || !parts.iter().all(plain) {
        return None;
    }
    parts.iter().try_fold(0.0, |total, part| part.parse::<f64>().ok().map(|value| total * 60.0 + value))
}
