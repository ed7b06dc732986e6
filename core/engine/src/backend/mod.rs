//! A model, whoever computes it: Sotto's own forward pass, or candle's.

#[cfg_attr(not(feature = "candle"), path = "candle_left_out.rs")]
mod candle;
mod found;

use std::fmt;
use std::sync::Arc;

use sotto_kernels::{Kernels, OVERRIDE};

use crate::model::{Adapter, Transformer};
use crate::sequence::{Batch, Scheduler, SottoDecoder};
use crate::threads::Pool;
use crate::{
    CancelToken, Ceilings, Decoder, EngineError, GgufFile, KvType, MemoryEstimate, ModelConfig, Priority, TokenCost,
};
use candle::CandleModel;
pub use found::FoundModel;

/// Tokens that a decoder holds when nobody says how many, or the model's own context where that is shorter: enough for a long
/// conversation, and 128 MiB of F16 KV cache in Llama 3.2 1B, whose full 131,072 would take gigabytes.
pub const DEFAULT_CONTEXT_LENGTH: usize = 4096;

/// Who computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// This crate's forward pass: weights stay in the file, if it is packed, and are packed into memory otherwise.
    #[default]
    Sotto,
    /// candle-transformers' models: slower, with a private copy of the weights; an independent check. Only in builds with the
    /// feature `candle`: elsewhere, loading is [`EngineError::Unsupported`].
    Candle,
}

/// How a model is to be run.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelOptions {
    /// Who computes.
    pub backend: Backend,
    /// Threads; `None` for one on each performance core.
    pub threads: Option<usize>,
    /// What multiplies, in this crate's forward pass; `None` for [`Kernels::get`].
    pub kernels: Option<&'static Kernels>,
}

/// How a decoder is to be made.
#[derive(Debug, Clone, Copy, Default)]
pub struct DecoderOptions {
    /// Tokens to hold, at least one; `None` for the model's own context, at most [`DEFAULT_CONTEXT_LENGTH`].
    pub context_length: Option<usize>,
    /// Number format of keys and values.
    pub kv_type: KvType,
    /// Who waits for what is read with it.
    pub priority: Priority,
}

/// A loaded model. Clones share it, and it can be used from any thread; threads that compute start with the first pass.
#[derive(Clone)]
pub struct Model {
    inner: Arc<Inner>,
}

struct Inner {
    config: ModelConfig,
    file: FileBytes,
    pool: Arc<Pool>,
    runtime: Runtime,
}

/// What the weights take, and how.
#[derive(Clone, Copy)]
struct FileBytes {
    mapped: u64,
    copied: u64,
}

impl FileBytes {
    /// A packed file is used as it is, of any other our own engine makes a copy of so many bytes; candle's copies belong to its
    /// decoders.
    fn of(file: &GgufFile, copied: u64) -> Self {
        match (copied, file.is_private()) {
            (0, true) => Self { mapped: 0, copied: file.file_len() },
            (0, false) => Self { mapped: file.file_len(), copied: 0 },
            (copied, _) => Self { mapped: 0, copied },
        }
    }

    fn with(self, private_bytes: u64, cache_bytes: u64) -> MemoryEstimate {
        MemoryEstimate { mapped_bytes: self.mapped, copied_bytes: self.copied, private_bytes, cache_bytes }
    }
}

impl Transformer {
    fn memory(&self, file: FileBytes, kv_type: KvType, tokens: usize) -> Result<MemoryEstimate, EngineError> {
        Ok(file.with(self.private_bytes(kv_type, tokens)?, self.cache_bytes(kv_type, tokens)?))
    }
}

/// The model as its backend holds it.
enum Runtime {
    Sotto(Arc<Scheduler>),
    Candle(Box<CandleModel>),
}

impl Model {
    /// As [`Model::load_cancellable`], for those who have nothing to cancel it with.
    ///
    /// # Errors
    /// As there, but for being cancelled.
    pub fn load(file: Arc<GgufFile>, options: ModelOptions) -> Result<Self, EngineError> {
        Self::load_cancellable(file, options, &CancelToken::new())
    }

    /// Finds the model in a file, and checks its shape and every tensor's. Weights that are not packed yet are packed now, which
    /// takes a second or two for a billion of them.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] and [`EngineError::Unsupported`], naming the key or tensor; [`EngineError::OutOfMemory`] when the
    /// weights have to be packed and there is no room for them; [`EngineError::Cancelled`].
    pub fn load_cancellable(
        file: Arc<GgufFile>,
        options: ModelOptions,
        cancel: &CancelToken,
    ) -> Result<Self, EngineError> {
        FoundModel::in_file(&file, options)?.load(cancel)
    }

    /// The model's shape.
    pub fn config(&self) -> &ModelConfig {
        &self.inner.config
    }

    /// Loads an adapter (LoRA) for this model, which decoders can compute with from then on. The file is not needed any more
    /// afterwards.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for an adapter of another model, or one that is damaged or incomplete;
    /// [`EngineError::Unsupported`] for a file that is none, for other kinds of adapters, and in candle's models;
    /// [`EngineError::OutOfMemory`]; [`EngineError::Cancelled`].
    pub fn load_adapter(&self, file: &GgufFile, cancel: &CancelToken) -> Result<Adapter, EngineError> {
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => Adapter::load(file, scheduler.model(), cancel),
            Runtime::Candle(_) => {
                Err(EngineError::unsupported("adapters in the candle backend: use Sotto's own engine"))
            }
        }
    }

    /// The model's weights, and what computes with them: for passes of another kind than a decoder's.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for candle's models.
    pub fn transformer(&self) -> Result<&Arc<Transformer>, EngineError> {
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => Ok(scheduler.model()),
            Runtime::Candle(_) => Err(EngineError::unsupported("training candle's models: use Sotto's own engine")),
        }
    }

    /// Whether an adapter was loaded for this model.
    pub fn has_loaded(&self, adapter: &Adapter) -> bool {
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => adapter.is_of(scheduler.model()),
            Runtime::Candle(_) => false,
        }
    }

    /// Starts a sequence.
    ///
    /// # Errors
    /// [`EngineError::ContextFull`] for a context longer than the model's own (or 4,096, in candle's Llama); [`EngineError::OutOfMemory`] when the whole
    /// context would not fit into the memory that the system has available now.
    pub fn decoder(&self, options: DecoderOptions) -> Result<Box<dyn Decoder>, EngineError> {
        let context_length = self.context_length(options.context_length)?;
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => {
                Ok(Box::new(SottoDecoder::new(Batch::new(scheduler, 1, context_length, &options)?)))
            }
            Runtime::Candle(model) => model.decoder(context_length),
        }
    }

    /// Starts several sequences that decode together.
    ///
    /// # Errors
    /// As for [`Model::decoder`], and [`EngineError::Unsupported`] for no sequence, more than [`Batch::MAX_SEQUENCES`], and
    /// candle's models.
    pub fn batch(&self, sequences: usize, options: DecoderOptions) -> Result<Batch, EngineError> {
        let context_length = self.context_length(options.context_length)?;
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => Batch::new(scheduler, sequences, context_length, &options),
            Runtime::Candle(_) => Err(EngineError::unsupported("batches of sequences in the candle backend")),
        }
    }

    /// The longest context of a decoder: the model's own or, in candle's Llama, 4,096 at most.
    pub fn longest_context(&self) -> usize {
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => scheduler.model().config.context_length,
            Runtime::Candle(model) => model.longest_context(),
        }
    }

    fn context_length(&self, wanted: Option<usize>) -> Result<usize, EngineError> {
        let limit = self.longest_context();
        match wanted {
            None => Ok(limit.min(DEFAULT_CONTEXT_LENGTH)),
            Some(needed) if needed > limit => Err(EngineError::ContextFull { limit, needed }),
            Some(needed) => Ok(needed.max(1)),
        }
    }

    /// Memory of the model and one decoder with a full context of `context_length` tokens (of the type F32 in candle's
    /// models, which know no other). The weights of a packed file are mapped, those of any other are copied.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] when the model's heads do not fit `kv_type`.
    pub fn memory(&self, context_length: usize, kv_type: KvType) -> Result<MemoryEstimate, EngineError> {
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => scheduler.model().memory(self.inner.file, kv_type, context_length),
            Runtime::Candle(model) => Ok(model.memory(self.inner.file, context_length)),
        }
    }

    /// What one token costs; `None` in candle's models.
    pub fn token_cost(&self) -> Option<TokenCost> {
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => Some(scheduler.model().token_cost()),
            Runtime::Candle(_) => None,
        }
    }

    /// Measures what this machine can do at most with the model's threads and weights, in about two seconds; `None` in
    /// candle's models.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`].
    pub fn ceilings(&self, cancel: &CancelToken) -> Result<Option<Ceilings>, EngineError> {
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => scheduler.model().ceilings(cancel).map(Some),
            Runtime::Candle(_) => Ok(None),
        }
    }

    /// Bytes of the file that stay mapped: clean pages, which the system can take back at any time.
    pub fn mapped_bytes(&self) -> u64 {
        self.inner.file.mapped
    }

    /// What multiplies: the instruction set of our own kernels, or `candle`.
    pub fn kernels(&self) -> &'static str {
        match &self.inner.runtime {
            Runtime::Sotto(scheduler) => scheduler.model().kernels.name(),
            Runtime::Candle(_) => "candle",
        }
    }

    /// Gives back the memory of the buffers that passes share, unless one runs. The next pass takes it again.
    pub fn trim(&self) {
        if let Runtime::Sotto(scheduler) = &self.inner.runtime {
            scheduler.trim();
        }
    }

    /// Threads that compute.
    pub fn threads(&self) -> usize {
        self.inner.pool.threads()
    }
}

/// Those for this CPU. Whoever asks it for others in vain, is told.
fn default_kernels() -> &'static Kernels {
    let kernels = Kernels::get();
    if std::env::var(OVERRIDE).is_ok_and(|wanted| wanted != kernels.name()) {
        log::warn!("{OVERRIDE} names no kernels that this CPU has: using {}", kernels.name());
    }
    kernels
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("config", &self.inner.config).finish_non_exhaustive()
    }
}
