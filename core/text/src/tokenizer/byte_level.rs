//! Byte-level BPE, as GPT-2, Llama 3 and Qwen use it.
//!
//! The tokenizers crate splits text into words. Its BPE would hold each token and each merge as strings, many times what
//! they take in the model file, and take a third of a second to load Llama 3's. Here a merge is three token ids.

use std::hash::BuildHasher;
use std::num::NonZero;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer as _, PreTokenizerWrapper};

use super::byte_table;
use super::merging::{Joined, Joins, Symbol, merge};
use super::pieces::{Boundaries, pieces};
use super::pre_tokenizer::PreTokenizer;
use super::spec::invalid;
use super::vocabulary::Vocabulary;
use crate::TextError;

/// More threads would wait for memory.
const MOST_THREADS: usize = 4;
/// Below this, starting a thread takes longer than it saves.
const LEAST_MERGES_PER_THREAD: usize = 16 << 10;

/// The token of each byte alone.
type ByteIds = [Option<u32>; 256];

pub(crate) struct ByteLevelBpe {
    pre_tokenizer: PreTokenizerWrapper,
    /// Whether a word that is a token is taken whole, without looking at the merges.
    ignore_merges: bool,
    byte_ids: ByteIds,
    merges: Merges,
}

impl ByteLevelBpe {
    /// Merges that name tokens which the vocabulary lacks are skipped: files in the wild carry a few, and merges that
    /// would make a control token must not work anyway.
    pub(crate) fn new(
        vocabulary: &Vocabulary,
        merges: &[&str],
        pre_tokenizer: &PreTokenizer,
    ) -> Result<Self, TextError> {
        let byte_ids = std::array::from_fn(|byte| vocabulary.find(&[byte as u8]));
        // A byte that text can hold and the vocabulary cannot would be dropped without a word.
        let missing = |byte: &u8| byte_table::occurs_in_utf8(*byte) && byte_ids[usize::from(*byte)].is_none();
        if let Some(byte) = (0..=u8::MAX).find(missing) {
            return Err(invalid("tokens", format!("no token for byte {byte:#04x}")));
        }
        Ok(Self {
            pre_tokenizer: pre_tokenizer.build()?,
            ignore_merges: pre_tokenizer.ignore_merges,
            byte_ids,
            merges: Merges::new(vocabulary, &byte_ids, merges)?,
        })
    }

    /// Appends the tokens of `text` to `ids`.
    pub(crate) fn encode(&self, vocabulary: &Vocabulary, text: &str, ids: &mut Vec<u32>) -> Result<(), TextError> {
        for piece in pieces(text, Boundaries::Words) {
            let mut words = PreTokenizedString::from(piece);
            self.pre_tokenizer
                .pre_tokenize(&mut words)
                .map_err(|_| TextError::Internal("splitting text into words failed".to_owned()))?;
            for (word, ..) in words.get_splits(OffsetReferential::Original, OffsetType::None) {
                self.encode_word(vocabulary, word.as_bytes(), ids);
            }
        }
        Ok(())
    }

    fn encode_word(&self, vocabulary: &Vocabulary, word: &[u8], ids: &mut Vec<u32>) {
        if let Some(id) = vocabulary.find(word).filter(|_| self.ignore_merges) {
            ids.push(id);
            return;
        }
        let bytes = word.iter().enumerate().map(|(at, &byte)| (at + 1, self.byte_ids[usize::from(byte)]));
        ids.extend(merge(&self.merges, word, bytes).filter_map(|symbol| symbol.id));
    }
}

/// Left, right, and the token that they make.
type Merge = [u32; 3];

/// Which two tokens make which third.
struct Merges {
    /// Best first.
    list: Vec<Merge>,
    /// Places in the list, by left and right.
    by_pair: HashTable<u32>,
    hasher: RandomState,
}

impl Merges {
    fn new(vocabulary: &Vocabulary, byte_ids: &ByteIds, merges: &[&str]) -> Result<Self, TextError> {
        let mut found = Self {
            list: Vec::with_capacity(merges.len()),
            by_pair: HashTable::with_capacity(merges.len()),
            hasher: RandomState::default(),
        };
        for part in resolve(vocabulary, byte_ids, merges) {
            part?.into_iter().for_each(|merge| found.push(merge));
        }
        if found.list.len() < merges.len() {
            log::debug!("{} merges are double, or name tokens outside the vocabulary", merges.len() - found.list.len());
        }
        Ok(found)
    }

    /// Adds a merge behind the others, if there is none for its two tokens.
    fn push(&mut self, merge: Merge) {
        let Self { list, by_pair, hasher } = self;
        let [left, right, _] = merge;
        let is_same = |&place: &u32| list[place as usize][..2] == [left, right];
        let hash = |&place: &u32| hasher.hash_one(&list[place as usize][..2]);
        if let Entry::Vacant(entry) = by_pair.entry(hasher.hash_one([left, right].as_slice()), is_same, hash) {
            entry.insert(list.len() as u32);
            list.push(merge);
        }
    }
}

impl Joins for Merges {
    fn join(&self, _text: &[u8], left: &Symbol, right: &Symbol) -> Option<Joined> {
        let pair = [left.id?, right.id?];
        let hash = self.hasher.hash_one(pair.as_slice());
        let &place = self.by_pair.find(hash, |&place| self.list[place as usize][..2] == pair)?;
        // A file holds fewer than 2^24 merges, so that a float tells them all apart.
        Some(Joined { id: self.list[place as usize][2], score: -(place as f32) })
    }
}

/// The merges by token ids, in parts. Looking up a quarter of a million of them is most of the time that a tokenizer takes to
/// load, so several threads do it.
fn resolve(vocabulary: &Vocabulary, byte_ids: &ByteIds, merges: &[&str]) -> Vec<Result<Vec<Merge>, TextError>> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
    let part_len = merges.len().div_ceil(threads).max(LEAST_MERGES_PER_THREAD);
    std::thread::scope(|scope| {
        let mut parts = merges.chunks(part_len).enumerate();
        let here = parts.next();
        let elsewhere: Vec<_> = parts
            .map(|(part, merges)| scope.spawn(move || resolve_part(vocabulary, byte_ids, merges, part * part_len)))
            .collect();
        let here = here.map(|(_, merges)| resolve_part(vocabulary, byte_ids, merges, 0));
        let elsewhere = elsewhere.into_iter().map(|part| {
            part.join().unwrap_or_else(|_| Err(TextError::Internal("looking up merges failed".to_owned())))
        });
        here.into_iter().chain(elsewhere).collect()
    })
}

/// `first` is the place of the part in the file.
fn resolve_part(
    vocabulary: &Vocabulary,
    byte_ids: &ByteIds,
    merges: &[&str],
    first: usize,
) -> Result<Vec<Merge>, TextError> {
    let find = |text: &[u8]| match text {
        [byte] => byte_ids[usize::from(*byte)],
        _ => vocabulary.find(text),
    };
    let mut resolved = Vec::with_capacity(merges.len());
    let mut bytes = Vec::new();
    let mut last = 0;
    for (index, merge) in merges.iter().enumerate() {
        let Some((left, right)) = merge.split_once(' ') else {
            return Err(invalid("merges", format!("entry {} has no space", first + index)));
        };
        bytes.clear();
        let left_in_table = byte_table::push_bytes(left, &mut bytes);
        let middle = bytes.len();
        if !(byte_table::push_bytes(right, &mut bytes) && left_in_table) {
            continue;
        }
        let (left, right) = bytes.split_at(middle);
        // Files list the ways to make a token one after the other, and tokens in the order of their ids.
        let joined = [last, last + 1].into_iter().find(|&id| vocabulary.finds(&bytes, id));
        let ids = [find(left), find(right), joined.or_else(|| find(&bytes))];
        if let [Some(left), Some(right), Some(joined)] = ids {
            resolved.push([left, right, joined]);
            last = joined;
        }
    }
    Ok(resolved)
}
