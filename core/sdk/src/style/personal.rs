//! A model that writes as a person does, from what a store knows of them.

use serde_json::{Value, json};
use sotto_personal::{OnDeletion, Style, Timestamp};
use sotto_training::{TuneOptions, TuneProgress, TuneReport};

use crate::Error;
use crate::job::Job;
use crate::model::LocalModel;
use crate::model_file::ModelFile;
use crate::session::Session;

impl LocalModel {
    /// As [`LocalModel::tune`], from the texts that `style` has learnt; the adapter is kept beside the store. When one of those texts is
    /// deleted, `on_deletion` says what becomes of the adapter. If texts are deleted during the training, nothing is kept.
    ///
    /// # Errors
    /// As there; [`Error::InvalidInput`] while learning is paused, and if texts were deleted meanwhile.
    pub fn tune_style(
        &self,
        style: &Style,
        on_deletion: OnDeletion,
        options: &TuneOptions,
        time: Timestamp,
    ) -> Job<TuneProgress, TuneReport> {
        let (model, style, options) = (self.loaded(), style.clone(), options.clone());
        Job::start("tune", move |reporter, cancel| {
            let training = style.begin_training(on_deletion, time)?;
            let outcome =
                model.tune(&training.texts, &training.target, &options, cancel, |progress| reporter.report(progress));
            let kept = outcome.as_ref().is_ok_and(|report| report.kept);
            training.end(kept, outcome.as_ref().map_or(Value::Null, as_json))?;
            outcome
        })
    }

    /// This model, with the adapter of `style` if one was learnt.
    ///
    /// # Errors
    /// Those of [`LocalModel::load_adapter`] and [`LocalModel::with_adapters`], [`Error::ModelInvalid`] for an adapter of another model.
    pub fn with_style(&self, style: &Style) -> Result<Self, Error> {
        match style.adapter()? {
            Some(adapter) => self.with_adapters(&[(self.load_adapter(ModelFile::path(adapter.path))?, 1.0)]),
            None => Ok(self.clone()),
        }
    }

    /// Starts a conversation in which the model writes as `style` says: with its profile after the `instructions`, and with its adapter if
    /// there is one of this model.
    ///
    /// # Errors
    /// Those of [`LocalModel::session`] and [`LocalModel::with_style`], but not for an adapter of another model, which is left out.
    pub fn session_in_style(&self, instructions: Option<&str>, style: &Style) -> Result<Session, Error> {
        let model = match self.with_style(style) {
            Err(Error::ModelInvalid { .. }) => self.clone(),
            model => model?,
        };
        let profile = style.profile()?.instruction();
        let instructions: Vec<&str> = instructions.into_iter().chain(profile.as_deref()).collect();
        match instructions.is_empty() {
            true => model.session(None),
            false => model.session(Some(&instructions.join("\n\n"))),
        }
    }
}

/// What the store keeps of a training.
fn as_json(report: &TuneReport) -> Value {
    json!({
        "strength": report.strength,
        "held_out": report.held_out.map(|loss| loss.mean()),
        "general": report.general.map(|loss| loss.mean()),
        "steps": report.steps,
        "tokens": report.tokens,
        "seconds": report.seconds,
    })
}
