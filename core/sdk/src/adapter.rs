//! Adapters (LoRA): small files that change a loaded model for selected requests.

use std::convert::Infallible;

use crate::Error;
use crate::job::Job;
use crate::loaded::Loaded;
use crate::model::LocalModel;
use crate::model_file::ModelFile;
use crate::tuning::TaskTuning;

/// A loaded adapter (LoRA) of a model. Cheap to clone, and safe to share between threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    engine: sotto_engine::Adapter,
    tuning: TaskTuning,
}

impl Adapter {
    /// Its rank: the largest inner dimension of its changes.
    pub fn rank(&self) -> usize {
        self.engine.rank()
    }

    /// Bytes of private memory that it needs, however many requests use it.
    pub fn private_bytes(&self) -> u64 {
        self.engine.private_bytes()
    }
}

impl LocalModel {
    /// Loads an adapter of this model and waits for it, which takes some milliseconds.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`]; [`Error::ModelInvalid`] for an adapter of another model, or a damaged one;
    /// [`Error::Unsupported`] for a file that is not an adapter; [`Error::OutOfMemory`].
    pub fn load_adapter(&self, file: ModelFile) -> Result<Adapter, Error> {
        self.start_loading_adapter(file).wait()
    }

    /// Starts to load an adapter (LoRA) of this model: a GGUF file in llama.cpp's format. It must have been trained
    /// with the model that this one's file was made from, in any quantization. The file is no longer needed afterwards.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`]; [`Error::ModelInvalid`] for an adapter of another model, or a damaged one;
    /// [`Error::Unsupported`] for a file that is not an adapter; [`Error::OutOfMemory`].
    pub fn start_loading_adapter(&self, file: ModelFile) -> Job<Infallible, Adapter> {
        let model = self.loaded();
        Job::start("load adapter", move |_, cancel| {
            let gguf = file.open()?;
            Ok(Adapter { engine: model.engine.load_adapter(&gguf, cancel)?, tuning: TaskTuning::of(&gguf)? })
        })
    }

    /// The same model with these adapters instead of its current ones. Each change is multiplied by its scale.
    ///
    /// It shares everything that is loaded. Only its own requests use the adapters. If an adapter was trained on
    /// Sotto's own task formats, tasks use these formats.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an adapter that was loaded with another model, or a scale that is not a finite
    /// number.
    pub fn with_adapters(&self, adapters: &[(Adapter, f32)]) -> Result<Self, Error> {
        Ok(Self::of(self.loaded().with_adapters(adapters)?))
    }
}

impl Loaded {
    /// As [`LocalModel::with_adapters`].
    pub(crate) fn with_adapters(&self, adapters: &[(Adapter, f32)]) -> Result<Self, Error> {
        if !adapters.iter().all(|(adapter, _)| self.engine.has_loaded(&adapter.engine)) {
            return Err(Error::invalid_input("the adapter was loaded with another model: load it with this one"));
        }
        if !adapters.iter().all(|(_, scale)| scale.is_finite()) {
            return Err(Error::invalid_input("an adapter's scale must be a finite number"));
        }
        // An adapter without effect is neither computed nor considered for the tasks.
        let adapters = adapters.iter().filter(|(_, scale)| *scale != 0.0);
        let tuning = adapters.clone().map(|(adapter, _)| adapter.tuning).find(|tuning| tuning.tuned);
        let adapters = adapters.map(|(adapter, scale)| (adapter.engine.clone(), *scale)).collect();
        Ok(self.adapted(adapters, tuning.unwrap_or(self.own_tuning)))
    }
}
