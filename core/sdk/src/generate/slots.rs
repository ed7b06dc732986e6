//! Where answers are written: one sequence, or several that decode together.

use std::sync::Arc;

use sotto_engine::{Append, Batch, LogitRows, Prefix};
use sotto_text::Logits;

use crate::loaded::Loaded;
use crate::prefixes::Prefixes;
use crate::sequence::{Prefill, Sequence};
use crate::{CancelToken, Error};

/// If more than this share of the vocabulary is needed, it is cheaper to compute all logits in order.
const MANY: usize = 8;

/// The maximum size of the key-value caches of sequences that decode together, in bytes.
const MOST_CACHE_BYTES: u64 = 256 << 20;

/// What an answer needs next.
pub(crate) struct Pass {
    /// The number of wrong guesses at the end of the sequence.
    pub forget: usize,
    /// The tokens to read then.
    pub tokens: Vec<u32>,
    /// For how many of the last tokens logits are needed.
    pub rows: usize,
    /// The tokens of the vocabulary to compute logits for, in order; `None` for all.
    pub ids: Option<Vec<u32>>,
}

/// Logits after consecutive tokens: for the next token, and for the token after each guess.
pub(crate) struct Rows {
    /// The tokens that they belong to; `None` for the whole vocabulary.
    ids: Option<Arc<[u32]>>,
    logits: Vec<f32>,
}

impl Rows {
    /// All logits, row after row.
    pub(crate) fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// The logits after a prompt.
    pub(crate) fn behind(prefill: &mut Prefill) -> Self {
        Self { ids: None, logits: std::mem::take(&mut prefill.logits) }
    }

    pub(crate) fn row(&self, index: usize, model: &Loaded) -> Logits<'_> {
        let width = self.ids.as_ref().map_or(model.engine.config().vocab_size, |ids| ids.len());
        let row = &self.logits[index * width..][..width];
        match &self.ids {
            Some(ids) => Logits::Of(ids, row),
            // An embedding may have more rows than there are tokens.
            None => Logits::All(&row[..model.tokenizer.trained_tokens()]),
        }
    }
}

/// Sequences of one model, each of which holds a prompt and the answer so far.
pub(crate) trait Slots {
    /// How many answers can be written at a time.
    fn count(&self) -> usize;

    /// Like [`Sequence::set`], for some slots, in ascending order of slots.
    fn set(&mut self, prompts: &[(usize, &[u32])], cancel: &CancelToken) -> Result<Vec<Prefill>, Error>;

    /// Like [`Sequence::keep`], for one slot.
    fn keep(&self, slot: usize, length: usize);

    /// Computes what some slots need, in ascending order of slots.
    fn read(&mut self, passes: &[(usize, &Pass)], cancel: &CancelToken) -> Result<Vec<Rows>, Error>;

    /// How many tokens of an answer are worth reading in one pass: [`sotto_engine::Decoder::tokens_at_once`].
    fn tokens_at_once(&self) -> usize;

    /// Bytes of private memory of all slots.
    fn private_bytes(&self) -> u64;
}

impl Slots for Sequence {
    fn count(&self) -> usize {
        1
    }

    fn set(&mut self, prompts: &[(usize, &[u32])], cancel: &CancelToken) -> Result<Vec<Prefill>, Error> {
        prompts.iter().map(|(_, prompt)| Self::set(self, prompt, cancel)).collect()
    }

    fn keep(&self, _: usize, length: usize) {
        Self::keep(self, length);
    }

    fn read(&mut self, passes: &[(usize, &Pass)], cancel: &CancelToken) -> Result<Vec<Rows>, Error> {
        let read = |(_, pass): &(usize, &Pass)| {
            self.forget(pass.forget);
            let logits = self.append_for(&pass.tokens, LogitRows::Tail(pass.rows), pass.ids.as_deref(), cancel)?;
            Ok(Rows { ids: pass.ids.as_deref().map(Arc::from), logits })
        };
        passes.iter().map(read).collect()
    }

    fn tokens_at_once(&self) -> usize {
        Self::tokens_at_once(self)
    }

    fn private_bytes(&self) -> u64 {
        Self::private_bytes(self)
    }
}

/// Slots for sequences of up to `tokens` tokens: as many as memory allows, up to `most`, but at least one.
///
/// # Errors
/// [`Error::OutOfMemory`], [`Error::ContextFull`] if the model's context is shorter.
pub(crate) fn slots_for(most: usize, model: &Loaded, tokens: usize) -> Result<Box<dyn Slots>, Error> {
    match SequenceBatch::of_at_most(most, model, tokens)? {
        Some(batch) => Ok(Box::new(batch)),
        None => Ok(Box::new(model.sequence(tokens)?)),
    }
}

/// Sequences that decode together: each weight is read once for all of them.
pub(crate) struct SequenceBatch {
    batch: Batch,
    vocab_size: usize,
    prefixes: Prefixes,
    /// The tokens in each sequence.
    held: Vec<Vec<u32>>,
}

impl SequenceBatch {
    /// As many sequences as memory allows, up to `most`, each of up to `tokens` tokens; `None` if there is no memory
    /// for two.
    ///
    /// # Errors
    /// [`Error::ContextFull`] if the model's context is shorter.
    pub(crate) fn of_at_most(most: usize, model: &Loaded, tokens: usize) -> Result<Option<Self>, Error> {
        let vocab_size = model.engine.config().vocab_size;
        for count in (2..=most.min(most_sequences(model, tokens)?)).rev() {
            match model.batch(count, tokens) {
                Ok(batch) => {
                    let (prefixes, held) = (model.prefixes(), vec![Vec::new(); count]);
                    return Ok(Some(Self { batch, vocab_size, prefixes, held }));
                }
                // Fewer sequences may fit, and candle's models have no batches.
                Err(Error::OutOfMemory { .. } | Error::Unsupported { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Like [`Sequence::begin`], for one slot.
    fn begin(&mut self, slot: usize, prompt: &[u32]) -> usize {
        let begin_with = |prefix: &Prefix, length| self.batch.begin_with(slot, prefix, length);
        let known = self.prefixes.begin(&mut self.held[slot], prompt, begin_with);
        self.batch.truncate(slot, known);
        known
    }

    fn truncate(&mut self, slot: usize, length: usize) {
        self.batch.truncate(slot, length);
        self.held[slot].truncate(length);
    }

    /// Appends to several slots, and returns the logits of all rows asked for.
    fn append(&mut self, appends: &[Append<'_>], ids: Option<&[u32]>, cancel: &CancelToken) -> Result<Vec<f32>, Error> {
        let outcome = self.batch.forward(appends, ids, cancel).map(<[f32]>::to_vec);
        for &Append { sequence: slot, tokens, .. } in appends {
            let held = &mut self.held[slot];
            let kept = self.batch.position(slot).saturating_sub(held.len()).min(tokens.len());
            held.extend_from_slice(&tokens[..kept]);
        }
        Ok(outcome?)
    }

    /// The tokens that any pass needs; `None` for all, if they are many.
    fn ids(&self, passes: &[(usize, &Pass)]) -> Option<Arc<[u32]>> {
        let lists: Option<Vec<&[u32]>> = passes.iter().map(|(_, pass)| pass.ids.as_deref()).collect();
        let mut ids = lists?.concat();
        ids.sort_unstable();
        ids.dedup();
        (!is_much(ids.len(), self.vocab_size)).then(|| ids.into())
    }
}

/// How many sequences of so many tokens may decode together: those whose key-value caches fit into [`MOST_CACHE_BYTES`].
///
/// # Errors
/// [`Error::Unsupported`] when the model's heads do not fit the number format of its cache.
pub(crate) fn most_sequences(model: &Loaded, tokens: usize) -> Result<usize, Error> {
    let bytes = model.engine.memory(tokens, model.kv_type)?.cache_bytes.max(1);
    Ok((MOST_CACHE_BYTES / bytes) as usize)
}

/// Whether computing all logits of a vocabulary is cheaper than computing this many.
pub(crate) fn is_much(tokens: usize, vocab_size: usize) -> bool {
    tokens > vocab_size / MANY
}

impl Slots for SequenceBatch {
    fn count(&self) -> usize {
        self.held.len()
    }

    fn set(&mut self, prompts: &[(usize, &[u32])], cancel: &CancelToken) -> Result<Vec<Prefill>, Error> {
        let reused: Vec<usize> = prompts.iter().map(|&(slot, prompt)| self.begin(slot, prompt)).collect();
        let appends = prompts.iter().zip(&reused).map(|(&(sequence, prompt), &reused)| Append {
            sequence,
            tokens: &prompt[reused..],
            rows: LogitRows::Last,
        });
        let logits = self.append(&appends.collect::<Vec<_>>(), None, cancel)?;
        let mut prefills = Vec::with_capacity(prompts.len());
        for ((&(_, prompt), reused), logits) in prompts.iter().zip(reused).zip(logits.chunks_exact(self.vocab_size)) {
            prefills.push(Prefill { logits: logits.to_vec(), reused, computed: prompt.len() - reused });
        }
        Ok(prefills)
    }

    fn keep(&self, slot: usize, length: usize) {
        let tokens = &self.held[slot];
        let length = length.min(tokens.len());
        self.prefixes.keep(&tokens[..length], || self.batch.prefix(slot, length).map(Some));
    }

    fn read(&mut self, passes: &[(usize, &Pass)], cancel: &CancelToken) -> Result<Vec<Rows>, Error> {
        for (slot, pass) in passes {
            self.truncate(*slot, self.held[*slot].len().saturating_sub(pass.forget));
        }
        let appends = passes.iter().map(|&(slot, pass)| Append {
            sequence: slot,
            tokens: &pass.tokens,
            rows: LogitRows::Tail(pass.rows),
        });
        let appends: Vec<Append<'_>> = appends.collect();
        let ids = self.ids(passes);
        let logits = self.append(&appends, ids.as_deref(), cancel)?;
        let width = ids.as_ref().map_or(self.vocab_size, |ids| ids.len());
        let mut rest = &logits[..];
        let rows = passes.iter().map(|(_, pass)| {
            let (logits, later) = rest.split_at(pass.rows * width);
            rest = later;
            Rows { ids: ids.clone(), logits: logits.to_vec() }
        });
        Ok(rows.collect())
    }

    fn tokens_at_once(&self) -> usize {
        self.batch.tokens_at_once()
    }

    fn private_bytes(&self) -> u64 {
        self.batch.private_bytes()
    }
}
