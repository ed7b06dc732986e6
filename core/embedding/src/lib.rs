//! Texts become vectors: BERT models of the sentence-transformers kind, on Sotto's kernels and threads.
//!
//! [`EmbeddingModel`] reads a model's folder and is shared. The vectors of two texts are the more alike, the more the texts have in
//! common: their dot product is 1 for equal texts, and around 0 for unrelated ones.
//!
//! ```no_run
//! # fn main() -> Result<(), sotto_engine::EngineError> {
//! use sotto_embedding::{EmbeddingModel, EmbeddingOptions};
//! use sotto_engine::CancelToken;
//!
//! let cancel = CancelToken::new();
//! let model = EmbeddingModel::load("all-MiniLM-L6-v2", EmbeddingOptions::default(), &cancel)?;
//! let embeddings = model.embed(&["Buy milk.", "We need milk."], &cancel)?;
//! assert_eq!(embeddings[0].values.len(), model.dimensions());
//! # Ok(())
//! # }
//! ```

mod config;
mod encoder;
#[cfg(test)]
mod golden;
mod model;
mod pooling;
#[cfg(test)]
mod small_model;
mod tokenizer;
mod weights;

pub use model::{Embedding, EmbeddingMemory, EmbeddingModel, EmbeddingOptions};
