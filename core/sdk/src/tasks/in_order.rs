//! Results that are ready in any order, and are reported in the order of what they are of.

use std::collections::VecDeque;

pub(super) struct InOrder<T> {
    /// Those that were not reported yet, beginning with the next.
    results: VecDeque<Option<T>>,
    reported: usize,
}

impl<T> InOrder<T> {
    /// For so many results.
    pub(super) fn new(count: usize) -> Self {
        Self { results: (0..count).map(|_| None).collect(), reported: 0 }
    }

    /// The result with this index, from 0, is ready.
    ///
    /// # Panics
    /// If it was reported already, or there is none with this index.
    pub(super) fn put(&mut self, index: usize, result: T) {
        self.results[index - self.reported] = Some(result);
    }

    /// The next result to report, if it is ready.
    pub(super) fn next(&mut self) -> Option<T> {
        let result = self.results.pop_front_if(|result| result.is_some()).flatten()?;
        self.reported += 1;
        Some(result)
    }

    /// Whether all were reported.
    pub(super) fn is_done(&self) -> bool {
        self.results.is_empty()
    }
}
