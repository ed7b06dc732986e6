use std::fmt;
use std::sync::{Arc, Weak};

use super::{SequenceState, Workspace};
use crate::EngineError;
use crate::model::{Adapter, Transformer};

/// The keys and values of a sequence's beginning, with which other sequences of the same model can begin.
pub struct Prefix {
    state: SequenceState,
    model: Weak<Transformer>,
    /// What it was computed with.
    adapters: Arc<[(Adapter, f32)]>,
}

impl Prefix {
    /// Bytes of private memory.
    pub fn private_bytes(&self) -> u64 {
        self.state.touched_bytes()
    }
}

impl Workspace {
    /// A copy of the beginning of a sequence.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn prefix_of(&self, sequence: &SequenceState, length: usize) -> Result<Prefix, EngineError> {
        let state = sequence.prefix(length.min(sequence.position()))?;
        Ok(Prefix { state, model: Arc::downgrade(&self.model), adapters: Arc::clone(&self.adapters) })
    }

    /// Makes a sequence hold the first `length` tokens of `prefix` instead of its own; returns whether it could.
    pub(crate) fn begin_with(&self, sequence: &mut SequenceState, prefix: &Prefix, length: usize) -> bool {
        let is_of_model = Weak::ptr_eq(&prefix.model, &Arc::downgrade(&self.model));
        is_of_model && prefix.adapters == self.adapters && sequence.begin_with(&prefix.state, length)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefix").field("tokens", &self.state.position()).finish_non_exhaustive()
    }
}
