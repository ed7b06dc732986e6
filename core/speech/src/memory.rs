//! The memory that a model and its recognizers take.

use std::path::Path;

use sotto_engine::DType;
use sotto_engine::compute::WeightMatrix;
use sotto_engine::tensors::Tensors;

use crate::forward::{Decoder, Encoder};
use crate::model::config::{AUDIO_POSITIONS, Config};
use crate::model::{Contents, Loaded, read};
use crate::{Precision, SpeechError, SpeechModel, SpeechOptions};

impl SpeechModel {
    /// Private memory that the model would take, before it is loaded. Nothing but its description is read.
    ///
    /// # Errors
    /// [`SpeechError::NotFound`], [`SpeechError::ModelInvalid`], [`SpeechError::Unsupported`].
    pub fn memory_of(path: impl AsRef<Path>, options: SpeechOptions) -> Result<SpeechMemory, SpeechError> {
        let Contents { config, vocabulary, tensors, .. } = read(path.as_ref())?;
        let weights = loaded_bytes(&tensors, options.precision);
        Ok(SpeechMemory::new(weights + vocabulary.bytes(), &config, options.precision))
    }

    /// Private memory in bytes: that of the weights, and that of one recognizer.
    pub fn memory(&self) -> SpeechMemory {
        let Loaded { weights, vocabulary, config, precision, .. } = &*self.0;
        SpeechMemory::new(weights.bytes() + vocabulary.bytes(), config, *precision)
    }
}

/// Private memory that a model takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeechMemory {
    /// The weights and the vocabulary, shared by all recognizers.
    pub weights: u64,
    /// Each recognizer.
    pub recognizer: u64,
    /// What the system can give now, where it says so.
    pub available: Option<u64>,
}

impl SpeechMemory {
    fn new(weights: u64, config: &Config, precision: Precision) -> Self {
        let kv_type = precision.kv_type();
        let mel = 4 * 2 * AUDIO_POSITIONS * config.mel_bands;
        let recognizer = Encoder::bytes(config, kv_type) + Decoder::bytes(config, kv_type) + mel as u64;
        Self { weights, recognizer, available: sotto_engine::available_memory() }
    }
}

/// Bytes of all matrices, kernels of convolutions and positions once they are loaded. Vectors count for nothing beside them.
fn loaded_bytes(tensors: &Tensors, precision: Precision) -> u64 {
    let bytes = tensors.places().map(|(name, place)| match *place.dimensions() {
        [rows, columns] if name.ends_with("positional_embedding") => rows * columns * size_of::<f32>(),
        [rows, columns] => WeightMatrix::packed_len_of(precision.of_matrix(place.dtype), [rows, columns]),
        [outputs, inputs, frames] => WeightMatrix::packed_len_of(DType::F16, [outputs, inputs * frames]),
        _ => 0,
    });
    bytes.sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_model::{file, load, write};

    #[test]
    fn what_a_model_takes_is_known_before_it_is_loaded() {
        let file = write(&file());
        for precision in [Precision::EightBits, Precision::AsInFile] {
            let options = SpeechOptions { precision, ..SpeechOptions::default() };
            let (before, loaded) = (SpeechModel::memory_of(file.path(), options), load(precision).memory());
            let before = before.expect("a model");
            assert_eq!((before.weights, before.recognizer), (loaded.weights, loaded.recognizer), "{precision:?}");
        }
        let nowhere = SpeechModel::memory_of("/nowhere/ggml-base.bin", SpeechOptions::default());
        assert!(matches!(nowhere, Err(SpeechError::NotFound { .. })));
    }
}
