//! What is shared by everything that uses one loaded model.

use std::sync::{Arc, OnceLock};

use sotto_engine::{Batch, Decoder, DecoderOptions, KvType, Model};
use sotto_text::{ChatTemplate, ConstraintFactory, Message, RenderedPrompt, Tokenizer};

use crate::Error;
use crate::file_facts::FileFacts;
use crate::kept::{KeptSequence, MOST_TOKENS};
use crate::priors::Priors;
use crate::sequence::Sequence;
use crate::tuning::TaskTuning;

/// All of it is shared or small: a clone with other adapters is the same model.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub engine: Model,
    /// What it computes with, each with its scale.
    pub adapters: Arc<[(sotto_engine::Adapter, f32)]>,
    pub tokenizer: Tokenizer,
    /// An error where the file's cannot be read: that is in the way of conversations and tasks alone.
    pub template: Result<ChatTemplate, Error>,
    /// What the tasks go by: that of an adapter, or the model's own.
    pub tuning: TaskTuning,
    /// The model's own.
    pub own_tuning: TaskTuning,
    pub file: Arc<FileFacts>,
    pub kv_type: KvType,
    /// Holds the beginning of a summary's prompt.
    pub kept: Arc<KeptSequence>,
    /// What the model thinks of labels whatever the text says.
    pub priors: Arc<Priors>,
    context_limit: usize,
    constraints: Arc<OnceLock<Result<ConstraintFactory, Error>>>,
}

impl Loaded {
    /// A model without adapters, as it was loaded.
    pub(crate) fn new(
        engine: Model,
        tokenizer: Tokenizer,
        template: Result<ChatTemplate, Error>,
        tuning: TaskTuning,
        file: FileFacts,
        kv_type: KvType,
        context_limit: usize,
    ) -> Self {
        Self {
            engine,
            adapters: Arc::new([]),
            tokenizer,
            template,
            tuning,
            own_tuning: tuning,
            file: Arc::new(file),
            kv_type,
            kept: Arc::default(),
            priors: Arc::default(),
            context_limit,
            constraints: Arc::default(),
        }
    }

    pub(crate) fn context_limit(&self) -> usize {
        self.context_limit
    }

    /// The token that a text on its own begins with, for models that want one.
    pub(crate) fn leading_bos(&self) -> Option<u32> {
        self.tokenizer.bos().filter(|_| self.tokenizer.add_bos())
    }

    /// Refuses a text that the context cannot hold whatever its tokens are: to make them would take long.
    pub(crate) fn refuse_far_too_long(&self, bytes: usize) -> Result<(), Error> {
        match self.tokenizer.fewest_tokens(bytes) {
            needed if needed > self.context_limit => Err(Error::ContextFull { limit: self.context_limit, needed }),
            _ => Ok(()),
        }
    }

    /// The prompt of a conversation.
    pub(crate) fn prompt(&self, messages: &[Message], add_generation_prompt: bool) -> Result<Vec<u32>, Error> {
        self.refuse_far_too_long(messages.iter().map(|message| message.content.len()).sum())?;
        Ok(self.tokenizer.encode_prompt(&self.render(messages, add_generation_prompt)?)?)
    }

    pub(crate) fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<RenderedPrompt, Error> {
        let template = self.template.as_ref().map_err(Clone::clone)?;
        Ok(template.render(messages, add_generation_prompt)?)
    }

    /// A decoder that holds up to `tokens` tokens.
    pub(crate) fn decoder(&self, tokens: usize) -> Result<Box<dyn Decoder>, Error> {
        let options = DecoderOptions { context_length: Some(tokens), kv_type: self.kv_type };
        let mut decoder = self.engine.decoder(options)?;
        decoder.set_adapters(&self.adapters)?;
        Ok(decoder)
    }

    /// Sequences that decode together, each of up to `tokens` tokens.
    pub(crate) fn batch(&self, sequences: usize, tokens: usize) -> Result<Batch, Error> {
        let options = DecoderOptions { context_length: Some(tokens), kv_type: self.kv_type };
        let mut batch = self.engine.batch(sequences, options)?;
        batch.set_adapters(&self.adapters)?;
        Ok(batch)
    }

    /// A sequence for at least `needed` tokens: the one that was kept, if it is large enough, or a new one. The instructions of
    /// tuned models are so short that nothing is kept for them.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn take_sequence(&self, needed: usize) -> Result<Sequence, Error> {
        if self.tuning.tuned || needed > MOST_TOKENS {
            return Ok(Sequence::new(self.decoder(needed)?));
        }
        match self.kept.take() {
            Some(kept) => Ok(kept),
            None => Ok(Sequence::new(self.decoder(MOST_TOKENS.min(self.context_limit))?)),
        }
    }

    /// Keeps the sequence of a request that has ended, for the next one.
    pub(crate) fn keep_sequence(&self, sequence: Sequence) {
        if !self.tuning.tuned && sequence.context_length() <= MOST_TOKENS {
            self.kept.put(sequence);
        }
    }

    /// What turns grammars into token masks; built at first use, since that takes a while for a large vocabulary.
    pub(crate) fn constraints(&self) -> Result<&ConstraintFactory, Error> {
        self.constraints
            .get_or_init(|| ConstraintFactory::new(&self.tokenizer).map_err(Error::from))
            .as_ref()
            .map_err(Clone::clone)
    }
}
