//! A decoder together with the tokens in its cache, so that a shared prefix is computed once.

use std::path::Path;

use sotto_engine::{Decoder, LogitRows};

use crate::loaded::Loaded;
use crate::prefixes::Prefixes;
use crate::{CancelToken, Error};

pub(crate) struct Sequence {
    decoder: Box<dyn Decoder>,
    tokens: Vec<u32>,
    prefixes: Prefixes,
}

/// What [`Sequence::set`] had to do.
pub(crate) struct Prefill {
    /// Logits for the token after the prompt, `[vocab_size]`.
    pub logits: Vec<f32>,
    pub reused: usize,
    pub computed: usize,
}

impl Sequence {
    pub(crate) fn new(decoder: Box<dyn Decoder>, prefixes: Prefixes) -> Self {
        Self { decoder, tokens: Vec::new(), prefixes }
    }

    pub(crate) fn private_bytes(&self) -> u64 {
        self.decoder.private_bytes()
    }

    /// Uses the adapters of this handle to its model from now on. Tokens that were read with other adapters are dropped.
    pub(crate) fn set_adapters(&mut self, model: &Loaded) -> Result<(), Error> {
        self.decoder.set_adapters(&model.adapters)?;
        self.tokens.truncate(self.decoder.position());
        self.prefixes = model.prefixes();
        Ok(())
    }

    /// Makes the sequence hold exactly `prompt`, computing only what follows the longest beginning that it holds or that was kept.
    pub(crate) fn set(&mut self, prompt: &[u32], cancel: &CancelToken) -> Result<Prefill, Error> {
        let limit = self.decoder.context_length();
        if prompt.len() > limit {
            return Err(Error::ContextFull { limit, needed: prompt.len() });
        }
        let reused = self.begin(prompt);
        let logits = self.append(&prompt[reused..], LogitRows::Last, cancel)?;
        Ok(Prefill { logits, reused, computed: prompt.len() - reused })
    }

    /// Holds as much of the beginning of `prompt` as is known ([`Prefixes::begin`]), and returns how much.
    fn begin(&mut self, prompt: &[u32]) -> usize {
        let known =
            self.prefixes.begin(&mut self.tokens, prompt, |prefix, length| self.decoder.begin_with(prefix, length));
        self.decoder.truncate(known);
        known
    }

    /// Keeps the first `length` tokens for later prompts.
    pub(crate) fn keep(&self, length: usize) {
        let length = length.min(self.tokens.len());
        self.prefixes.keep(&self.tokens[..length], || self.decoder.prefix(length));
    }

    /// Writes all tokens and what was computed of them to a file.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is nothing yet, [`Error::Unsupported`] for candle's models, [`Error::Storage`],
    /// [`Error::OutOfMemory`].
    pub(crate) fn save(&self, file: &Path) -> Result<(), Error> {
        if self.tokens.is_empty() {
            return Err(Error::invalid_input("nothing has been read yet: there is nothing to save"));
        }
        let prefix = self.decoder.prefix(self.tokens.len())?;
        let prefix = prefix.ok_or_else(|| Error::Unsupported { what: "snapshots in the candle backend".into() })?;
        Ok(prefix.save(&self.tokens, file)?)
    }

    /// Holds what a file holds, without computing it; but its last token is computed again. If one bit differs, the file was written with
    /// another model, other adapters, or by another version, and is not used: through attention, that token depends on all before it.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::ModelInvalid`] for a file that does not fit, [`Error::ContextFull`], [`Error::OutOfMemory`],
    /// [`Error::Unsupported`] for candle's models, [`Error::Cancelled`]. The sequence is then empty.
    pub(crate) fn restore(&mut self, file: &Path, cancel: &CancelToken) -> Result<(), Error> {
        self.truncate(0);
        let (tokens, saved) = self.decoder.open_prefix(file)?;
        let Some((last, before)) = tokens.split_last() else { return Ok(()) };
        let fits = self.decoder.begin_with(&saved, tokens.len());
        self.decoder.truncate(before.len());
        // Its keys and values are wanted, and hardly any logits.
        self.decoder.forward_for(&[*last], LogitRows::Last, &[*last], cancel)?;
        let computed = self.decoder.prefix(tokens.len())?;
        if !fits || !computed.is_some_and(|computed| computed.holds_the_same_as(&saved)) {
            self.truncate(0);
            return Err(Error::ModelInvalid {
                why: "it was written with another model, other adapters, or by another version".into(),
                at: "snapshot".into(),
            });
        }
        self.tokens = tokens;
        Ok(())
    }

    /// Holds what `other` holds, without computing it, if the decoder can copy it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn copy_from(&mut self, other: &Self) -> Result<(), Error> {
        if !other.tokens.is_empty()
            && let Some(prefix) = other.decoder.prefix(other.tokens.len())?
            && self.decoder.begin_with(&prefix, other.tokens.len())
        {
            self.tokens.clone_from(&other.tokens);
        }
        Ok(())
    }

    /// How many tokens are worth reading in one pass: [`Decoder::tokens_at_once`].
    pub(crate) fn tokens_at_once(&self) -> usize {
        self.decoder.tokens_at_once()
    }

    /// Appends `tokens` and returns the logits of the rows asked for, `[rows, vocab_size]`.
    pub(crate) fn append(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<Vec<f32>, Error> {
        self.append_for(tokens, rows, None, cancel)
    }

    /// Like [`Sequence::append`], but if `ids` is given, with the logits of these tokens only, `[rows, ids.len()]`.
    pub(crate) fn append_for(
        &mut self,
        tokens: &[u32],
        rows: LogitRows,
        ids: Option<&[u32]>,
        cancel: &CancelToken,
    ) -> Result<Vec<f32>, Error> {
        let before = self.tokens.len();
        let outcome = match ids {
            Some(ids) => self.decoder.forward_for(tokens, rows, ids, cancel),
            None => self.decoder.forward(tokens, rows, cancel),
        };
        let outcome = outcome.map(<[f32]>::to_vec);
        let kept = self.decoder.position().saturating_sub(before).min(tokens.len());
        self.tokens.extend_from_slice(&tokens[..kept]);
        Ok(outcome?)
    }

    #[cfg(test)]
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Drops the last `count` tokens.
    pub(crate) fn forget(&mut self, count: usize) {
        self.truncate(self.tokens.len().saturating_sub(count));
    }

    /// Drops every token from `length` on.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.decoder.truncate(length);
        self.tokens.truncate(length);
    }
}

/// The length of the common prefix of two sequences.
pub(crate) fn common_prefix(held: &[u32], wanted: &[u32]) -> usize {
    held.iter().zip(wanted).take_while(|(a, b)| a == b).count()
}
