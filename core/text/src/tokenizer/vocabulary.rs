//! What each token is and which bytes it stands for.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::byte_table;
use super::sentence_piece::SPACE;
use super::spec::{TokenizerSpec, invalid};
use crate::TextError;

/// Control tokens that end a turn or a text, in the model families that are around. A file names at most two of its
/// end tokens; a model may emit any of them.
const END_TOKENS: [&str; 15] = [
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eot|>",
    "<|EOT|>",
    "<EOT>",
    "<|end_of_turn|>",
    "<|end_of_role|>",
    "<|return|>",
    "<｜end▁of▁sentence｜>",
];

/// How a vocabulary spells bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// GPT-2's table of stand-ins.
    ByteLevel,
    /// `▁` for a space, `<0x0A>` for a single byte.
    SentencePiece,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text that BPE may build.
    Text,
    /// Text that BPE cannot build: an earlier token has it too, or bytes are not spelled so.
    OutOfReach,
    /// One byte of a SentencePiece vocabulary.
    Byte,
    /// Added by the model's authors, looks like a marker (`<tool_call>`): it has text, but only a template may write
    /// it.
    Marker,
    /// Added by the model's authors, plain text that is matched as a whole.
    Literal,
    /// Has no text: begin, end, header, unknown and unused tokens.
    Control,
}

/// All tokens, in as little memory as they can be held: a large vocabulary has a quarter of a million.
pub(crate) struct Vocabulary {
    kinds: Vec<Kind>,
    bytes: Vec<u8>,
    /// Token `id` stands for `bytes[ends[id - 1]..ends[id]]`.
    ends: Vec<u32>,
    /// The tokens that BPE may build, by their bytes.
    texts: HashTable<u32>,
    hasher: RandomState,
    /// How the file spells control tokens, which stand for no bytes.
    control_names: HashMap<u32, String>,
    template_ids: HashMap<String, u32>,
    end_tokens: Vec<u32>,
}

impl Vocabulary {
    /// `spec` has been validated. When a text occurs twice, the first token has it and the others can only be read.
    pub(crate) fn new(spec: &TokenizerSpec, spelling: Spelling) -> Result<Self, TextError> {
        let mut vocabulary = Self {
            kinds: kinds(spec, spelling)?,
            bytes: Vec::new(),
            ends: Vec::with_capacity(spec.tokens.len()),
            texts: HashTable::with_capacity(spec.tokens.len()),
            hasher: RandomState::default(),
            control_names: HashMap::new(),
            template_ids: HashMap::new(),
            end_tokens: Vec::new(),
        };
        for (id, token) in (0..).zip(&spec.tokens) {
            vocabulary.push(id, token, spelling)?;
        }
        vocabulary.bytes.shrink_to_fit();
        // Not while bytes are pushed: a processor waits when it is to read words of what it has just written byte by byte.
        vocabulary.index_texts();
        vocabulary.collect_template_ids(&spec.tokens);
        vocabulary.collect_end_tokens(spec);
        Ok(vocabulary)
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// A control token as the file spells it.
    pub(crate) fn control_name(&self, id: u32) -> Option<&str> {
        self.control_names.get(&id).map(String::as_str)
    }

    pub(crate) fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let Some(&end) = self.ends.get(id) else { return &[] };
        let start = id.checked_sub(1).map_or(0, |previous| self.ends[previous]);
        &self.bytes[start as usize..end as usize]
    }

    pub(crate) fn is_control(&self, id: u32) -> bool {
        self.kinds.get(id as usize) == Some(&Kind::Control)
    }

    /// The tokens that a chat template may write, by text.
    pub(crate) fn template_ids(&self) -> &HashMap<String, u32> {
        &self.template_ids
    }

    pub(crate) fn end_tokens(&self) -> &[u32] {
        &self.end_tokens
    }

    /// The token that stands for `text`, of those that BPE may build: nothing else is reachable from text.
    pub(crate) fn find(&self, text: &[u8]) -> Option<u32> {
        self.texts.find(self.hasher.hash_one(text), |&id| self.bytes(id) == text).copied()
    }

    /// Whether BPE may build this token: whether [`Vocabulary::find`] gives it for any text.
    pub(crate) fn is_buildable(&self, id: u32) -> bool {
        self.kinds.get(id as usize) == Some(&Kind::Text)
    }

    /// The texts that [`Vocabulary::find`] finds.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.texts.iter().map(|&id| self.bytes(id))
    }

    /// Added tokens that are matched in text as a whole: their bytes as text, and their ids.
    pub(crate) fn literals(&self) -> Vec<(&str, u32)> {
        self.of_kind(Kind::Literal)
            .filter_map(|id| Some((std::str::from_utf8(self.bytes(id)).ok()?, id)))
            .filter(|(text, _)| !text.is_empty())
            .collect()
    }

    /// The tokens of single bytes in a SentencePiece vocabulary.
    pub(crate) fn byte_tokens(&self) -> [Option<u32>; 256] {
        let mut ids = [None; 256];
        for id in self.of_kind(Kind::Byte) {
            if let [byte] = self.bytes(id) {
                ids[usize::from(*byte)].get_or_insert(id);
            }
        }
        ids
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = u32> {
        (0..).zip(&self.kinds).filter(move |(_, found)| **found == kind).map(|(id, _)| id)
    }

    fn push(&mut self, id: u32, token: &str, spelling: Spelling) -> Result<(), TextError> {
        let kind = self.kinds[id as usize];
        let start = self.bytes.len();
        let spelled = match (kind, spelling) {
            (Kind::Control, _) => {
                self.control_names.insert(id, token.to_owned());
                false
            }
            (Kind::Byte, _) => {
                self.bytes.extend(parse_byte(token));
                false
            }
            (Kind::Text | Kind::OutOfReach, Spelling::ByteLevel) => byte_table::push_bytes(token, &mut self.bytes),
            (Kind::Marker | Kind::Literal, Spelling::ByteLevel) => {
                self.bytes.extend_from_slice(token.as_bytes());
                false
            }
            (_, Spelling::SentencePiece) => {
                self.bytes.extend(token.replace(SPACE, " ").into_bytes());
                !token.contains(' ')
            }
        };
        let end = u32::try_from(self.bytes.len()).map_err(|_| invalid("tokens", "more than 4 GB of text"))?;
        self.ends.push(end);
        if kind == Kind::Text && !(spelled && start < self.bytes.len()) {
            self.kinds[id as usize] = Kind::OutOfReach;
        }
        Ok(())
    }

    /// The first token with a text has it.
    fn index_texts(&mut self) {
        for id in 0..self.len() as u32 {
            if self.is_buildable(id) && !self.index(id) {
                self.kinds[id as usize] = Kind::OutOfReach;
            }
        }
    }

    /// Whether it is the first token with its text.
    fn index(&mut self, id: u32) -> bool {
        let Self { bytes, ends, texts, hasher, .. } = self;
        let text = |id: u32| {
            let start = id.checked_sub(1).map_or(0, |previous| ends[previous as usize]);
            &bytes[start as usize..ends[id as usize] as usize]
        };
        let hash = |&id: &u32| hasher.hash_one(text(id));
        match texts.entry(hash(&id), |&other| text(other) == text(id), hash) {
            Entry::Vacant(entry) => {
                entry.insert(id);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    fn collect_template_ids(&mut self, tokens: &[&str]) {
        for kind in [Kind::Control, Kind::Marker] {
            let ids: Vec<u32> = self.of_kind(kind).filter(|&id| !tokens[id as usize].is_empty()).collect();
            for id in ids {
                self.template_ids.entry(tokens[id as usize].to_owned()).or_insert(id);
            }
        }
    }

    fn collect_end_tokens(&mut self, spec: &TokenizerSpec) {
        let known = END_TOKENS.iter().filter_map(|text| self.template_ids.get(*text).copied());
        let mut end_tokens: Vec<u32> = [spec.eos, spec.eot].into_iter().flatten().chain(known).collect();
        let mut seen = HashSet::new();
        end_tokens.retain(|id| seen.insert(*id));
        self.end_tokens = end_tokens;
    }
}

fn kinds(spec: &TokenizerSpec, spelling: Spelling) -> Result<Vec<Kind>, TextError> {
    let types = spec.token_types.iter().copied().map(Some).chain(std::iter::repeat(None));
    let kinds = spec.tokens.iter().zip(types).map(|(token, token_type)| kind_of(token, token_type, spelling));
    let mut kinds = kinds.collect::<Result<Vec<_>, _>>()?;
    for id in [spec.bos, spec.eos, spec.eot, spec.unknown].into_iter().flatten() {
        kinds[id as usize] = Kind::Control;
    }
    Ok(kinds)
}

/// The kind of a token from its `token_type` (1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte), and
/// from its text where the file is known to be careless.
fn kind_of(token: &str, token_type: Option<i32>, spelling: Spelling) -> Result<Kind, TextError> {
    let kind = match token_type {
        Some(0 | 1) => Kind::Text,
        Some(2 | 3 | 5) => Kind::Control,
        Some(4) if looks_like_marker(token) => Kind::Marker,
        Some(4) => Kind::Literal,
        Some(6) => Kind::Byte,
        Some(other) => return Err(invalid("token_type", format!("{other} is not a token type"))),
        None if spelling == Spelling::SentencePiece && parse_byte(token).is_some() => Kind::Byte,
        None if is_bar_marker(token) => Kind::Control,
        None => Kind::Text,
    };
    // Conversions sometimes list the end-of-turn marker as a normal or user-defined token. `</s>` may be ordinary
    // HTML.
    let mislabelled_end = token.starts_with('<')
        && END_TOKENS.contains(&token)
        && (kind == Kind::Marker || kind == Kind::Text && token != "</s>");
    if mislabelled_end {
        return Ok(Kind::Control);
    }
    if kind == Kind::Byte && parse_byte(token).is_none() {
        return Err(invalid("token_type", "a byte token is not of the form <0x00>"));
    }
    Ok(kind)
}

/// `<tool_call>`, `<|im_start|>`, `[INST]`: text that a model was taught to read as structure.
fn looks_like_marker(token: &str) -> bool {
    let bracketed = |open, close| token.len() > 2 && token.starts_with(open) && token.ends_with(close);
    (bracketed('<', '>') || bracketed('[', ']')) && !token.contains(char::is_whitespace)
}

fn is_bar_marker(token: &str) -> bool {
    token.len() > 4 && token.starts_with("<|") && token.ends_with("|>")
}

/// The byte of `<0x0A>`.
pub(crate) fn parse_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}
