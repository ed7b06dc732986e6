//! What goes in.

use sotto_sdk::{
    Backend, ChatOptions, KvType, Label, LoadOptions, ModelFile, OutputFormat, Priority, SamplingOptions,
    SummaryOptions,
};

use crate::FfiError;

/// Mirror of [`ModelFile`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiModelFile {
    Path { path: String },
    Descriptor { descriptor: i32, offset: u64, len: Option<u64> },
}

impl From<FfiModelFile> for ModelFile {
    fn from(file: FfiModelFile) -> Self {
        match file {
            FfiModelFile::Path { path } => Self::path(path),
            FfiModelFile::Descriptor { descriptor, offset, len } => Self::descriptor(descriptor, offset, len),
        }
    }
}

/// Mirror of [`Backend`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiBackend {
    Sotto,
    Candle,
}

/// Mirror of [`KvType`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiKvType {
    F16,
    F32,
    Q8,
}

/// Mirror of [`Priority`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiPriority {
    Background,
    Foreground,
}

impl From<FfiPriority> for Priority {
    fn from(priority: FfiPriority) -> Self {
        match priority {
            FfiPriority::Background => Self::Background,
            FfiPriority::Foreground => Self::Foreground,
        }
    }
}

/// Mirror of [`LoadOptions`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiLoadOptions {
    pub backend: FfiBackend,
    pub threads: Option<u32>,
    pub cache_folder: Option<String>,
    pub delete_source_after_packing: bool,
    pub context_length: Option<u32>,
    pub kv_type: FfiKvType,
}

impl From<FfiLoadOptions> for LoadOptions {
    fn from(options: FfiLoadOptions) -> Self {
        let FfiLoadOptions { backend, threads, cache_folder, delete_source_after_packing, context_length, kv_type } =
            options;
        Self {
            backend: match backend {
                FfiBackend::Sotto => Backend::Sotto,
                FfiBackend::Candle => Backend::Candle,
            },
            threads: threads.map(|threads| threads as usize),
            cache_folder: cache_folder.map(Into::into),
            delete_source_after_packing,
            context_length: context_length.map(|length| length as usize),
            kv_type: match kv_type {
                FfiKvType::F16 => KvType::F16,
                FfiKvType::F32 => KvType::F32,
                FfiKvType::Q8 => KvType::Q8_0,
            },
            // A choice for tests and measurements: apps get the fastest.
            kernels: None,
        }
    }
}

/// Mirror of [`SummaryOptions`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiSummaryOptions {
    pub language: Option<String>,
    pub max_points: u32,
    pub max_actions: Option<u32>,
}

impl From<FfiSummaryOptions> for SummaryOptions {
    fn from(FfiSummaryOptions { language, max_points, max_actions }: FfiSummaryOptions) -> Self {
        Self { language, max_points: max_points as usize, max_actions: max_actions.map(|most| most as usize) }
    }
}

/// Mirror of [`SamplingOptions`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiSampling {
    pub temperature: f32,
    pub top_k: Option<u32>,
    pub top_p: Option<f32>,
    pub min_p: Option<f32>,
    pub repetition_penalty: f32,
    pub repetition_window: u32,
    pub seed: u64,
}

impl From<FfiSampling> for SamplingOptions {
    fn from(sampling: FfiSampling) -> Self {
        let FfiSampling { temperature, top_k, top_p, min_p, repetition_penalty, repetition_window, seed } = sampling;
        Self {
            temperature,
            top_k: top_k.map(|count| count as usize),
            top_p,
            min_p,
            repetition_penalty,
            repetition_window: repetition_window as usize,
            seed,
        }
    }
}

/// Mirror of [`OutputFormat`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiFormat {
    JsonSchema { schema: String },
    Choice { choices: Vec<String> },
    Regex { regex: String },
    Lark { grammar: String },
}

impl TryFrom<FfiFormat> for OutputFormat {
    type Error = FfiError;

    fn try_from(format: FfiFormat) -> Result<Self, FfiError> {
        Ok(match format {
            FfiFormat::JsonSchema { schema } => Self::JsonSchema(parse_schema(&schema)?),
            FfiFormat::Choice { choices } => Self::Choice(choices),
            FfiFormat::Regex { regex } => Self::Regex(regex),
            FfiFormat::Lark { grammar } => Self::Lark(grammar),
        })
    }
}

/// Mirror of [`ChatOptions`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiChatOptions {
    pub sampling: FfiSampling,
    pub max_tokens: u32,
    pub format: Option<FfiFormat>,
}

impl TryFrom<FfiChatOptions> for ChatOptions {
    type Error = FfiError;

    fn try_from(FfiChatOptions { sampling, max_tokens, format }: FfiChatOptions) -> Result<Self, FfiError> {
        Ok(Self {
            sampling: sampling.into(),
            max_tokens: max_tokens as usize,
            format: format.map(TryInto::try_into).transpose()?,
        })
    }
}

/// Mirror of [`Label`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiLabel {
    pub name: String,
    pub description: Option<String>,
}

impl From<FfiLabel> for Label {
    fn from(FfiLabel { name, description }: FfiLabel) -> Self {
        Self { name, description }
    }
}

/// A JSON schema. Errors only name the position, because the schema may contain the user's words.
pub(crate) fn parse_schema(text: &str) -> Result<serde_json::Value, FfiError> {
    serde_json::from_str(text).map_err(|error| FfiError::InvalidInput {
        what: format!("the schema is not JSON: line {}, column {}", error.line(), error.column()),
    })
}
