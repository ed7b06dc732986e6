//! Adapters that are learnt from texts, on the device.

use std::path::Path;

use sotto_training::{TrainingError, TuneOptions, TuneProgress, TuneReport, tune};

use crate::Error;
use crate::job::Job;
use crate::model::LocalModel;

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
        let (loaded, texts) = (self.loaded(), texts.to_vec());
        let (target, options) = (target.to_owned(), options.clone());
        Job::start("tune", move |reporter, cancel| {
            if !loaded.adapters.is_empty() {
                return Err(Error::invalid_input("the model has adapters: train with the model as it was loaded"));
            }
            let texts = loaded.tune_texts(&texts)?;
            Ok(tune(&loaded.engine, &texts, &options, &target, cancel, |progress| reporter.report(progress))?)
        })
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
