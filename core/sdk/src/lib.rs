//! Sotto runs quantized language models on the device. Load a model file, then summarize voice notes, classify, extract
//! or chat. There is no network code: nothing leaves the device, unless an app sends it ([`ServerCall`]).
//!
//! ```no_run
//! use sotto::{LocalModel, ModelFile, SummaryOptions, VoiceNote};
//!
//! # fn main() -> Result<(), sotto::Error> {
//! let model = LocalModel::load(ModelFile::path("llama-3.2-1b-instruct-q4_0.gguf"))?;
//! let note = VoiceNote::text("Marcus will write a test by Thursday.");
//! let summary = model.summarize(&note, &SummaryOptions::default()).wait()?;
//! for action in &summary.actions {
//!     println!("{}", action.text);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every request is a [`Job`]: it runs on its own thread, streams snapshots, returns a value, and stops when it is
//! dropped.
#![forbid(unsafe_code)]

mod adapter;
mod bench;
#[cfg(feature = "personal")]
mod classifier;
#[cfg(test)]
mod demo_model;
#[cfg(feature = "personal")]
mod embedding;
mod error;
mod file_facts;
mod finish_reason;
mod generate;
mod grammar;
mod guess;
mod inspect;
mod job;
mod label;
mod loaded;
#[cfg(feature = "candle")]
mod merge;
mod metrics;
mod model;
mod model_file;
mod note;
mod pack;
mod prefixes;
mod priors;
mod raw;
mod request_lock;
mod sequence;
mod server_call;
mod session;
mod snapshot;
#[cfg(feature = "speech")]
mod speech;
#[cfg(feature = "personal")]
mod style;
mod tasks;
mod tokenizer;
mod tools;
mod transcript;
mod tuning;

pub use adapter::Adapter;
pub use bench::{BatchSpeed, BenchCeilings, BenchMemory, BenchOptions, BenchReport, DecodeSpeed, PrefillSpeed, median};
#[cfg(feature = "personal")]
pub use classifier::{Classifier, PersonalClassification};
#[cfg(feature = "personal")]
pub use embedding::{Embedder, Embedding};
pub use error::Error;
pub use file_facts::WeightsOfType;
pub use finish_reason::FinishReason;
pub use inspect::{ContextMemory, FileReport, Fit, ModelReport, inspect};
pub use job::{Job, Progress};
pub use label::Label;
#[cfg(feature = "candle")]
pub use merge::merge;
pub use metrics::Metrics;
pub use model::{LoadOptions, LocalModel};
pub use model_file::ModelFile;
pub use note::{Segment, VoiceNote};
pub use pack::{model_files, pack};
pub use raw::{Completion, CompletionOptions, Perplexity, Prompt};
pub use server_call::{HandoverReason, ServerCall};
pub use session::{ChatOptions, Reply, Session, Turn};
#[cfg(feature = "personal")]
pub use sotto_embedding::{EmbeddingMemory, EmbeddingOptions};
#[cfg(feature = "candle")]
pub use sotto_engine::MergedTensor;
pub use sotto_engine::{Backend, CancelToken, DEFAULT_CONTEXT_LENGTH, FileKind, FilePart, Kernels, KvType, Priority};
/// What an app learns about its user: records, items and recommendations.
#[cfg(feature = "personal")]
pub use sotto_personal as personal;
#[cfg(feature = "personal")]
pub use sotto_personal::{Capitals, Personal, StyleProfile};
#[cfg(feature = "speech")]
pub use sotto_speech::{Audio, Language, PcmFormat, Samples, SpeechMemory, SpeechOptions, Task, TranscribeOptions};
pub use sotto_text::{ChatTemplate, Message, OutputFormat, Role, SamplingOptions};
#[cfg(feature = "personal")]
pub use sotto_training::{Loss, TuneOptions, TuneProgress, TuneReport};
#[cfg(feature = "speech")]
pub use speech::{
    AudioInput, ListenOptions, Speech, SpeechMetrics, Transcript, TranscriptPart, TranscriptSegment, TranscriptWord,
};
pub use tasks::classify::{Classification, ClassifyOptions, DEFAULT_MIN_CONFIDENCE};
pub use tasks::extract::Extraction;
pub use tasks::note_session::NoteSession;
pub use tasks::summarize::{Action, Coverage, NoteSummary, Point, SummaryOptions};
pub use tokenizer::Tokenizer;
pub use tools::{MAX_TOOL_CALLS, Tool, ToolUse};

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// So does that of tools.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/tools.md")]
struct ToolsPage;

/// So does that of the personal store.
#[cfg(all(doctest, feature = "personal"))]
#[doc = include_str!("../../../docs/personal.md")]
struct PersonalStore;
