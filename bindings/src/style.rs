//! How somebody writes.

use std::path::Path;
use std::time::Duration;

use sotto_sdk::{Capitals, Job, StyleProfile, TuneOptions, TuneProgress, TuneReport};

use crate::jobs::job;
use crate::{FfiChatOptions, FfiError, FfiModel, FfiRespondJob};

#[uniffi::export]
impl FfiModel {
    /// [`sotto_sdk::LocalModel::tune`].
    pub fn tune(&self, texts: Vec<String>, target: &str, options: FfiTuneOptions) -> Result<FfiTuneJob, FfiError> {
        Ok(self.0.tune(&texts, Path::new(target), &options.try_into()?).into())
    }

    /// [`sotto_sdk::LocalModel::rewrite`].
    pub fn rewrite(
        &self,
        text: &str,
        style: FfiStyleProfile,
        options: FfiChatOptions,
    ) -> Result<FfiRespondJob, FfiError> {
        Ok(self.0.rewrite(text, &style.into(), &options.try_into()?).into())
    }
}

/// [`StyleProfile::of`].
#[uniffi::export]
pub fn style_of(texts: Vec<String>) -> FfiStyleProfile {
    StyleProfile::of(&texts).into()
}

/// [`StyleProfile::instruction`].
#[uniffi::export]
pub fn style_instruction(style: FfiStyleProfile) -> Option<String> {
    StyleProfile::from(style).instruction()
}

/// Mirror of [`TuneOptions`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTuneOptions {
    pub seconds: Option<f64>,
    pub epochs: u32,
    pub rank: u32,
    pub learning_rate: f32,
    pub margin: f64,
    pub general_margin: f64,
    pub checkpoint: Option<String>,
}

impl TryFrom<FfiTuneOptions> for TuneOptions {
    type Error = FfiError;

    fn try_from(options: FfiTuneOptions) -> Result<Self, FfiError> {
        let FfiTuneOptions { seconds, epochs, rank, learning_rate, margin, general_margin, checkpoint } = options;
        let time = seconds.map(Duration::try_from_secs_f64).transpose();
        Ok(Self {
            time: time.map_err(|_| FfiError::InvalidInput { what: "the time must be seconds from 0 on".into() })?,
            epochs: epochs as usize,
            rank: rank as usize,
            learning_rate,
            margin,
            general_margin,
            checkpoint: checkpoint.map(Into::into),
            ..Self::default()
        })
    }
}

/// Mirror of [`TuneProgress`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTuneProgress {
    pub step: u32,
    pub steps: u32,
    pub tokens: u64,
    pub loss: f64,
    pub seconds_left: f64,
}

impl From<TuneProgress> for FfiTuneProgress {
    fn from(TuneProgress { step, steps, tokens, loss, seconds_left }: TuneProgress) -> Self {
        Self { step: step as u32, steps: steps as u32, tokens, loss, seconds_left }
    }
}

/// Mirror of [`TuneReport`], with the means of its losses.
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTuneReport {
    pub kept: bool,
    pub strength: f32,
    pub held_out_before: f64,
    pub held_out_after: f64,
    pub general_before: f64,
    pub general_after: f64,
    pub steps: u32,
    pub tokens: u64,
    pub seconds: f64,
}

impl From<TuneReport> for FfiTuneReport {
    fn from(TuneReport { kept, strength, held_out, general, steps, tokens, seconds }: TuneReport) -> Self {
        let [held_out_before, held_out_after] = held_out.map(|loss| loss.mean());
        let [general_before, general_after] = general.map(|loss| loss.mean());
        let steps = steps as u32;
        Self { kept, strength, held_out_before, held_out_after, general_before, general_after, steps, tokens, seconds }
    }
}

/// Mirror of [`StyleProfile`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiStyleProfile {
    pub greeting: Option<String>,
    pub sign_off: Option<String>,
    pub sentence_words: Option<u32>,
    pub capitals: Option<FfiCapitals>,
    pub emoji: Option<Vec<String>>,
    pub phrases: Vec<String>,
}

/// Mirror of [`Capitals`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiCapitals {
    Sentences,
    Never,
    Always,
}

impl From<StyleProfile> for FfiStyleProfile {
    fn from(style: StyleProfile) -> Self {
        let StyleProfile { greeting, sign_off, sentence_words, capitals, emoji, phrases } = style;
        let capitals = capitals.map(|capitals| match capitals {
            Capitals::Sentences => FfiCapitals::Sentences,
            Capitals::Never => FfiCapitals::Never,
            Capitals::Always => FfiCapitals::Always,
        });
        Self { greeting, sign_off, sentence_words, capitals, emoji, phrases }
    }
}

impl From<FfiStyleProfile> for StyleProfile {
    fn from(style: FfiStyleProfile) -> Self {
        let FfiStyleProfile { greeting, sign_off, sentence_words, capitals, emoji, phrases } = style;
        let capitals = capitals.map(|capitals| match capitals {
            FfiCapitals::Sentences => Capitals::Sentences,
            FfiCapitals::Never => Capitals::Never,
            FfiCapitals::Always => Capitals::Always,
        });
        Self { greeting, sign_off, sentence_words, capitals, emoji, phrases }
    }
}

job!(FfiTuneJob: Job<TuneProgress, TuneReport>, next: FfiTuneProgress, value: FfiTuneReport);
