//! The summaries of several windows become one.

use std::collections::HashSet;
use std::mem;

use super::summary::{Action, NoteSummary};

impl NoteSummary {
    /// Appends the summary of a later window. Title and overview are those of the first window.
    pub(super) fn extend(&mut self, later: NoteSummary) {
        if self.title.is_empty() {
            self.title = later.title;
        }
        if self.overview.is_empty() {
            self.overview = later.overview;
        }
        self.points.extend(later.points);
        self.actions.extend(later.actions);
        match (&mut self.metrics, later.metrics) {
            (Some(metrics), Some(later)) => metrics.absorb(&later),
            (metrics @ None, later) => *metrics = later,
            (Some(_), None) => {}
        }
    }

    /// A small model may say the same thing twice; once is enough. Of an answer that is not `complete`, the last words may go on.
    pub(super) fn drop_repeats(&mut self, complete: bool) {
        let mut seen = HashSet::new();
        self.points.retain(|point| seen.insert(point.text.to_lowercase()));
        let mut kept: Vec<Action> = Vec::with_capacity(self.actions.len());
        let last = self.actions.len().saturating_sub(1);
        for (index, action) in mem::take(&mut self.actions).into_iter().enumerate() {
            if !kept.iter().any(|earlier| action.repeats(earlier, complete || index < last)) {
                kept.push(action);
            }
        }
        self.actions = kept;
    }
}

impl Action {
    /// Whether it is `earlier` once more: what somebody else has to do in the same words is not, what the same person has to do by
    /// another time is. One that is not `complete` may turn out to be.
    fn repeats(&self, earlier: &Self, complete: bool) -> bool {
        let same_owner = match (&self.owner, &earlier.owner) {
            (None, _) => true,
            (Some(owner), Some(known)) => is_said(owner, known, complete),
            (Some(_), None) => false,
        };
        same_owner && is_said(&self.text, &earlier.text, complete)
    }
}

fn is_said(words: &str, known: &str, complete: bool) -> bool {
    let (words, known) = (words.to_lowercase(), known.to_lowercase());
    if complete { words == known } else { known.starts_with(&words) }
}
