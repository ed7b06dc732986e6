//! A model file becomes next-token logits.
//!
//! [`GgufFile`] maps and checks a file, [`Model`] finds a model in it, and a [`Decoder`] reads tokens and answers with
//! logits. Weights stay in the mapped file and are shared; a decoder owns its key-value cache. Decoders that are used
//! at the same time share passes through the model.
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

mod adapter_file;
mod architecture;
mod backend;
mod cancel;
pub mod compute;
mod error;
mod forward;
mod gguf;
mod machine;
#[cfg(feature = "candle")]
mod merge;
mod model;
mod packed;
mod sequence;
pub mod tensors;
mod threads;

pub use adapter_file::{AdapterTensor, write_adapter};
pub use architecture::{FileKind, ModelConfig, RopeScaling};
pub use backend::{Backend, DEFAULT_CONTEXT_LENGTH, DecoderOptions, FoundModel, Model, ModelOptions};
pub use cancel::CancelToken;
pub use error::EngineError;
pub use forward::{KvType, Prefix};
pub use gguf::{DType, FilePart, GgufFile, Metadata, TensorView};
pub use machine::{MemoryEstimate, ProcessMemory, available_memory, process_memory};
#[cfg(feature = "candle")]
pub use merge::{MergedTensor, merge_file};
pub use model::{Adapter, Ceilings, TokenCost};
pub use packed::{Replacement, delete_packed_source, open_copy_of_deleted, open_packed, pack_file};
pub use sequence::{Append, Batch, Decoder, LogitRows, Priority};
pub use sotto_kernels::Kernels;
pub use threads::prefer_fast_cores;
