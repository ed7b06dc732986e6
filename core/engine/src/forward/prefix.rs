use std::fmt;
use std::sync::{Arc, Weak};

use super::SequenceState;
use crate::EngineError;
use crate::model::{Adapter, Transformer};

/// The keys and values of a sequence's beginning, with which other sequences of the same model can begin.
pub struct Prefix {
    pub(super) state: SequenceState,
    pub(super) model: Weak<Transformer>,
    /// What it was computed with.
    pub(super) adapters: Arc<[(Adapter, f32)]>,
}

impl Prefix {
    /// A copy of the beginning of a sequence, which was read by this model with these adapters.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn of(
        sequence: &SequenceState,
        length: usize,
        model: &Arc<Transformer>,
        adapters: &Arc<[(Adapter, f32)]>,
    ) -> Result<Self, EngineError> {
        let state = sequence.prefix(length.min(sequence.position()))?;
        Ok(Self { state, model: Arc::downgrade(model), adapters: Arc::clone(adapters) })
    }

    /// Makes a sequence hold the first `length` tokens of this instead of its own; returns whether it could.
    pub(crate) fn begin(
        &self,
        sequence: &mut SequenceState,
        length: usize,
        model: &Arc<Transformer>,
        adapters: &[(Adapter, f32)],
    ) -> bool {
        let is_of_model = Weak::ptr_eq(&self.model, &Arc::downgrade(model));
        is_of_model && *self.adapters == *adapters && sequence.begin_with(&self.state, length)
    }

    /// Bytes of private memory.
    pub fn private_bytes(&self) -> u64 {
        self.state.touched_bytes()
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefix").field("tokens", &self.state.position()).finish_non_exhaustive()
    }
}
