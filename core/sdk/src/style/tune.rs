//! Adapters that are learnt from texts, on the device.

use std::path::Path;

use sotto_training::{TrainingError, TuneOptions, TuneProgress, TuneReport, tune};

use crate::job::Job;
use crate::loaded::Loaded;
use crate::model::LocalModel;
use crate::{CancelToken, Error};

impl LocalModel {
    /// Learns how texts are written: trains an adapter (LoRA) of this model, and writes it to `target`, a GGUF file for
    /// [`LocalModel::load_adapter`]. The model itself stays as it is. With the adapter, [`LocalModel::rewrite`] and answers sound like the texts.
    ///
    /// A quarter of the texts, chosen by their hashes, is held out. The adapter is written only if these became likelier by
    /// [`TuneOptions::margin`], and a neutral text did not become less likely by more than [`TuneOptions::general_margin`]; the report says
    /// what was found. Otherwise what was at `target` stays.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than eight different texts, a model with adapters, options that make no sense, and a checkpoint
    /// that is damaged or of another training; [`Error::Unsupported`] for candle's models; [`Error::OutOfMemory`]; [`Error::Storage`].
    pub fn tune(&self, texts: &[String], target: &Path, options: &TuneOptions) -> Job<TuneProgress, TuneReport> {
        let (model, texts) = (self.loaded(), texts.to_vec());
        let (target, options) = (target.to_owned(), options.clone());
        Job::start("tune", move |reporter, cancel| {
            model.tune(&texts, &target, &options, cancel, |progress| reporter.report(progress))
        })
    }
}

impl Loaded {
    /// As [`LocalModel::tune`], on this thread.
    pub(super) fn tune(
        &self,
        texts: &[String],
        target: &Path,
        options: &TuneOptions,
        cancel: &CancelToken,
        on_progress: impl FnMut(TuneProgress),
    ) -> Result<TuneReport, Error> {
        if !self.adapters.is_empty() {
            return Err(Error::invalid_input("the model has adapters: train with the model as it was loaded"));
        }
        Ok(tune(&self.engine, &self.tune_texts(texts)?, options, target, cancel, on_progress)?)
    }
}

impl From<TrainingError> for Error {
    fn from(error: TrainingError) -> Self {
        match error {
            TrainingError::Engine(error) => error.into(),
            other @ (TrainingError::InvalidInput { .. }
            | TrainingError::Checkpoint { .. }
            | TrainingError::Diverged { .. }) => Self::invalid_input(other.to_string()),
            other => Self::internal(other.to_string()),
        }
    }
}
