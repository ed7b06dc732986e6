//! In the place of candle's models, in a build without them.

use crate::{Decoder, EngineError, GgufFile, ModelConfig};

/// A model that candle could run: there is none.
#[derive(Debug)]
pub(crate) enum CandleModel {}

impl CandleModel {
    /// # Errors
    /// [`EngineError::Unsupported`] for every file.
    pub(crate) fn new(_: &GgufFile, _: ModelConfig) -> Result<Self, EngineError> {
        Err(EngineError::unsupported(
            "the candle backend (this build leaves it out: use Sotto's own, or compile with the feature `candle`)",
        ))
    }

    pub(crate) fn private_bytes(&self, _: usize) -> u64 {
        match *self {}
    }

    pub(crate) fn longest_context(&self) -> usize {
        match *self {}
    }

    pub(crate) fn decoder(&self, _: usize) -> Result<Box<dyn Decoder>, EngineError> {
        match *self {}
    }
}
