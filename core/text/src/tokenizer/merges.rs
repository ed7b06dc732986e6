//! Which two tokens make which third.

use std::collections::HashMap;

use super::byte_table;
use super::merging::{Joined, Joins, Symbol};
use super::spec::{TokenizerSpec, invalid};
use super::tables::{Rows, TableReader, invalid_tables, numbers, write};
use super::vocabulary::Vocabulary;
use crate::TextError;

/// Left and right token, the token that they make, and the place among all merges: those before it are made first.
type Merge = [u32; 4];

/// Byte-level BPE's merges by token ids, grouped by their left token.
pub(crate) struct Merges {
    /// The merges of the left token `id` are number `starts[id]` to `starts[id + 1]`, exclusive.
    starts: Rows<1>,
    /// Sorted in each group. They are searched, and lie apart from what is found.
    rights: Rows<1>,
    /// The token that is made, and the place among all merges.
    made: Rows<2>,
}

impl Merges {
    /// Looks up merges by the texts of their tokens, best first. Those that name tokens which the vocabulary lacks are skipped:
    /// files in the wild carry a few, and merges that would make a control token must not work anyway.
    pub(crate) fn from_texts(vocabulary: &Vocabulary, spec: &TokenizerSpec) -> Result<Self, TextError> {
        if spec.merges.is_empty() && vocabulary.buildable().any(|(text, _)| text.len() > 1) {
            return Err(invalid("merges", "there are none, so no token of several bytes can be made"));
        }
        let mut merges = look_up(vocabulary, spec)?;
        merges.sort_unstable_by_key(|&[left, right, _, rank]| (left, right, rank));
        merges.dedup_by_key(|&mut [left, right, ..]| (left, right));
        if merges.len() < spec.merges.len() {
            let skipped = spec.merges.len() - merges.len();
            log::debug!("{skipped} merges are duplicates, or name tokens outside the vocabulary");
        }
        let mut starts = Vec::with_capacity(vocabulary.len() + 1);
        for (place, &[left, ..]) in (0..).zip(&merges) {
            starts.resize(left as usize + 1, [place]);
        }
        starts.resize(vocabulary.len() + 1, [merges.len() as u32]);
        Ok(Self {
            starts: starts.into_iter().collect(),
            rights: merges.iter().map(|&[_, right, ..]| [right]).collect(),
            made: merges.iter().map(|&[.., id, rank]| [id, rank]).collect(),
        })
    }

    /// Takes what [`Merges::write`] stored.
    pub(crate) fn read(tables: &mut TableReader, vocabulary: &Vocabulary) -> Result<Self, TextError> {
        let merges = Self {
            starts: tables.rows("merges' starts")?,
            rights: tables.rows("merges' right tokens")?,
            made: tables.rows("merged tokens")?,
        };
        let starts = || merges.starts.iter().flatten();
        let count = merges.rights.len();
        let all = starts().last().is_some_and(|end| end as usize == count) && merges.made.len() == count;
        if merges.starts.len() != vocabulary.len() + 1 || !starts().is_sorted() || !all {
            return Err(invalid_tables("the merges are not one group for each token"));
        }
        // Text from a user must never become a control token.
        if !merges.made.iter().all(|[id, _]| vocabulary.is_buildable(id)) {
            return Err(invalid_tables("a merge makes a token that no text can become"));
        }
        Ok(merges)
    }

    pub(crate) fn write(&self, tables: &mut Vec<u8>) {
        for table in [self.starts.bytes(), self.rights.bytes(), self.made.bytes()] {
            write(table, tables);
        }
    }
}

impl Joins for Merges {
    fn join(&self, _text: &[u8], left: &Symbol, right: &Symbol) -> Option<Joined> {
        let left = left.id? as usize;
        let [start, end] = [self.starts.get(left)?, self.starts.get(left + 1)?].map(|[place]| place as usize);
        let rights = self.rights.as_slice().get(start..end)?;
        let place = rights.binary_search_by_key(&[right.id?], numbers).ok()?;
        let [id, rank] = self.made.get(start + place)?;
        // A file holds fewer than 2^24 merges, so that a float tells them all apart.
        Some(Joined { id, score: -(rank as f32) })
    }
}

fn look_up(vocabulary: &Vocabulary, spec: &TokenizerSpec) -> Result<Vec<Merge>, TextError> {
    // Looked up three times for each merge: this is worth a table of its own.
    let ids: HashMap<&[u8], u32> = vocabulary.buildable().collect();
    let find = |text: &[u8]| ids.get(text).copied();
    let mut merges = Vec::with_capacity(spec.merges.len());
    let mut bytes = Vec::new();
    for (rank, text) in (0_u32..).zip(&spec.merges) {
        spec.check_cancelled()?;
        let Some((left, right)) = text.split_once(' ') else {
            return Err(invalid("merges", format!("entry {rank} has no space")));
        };
        bytes.clear();
        let left_in_table = byte_table::push_bytes(left, &mut bytes);
        let middle = bytes.len();
        if !(byte_table::push_bytes(right, &mut bytes) && left_in_table) {
            continue;
        }
        let (left, right) = bytes.split_at(middle);
        if let [Some(left), Some(right), Some(joined)] = [find(left), find(right), find(&bytes)] {
            merges.push([left, right, joined, rank]);
        }
    }
    Ok(merges)
}
