//! The beginnings of prompts that a model has read: instructions, examples, system prompts. Later prompts that begin alike copy them
//! instead of computing them again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sotto_engine::{Adapter, EngineError, Prefix};

use crate::sequence::common_prefix;

/// The maximum size of all prefixes of a model, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Fewer tokens than these take about one pass, which a copy would not save.
const FEWEST_TOKENS: usize = 4;

/// The active adapters, each with its scale.
type Adapters = Arc<[(Adapter, f32)]>;

/// What a model has read with any adapters.
pub(crate) struct PrefixCache {
    /// The least recently used first.
    entries: Mutex<Vec<Entry>>,
    most_bytes: u64,
}

struct Entry {
    adapters: Adapters,
    tokens: Vec<u32>,
    prefix: Arc<Prefix>,
}

/// What a model has read with these adapters.
#[derive(Clone)]
pub(crate) struct Prefixes {
    cache: Arc<PrefixCache>,
    adapters: Adapters,
}

impl Default for PrefixCache {
    fn default() -> Self {
        Self { entries: Mutex::default(), most_bytes: MOST_BYTES }
    }
}

impl PrefixCache {
    /// Bytes of private memory.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.lock())
    }

    /// Drops everything.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| entry.prefix.private_bytes()).sum()
}

impl Prefixes {
    pub(crate) fn new(cache: &Arc<PrefixCache>, adapters: &Adapters) -> Self {
        Self { cache: Arc::clone(cache), adapters: Arc::clone(adapters) }
    }

    /// Makes a sequence, of which `held` are the tokens, hold as much of the beginning of `prompt` as is known, and returns how much; what it
    /// has beyond that is to be dropped. The last token is always left, because its logits are needed. `begin_with` copies the first tokens of a prefix
    /// into the sequence, if it can.
    pub(crate) fn begin(
        &self,
        held: &mut Vec<u32>,
        prompt: &[u32],
        begin_with: impl FnOnce(&Prefix, usize) -> bool,
    ) -> usize {
        let most = prompt.len().saturating_sub(1);
        let common = common_prefix(held, prompt).min(most);
        if let Some((prefix, known)) = self.longest(&prompt[..most]).filter(|&(_, known)| known > common)
            && begin_with(&prefix, known)
        {
            *held = prompt[..known].to_vec();
            return known;
        }
        held.truncate(common);
        common
    }

    /// The entry that has most tokens in common with the beginning of `prompt`, and how many.
    fn longest(&self, prompt: &[u32]) -> Option<(Arc<Prefix>, usize)> {
        let mut entries = self.cache.lock();
        let common = entries.iter().enumerate().filter(|(_, entry)| entry.adapters == self.adapters);
        let common = common.map(|(index, entry)| (index, common_prefix(&entry.tokens, prompt)));
        let (index, length) = common.max_by_key(|&(_, length)| length).filter(|&(_, length)| length > 0)?;
        let used = entries.remove(index);
        let prefix = Arc::clone(&used.prefix);
        entries.push(used);
        Some((prefix, length))
    }

    /// Keeps the beginning `tokens` of a sequence, unless it is there; `copy` makes a copy of its keys and values, if it can.
    pub(crate) fn keep(&self, tokens: &[u32], copy: impl FnOnce() -> Result<Option<Prefix>, EngineError>) {
        if tokens.len() < FEWEST_TOKENS || self.longest(tokens).is_some_and(|(_, length)| length == tokens.len()) {
            return;
        }
        let prefix = match copy() {
            Ok(Some(prefix)) => Arc::new(prefix),
            Ok(None) => return,
            Err(error) => return log::warn!("the beginning of a prompt is not kept: {error}"),
        };
        let mut entries = self.cache.lock();
        // A longer one replaces its own beginning.
        entries.retain(|entry| entry.adapters != self.adapters || !tokens.starts_with(&entry.tokens));
        entries.push(Entry { adapters: Arc::clone(&self.adapters), tokens: tokens.to_vec(), prefix });
        while bytes(&entries) > self.cache.most_bytes {
            entries.remove(0);
        }
    }
}

impl fmt::Debug for PrefixCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrefixCache").field("entries", &self.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CancelToken;
    use crate::demo_model::demo;
    use crate::sequence::Sequence;

    /// A cache with room for so many prefixes of 8 tokens, and a sequence that uses it.
    fn cache_for(prefixes: u64) -> (Arc<PrefixCache>, Sequence) {
        let model = demo().loaded();
        let cache_of = |most_bytes| Arc::new(PrefixCache { entries: Mutex::default(), most_bytes });
        let sequence =
            |cache: &Arc<PrefixCache>| Sequence::new(model.decoder(64).unwrap(), Prefixes::new(cache, &model.adapters));
        let large = cache_of(u64::MAX);
        read(&mut sequence(&large), 0);
        let cache = cache_of(prefixes * large.bytes());
        let sequence = sequence(&cache);
        (cache, sequence)
    }

    /// Reads a prompt whose beginning depends on `kind`, keeps that, and tells how much was there.
    fn read(sequence: &mut Sequence, kind: u32) -> usize {
        let prompt: Vec<u32> = (0..10).map(|index| 300 + (index * 7 + kind * 31) % 200).collect();
        sequence.truncate(0);
        let reused = sequence.set(&prompt, &CancelToken::new()).unwrap().reused;
        sequence.keep(8);
        reused
    }

    #[test]
    fn the_least_recently_used_goes_first_and_memory_stays_within_the_budget() {
        let (cache, mut sequence) = cache_for(2);
        for (kind, expected) in [(1, 0), (2, 0), (1, 8), (3, 0), (1, 8), (2, 0), (3, 0)] {
            assert_eq!(read(&mut sequence, kind), expected, "{kind}");
            assert!(cache.bytes() <= cache.most_bytes);
        }
        cache.clear();
        assert_eq!((cache.bytes(), read(&mut sequence, 3)), (0, 0));
    }

    #[test]
    fn what_is_larger_than_the_budget_is_not_kept() {
        let (cache, mut sequence) = cache_for(0);
        assert_eq!((read(&mut sequence, 1), read(&mut sequence, 1), cache.bytes()), (0, 0, 0));
    }

    #[test]
    fn memory_is_flat_over_thousands_of_prompts() {
        let (cache, mut sequence) = cache_for(3);
        (0..3000).for_each(|kind| {
            read(&mut sequence, kind % 13);
        });
        assert!(cache.lock().len() == 3 && cache.bytes() <= cache.most_bytes);
    }
}
