//! A sequence that stays between requests: what their prompts begin with, an instruction and its example, is computed once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sequence::Sequence;

/// Room for a note of some minutes, in tokens. A longer sequence would hold too much memory for no use.
pub(crate) const MOST_TOKENS: usize = 2048;

/// At most one sequence, of a request that has ended.
#[derive(Default)]
pub(crate) struct KeptSequence(Mutex<Option<Sequence>>);

impl KeptSequence {
    /// The sequence, if there is one: it belongs to the caller then.
    pub(crate) fn take(&self) -> Option<Sequence> {
        self.lock().take()
    }

    /// Keeps a sequence, in place of the one before it.
    pub(crate) fn put(&self, sequence: Sequence) {
        *self.lock() = Some(sequence);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sequence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
