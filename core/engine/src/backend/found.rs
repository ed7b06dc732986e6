use std::sync::Arc;

use super::candle::CandleModel;
use super::{Backend, FileBytes, Inner, Model, Runtime, default_kernels};
use crate::model::{Transformer, WeightMatrix, Weights};
use crate::sequence::Scheduler;
use crate::threads::Pool;
use crate::{CancelToken, EngineError, GgufFile, KvType, MemoryEstimate, ModelConfig, ModelOptions};

/// A model found in a file. It has passed all checks of loading, but no matrix has been read or packed yet.
pub struct FoundModel {
    config: ModelConfig,
    file: FileBytes,
    is_packed: bool,
    pool: Arc<Pool>,
    runtime: Unpacked,
}

/// The model as its backend holds it, before its weights are packed.
enum Unpacked {
    Sotto(Box<Transformer>),
    Candle(Box<CandleModel>),
}

impl FoundModel {
    /// Finds the model, and checks its shape and every tensor's.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] and [`EngineError::Unsupported`], naming the key or tensor.
    pub fn in_file(file: &GgufFile, options: ModelOptions) -> Result<Self, EngineError> {
        let config = ModelConfig::from_gguf(file)?;
        let pool = Arc::new(Pool::new(options.threads));
        let runtime = match options.backend {
            Backend::Sotto => Unpacked::Sotto(Box::new(Transformer {
                weights: Weights::find(file, &config)?,
                kernels: options.kernels.unwrap_or_else(default_kernels),
                pool: Arc::clone(&pool),
                config: config.clone(),
            })),
            Backend::Candle => Unpacked::Candle(Box::new(CandleModel::new(file, config.clone())?)),
        };
        let copied = match &runtime {
            Unpacked::Sotto(model) if !file.is_packed() => model.weights.matrices().map(WeightMatrix::packed_len).sum(),
            _ => 0,
        };
        let bytes = FileBytes::of(file, copied as u64);
        Ok(Self { config, file: bytes, is_packed: file.is_packed(), pool, runtime })
    }

    /// The model's shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Like [`Model::memory`], but before loading.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] when the model's heads do not fit `kv_type`.
    pub fn memory(&self, context_length: usize, kv_type: KvType) -> Result<MemoryEstimate, EngineError> {
        match &self.runtime {
            Unpacked::Sotto(model) => model.memory(self.file, kv_type, context_length),
            Unpacked::Candle(model) => Ok(model.memory(self.file, context_length)),
        }
    }

    /// Like [`Model::longest_context`], but before loading.
    pub fn longest_context(&self) -> usize {
        match &self.runtime {
            Unpacked::Sotto(model) => model.config.context_length,
            Unpacked::Candle(model) => model.longest_context(),
        }
    }

    /// Packs the weights, unless they are packed already.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`] and [`EngineError::Cancelled`].
    pub fn load(self, cancel: &CancelToken) -> Result<Model, EngineError> {
        let Self { config, file, is_packed, pool, runtime } = self;
        let runtime = match runtime {
            Unpacked::Sotto(mut model) => {
                if !is_packed {
                    model.weights.pack(config.tied_embeddings, cancel)?;
                }
                Runtime::Sotto(Arc::new(Scheduler::new(Arc::from(model))))
            }
            Unpacked::Candle(model) => Runtime::Candle(model),
        };
        let model = Model { inner: Arc::new(Inner { config, file, pool, runtime }) };
        log::info!("{} layers, {} threads, kernels: {}", model.config().num_layers, model.threads(), model.kernels());
        Ok(model)
    }
}
