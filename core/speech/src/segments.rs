//! Splits tokens into segments by their timestamps.

use crate::vocabulary::Vocabulary;

/// Seconds between two consecutive timestamps.
const STEP: f64 = 0.02;

/// The text between two times.
#[derive(Debug, PartialEq)]
pub(crate) struct Span {
    /// In seconds.
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// Text alone.
    pub(crate) tokens: Vec<u32>,
}

/// The spans of a window.
#[derive(Debug, PartialEq)]
pub(crate) struct Spans {
    pub(crate) finished: Vec<Span>,
    /// How far the window was transcribed, in seconds.
    pub(crate) end: f64,
    /// After at least one finished span, what is left to the next window.
    pub(crate) unfinished: Option<Span>,
}

/// The spans of a window of `duration` seconds.
pub(crate) fn spans(vocabulary: &Vocabulary, tokens: &[u32], duration: f64) -> Spans {
    let first_time = vocabulary.first_time();
    let is_time = |token: u32| token >= first_time;
    let seconds = |token: u32| (f64::from(token - first_time) * STEP).min(duration);
    let text = |tokens: &[u32]| tokens.iter().copied().filter(|&token| token < vocabulary.end()).collect();

    // Where a timestamp ends a span and the next one begins another.
    let pairs = tokens.windows(2).enumerate().filter(|(_, pair)| is_time(pair[0]) && is_time(pair[1]));
    let mut bounds: Vec<usize> = pairs.map(|(at, _)| at + 1).collect();
    let ends_with_one_time = matches!(tokens, [.., before, last] if !is_time(*before) && is_time(*last));
    if bounds.is_empty() {
        let last = tokens.iter().copied().rfind(|&token| is_time(token) && token != first_time);
        let start = tokens.first().copied().filter(|&token| is_time(token)).map_or(0.0, seconds);
        // The only time is the one at the beginning, or there is none.
        let end = last.map(seconds).filter(|&end| end > start).unwrap_or(duration);
        let finished = dropped_beyond(vec![Span { start, end, tokens: text(tokens) }], duration);
        return Spans { finished, end: duration, unfinished: None };
    }
    if ends_with_one_time {
        bounds.push(tokens.len());
    }
    let (_, rest) = tokens.split_at(bounds.last().copied().unwrap_or(0));
    let unfinished = rest.first().map(|&start| Span { start: seconds(start), end: duration, tokens: text(rest) });
    let starts = std::iter::once(0).chain(bounds.iter().copied());
    let spans = starts.zip(&bounds).map(|(start, &end)| {
        let tokens = &tokens[start..end];
        let [first, .., last] = *tokens else { return Span { start: 0.0, end: 0.0, tokens: Vec::new() } };
        Span { start: seconds(first), end: seconds(last), tokens: text(tokens) }
    });
    let spans: Vec<Span> = spans.collect();
    let end = match ends_with_one_time {
        true => duration,
        false => spans.last().map_or(duration, |last| last.end),
    };
    // A window that ends where it begins would be transcribed endlessly.
    let end = if end > 0.0 { end } else { duration };
    let unfinished = dropped_beyond(unfinished.into_iter().collect(), duration).pop();
    Spans { finished: dropped_beyond(spans, duration), end, unfinished }
}

/// Drops spans that begin after the end of the sound, or have no text.
fn dropped_beyond(mut spans: Vec<Span>, duration: f64) -> Vec<Span> {
    spans.retain(|span| !span.tokens.is_empty() && (span.start < duration || span.start == 0.0));
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    type Times = (f64, f64, usize);

    fn cut(tokens: &[i32], duration: f64) -> (Vec<Times>, f64, Option<Times>) {
        let vocabulary = Vocabulary::new(256 + 1509 + 99, (0..=255).map(|byte| vec![byte]).collect()).expect("tokens");
        // Times are negative: -1 is 0.00.
        let token =
            |token: &i32| if *token < 0 { vocabulary.first_time() + (-token - 1) as u32 } else { *token as u32 };
        let tokens: Vec<u32> = tokens.iter().map(token).collect();
        let Spans { finished, end, unfinished } = spans(&vocabulary, &tokens, duration);
        let times = |span: &Span| (span.start, span.end, span.tokens.len());
        (finished.iter().map(times).collect(), end, unfinished.as_ref().map(times))
    }

    #[test]
    fn spans_lie_between_times() {
        assert_eq!(cut(&[-1, 5, 6, -101, -151, 7, -201], 10.0), (vec![(0.0, 2.0, 2), (3.0, 4.0, 1)], 10.0, None));
        // An unfinished one is left to the next window.
        assert_eq!(cut(&[-1, 5, 6, -101, -101, 7, 8], 10.0), (vec![(0.0, 2.0, 2)], 2.0, Some((2.0, 10.0, 2))));
        assert_eq!(cut(&[-1, 5, 6, -101, -101], 10.0), (vec![(0.0, 2.0, 2)], 2.0, None));
        // But not if it is the only one.
        assert_eq!(cut(&[-51, 5, 6], 10.0), (vec![(1.0, 10.0, 2)], 10.0, None));
        assert_eq!(cut(&[-1, 5, 6, -101], 10.0), (vec![(0.0, 2.0, 2)], 10.0, None));
        assert_eq!(cut(&[], 10.0), (vec![], 10.0, None));
    }

    #[test]
    fn nothing_is_said_where_there_is_nothing_to_hear() {
        assert_eq!(cut(&[-1, 5, -101, -201, 6, -251], 3.0), (vec![(0.0, 2.0, 1)], 3.0, None));
        assert_eq!(cut(&[-1, 5, -201], 3.0), (vec![(0.0, 3.0, 1)], 3.0, None));
    }
}
