//! Cuts a note into windows, each short enough to be read at once.

use super::answer::{ANSWER_TOKENS, prompt};
use crate::loaded::Loaded;
use crate::note::{NoteText, Segment};
use crate::tasks::split_context;
use crate::{CancelToken, Error};

/// A model tuned on notes reads one of no more tokens at once: windows would break its line of thought.
const TUNED_NOTE: usize = 400;

/// Tokens of a window for a general model, where the context has room for them.
const GENERAL_WINDOW: usize = 600;

/// A note that needs more contexts than this is rejected.
const MOST_CONTEXTS: usize = 32;

/// Seconds without speech that make a pause.
const PAUSE: f64 = 2.0;

/// A note in windows, in the order in which it was said.
pub(crate) struct Windows {
    pub all: Vec<Vec<Segment>>,
    /// The maximum tokens of a prompt: for any of the windows, or for the second pass.
    pub prompt_tokens: usize,
    /// Segments with a missing part: a word that fits into no window.
    missing: Vec<u32>,
}

impl Windows {
    /// The segments that are completely read once window `index` is read.
    pub(super) fn read_with(&self, index: usize) -> Vec<u32> {
        let goes_on = self.all.get(index + 1).and_then(|next| next.first()).map(|segment| segment.id);
        let mut ids: Vec<u32> = self.all[index].iter().map(|segment| segment.id).collect();
        ids.dedup();
        ids.retain(|id| Some(*id) != goes_on && !self.missing.contains(id));
        ids
    }
}

/// Cuts a note into windows between segments, where the speaker pauses or changes if that is near.
///
/// All windows except the last stay the same whatever is said next.
pub(crate) fn windows(
    model: &Loaded,
    segments: &[Segment],
    language: Option<&str>,
    cancel: &CancelToken,
) -> Result<Windows, Error> {
    let (prompt_limit, _) = split_context(model.context_limit(), ANSWER_TOKENS);
    let frame = prompt(model, &[], language)?.len();
    let capacity = prompt_limit.saturating_sub(frame);
    let limit = capacity.min(match model.tuning.tuned {
        true if is_within(TUNED_NOTE, model, segments)? => TUNED_NOTE,
        true => model.tuning.window,
        false => GENERAL_WINDOW,
    });
    let mut pieces =
        Pieces { model, capacity, limit, found: Vec::with_capacity(segments.len()), total: 0, missing: Vec::new() };
    pieces.add(segments, cancel)?;
    let Pieces { found, missing, total, .. } = pieces;
    if let Some(&(_, needed)) = missing.first().filter(|_| found.is_empty()) {
        return Err(Error::ContextFull { limit: capacity, needed });
    }
    let longest = found.iter().map(|piece| piece.tokens).max().unwrap_or(0).max(longest_window(limit, capacity));
    Ok(Windows {
        all: cut(&found, limit, capacity),
        prompt_tokens: frame + total.min(longest),
        missing: missing.into_iter().map(|(id, _)| id).collect(),
    })
}

/// A segment or a part of one, short enough for a window, and at most how many tokens it takes.
struct Piece {
    segment: Segment,
    tokens: usize,
}

/// A note in pieces. A segment that is too long for a window is cut between words; its parts have its id.
struct Pieces<'a> {
    model: &'a Loaded,
    /// Tokens that a context has room for.
    capacity: usize,
    /// Tokens of a window.
    limit: usize,
    found: Vec<Piece>,
    total: usize,
    /// Words that no context has room for: the id of the segment, and tokens.
    missing: Vec<(u32, usize)>,
}

impl Pieces<'_> {
    /// Ends at the first segment that is too much for all windows together.
    fn add(&mut self, segments: &[Segment], cancel: &CancelToken) -> Result<(), Error> {
        let most = self.capacity * MOST_CONTEXTS;
        for segment in segments {
            cancel.check()?;
            let tokens = cost(self.model, segment, most)?;
            let halves = if tokens > self.limit { segment.halves() } else { None };
            if halves.is_none() && tokens > self.capacity {
                self.missing.push((segment.id, tokens));
                continue;
            }
            if let Some(halves) = halves {
                // A mark that is left over says nothing.
                let said: Vec<Segment> =
                    halves.into_iter().filter(|half| half.text.contains(char::is_alphanumeric)).collect();
                self.add(&said, cancel)?;
                continue;
            }
            self.total += tokens;
            if self.total > most {
                return Err(Error::ContextFull { limit: most, needed: self.total });
            }
            self.found.push(Piece { segment: segment.clone(), tokens });
        }
        Ok(())
    }
}

/// Whether the segments together take no more than so many tokens.
fn is_within(limit: usize, model: &Loaded, segments: &[Segment]) -> Result<bool, Error> {
    let mut total = 0;
    for segment in segments {
        total += cost(model, segment, limit)?;
        if total > limit {
            return Ok(false);
        }
    }
    Ok(true)
}

/// At most how many tokens a segment takes, joined to others by a space or a new line and a name. Of one that takes more than `most`,
/// perhaps less than it takes.
fn cost(model: &Loaded, segment: &Segment, most: usize) -> Result<usize, Error> {
    let text = NoteText::new(std::slice::from_ref(segment));
    match model.tokenizer.fewest_tokens(text.as_str().len()) {
        fewest if fewest > most => Ok(fewest),
        _ => Ok(model.tokenizer.encode(text.as_str())?.len() + 2),
    }
}

/// `limit` is the number of tokens that a window shall have, `capacity` that for which there is room.
fn cut(pieces: &[Piece], limit: usize, capacity: usize) -> Vec<Vec<Segment>> {
    let mut windows = Vec::new();
    let mut rest = pieces;
    while !rest.is_empty() {
        let (window, later) = rest.split_at(end_of_window(rest, limit, capacity));
        windows.push(window.iter().map(|piece| piece.segment.clone()).collect());
        rest = later;
    }
    windows
}

/// Tokens of the last window: it may be a bit longer than the others, so that it is no scrap.
fn longest_window(limit: usize, capacity: usize) -> usize {
    capacity.min(limit * 5 / 4)
}

/// How many of the pieces make a window: as many as it has room for, or up to a third fewer where that is a better place to cut.
fn end_of_window(pieces: &[Piece], limit: usize, capacity: usize) -> usize {
    // Parts of a segment are never joined again: a space between them would be none of the note's.
    let part = pieces.windows(2).position(|pair| pair[0].segment.id == pair[1].segment.id);
    let pieces = &pieces[..part.map_or(pieces.len(), |index| index + 1)];
    if pieces.iter().map(|piece| piece.tokens).sum::<usize>() <= longest_window(limit, capacity) {
        return pieces.len();
    }
    let (mut end, mut best, mut used) = (1, Seam::Words, 0);
    for (index, pair) in pieces.windows(2).enumerate() {
        used += pair[0].tokens;
        if used > limit {
            break;
        }
        let seam = Seam::between(&pair[0].segment, &pair[1].segment);
        if used < limit * 2 / 3 || seam >= best {
            (end, best) = (index + 1, seam);
        }
    }
    end
}

/// What is between two segments, the better for a cut the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seam {
    Words,
    Sentences,
    Turns,
    Pause,
}

impl Seam {
    fn between(left: &Segment, right: &Segment) -> Self {
        let silence = left.end.zip(right.start).map_or(0.0, |(end, start)| start - end);
        if silence >= PAUSE {
            Self::Pause
        } else if left.speaker != right.speaker {
            Self::Turns
        } else if left.text.ends_with(['.', '!', '?', '…', '。', '！', '？']) && left.id != right.id {
            Self::Sentences
        } else {
            Self::Words
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece(id: u32, tokens: usize, text: &str) -> Piece {
        Piece { segment: Segment { id, start: None, end: None, text: text.into(), speaker: None }, tokens }
    }

    fn ids(windows: &[Vec<Segment>]) -> Vec<Vec<u32>> {
        windows.iter().map(|window| window.iter().map(|segment| segment.id).collect()).collect()
    }

    #[test]
    fn windows_end_where_the_speaker_pauses() {
        let mut pieces: Vec<Piece> = (1..=30).map(|id| piece(id, 50, "so.")).collect();
        assert_eq!(ids(&cut(&pieces, 600, 4000))[0].len(), 12);
        pieces[8].segment.end = Some(60.0);
        pieces[9].segment.start = Some(63.0);
        assert_eq!(ids(&cut(&pieces, 600, 4000))[0].len(), 9);
        pieces[9].segment.start = Some(61.0);
        pieces[9..].iter_mut().for_each(|piece| piece.segment.speaker = Some("Ana".into()));
        assert_eq!(ids(&cut(&pieces, 600, 4000))[0].len(), 9);
        pieces[10].segment.text = "within a".into();
        assert_eq!(ids(&cut(&pieces, 600, 4000))[0].len(), 9);
    }

    #[test]
    fn a_short_context_makes_short_windows_and_the_last_is_no_scrap() {
        let pieces: Vec<Piece> = (1..=10).map(|id| piece(id, 50, "so.")).collect();
        assert_eq!(ids(&cut(&pieces, 600, 4000)).len(), 1);
        assert_eq!(ids(&cut(&pieces, 100, 100)).len(), 5);
        let pieces: Vec<Piece> = (1..=14).map(|id| piece(id, 50, "so.")).collect();
        assert_eq!(ids(&cut(&pieces, 600, 4000)).len(), 1, "700 tokens are read at once");
    }

    #[test]
    fn parts_of_a_segment_are_read_apart() {
        let pieces = [piece(1, 50, "so."), piece(2, 50, "so"), piece(2, 50, "so"), piece(3, 50, "so.")];
        assert_eq!(ids(&cut(&pieces, 600, 4000)), [vec![1, 2], vec![2, 3]]);
    }

    #[test]
    fn a_segment_counts_as_read_with_its_last_part() {
        let segment = |id| piece(id, 1, "so").segment;
        let windows = Windows {
            all: vec![vec![segment(1), segment(2)], vec![segment(2), segment(2), segment(3)]],
            prompt_tokens: 0,
            missing: vec![3],
        };
        assert_eq!(windows.read_with(0), [1]);
        assert_eq!(windows.read_with(1), [2]);
    }

    proptest! {
        #[test]
        fn every_segment_is_in_one_window_and_complete_windows_stay(
            sizes in proptest::collection::vec((1..400_usize, "(so|so[.])"), 1..60), limit in 400..800_usize,
        ) {
            let pieces: Vec<Piece> =
                sizes.iter().enumerate().map(|(index, (tokens, text))| piece(index as u32 + 1, *tokens, text)).collect();
            let windows = ids(&cut(&pieces, limit, 900));
            prop_assert_eq!(windows.concat(), (1..=pieces.len() as u32).collect::<Vec<_>>());
            for window in &windows {
                let tokens: usize = window.iter().map(|id| pieces[*id as usize - 1].tokens).sum();
                prop_assert!(tokens <= longest_window(limit, 900), "{}", tokens);
            }
            for said in 1..pieces.len() {
                let earlier = ids(&cut(&pieces[..said], limit, 900));
                prop_assert!(windows.starts_with(&earlier[..earlier.len() - 1]));
            }
        }
    }
}
