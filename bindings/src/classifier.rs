//! Classifiers that learn a person's labels.

use std::sync::Arc;

use sotto_sdk::personal::NearestExample;
use sotto_sdk::{Classifier, Job, PersonalClassification, Progress};

use crate::jobs::job;
use crate::model::classify_options;
use crate::{
    FfiEmbedder, FfiError, FfiLabel, FfiLearnt, FfiMetrics, FfiModel, FfiPersonal, FfiProgress, FfiScore, FfiTimestamp,
};

#[uniffi::export]
impl FfiPersonal {
    /// [`Classifier::new`].
    pub fn classifier(
        &self,
        collection: &str,
        labels: Vec<FfiLabel>,
        min_confidence: f64,
    ) -> Result<FfiClassifier, FfiError> {
        Ok(FfiClassifier(Classifier::new(&self.0, collection, &classify_options(labels, min_confidence))?))
    }
}

/// A [`Classifier`].
#[derive(Debug, uniffi::Object)]
pub struct FfiClassifier(Classifier);

#[uniffi::export]
impl FfiClassifier {
    /// [`Classifier::learn`].
    pub fn learn(&self, text: &str, label: &str, source: &str, time: FfiTimestamp) -> Result<FfiLearnt, FfiError> {
        Ok(self.0.learn(text, label, source, time.into())?.into())
    }

    /// [`Classifier::classify`].
    pub fn classify(
        &self,
        model: Arc<FfiModel>,
        embedder: Option<Arc<FfiEmbedder>>,
        text: &str,
    ) -> Result<FfiClassifyPersonalJob, FfiError> {
        let embedder = embedder.as_ref().map(|embedder| &embedder.0);
        Ok(self.0.classify(&model.0, embedder, text).into())
    }
}

/// Mirror of [`PersonalClassification`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiPersonalClassification {
    pub label: String,
    pub confidence: f64,
    pub scores: Vec<FfiScore>,
    pub abstained: bool,
    pub nearest: Vec<FfiNearestExample>,
    pub metrics: Option<FfiMetrics>,
}

impl From<PersonalClassification> for FfiPersonalClassification {
    fn from(result: PersonalClassification) -> Self {
        let PersonalClassification { label, confidence, scores, abstained, nearest, metrics } = result;
        let scores = scores.into_iter().map(|(label, probability)| FfiScore { label, probability }).collect();
        let nearest = nearest.into_iter().map(Into::into).collect();
        Self { label, confidence, scores, abstained, nearest, metrics: metrics.map(Into::into) }
    }
}

/// Mirror of [`NearestExample`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiNearestExample {
    pub id: u64,
    pub text: String,
    pub label: String,
    pub similarity: f32,
}

impl From<NearestExample> for FfiNearestExample {
    fn from(NearestExample { id, text, label, similarity }: NearestExample) -> Self {
        Self { id, text, label, similarity }
    }
}

job!(FfiClassifyPersonalJob: Job<Progress, PersonalClassification>, next: FfiProgress, value: FfiPersonalClassification);
