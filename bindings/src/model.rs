//! Models and sessions: each function starts a job of the SDK, or gives what the SDK gives.
//!
//! Functions that start a job return a `Result` although they cannot fail: without one, Swift would turn a panic into a
//! crash.

use std::path::Path;
use std::sync::Arc;

use sotto_sdk::{Adapter, ClassifyOptions, LocalModel, NoteSession, Tokenizer, VoiceNote};

use crate::options::parse_schema;
use crate::session::turns;
use crate::{
    FfiClassifyAllJob, FfiClassifyJob, FfiError, FfiExtractAllJob, FfiExtractJob, FfiInspectJob, FfiLabel,
    FfiLoadAdapterJob, FfiLoadJob, FfiLoadOptions, FfiLoadTokenizerJob, FfiModelFile, FfiModelReport, FfiPackJob,
    FfiPriority, FfiResumeJob, FfiSegment, FfiSession, FfiSummarizeAllJob, FfiSummarizeJob, FfiSummaryOptions, FfiTurn,
};

/// The segments of a plain text: [`VoiceNote::text`].
#[uniffi::export]
pub fn text_segments(text: &str) -> Vec<FfiSegment> {
    VoiceNote::text(text).segments().iter().map(Into::into).collect()
}

/// The segments of a transcript file: [`VoiceNote::transcript`].
#[uniffi::export]
pub fn transcript_segments(text: &str) -> Vec<FfiSegment> {
    VoiceNote::transcript(text).segments().iter().map(Into::into).collect()
}

/// Segments as a summary numbers them: [`VoiceNote::from_segments`].
#[uniffi::export]
pub fn number_segments(segments: Vec<FfiSegment>) -> Vec<FfiSegment> {
    note(segments).segments().iter().map(Into::into).collect()
}

pub(crate) fn note(segments: Vec<FfiSegment>) -> VoiceNote {
    VoiceNote::from_segments(segments.into_iter().map(Into::into))
}

/// [`LocalModel::start_loading`].
#[uniffi::export]
pub fn load(file: FfiModelFile, options: FfiLoadOptions) -> Result<FfiLoadJob, FfiError> {
    #[cfg(not(test))]
    crate::faults::tell_places_only();
    Ok(LocalModel::start_loading(file.into(), &options.into()).into())
}

/// [`sotto_sdk::inspect`].
#[uniffi::export]
pub fn inspect(file: FfiModelFile, options: FfiLoadOptions) -> Result<FfiInspectJob, FfiError> {
    #[cfg(not(test))]
    crate::faults::tell_places_only();
    Ok(sotto_sdk::inspect(file.into(), &options.into()).into())
}

/// [`Tokenizer::start_loading`].
#[uniffi::export]
pub fn load_tokenizer(file: FfiModelFile) -> Result<FfiLoadTokenizerJob, FfiError> {
    #[cfg(not(test))]
    crate::faults::tell_places_only();
    Ok(Tokenizer::start_loading(file.into()).into())
}

/// [`sotto_sdk::pack`].
#[uniffi::export]
pub fn pack(source: &str, target: &str) -> Result<FfiPackJob, FfiError> {
    Ok(sotto_sdk::pack(Path::new(source), Path::new(target)).into())
}

/// A [`LocalModel`].
#[derive(uniffi::Object)]
pub struct FfiModel(pub(crate) LocalModel);

impl From<LocalModel> for FfiModel {
    fn from(model: LocalModel) -> Self {
        Self(model)
    }
}

#[uniffi::export]
impl FfiModel {
    /// [`LocalModel::summarize`].
    pub fn summarize(
        &self,
        segments: Vec<FfiSegment>,
        options: FfiSummaryOptions,
    ) -> Result<FfiSummarizeJob, FfiError> {
        Ok(self.0.summarize(&note(segments), &options.into()).into())
    }

    /// [`LocalModel::summarize_all`].
    pub fn summarize_all(
        &self,
        notes: Vec<Vec<FfiSegment>>,
        options: FfiSummaryOptions,
    ) -> Result<FfiSummarizeAllJob, FfiError> {
        Ok(self.0.summarize_all(notes.into_iter().map(note).collect(), &options.into()).into())
    }

    /// [`LocalModel::note_session`].
    pub fn note_session(&self, options: FfiSummaryOptions) -> FfiNoteSession {
        FfiNoteSession(Arc::new(self.0.note_session(&options.into())))
    }

    /// [`LocalModel::classify`].
    pub fn classify(&self, text: &str, labels: Vec<FfiLabel>, min_confidence: f64) -> Result<FfiClassifyJob, FfiError> {
        Ok(self.0.classify(text, &classify_options(labels, min_confidence)).into())
    }

    /// [`LocalModel::classify_all`].
    pub fn classify_all(
        &self,
        texts: Vec<String>,
        labels: Vec<FfiLabel>,
        min_confidence: f64,
    ) -> Result<FfiClassifyAllJob, FfiError> {
        Ok(self.0.classify_all(texts, &classify_options(labels, min_confidence)).into())
    }

    /// [`LocalModel::extract`].
    pub fn extract(&self, text: &str, schema: &str) -> Result<FfiExtractJob, FfiError> {
        Ok(self.0.extract(text, &parse_schema(schema)?).into())
    }

    /// [`LocalModel::extract_all`].
    pub fn extract_all(&self, texts: Vec<String>, schema: &str) -> Result<FfiExtractAllJob, FfiError> {
        Ok(self.0.extract_all(texts, &parse_schema(schema)?).into())
    }

    /// [`LocalModel::trim`].
    pub fn trim(&self) -> u64 {
        self.0.trim()
    }

    /// [`LocalModel::cached_bytes`].
    pub fn cached_bytes(&self) -> u64 {
        self.0.cached_bytes()
    }

    /// [`LocalModel::session`].
    pub fn session(&self, instructions: Option<String>) -> Result<FfiSession, FfiError> {
        Ok(FfiSession(self.0.session(instructions.as_deref())?))
    }

    /// [`LocalModel::resume_from`].
    pub fn resume_from(
        &self,
        instructions: Option<String>,
        history: Vec<FfiTurn>,
        snapshot: &str,
    ) -> Result<FfiResumeJob, FfiError> {
        Ok(self.0.resume_from(instructions.as_deref(), &turns(history)?, Path::new(snapshot)).into())
    }

    /// [`LocalModel::resume`].
    pub fn resume(&self, instructions: Option<String>, history: Vec<FfiTurn>) -> Result<FfiSession, FfiError> {
        Ok(FfiSession(self.0.resume(instructions.as_deref(), &turns(history)?)?))
    }

    /// [`LocalModel::start_loading_adapter`].
    pub fn load_adapter(&self, file: FfiModelFile) -> Result<FfiLoadAdapterJob, FfiError> {
        Ok(self.0.start_loading_adapter(file.into()).into())
    }

    /// [`LocalModel::with_priority`].
    pub fn with_priority(&self, priority: FfiPriority) -> Self {
        Self(self.0.with_priority(priority.into()))
    }

    /// [`LocalModel::with_adapters`].
    pub fn with_adapters(&self, adapters: Vec<FfiScaledAdapter>) -> Result<Self, FfiError> {
        Ok(Self(self.0.with_adapters(&scaled(adapters))?))
    }

    /// [`LocalModel::inspect`].
    pub fn inspect(&self, context_length: u32) -> Result<FfiModelReport, FfiError> {
        Ok(self.0.inspect(context_length as usize)?.into())
    }

    /// [`LocalModel::context_length`].
    pub fn context_length(&self) -> u32 {
        self.0.context_length() as u32
    }

    /// [`LocalModel::token_count`].
    pub fn token_count(&self, text: &str) -> Result<u32, FfiError> {
        Ok(self.0.token_count(text)? as u32)
    }
}

pub(crate) fn classify_options(labels: Vec<FfiLabel>, min_confidence: f64) -> ClassifyOptions {
    ClassifyOptions { min_confidence, ..ClassifyOptions::new(labels) }
}

/// An [`Adapter`].
#[derive(Debug, uniffi::Object)]
pub struct FfiAdapter(Adapter);

impl From<Adapter> for FfiAdapter {
    fn from(adapter: Adapter) -> Self {
        Self(adapter)
    }
}

#[uniffi::export]
impl FfiAdapter {
    /// [`Adapter::rank`].
    pub fn rank(&self) -> u32 {
        self.0.rank() as u32
    }

    /// [`Adapter::private_bytes`].
    pub fn private_bytes(&self) -> u64 {
        self.0.private_bytes()
    }
}

/// An [`Adapter`] with its scale.
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "they are what the type says")]
pub struct FfiScaledAdapter {
    pub adapter: Arc<FfiAdapter>,
    pub scale: f32,
}

pub(crate) fn scaled(adapters: Vec<FfiScaledAdapter>) -> Vec<(Adapter, f32)> {
    adapters.into_iter().map(|FfiScaledAdapter { adapter, scale }| (adapter.0.clone(), scale)).collect()
}

/// A [`Tokenizer`].
#[derive(uniffi::Object)]
pub struct FfiTokenizer(Tokenizer);

impl From<Tokenizer> for FfiTokenizer {
    fn from(tokenizer: Tokenizer) -> Self {
        Self(tokenizer)
    }
}

#[uniffi::export]
impl FfiTokenizer {
    /// [`Tokenizer::encode`].
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, FfiError> {
        Ok(self.0.encode(text)?)
    }

    /// [`Tokenizer::decode`].
    pub fn decode(&self, ids: &[u32]) -> Result<String, FfiError> {
        Ok(self.0.decode(ids))
    }

    /// [`Tokenizer::token_count`].
    pub fn token_count(&self, text: &str) -> Result<u32, FfiError> {
        Ok(self.0.token_count(text)? as u32)
    }

    /// [`Tokenizer::token_text`].
    pub fn token_text(&self, id: u32) -> Result<String, FfiError> {
        Ok(self.0.token_text(id))
    }
}

/// A [`NoteSession`].
#[derive(uniffi::Object)]
pub struct FfiNoteSession(pub(crate) Arc<NoteSession>);

#[uniffi::export]
impl FfiNoteSession {
    /// [`NoteSession::append`].
    pub fn append(&self, segment: FfiSegment) -> Result<(), FfiError> {
        Ok(self.0.append(segment.into())?)
    }

    /// The segments of [`NoteSession::note`].
    pub fn note(&self) -> Vec<FfiSegment> {
        self.0.note().segments().iter().map(Into::into).collect()
    }

    /// [`NoteSession::finish`].
    pub fn finish(&self) -> Result<FfiSummarizeJob, FfiError> {
        Ok(self.0.finish().into())
    }
}
