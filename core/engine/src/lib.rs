//! A model file becomes next-token logits.
//!
//! [`GgufFile`] maps and checks a file, [`Model`] finds a model in it, and a [`Decoder`] reads tokens and answers with
//! logits. Weights stay in the mapped file and are shared; a decoder owns its key-value cache and scratch memory.
//!
//! ```no_run
//! # fn main() -> Result<(), sotto_engine::EngineError> {
//! use std::sync::Arc;
//! use sotto_engine::{CancelToken, DecoderOptions, GgufFile, LogitRows, Model, ModelOptions};
//!
//! let file = Arc::new(GgufFile::open("model.gguf")?);
//! let model = Model::load(file, ModelOptions::default())?;
//! let mut decoder = model.decoder(DecoderOptions::default())?;
//! let logits = decoder.forward(&[1, 2, 3], LogitRows::Last, &CancelToken::new())?;
//! assert_eq!(logits.len(), model.config().vocab_size);
//! # Ok(())
//! # }
//! ```

#[cfg(target_vendor = "apple")]
mod apple;
mod batch;
mod cancel;
mod candle_backend;
mod ceilings;
mod config;
mod cores;
mod decoder;
mod dtype;
mod error;
mod file_part;
mod forward;
mod gguf;
mod kv_cache;
mod llama;
mod llama_decoder;
mod memory;
mod model;
mod pack_cache;
mod pool;
mod process_memory;
mod product;
mod rope;
mod scratch;
mod selection;
mod weights;

pub use batch::Batch;
pub use cancel::CancelToken;
pub use ceilings::{Ceilings, TokenCost};
pub use config::{ModelConfig, RopeScaling};
pub use cores::prefer_fast_cores;
pub use decoder::{Decoder, LogitRows};
pub use dtype::DType;
pub use error::EngineError;
pub use file_part::FilePart;
pub use gguf::{GgufFile, Metadata, Replacement, TensorView, pack_file};
pub use kv_cache::KvType;
pub use memory::{MemoryEstimate, available_memory};
pub use model::{Backend, DEFAULT_CONTEXT_LENGTH, DecoderOptions, Model, ModelOptions};
pub use pack_cache::open_packed;
pub use process_memory::{ProcessMemory, process_memory};
pub use sotto_kernels::Kernels;
