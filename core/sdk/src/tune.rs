//! Adapters that are learnt from texts, on the device.

use std::path::Path;

use sotto_training::{
    Example, GENERAL_TEXT, Split, TrainingError, TuneOptions, TuneProgress, TuneReport, TuneTexts, split, tune,
};

use crate::Error;
use crate::job::Job;
use crate::loaded::Loaded;
use crate::model::LocalModel;

/// Tokens of a text that are read together: a longer one is several.
const LONGEST: usize = 512;

impl LocalModel {
    /// Learns how texts are written: trains an adapter (LoRA) of this model, and writes it to `target`, a GGUF file for
    /// [`LocalModel::load_adapter`]. The model itself stays as it is.
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

impl Loaded {
    /// Texts as tokens: those to be learnt end as an answer does.
    fn tune_texts(&self, texts: &[String]) -> Result<TuneTexts, Error> {
        let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        let Split { train, held_out } = split(&texts);
        let end = self.tokenizer.end_tokens().first().copied();
        let some = |places: &[usize], end: Option<u32>| -> Result<Vec<Example>, Error> {
            let examples = places.iter().map(|&place| self.examples(texts[place], end));
            Ok(examples.collect::<Result<Vec<_>, _>>()?.concat())
        };
        let general = GENERAL_TEXT.split("\n\n").map(|paragraph| self.examples(paragraph.trim(), None));
        Ok(TuneTexts {
            train: some(&train, end)?,
            held_out: some(&held_out, None)?,
            general: general.collect::<Result<Vec<_>, _>>()?.concat(),
        })
    }

    /// A text as the model reads it on its own, in parts of at most [`LONGEST`] tokens.
    fn examples(&self, text: &str, end: Option<u32>) -> Result<Vec<Example>, Error> {
        let mut ids: Vec<u32> = self.leading_bos().into_iter().collect();
        ids.extend(self.tokenizer.encode(text)?);
        ids.extend(end);
        let longest = LONGEST.min(self.context_limit()).max(2);
        // A part of one token has nothing to be predicted from.
        let parts = ids.chunks(longest).filter(|part| part.len() > 1);
        Ok(parts.map(|part| Example { tokens: part.to_vec(), learn_from: 1 }).collect())
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
