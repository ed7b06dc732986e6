//! A sequence that is kept between requests, so that the common beginning of their prompts (an instruction and its
//! example) is computed once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sequence::Sequence;

/// Room for a note of a few minutes, in tokens. A longer sequence would waste memory.
pub(crate) const MOST_TOKENS: usize = 2048;

/// At most one sequence, from a finished request.
#[derive(Default)]
pub(crate) struct KeptSequence(Mutex<Option<Sequence>>);

impl KeptSequence {
    /// Takes the sequence, if there is one.
    pub(crate) fn take(&self) -> Option<Sequence> {
        self.lock().take()
    }

    /// Keeps a sequence, replacing the previous one.
    pub(crate) fn put(&self, sequence: Sequence) {
        *self.lock() = Some(sequence);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sequence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
