//! A decoder together with the tokens in its cache, so that a shared prefix is computed once.

use sotto_engine::{Adapter, Decoder, LogitRows};

use crate::{CancelToken, Error};

pub(crate) struct Sequence {
    decoder: Box<dyn Decoder>,
    tokens: Vec<u32>,
}

/// What [`Sequence::set`] had to do.
pub(crate) struct Prefill {
    /// Logits for the token after the prompt, `[vocab_size]`.
    pub logits: Vec<f32>,
    pub reused: usize,
    pub computed: usize,
}

impl Sequence {
    pub(crate) fn new(decoder: Box<dyn Decoder>) -> Self {
        Self { decoder, tokens: Vec::new() }
    }

    /// Its capacity in tokens.
    pub(crate) fn context_length(&self) -> usize {
        self.decoder.context_length()
    }

    pub(crate) fn private_bytes(&self) -> u64 {
        self.decoder.private_bytes()
    }

    /// Uses these adapters from now on. Tokens that were read with other adapters are dropped.
    pub(crate) fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), Error> {
        self.decoder.set_adapters(adapters)?;
        self.tokens.truncate(self.decoder.position());
        Ok(())
    }

    /// Makes the sequence hold exactly `prompt`, computing only what follows the common prefix.
    pub(crate) fn set(&mut self, prompt: &[u32], cancel: &CancelToken) -> Result<Prefill, Error> {
        let limit = self.decoder.context_length();
        if prompt.len() > limit {
            return Err(Error::ContextFull { limit, needed: prompt.len() });
        }
        // The last token is always computed, because its logits are needed.
        let reused = common_prefix(&self.tokens, prompt).min(prompt.len().saturating_sub(1));
        self.truncate(reused);
        let logits = self.append(&prompt[reused..], LogitRows::Last, cancel)?;
        Ok(Prefill { logits, reused, computed: prompt.len() - reused })
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
