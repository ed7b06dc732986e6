//! Result types. Each `From` destructures its source, so that no new field can be forgotten.

use sotto_sdk::{
    Action, Classification, ContextMemory, Coverage, Extraction, FileKind, FileReport, Fit, HandoverReason, Metrics,
    ModelReport, NoteSummary, Point, Progress, Segment, WeightsOfType,
};

/// Mirror of [`Segment`].
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiSegment {
    pub id: u32,
    pub start: Option<f64>,
    pub end: Option<f64>,
    pub text: String,
    pub speaker: Option<String>,
}

impl From<&Segment> for FfiSegment {
    fn from(segment: &Segment) -> Self {
        let Segment { id, start, end, text, speaker } = segment.clone();
        Self { id, start, end, text, speaker }
    }
}

impl From<FfiSegment> for Segment {
    fn from(segment: FfiSegment) -> Self {
        let FfiSegment { id, start, end, text, speaker } = segment;
        Self { id, start, end, text, speaker }
    }
}

/// Mirror of [`Point`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiPoint {
    pub id: u32,
    pub text: String,
    pub evidence: Vec<u32>,
}

impl From<Point> for FfiPoint {
    fn from(Point { id, text, evidence }: Point) -> Self {
        Self { id, text, evidence }
    }
}

/// Mirror of [`Action`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiAction {
    pub id: u32,
    pub text: String,
    pub owner: Option<String>,
    pub due: Option<String>,
    pub evidence: Vec<u32>,
}

impl From<Action> for FfiAction {
    fn from(Action { id, text, owner, due, evidence }: Action) -> Self {
        Self { id, text, owner, due, evidence }
    }
}

/// Mirror of [`Coverage`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiCoverage {
    pub segments_read: Vec<u32>,
    pub segments: u32,
    pub windows: u32,
}

impl From<Coverage> for FfiCoverage {
    fn from(Coverage { segments_read, segments, windows }: Coverage) -> Self {
        Self { segments_read, segments: segments as u32, windows: windows as u32 }
    }
}

/// Mirror of [`NoteSummary`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiNoteSummary {
    pub title: String,
    pub overview: String,
    pub points: Vec<FfiPoint>,
    pub actions: Vec<FfiAction>,
    pub coverage: FfiCoverage,
    pub metrics: Option<FfiMetrics>,
}

impl From<NoteSummary> for FfiNoteSummary {
    fn from(NoteSummary { title, overview, points, actions, coverage, metrics }: NoteSummary) -> Self {
        Self {
            title,
            overview,
            points: points.into_iter().map(Into::into).collect(),
            actions: actions.into_iter().map(Into::into).collect(),
            coverage: coverage.into(),
            metrics: metrics.map(Into::into),
        }
    }
}

/// One label of a [`Classification`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiScore {
    pub label: String,
    pub probability: f64,
}

/// Mirror of [`Classification`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiClassification {
    pub label: String,
    pub confidence: f64,
    pub scores: Vec<FfiScore>,
    pub abstained: bool,
    pub metrics: FfiMetrics,
}

impl From<Classification> for FfiClassification {
    fn from(Classification { label, confidence, scores, abstained, metrics }: Classification) -> Self {
        let scores = scores.into_iter().map(|(label, probability)| FfiScore { label, probability }).collect();
        Self { label, confidence, scores, abstained, metrics: metrics.into() }
    }
}

/// Mirror of [`Extraction`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiExtraction {
    /// The value, as JSON.
    pub json: String,
    pub metrics: FfiMetrics,
}

impl From<Extraction> for FfiExtraction {
    fn from(Extraction { value, metrics }: Extraction) -> Self {
        Self { json: value.to_string(), metrics: metrics.into() }
    }
}

/// Mirror of [`Progress`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiProgress {
    pub done: u64,
    pub total: u64,
}

impl From<Progress> for FfiProgress {
    fn from(Progress { done, total }: Progress) -> Self {
        Self { done: done as u64, total: total as u64 }
    }
}

/// Mirror of [`HandoverReason`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiHandoverReason {
    ContextTooLong,
    LowConfidence,
    ModelMissing,
}

impl From<HandoverReason> for FfiHandoverReason {
    fn from(reason: HandoverReason) -> Self {
        match reason {
            HandoverReason::ContextTooLong => Self::ContextTooLong,
            HandoverReason::LowConfidence => Self::LowConfidence,
            HandoverReason::ModelMissing => Self::ModelMissing,
        }
    }
}

impl From<FfiHandoverReason> for HandoverReason {
    fn from(reason: FfiHandoverReason) -> Self {
        match reason {
            FfiHandoverReason::ContextTooLong => Self::ContextTooLong,
            FfiHandoverReason::LowConfidence => Self::LowConfidence,
            FfiHandoverReason::ModelMissing => Self::ModelMissing,
        }
    }
}

/// Mirror of [`Metrics`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiMetrics {
    pub time_to_first_token: f64,
    pub prefill_tokens: u32,
    pub prefill_seconds: f64,
    pub reused_tokens: u32,
    pub decode_tokens: u32,
    pub decode_seconds: f64,
    pub private_bytes: u64,
    pub mapped_bytes: u64,
    pub kernels: String,
    pub threads: u32,
    pub handed_over: Option<FfiHandoverReason>,
}

impl From<Metrics> for FfiMetrics {
    fn from(metrics: Metrics) -> Self {
        let Metrics {
            time_to_first_token,
            prefill_tokens,
            prefill_seconds,
            reused_tokens,
            decode_tokens,
            decode_seconds,
            private_bytes,
            mapped_bytes,
            kernels,
            threads,
            handed_over,
        } = metrics;
        Self {
            time_to_first_token,
            prefill_tokens: prefill_tokens as u32,
            prefill_seconds,
            reused_tokens: reused_tokens as u32,
            decode_tokens: decode_tokens as u32,
            decode_seconds,
            private_bytes,
            mapped_bytes,
            kernels,
            threads: threads as u32,
            handed_over: handed_over.map(Into::into),
        }
    }
}

/// Mirror of [`WeightsOfType`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiWeights {
    pub quantization: String,
    pub tensors: u32,
    pub bytes: u64,
    pub packed_as: Option<String>,
}

impl From<(String, WeightsOfType)> for FfiWeights {
    fn from((quantization, WeightsOfType { tensors, bytes, packed_as }): (String, WeightsOfType)) -> Self {
        Self { quantization, tensors: tensors as u32, bytes, packed_as }
    }
}

/// Mirror of [`ModelReport`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiModelReport {
    pub name: Option<String>,
    pub architecture: String,
    pub parameters: u64,
    pub layers: u32,
    pub hidden_size: u32,
    pub feed_forward_size: u32,
    pub heads: u32,
    pub kv_heads: u32,
    pub head_size: u32,
    pub model_context_length: u32,
    pub vocab_size: u32,
    pub file_bytes: u64,
    pub weights: Vec<FfiWeights>,
    pub tokenizer: String,
    pub has_chat_template: bool,
    pub tuned: bool,
    pub kernels: String,
    pub threads: u32,
    pub context_length: u32,
    pub private_bytes: u64,
    pub copied_bytes: u64,
    pub mapped_bytes: u64,
    pub available_bytes: Option<u64>,
    pub fits: bool,
}

impl From<ModelReport> for FfiModelReport {
    fn from(report: ModelReport) -> Self {
        let ModelReport {
            name,
            architecture,
            parameters,
            layers,
            hidden_size,
            feed_forward_size,
            heads,
            kv_heads,
            head_size,
            model_context_length,
            vocab_size,
            file_bytes,
            weights,
            tokenizer,
            has_chat_template,
            tuned,
            kernels,
            threads,
            context_length,
            private_bytes,
            copied_bytes,
            mapped_bytes,
            available_bytes,
            fits,
        } = report;
        Self {
            name,
            architecture,
            parameters,
            layers: layers as u32,
            hidden_size: hidden_size as u32,
            feed_forward_size: feed_forward_size as u32,
            heads: heads as u32,
            kv_heads: kv_heads as u32,
            head_size: head_size as u32,
            model_context_length: model_context_length as u32,
            vocab_size: vocab_size as u32,
            file_bytes,
            weights: weights.into_iter().map(Into::into).collect(),
            tokenizer,
            has_chat_template,
            tuned,
            kernels,
            threads: threads as u32,
            context_length: context_length as u32,
            private_bytes,
            copied_bytes,
            mapped_bytes,
            available_bytes,
            fits,
        }
    }
}

/// Mirror of [`FileKind`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiFileKind {
    Model,
    Adapter,
    Projector,
    Embedding,
    Vocabulary,
    Draft,
    Image,
    Speech,
    Data,
}

impl From<FileKind> for FfiFileKind {
    fn from(kind: FileKind) -> Self {
        match kind {
            FileKind::Model => Self::Model,
            FileKind::Adapter => Self::Adapter,
            FileKind::Projector => Self::Projector,
            FileKind::Embedding => Self::Embedding,
            FileKind::Vocabulary => Self::Vocabulary,
            FileKind::Draft => Self::Draft,
            FileKind::Image => Self::Image,
            FileKind::Speech => Self::Speech,
            _ => Self::Data,
        }
    }
}

/// Mirror of [`ContextMemory`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiContextMemory {
    pub context_length: u32,
    pub cache_bytes: u64,
    pub private_bytes: u64,
    pub fits: bool,
}

impl From<ContextMemory> for FfiContextMemory {
    fn from(ContextMemory { context_length, cache_bytes, private_bytes, fits }: ContextMemory) -> Self {
        Self { context_length: context_length as u32, cache_bytes, private_bytes, fits }
    }
}

/// Mirror of [`Fit`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiFit {
    Fits,
    Tight,
    TooLarge,
    Unsupported,
}

impl From<Fit> for FfiFit {
    fn from(fit: Fit) -> Self {
        match fit {
            Fit::Fits => Self::Fits,
            Fit::Tight => Self::Tight,
            Fit::TooLarge => Self::TooLarge,
            Fit::Unsupported => Self::Unsupported,
        }
    }
}

/// Mirror of [`FileReport`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiFileReport {
    pub kind: FfiFileKind,
    pub fit: FfiFit,
    pub why_not: Option<String>,
    pub warnings: Vec<String>,
    pub name: Option<String>,
    pub architecture: Option<String>,
    pub adapter_rank: Option<u32>,
    pub parameters: u64,
    pub files: u32,
    pub file_bytes: u64,
    pub packed: bool,
    pub weights: Vec<FfiWeights>,
    pub tokenizer: String,
    pub vocab_size: Option<u32>,
    pub has_chat_template: bool,
    pub tuned: bool,
    pub context_length: Option<u32>,
    pub mapped_bytes: u64,
    pub copied_bytes: u64,
    pub contexts: Vec<FfiContextMemory>,
    pub available_bytes: Option<u64>,
}

impl From<FileReport> for FfiFileReport {
    fn from(report: FileReport) -> Self {
        let FileReport {
            kind,
            fit,
            why_not,
            warnings,
            name,
            architecture,
            adapter_rank,
            parameters,
            files,
            file_bytes,
            packed,
            weights,
            tokenizer,
            vocab_size,
            has_chat_template,
            tuned,
            context_length,
            mapped_bytes,
            copied_bytes,
            contexts,
            available_bytes,
        } = report;
        Self {
            kind: kind.into(),
            fit: fit.into(),
            why_not,
            warnings,
            name,
            architecture,
            adapter_rank: adapter_rank.map(|rank| rank as u32),
            parameters,
            files: files as u32,
            file_bytes,
            packed,
            weights: weights.into_iter().map(Into::into).collect(),
            tokenizer,
            vocab_size: vocab_size.map(|size| size as u32),
            has_chat_template,
            tuned,
            context_length: context_length.map(|length| length as u32),
            mapped_bytes,
            copied_bytes,
            contexts: contexts.into_iter().map(Into::into).collect(),
            available_bytes,
        }
    }
}
