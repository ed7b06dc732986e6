//! Adapters (LoRA): small files that change a loaded model for some requests, and not for others.

use std::convert::Infallible;

use crate::Error;
use crate::job::Job;
use crate::loaded::Loaded;
use crate::model::LocalModel;
use crate::model_file::ModelFile;
use crate::tuning::TaskTuning;

/// An adapter (LoRA) of a model, ready to be used. Cheap to clone, and safe to share between threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    engine: sotto_engine::Adapter,
    tuning: TaskTuning,
}

impl Adapter {
    /// How many numbers its changes go through, at most: its rank.
    pub fn rank(&self) -> usize {
        self.engine.rank()
    }

    /// Bytes of private memory that it takes, however many requests use it.
    pub fn private_bytes(&self) -> u64 {
        self.engine.private_bytes()
    }
}

impl LocalModel {
    /// Loads an adapter of this model, and waits for it: some milliseconds.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`]; [`Error::ModelInvalid`] for an adapter of another model, or a damaged one;
    /// [`Error::Unsupported`] for a file that is no adapter; [`Error::OutOfMemory`].
    pub fn load_adapter(&self, file: ModelFile) -> Result<Adapter, Error> {
        self.start_loading_adapter(file).wait()
    }

    /// Starts to load an adapter (LoRA) of this model: a GGUF file as llama.cpp has them, which was trained with the model that this
    /// one's file was made from, whatever its quantization. The file is not needed any more afterwards.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`]; [`Error::ModelInvalid`] for an adapter of another model, or a damaged one;
    /// [`Error::Unsupported`] for a file that is no adapter; [`Error::OutOfMemory`].
    pub fn start_loading_adapter(&self, file: ModelFile) -> Job<Infallible, Adapter> {
        let model = self.loaded();
        Job::start("load adapter", move |_, cancel| {
            let gguf = file.open()?;
            Ok(Adapter { engine: model.engine.load_adapter(&gguf, cancel)?, tuning: TaskTuning::of(&gguf)? })
        })
    }

    /// The same model with these adapters, each with a scale that its change is multiplied with, in place of those it has.
    ///
    /// It shares all that is loaded: what is asked of it is computed with the adapters, what is asked of others is not. An
    /// adapter that was trained on Sotto's own task formats makes tasks use them.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an adapter that another model has loaded, or a scale that is not a finite number.
    pub fn with_adapters(&self, adapters: &[(Adapter, f32)]) -> Result<Self, Error> {
        Ok(Self::of(self.loaded().with_adapters(adapters)?))
    }
}

impl Loaded {
    /// As [`LocalModel::with_adapters`].
    pub(crate) fn with_adapters(&self, adapters: &[(Adapter, f32)]) -> Result<Self, Error> {
        if !adapters.iter().all(|(adapter, _)| self.engine.has_loaded(&adapter.engine)) {
            return Err(Error::invalid_input("the adapter is another model's: load it with this one"));
        }
        if !adapters.iter().all(|(_, scale)| scale.is_finite()) {
            return Err(Error::invalid_input("an adapter's scale must be a finite number"));
        }
        // One without effect is not computed, and says nothing about the tasks.
        let adapters = adapters.iter().filter(|(_, scale)| *scale != 0.0);
        let tuning = adapters.clone().map(|(adapter, _)| adapter.tuning).find(|tuning| tuning.tuned);
        let mut adapted = self.clone();
        // They are those of the weights as they were.
        (adapted.kept, adapted.priors) = Default::default();
        adapted.tuning = tuning.unwrap_or(self.own_tuning);
        adapted.adapters = adapters.map(|(adapter, scale)| (adapter.engine.clone(), *scale)).collect();
        Ok(adapted)
    }
}
