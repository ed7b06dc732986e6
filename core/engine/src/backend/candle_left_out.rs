//! The substitute for candle's models in a build without them.

use super::FileBytes;
use crate::{Decoder, EngineError, GgufFile, MemoryEstimate, ModelConfig};

/// A model for candle: there is none.
#[derive(Debug)]
pub(crate) enum CandleModel {}

impl CandleModel {
    /// # Errors
    /// [`EngineError::Unsupported`] for every file.
    pub(crate) fn new(_: &GgufFile, _: ModelConfig) -> Result<Self, EngineError> {
        Err(EngineError::unsupported(
            "the candle backend (not in this build: use Sotto's own engine, or build with the feature `candle`)",
        ))
    }

    pub(super) fn memory(&self, _: FileBytes, _: usize) -> MemoryEstimate {
        match *self {}
    }

    pub(crate) fn longest_context(&self) -> usize {
        match *self {}
    }

    pub(crate) fn decoder(&self, _: usize) -> Result<Box<dyn Decoder>, EngineError> {
        match *self {}
    }
}
