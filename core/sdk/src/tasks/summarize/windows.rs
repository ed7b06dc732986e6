//! A note is cut into windows, each short enough to be read at once.

use super::answer::{ANSWER_TOKENS, prompt};
use crate::model::Loaded;
use crate::note::{NoteText, Segment};
use crate::tasks::split_context;
use crate::{CancelToken, Error};

/// A note is read in windows that fit the context; one that needs more of them than this is refused.
const MOST_WINDOWS: usize = 32;

/// The most tokens of a window, however long the context is: the grammar that lets its words be copied has its limits, too.
const LONGEST_WINDOW: usize = 16_384;

/// Cuts the note into runs of segments that fit the context together with their answer.
pub(crate) fn windows(model: &Loaded, segments: &[Segment], cancel: &CancelToken) -> Result<Vec<Vec<Segment>>, Error> {
    let (prompt_limit, _) = split_context(model.context_limit(), ANSWER_TOKENS);
    let limit = prompt_limit.saturating_sub(prompt(model, &[])?.len()).min(LONGEST_WINDOW);
    let mut parts = Parts { model, limit, found: Vec::with_capacity(segments.len()), total: 0 };
    parts.add(segments, cancel)?;
    let even = parts.total.div_ceil(parts.total.div_ceil(limit));
    let mut windows = vec![Vec::new()];
    let mut used = 0;
    for (segment, cost) in parts.found {
        if used > 0 && (used + cost > limit || used >= even) {
            windows.push(Vec::new());
            used = 0;
        }
        windows.last_mut().expect("there is one from the start").push(segment);
        used += cost;
    }
    Ok(windows)
}

/// Segments that fit a window, and at most how many tokens each takes. One that fits none is cut between words; its parts have its
/// id.
struct Parts<'a> {
    model: &'a Loaded,
    limit: usize,
    found: Vec<(Segment, usize)>,
    total: usize,
}

impl Parts<'_> {
    /// Ends at the first segment that is too much for all windows.
    fn add(&mut self, segments: &[Segment], cancel: &CancelToken) -> Result<(), Error> {
        let most = self.limit * MOST_WINDOWS;
        for segment in segments {
            cancel.check()?;
            let cost = cost(self.model, segment, most)?;
            let too_long = |limit, needed| Error::ContextFull { limit, needed };
            if self.total + cost > most {
                return Err(too_long(most, self.total + cost));
            }
            if cost <= self.limit {
                self.found.push((segment.clone(), cost));
                self.total += cost;
            } else {
                self.add(&segment.halves().ok_or_else(|| too_long(self.limit, cost))?, cancel)?;
            }
        }
        Ok(())
    }
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
