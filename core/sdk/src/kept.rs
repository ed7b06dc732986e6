//! A sequence that stays between requests: what their prompts begin with, an instruction and its example, is computed once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;
use crate::model::Loaded;
use crate::sequence::Sequence;

/// Tokens of a sequence that is kept: room for a note of some minutes. A longer one would hold too much memory for no use.
const TOKENS: usize = 2048;

/// At most one sequence, of a request that has ended.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<Sequence>>);

impl Kept {
    /// A sequence for at least `needed` tokens: the one that was kept, if it is large enough, or a new one. Instructions of tuned
    /// models are so short that nothing is kept for them.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn take(&self, model: &Loaded, needed: usize) -> Result<Sequence, Error> {
        if model.tuning.tuned || needed > TOKENS {
            return Ok(Sequence::new(model.decoder(needed)?));
        }
        match self.lock().take() {
            Some(kept) => Ok(kept),
            None => Ok(Sequence::new(model.decoder(TOKENS.min(model.context_limit()))?)),
        }
    }

    /// Keeps a sequence that was taken.
    pub(crate) fn put(&self, model: &Loaded, sequence: Option<Sequence>) {
        if let Some(sequence) = sequence.filter(|sequence| !model.tuning.tuned && sequence.context_length() <= TOKENS) {
            *self.lock() = Some(sequence);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sequence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
