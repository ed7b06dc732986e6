//! Embedding models, and what they make of texts.

use std::convert::Infallible;

use sotto_sdk::{Embedder, Embedding, EmbeddingMemory, EmbeddingOptions, Job};

use crate::jobs::job;
use crate::{FfiError, FfiModel, FfiModelFile};

/// Mirror of [`Embedding`]. The numbers are little-endian bytes: each language has numbers of its own, and boxes them in lists.
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiEmbedding {
    pub values: Vec<u8>,
    pub tokens: u32,
    pub truncated: bool,
}

impl From<Embedding> for FfiEmbedding {
    fn from(Embedding { values, tokens, truncated }: Embedding) -> Self {
        Self { values: values.into_iter().flat_map(f32::to_le_bytes).collect(), tokens: tokens as u32, truncated }
    }
}

/// What [`Embedder::embed_all`] gives.
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "they are what the type says")]
pub struct FfiEmbeddings {
    pub all: Vec<FfiEmbedding>,
}

impl From<Vec<Embedding>> for FfiEmbeddings {
    fn from(embeddings: Vec<Embedding>) -> Self {
        Self { all: embeddings.into_iter().map(Into::into).collect() }
    }
}

/// Mirror of [`EmbeddingMemory`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiEmbeddingMemory {
    pub weights: u64,
    pub pass: u64,
    pub available: Option<u64>,
}

impl From<EmbeddingMemory> for FfiEmbeddingMemory {
    fn from(EmbeddingMemory { weights, pass, available }: EmbeddingMemory) -> Self {
        Self { weights, pass, available }
    }
}

/// [`Embedder::start_loading`].
#[uniffi::export]
pub fn load_embedder(folder: FfiModelFile, threads: Option<u32>) -> Result<FfiLoadEmbedderJob, FfiError> {
    #[cfg(not(test))]
    crate::faults::tell_places_only();
    let options = EmbeddingOptions { threads: threads.map(|threads| threads as usize), ..EmbeddingOptions::default() };
    Ok(Embedder::start_loading(folder.into(), &options).into())
}

/// [`Embedder::memory_of`].
#[uniffi::export]
pub fn embedder_memory_of(folder: FfiModelFile) -> Result<FfiEmbedderMemoryJob, FfiError> {
    #[cfg(not(test))]
    crate::faults::tell_places_only();
    Ok(Embedder::memory_of(folder.into()).into())
}

#[uniffi::export]
impl FfiModel {
    /// [`sotto_sdk::LocalModel::embed`].
    pub fn embed(&self, text: &str) -> Result<FfiEmbedJob, FfiError> {
        Ok(self.0.embed(text).into())
    }
}

/// An [`Embedder`].
#[derive(uniffi::Object)]
pub struct FfiEmbedder(pub(crate) Embedder);

impl From<Embedder> for FfiEmbedder {
    fn from(embedder: Embedder) -> Self {
        Self(embedder)
    }
}

#[uniffi::export]
impl FfiEmbedder {
    /// [`Embedder::embed`].
    pub fn embed(&self, text: String) -> Result<FfiEmbedJob, FfiError> {
        Ok(self.0.embed(&text).into())
    }

    /// [`Embedder::embed_all`].
    pub fn embed_all(&self, texts: Vec<String>) -> Result<FfiEmbedAllJob, FfiError> {
        Ok(self.0.embed_all(texts).into())
    }

    /// [`Embedder::memory`].
    pub fn memory(&self) -> Result<FfiEmbeddingMemory, FfiError> {
        Ok(self.0.memory().into())
    }

    /// [`Embedder::dimensions`].
    pub fn dimensions(&self) -> Result<u32, FfiError> {
        Ok(self.0.dimensions() as u32)
    }

    /// [`Embedder::max_tokens`].
    pub fn max_tokens(&self) -> Result<u32, FfiError> {
        Ok(self.0.max_tokens() as u32)
    }
}

job!(FfiLoadEmbedderJob: Job<Infallible, Embedder>, value: FfiEmbedder);
job!(FfiEmbedderMemoryJob: Job<Infallible, EmbeddingMemory>, value: FfiEmbeddingMemory);
job!(FfiEmbedJob: Job<Infallible, Embedding>, value: FfiEmbedding);
job!(FfiEmbedAllJob: Job<Infallible, Vec<Embedding>>, value: FfiEmbeddings);
