//! The parts of a loaded model that everything shares.

use std::sync::{Arc, OnceLock};

use sotto_engine::{Batch, Decoder, DecoderOptions, KvType, Model, Priority};
use sotto_text::{ChatTemplate, ConstraintFactory, Message, RenderedPrompt, Tokenizer, ToolSpec};

use crate::Error;
#[cfg(feature = "personal")]
use crate::embedding::Mark;
use crate::file_facts::FileFacts;
use crate::prefixes::{PrefixCache, Prefixes};
use crate::priors::Priors;
use crate::sequence::Sequence;
use crate::tuning::TaskTuning;

/// All parts are shared or small, so a clone with other adapters is cheap.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub engine: Model,
    /// The active adapters, each with its scale.
    pub adapters: Arc<[(sotto_engine::Adapter, f32)]>,
    pub tokenizer: Tokenizer,
    /// An error if the file's template cannot be read. Only conversations and tasks need it.
    pub template: Result<ChatTemplate, Error>,
    /// The tuning that tasks use: an adapter's, or the model's own.
    pub tuning: TaskTuning,
    /// The model's own tuning.
    pub own_tuning: TaskTuning,
    pub file: Arc<FileFacts>,
    pub kv_type: KvType,
    /// Who waits for what is asked of this handle.
    pub priority: Priority,
    /// The beginnings of prompts, with all adapters.
    pub prefix_cache: Arc<PrefixCache>,
    /// The model's bias towards labels.
    pub priors: Arc<Priors>,
    /// The name of its vectors.
    #[cfg(feature = "personal")]
    pub mark: Mark,
    context_limit: usize,
    constraints: Arc<OnceLock<Result<ConstraintFactory, Error>>>,
}

impl Loaded {
    /// A loaded model without adapters.
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
            priority: Priority::default(),
            prefix_cache: Arc::default(),
            priors: Arc::default(),
            #[cfg(feature = "personal")]
            mark: Mark::default(),
            context_limit,
            constraints: Arc::default(),
        }
    }

    /// The same with other adapters and tuning. What is known of its answers belongs to the unchanged weights, and is not taken over.
    pub(crate) fn adapted(&self, adapters: Arc<[(sotto_engine::Adapter, f32)]>, tuning: TaskTuning) -> Self {
        Self {
            adapters,
            tuning,
            priors: Arc::default(),
            #[cfg(feature = "personal")]
            mark: Mark::default(),
            ..self.clone()
        }
    }

    /// The same for requests of this priority.
    pub(crate) fn with_priority(&self, priority: Priority) -> Self {
        Self { priority, ..self.clone() }
    }

    pub(crate) fn context_limit(&self) -> usize {
        self.context_limit
    }

    /// The beginning-of-text token for plain text, if the model uses one.
    pub(crate) fn leading_bos(&self) -> Option<u32> {
        self.tokenizer.bos().filter(|_| self.tokenizer.add_bos())
    }

    /// Rejects a text that cannot fit into the context, before it is tokenized, which would take long.
    pub(crate) fn refuse_far_too_long(&self, bytes: usize) -> Result<(), Error> {
        match self.tokenizer.fewest_tokens(bytes) {
            needed if needed > self.context_limit => Err(Error::ContextFull { limit: self.context_limit, needed }),
            _ => Ok(()),
        }
    }

    /// The prompt of a conversation.
    pub(crate) fn prompt(&self, messages: &[Message], add_generation_prompt: bool) -> Result<Vec<u32>, Error> {
        self.prompt_with_tools(messages, &[], add_generation_prompt)
    }

    /// The prompt of a conversation in which the model may call these tools.
    pub(crate) fn prompt_with_tools(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
        add_generation_prompt: bool,
    ) -> Result<Vec<u32>, Error> {
        self.refuse_far_too_long(messages.iter().map(|message| message.content.len()).sum())?;
        let prompt = self.template()?.render_with_tools(messages, tools, add_generation_prompt)?;
        Ok(self.tokenizer.encode_prompt(&prompt)?)
    }

    pub(crate) fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<RenderedPrompt, Error> {
        Ok(self.template()?.render(messages, add_generation_prompt)?)
    }

    /// The chat template, where it can be read.
    pub(crate) fn template(&self) -> Result<&ChatTemplate, Error> {
        self.template.as_ref().map_err(Clone::clone)
    }

    /// A decoder for up to `tokens` tokens.
    pub(crate) fn decoder(&self, tokens: usize) -> Result<Box<dyn Decoder>, Error> {
        let options = DecoderOptions { context_length: Some(tokens), kv_type: self.kv_type, priority: self.priority };
        let mut decoder = self.engine.decoder(options)?;
        decoder.set_adapters(&self.adapters)?;
        Ok(decoder)
    }

    /// A batch of sequences of up to `tokens` tokens each.
    pub(crate) fn batch(&self, sequences: usize, tokens: usize) -> Result<Batch, Error> {
        let options = DecoderOptions { context_length: Some(tokens), kv_type: self.kv_type, priority: self.priority };
        let mut batch = self.engine.batch(sequences, options)?;
        batch.set_adapters(&self.adapters)?;
        Ok(batch)
    }

    /// A sequence of up to `tokens` tokens.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn sequence(&self, tokens: usize) -> Result<Sequence, Error> {
        Ok(Sequence::new(self.decoder(tokens)?, self.prefixes()))
    }

    /// What was read with the active adapters.
    pub(crate) fn prefixes(&self) -> Prefixes {
        Prefixes::new(&self.prefix_cache, &self.adapters)
    }

    /// Turns grammars into token masks. Built at first use, because that takes a while for a large vocabulary.
    pub(crate) fn constraints(&self) -> Result<&ConstraintFactory, Error> {
        self.constraints
            .get_or_init(|| ConstraintFactory::new(&self.tokenizer).map_err(Error::from))
            .as_ref()
            .map_err(Clone::clone)
    }
}
