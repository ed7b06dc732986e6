//! The kind and the bytes of each token.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::byte_table;
use super::kind::{END_TOKENS, Kind, Spelling, kinds, parse_byte};
use super::sentence_piece::SPACE;
use super::spec::{TokenizerSpec, invalid};
use super::special_ids::SpecialIds;
use super::tables::{Rows, TableReader, invalid_tables, numbers, write};
use crate::TextError;

/// All tokens. A large vocabulary has a quarter of a million, so they are tables that a packed file holds as they are.
pub(crate) struct Vocabulary {
    /// A [`Kind`] for each token.
    kinds: Bytes,
    /// What each token stands for, one behind the other; of control tokens, which stand for nothing, their names.
    texts: Bytes,
    /// Token `id` has `texts[ends[id - 1]..ends[id]]`.
    ends: Rows<1>,
    /// The tokens that BPE may build, in the order of their texts: how each begins, and its id.
    by_text: Rows<2>,
    /// The maximum length of a token's text in bytes, at least 1.
    longest: usize,
    template_ids: HashMap<String, u32>,
    end_tokens: Vec<u32>,
    special: SpecialIds,
}

impl Vocabulary {
    /// `spec` has been validated. When a text occurs twice, the first token has it and the others can only be read.
    pub(crate) fn new(spec: &TokenizerSpec, spelling: Spelling) -> Result<Self, TextError> {
        let special = SpecialIds::of(spec, spec.tokens.len());
        let mut kinds = kinds(spec, &special, spelling)?;
        let (mut texts, mut ends) = (Vec::new(), Vec::with_capacity(spec.tokens.len()));
        for (kind, token) in kinds.iter_mut().zip(&spec.tokens) {
            spec.check_cancelled()?;
            let start = texts.len();
            let spelled = push_text(*kind, token, spelling, &mut texts);
            ends.push(u32::try_from(texts.len()).map_err(|_| invalid("tokens", "more than 4 GB of text"))?);
            if *kind == Kind::Text && !(spelled && start < texts.len()) {
                *kind = Kind::OutOfReach;
            }
        }
        let ends = ends.into_iter().map(|end| [end]).collect();
        let by_text = sorted_by_text(&mut kinds, &texts, &ends);
        let vocabulary = Self {
            kinds: kinds.into_iter().map(|kind| kind as u8).collect(),
            texts: texts.into(),
            ends,
            by_text,
            longest: 1,
            template_ids: HashMap::new(),
            end_tokens: Vec::new(),
            special,
        };
        Ok(vocabulary.with_what_follows(spelling))
    }

    /// Takes what [`Vocabulary::write`] stored. Whatever else a file holds, no lookup fails, and text becomes text tokens alone.
    pub(crate) fn read(tables: &mut TableReader, spec: &TokenizerSpec, spelling: Spelling) -> Result<Self, TextError> {
        let mut vocabulary = Self {
            kinds: tables.bytes("kinds")?,
            texts: tables.bytes("texts")?,
            ends: tables.rows("ends")?,
            by_text: tables.rows("texts in order")?,
            longest: 1,
            template_ids: HashMap::new(),
            end_tokens: Vec::new(),
            special: SpecialIds::default(),
        };
        vocabulary.special = SpecialIds::of(spec, vocabulary.len());
        spec.validate_for(vocabulary.len())?;
        let ends = || vocabulary.ends.iter().flatten();
        let all = ends().last().is_some_and(|end| end as usize == vocabulary.texts.len());
        if vocabulary.ends.len() != vocabulary.len() || !ends().is_sorted() || !all {
            return Err(invalid_tables("there is not one text for each token"));
        }
        if !vocabulary.kinds.iter().all(|&kind| Kind::is_stored_as(kind)) {
            return Err(invalid_tables("a token has an unknown kind"));
        }
        if !vocabulary.special.all().all(|id| vocabulary.is_control(id)) {
            return Err(invalid_tables("a beginning or end token is not a control token"));
        }
        Ok(vocabulary.with_what_follows(spelling))
    }

    pub(crate) fn write(&self, tables: &mut Vec<u8>) {
        for table in [&self.kinds, &self.texts, self.ends.bytes(), self.by_text.bytes()] {
            write(table, tables);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The maximum length of a token's text in bytes, at least 1.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// A control token as the file spells it.
    pub(crate) fn control_name(&self, id: u32) -> Option<&str> {
        std::str::from_utf8(self.text(id)).ok().filter(|_| self.is_control(id))
    }

    pub(crate) fn bytes(&self, id: u32) -> &[u8] {
        if self.is_control(id) { &[] } else { self.text(id) }
    }

    pub(crate) fn is_control(&self, id: u32) -> bool {
        self.is(id, Kind::Control) || self.is(id, Kind::Unused)
    }

    /// The number of tokens without the unused ones at the end.
    pub(crate) fn trained(&self) -> usize {
        self.kinds.iter().rposition(|&kind| kind != Kind::Unused as u8).map_or(0, |last| last + 1)
    }

    /// The tokens that a chat template may write, by text.
    pub(crate) fn template_ids(&self) -> &HashMap<String, u32> {
        &self.template_ids
    }

    pub(crate) fn end_tokens(&self) -> &[u32] {
        &self.end_tokens
    }

    pub(crate) fn special(&self) -> &SpecialIds {
        &self.special
    }

    /// The token that stands for `text`, of those that BPE may build: nothing else is reachable from text.
    pub(crate) fn find(&self, text: &[u8]) -> Option<u32> {
        let (by_text, begins) = (self.by_text.as_slice(), beginning(text));
        let place = by_text.binary_search_by(|row| {
            let [other, id] = numbers(row);
            other.cmp(&begins).then_with(|| self.text(id).cmp(text))
        });
        let [_, id] = self.by_text.get(place.ok()?)?;
        self.is_buildable(id).then_some(id)
    }

    /// Whether BPE may build this token: whether [`Vocabulary::find`] gives it for any text.
    pub(crate) fn is_buildable(&self, id: u32) -> bool {
        self.is(id, Kind::Text)
    }

    /// The tokens that [`Vocabulary::find`] finds, and their texts.
    pub(crate) fn buildable(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.of_kind(Kind::Text).map(|id| (self.text(id), id))
    }

    /// Added tokens that are matched in text as a whole: their bytes as text, and their ids.
    pub(crate) fn literals(&self) -> Vec<(&str, u32)> {
        self.of_kind(Kind::Literal)
            .filter_map(|id| Some((std::str::from_utf8(self.text(id)).ok()?, id)))
            .filter(|(text, _)| !text.is_empty())
            .collect()
    }

    /// The tokens of single bytes in a SentencePiece vocabulary.
    pub(crate) fn byte_tokens(&self) -> [Option<u32>; 256] {
        let mut ids = [None; 256];
        for id in self.of_kind(Kind::Byte) {
            if let [byte] = self.text(id) {
                ids[usize::from(*byte)].get_or_insert(id);
            }
        }
        ids
    }

    fn is(&self, id: u32, kind: Kind) -> bool {
        self.kinds.get(id as usize) == Some(&(kind as u8))
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = u32> {
        (0..).zip(&self.kinds).filter(move |(_, found)| **found == kind as u8).map(|(id, _)| id)
    }

    /// What a token stands for, or a control token's name; empty for an unknown id.
    fn text(&self, id: u32) -> &[u8] {
        text_of(id, &self.texts, &self.ends)
    }

    /// Fills in what follows from the tables.
    fn with_what_follows(mut self, spelling: Spelling) -> Self {
        self.template_ids = self.ids_by_name(spelling);
        let mut start = 0;
        for end in self.ends.iter().flatten() {
            self.longest = self.longest.max((end - start) as usize);
            start = end;
        }
        if spelling == Spelling::SentencePiece {
            // It is typed as a space.
            self.longest *= SPACE.len_utf8();
        }
        self.end_tokens = self.ends();
        self
    }

    /// Tokens that end a turn or a text, starting with those that the file names.
    fn ends(&self) -> Vec<u32> {
        let named = |text: &str| self.template_ids.get(text).copied();
        let mut ends: Vec<u32> = self.special.ends().chain(END_TOKENS.into_iter().filter_map(named)).collect();
        // gpt-oss has them all, and writes `<|end|>` between the parts of a turn.
        if let [Some(_), Some(_), Some(end)] = ["<|return|>", "<|call|>", "<|end|>"].map(named) {
            ends.retain(|&id| id != end);
        }
        let mut seen = HashSet::new();
        ends.retain(|&id| seen.insert(id));
        ends
    }

    fn ids_by_name(&self, spelling: Spelling) -> HashMap<String, u32> {
        let mut ids = HashMap::new();
        for kind in [Kind::Control, Kind::Marker] {
            for id in self.of_kind(kind) {
                let name = String::from_utf8_lossy(self.text(id));
                let name = match (kind, spelling) {
                    (Kind::Marker, Spelling::SentencePiece) => name.replace(' ', SPACE.encode_utf8(&mut [0; 4])),
                    _ => name.into_owned(),
                };
                if !name.is_empty() {
                    ids.entry(name).or_insert(id);
                }
            }
        }
        ids
    }
}

/// The first four bytes of a text as a number: of two that differ, the lower one belongs to the text that comes first. Most texts are
/// told apart without being read.
fn beginning(text: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes.iter_mut().zip(text).for_each(|(byte, first)| *byte = *first);
    u32::from_be_bytes(bytes)
}

/// Appends what a token stands for, and tells whether text is spelled so.
fn push_text(kind: Kind, token: &str, spelling: Spelling, texts: &mut Vec<u8>) -> bool {
    match (kind, spelling) {
        (Kind::Byte, _) => {
            texts.extend(parse_byte(token));
            false
        }
        (Kind::Text | Kind::OutOfReach, Spelling::ByteLevel) => byte_table::push_bytes(token, texts),
        (Kind::Control | Kind::Unused, _) | (Kind::Marker | Kind::Literal, Spelling::ByteLevel) => {
            texts.extend_from_slice(token.as_bytes());
            false
        }
        (_, Spelling::SentencePiece) => {
            texts.extend(token.replace(SPACE, " ").into_bytes());
            !token.contains(' ')
        }
    }
}

fn text_of<'a>(id: u32, texts: &'a [u8], ends: &Rows<1>) -> &'a [u8] {
    let id = id as usize;
    let end = |id| ends.get(id).map(|[end]| end as usize);
    let text = || texts.get(id.checked_sub(1).map_or(Some(0), end)?..end(id)?);
    text().unwrap_or_default()
}

/// The tokens that BPE may build, as [`Vocabulary::by_text`]. Of those with the same text, it may build the first only.
fn sorted_by_text(kinds: &mut [Kind], texts: &[u8], ends: &Rows<1>) -> Rows<2> {
    let text = |id: u32| text_of(id, texts, ends);
    let text_tokens = (0..).zip(&*kinds).filter(|(_, kind)| **kind == Kind::Text);
    let mut by_text: Vec<[u32; 2]> = text_tokens.map(|(id, _)| [beginning(text(id)), id]).collect();
    by_text.sort_unstable_by(|[left_begins, left], [right_begins, right]| {
        left_begins.cmp(right_begins).then_with(|| text(*left).cmp(text(*right))).then(left.cmp(right))
    });
    by_text.dedup_by(|[_, later], [_, first]| {
        let same = text(*later) == text(*first);
        if same {
            kinds[*later as usize] = Kind::OutOfReach;
        }
        same
    });
    by_text.into_iter().collect()
}
