//! Which two tokens make which third.

use super::byte_table;
use super::merging::{Joined, Joins, Symbol};
use super::spec::invalid;
use super::vocabulary::Vocabulary;
use crate::TextError;

/// The token of each byte alone.
pub(crate) type ByteIds = [Option<u32>; 256];

/// Left and right token, the token that they make, and the place among all merges: those before it are made first.
type Row = [u32; 4];

/// Byte-level BPE's merges by token ids, grouped by their left token.
pub(crate) struct Merges {
    /// The merges of the left token `id` are number `starts[id]` to `starts[id + 1]`, exclusive.
    starts: Vec<u32>,
    /// Sorted in each group. They are searched, and lie apart from what is found.
    rights: Vec<u32>,
    made: Vec<Made>,
}

#[derive(Clone, Copy)]
struct Made {
    id: u32,
    rank: u32,
}

impl Merges {
    /// Looks up merges by the texts of their tokens, best first. Those that name tokens which the vocabulary lacks are skipped:
    /// files in the wild carry a few, and merges that would make a control token must not work anyway.
    pub(crate) fn from_texts(vocabulary: &Vocabulary, byte_ids: &ByteIds, texts: &[&str]) -> Result<Self, TextError> {
        let mut rows = look_up(vocabulary, byte_ids, texts)?;
        rows.sort_unstable_by_key(|&[left, right, _, rank]| (left, right, rank));
        rows.dedup_by_key(|&mut [left, right, ..]| (left, right));
        if rows.len() < texts.len() {
            log::debug!("{} merges are double, or name tokens outside the vocabulary", texts.len() - rows.len());
        }
        Self::group(vocabulary, &rows)
    }

    /// Takes the numbers of [`Merges::ids`] from a file, which may hold anything.
    pub(crate) fn from_ids(vocabulary: &Vocabulary, ids: &[u32]) -> Result<Self, TextError> {
        match ids.as_chunks() {
            (rows, []) => Self::group(vocabulary, rows),
            _ => Err(invalid_row("they end within a merge")),
        }
    }

    /// The merges in rows of four numbers, sorted: left, right, joined, rank.
    pub(crate) fn ids(&self) -> Vec<u32> {
        let lefts = (0_u32..).zip(self.starts.windows(2));
        let lefts = lefts.flat_map(|(left, bounds)| (bounds[0]..bounds[1]).map(move |_| left));
        let merges = lefts.zip(&self.rights).zip(&self.made);
        merges.flat_map(|((left, &right), made)| [left, right, made.id, made.rank]).collect()
    }

    fn group(vocabulary: &Vocabulary, rows: &[Row]) -> Result<Self, TextError> {
        let mut starts = Vec::with_capacity(vocabulary.len() + 1);
        let (mut rights, mut made) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let mut previous = None;
        for &[left, right, joined, rank] in rows {
            if previous >= Some((left, right)) {
                return Err(invalid_row("they are not sorted"));
            }
            if left.max(right) as usize >= vocabulary.len() {
                return Err(invalid_row("a token is outside the vocabulary"));
            }
            // Text from a user must never become a control token.
            if !vocabulary.is_buildable(joined) {
                return Err(invalid_row("a merge makes a token that text cannot become"));
            }
            starts.resize(left as usize + 1, rights.len() as u32);
            rights.push(right);
            made.push(Made { id: joined, rank });
            previous = Some((left, right));
        }
        starts.resize(vocabulary.len() + 1, rights.len() as u32);
        Ok(Self { starts, rights, made })
    }
}

impl Joins for Merges {
    fn join(&self, _text: &[u8], left: &Symbol, right: &Symbol) -> Option<Joined> {
        let (left, right) = (left.id? as usize, right.id?);
        let (start, end) = (self.starts[left] as usize, self.starts[left + 1] as usize);
        let place = start + self.rights[start..end].binary_search(&right).ok()?;
        let Made { id, rank } = self.made[place];
        // A file holds fewer than 2^24 merges, so that a float tells them all apart.
        Some(Joined { id, score: -(rank as f32) })
    }
}

fn look_up(vocabulary: &Vocabulary, byte_ids: &ByteIds, texts: &[&str]) -> Result<Vec<Row>, TextError> {
    let find = |text: &[u8]| match text {
        [byte] => byte_ids[usize::from(*byte)],
        _ => vocabulary.find(text),
    };
    let mut rows = Vec::with_capacity(texts.len());
    let mut bytes = Vec::new();
    for (rank, text) in (0_u32..).zip(texts) {
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
            rows.push([left, right, joined, rank]);
        }
    }
    Ok(rows)
}

fn invalid_row(why: &str) -> TextError {
    invalid("merges", format!("{why}; they were stored by token ids"))
}
