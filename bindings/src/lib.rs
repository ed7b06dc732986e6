//! The uniffi bridge between the Sotto SDK and Kotlin and Swift: mirrors of the SDK's types, and no decisions.
//!
//! Every request is a job with the shape of [`sotto_sdk::Job`]: `next()` pulls a snapshot, `value()` gives the end, `cancel()` and
//! dropping stop the work. The asynchronous functions only wait: the work runs on threads of the SDK, so that they can
//! be polled from any thread, and dropping them half way costs nothing.
//!
//! Names begin with `Ffi`: apps never see them, but the SDK of each language puts its own types before them.

#![expect(clippy::missing_errors_doc, reason = "errors are those of what is mirrored, which says them")]

#[cfg(target_os = "android")]
mod android;
#[cfg(feature = "personal")]
mod classifier;
#[cfg(feature = "personal")]
mod embedding;
mod error;
// The messages of failed tests are wanted.
#[cfg(not(test))]
mod faults;
mod jobs;
mod model;
mod options;
#[cfg(test)]
mod parity;
#[cfg(feature = "personal")]
mod personal;
#[cfg(feature = "personal")]
mod personal_settings;
#[cfg(feature = "personal")]
mod personal_style;
mod results;
mod server_call;
mod session;
#[cfg(feature = "speech")]
mod speech;
#[cfg(feature = "personal")]
mod style;
#[cfg(test)]
mod tests;
mod tools;

#[cfg(feature = "personal")]
pub use classifier::{FfiClassifier, FfiClassifyPersonalJob, FfiNearestExample, FfiPersonalClassification};
#[cfg(feature = "personal")]
pub use embedding::{
    FfiEmbedAllJob, FfiEmbedJob, FfiEmbedder, FfiEmbedderMemoryJob, FfiEmbedding, FfiEmbeddingMemory, FfiEmbeddings,
    FfiLoadEmbedderJob,
};
pub use error::FfiError;
pub use jobs::{
    FfiClassifyAllJob, FfiClassifyJob, FfiExtractAllJob, FfiExtractJob, FfiForkJob, FfiInspectJob, FfiLoadAdapterJob,
    FfiLoadJob, FfiLoadTokenizerJob, FfiPackJob, FfiPrewarmJob, FfiRespondJob, FfiResumeJob, FfiSaveJob,
    FfiSummarizeAllJob, FfiSummarizeJob,
};
pub use model::{FfiAdapter, FfiModel, FfiNoteSession, FfiScaledAdapter, FfiTokenizer};
pub use options::{
    FfiBackend, FfiChatOptions, FfiFormat, FfiKvType, FfiLabel, FfiLoadOptions, FfiModelFile, FfiPriority, FfiSampling,
    FfiSummaryOptions,
};
#[cfg(feature = "personal")]
pub use personal::{
    FfiDeletion, FfiDerived, FfiDerivedChange, FfiEvent, FfiFilter, FfiImported, FfiItem, FfiItemEvent, FfiItems,
    FfiKind, FfiLearnt, FfiLimits, FfiNear, FfiPayload, FfiPersonal, FfiQuery, FfiReason, FfiRecommendation, FfiRecord,
    FfiTimestamp, open_personal,
};
#[cfg(feature = "personal")]
pub use personal_style::{FfiOnDeletion, FfiStyle, FfiStyleAdapter};
pub use results::{
    FfiAction, FfiClassification, FfiContextMemory, FfiCoverage, FfiExtraction, FfiFileKind, FfiFileReport, FfiFit,
    FfiHandoverReason, FfiMetrics, FfiModelReport, FfiNoteSummary, FfiPoint, FfiProgress, FfiScore, FfiSegment,
    FfiWeights,
};
pub use server_call::{
    FfiServerChat, FfiServerClassify, FfiServerExtract, FfiServerSummarize, server_chat, server_classify,
    server_extract, server_summarize,
};
pub use session::{FfiFinishReason, FfiReply, FfiSession, FfiTurn};
#[cfg(feature = "speech")]
pub use speech::{
    FfiAudio, FfiAudioInput, FfiListenOptions, FfiListening, FfiLoadSpeechJob, FfiPcmFormat, FfiSamples, FfiSpeech,
    FfiSpeechMemory, FfiSpeechMemoryJob, FfiSpeechMetrics, FfiTranscribeJob, FfiTranscribeOptions, FfiTranscript,
    FfiTranscriptPart, FfiTranscriptSegment, FfiTranscriptWord,
};
#[cfg(feature = "personal")]
pub use style::{FfiCapitals, FfiStyleProfile, FfiTuneJob, FfiTuneOptions, FfiTuneProgress, FfiTuneReport};
pub use tools::{FfiTool, FfiToolCall, FfiToolHandler, FfiToolUse};

uniffi::setup_scaffolding!("sotto");
