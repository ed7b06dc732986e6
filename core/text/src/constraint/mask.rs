//! The set of allowed tokens.

use toktrie::SimpleVob;

/// A set of tokens. A token outside the vocabulary is in no set.
#[derive(Clone)]
pub struct TokenMask {
    bits: SimpleVob,
}

impl TokenMask {
    /// The set of these tokens; ids outside the vocabulary are left out.
    pub fn from_ids(vocab_size: usize, ids: impl IntoIterator<Item = u32>) -> Self {
        let mut bits = SimpleVob::alloc(vocab_size);
        ids.into_iter().filter(|&id| (id as usize) < vocab_size).for_each(|id| bits.allow_token(id));
        Self { bits }
    }

    pub(crate) fn from_bits(bits: SimpleVob) -> Self {
        Self { bits }
    }

    /// Whether the token is in the set.
    pub fn allows(&self, id: u32) -> bool {
        (id as usize) < self.bits.len() && self.bits.is_allowed(id)
    }

    /// The number of tokens in the set.
    pub fn count(&self) -> usize {
        self.bits.num_set()
    }

    /// The tokens in the set, in order.
    pub fn ids(&self) -> Vec<u32> {
        self.bits.to_list()
    }

    /// Adds the tokens of another set of the same vocabulary.
    pub(crate) fn add(&mut self, other: &Self) {
        self.bits.or(&other.bits);
    }
}

impl std::fmt::Debug for TokenMask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TokenMask").field("count", &self.count()).finish()
    }
}
