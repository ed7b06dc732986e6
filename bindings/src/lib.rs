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
mod classifier;
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
mod personal;
mod personal_settings;
mod personal_style;
mod results;
mod session;
mod speech;
mod style;
#[cfg(test)]
mod tests;
mod tools;

pub use classifier::{FfiClassifier, FfiNearestExample, FfiPersonalClassification};
pub use embedding::{FfiEmbedder, FfiEmbedding, FfiEmbeddingMemory, FfiEmbeddings};
pub use error::FfiError;
pub use jobs::{
    FfiClassifyAllJob, FfiClassifyJob, FfiClassifyPersonalJob, FfiEmbedAllJob, FfiEmbedJob, FfiEmbedderMemoryJob,
    FfiExtractAllJob, FfiExtractJob, FfiForkJob, FfiInspectJob, FfiLoadAdapterJob, FfiLoadEmbedderJob, FfiLoadJob,
    FfiLoadSpeechJob, FfiLoadTokenizerJob, FfiPackJob, FfiPrewarmJob, FfiRespondJob, FfiSpeechMemoryJob,
    FfiSummarizeJob, FfiTranscribeJob, FfiTuneJob,
};
pub use model::{FfiAdapter, FfiModel, FfiNoteSession, FfiScaledAdapter, FfiTokenizer};
pub use options::{
    FfiBackend, FfiChatOptions, FfiFormat, FfiKvType, FfiLabel, FfiLoadOptions, FfiModelFile, FfiSampling,
    FfiSummaryOptions,
};
pub use personal::{
    FfiDeletion, FfiDerived, FfiDerivedChange, FfiEvent, FfiFilter, FfiImported, FfiItem, FfiItemEvent, FfiItems,
    FfiKind, FfiLearnt, FfiLimits, FfiNear, FfiPayload, FfiPersonal, FfiQuery, FfiReason, FfiRecommendation, FfiRecord,
    FfiTimestamp, open_personal,
};
pub use personal_style::{FfiOnDeletion, FfiStyle, FfiStyleAdapter};
pub use results::{
    FfiAction, FfiClassification, FfiContextMemory, FfiCoverage, FfiExtraction, FfiFileKind, FfiFileReport, FfiFit,
    FfiMetrics, FfiModelReport, FfiNoteSummary, FfiPoint, FfiProgress, FfiScore, FfiSegment, FfiWeights,
};
pub use session::{FfiFinishReason, FfiReply, FfiSession, FfiTurn};
pub use speech::{
    FfiAudio, FfiAudioInput, FfiListenOptions, FfiListening, FfiPcmFormat, FfiSamples, FfiSpeech, FfiSpeechMemory,
    FfiSpeechMetrics, FfiTranscribeOptions, FfiTranscript, FfiTranscriptPart, FfiTranscriptSegment, FfiTranscriptWord,
};
pub use style::{FfiCapitals, FfiStyleProfile, FfiTuneOptions, FfiTuneProgress, FfiTuneReport};
pub use tools::{FfiTool, FfiToolCall, FfiToolHandler, FfiToolUse};

uniffi::setup_scaffolding!("sotto");
