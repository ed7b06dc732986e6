//! What each token is and which bytes it stands for.

use std::collections::HashMap;

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

pub(crate) struct Vocabulary {
    tokens: Vec<String>,
    kinds: Vec<Kind>,
    bytes: Vec<u8>,
    /// Token `id` stands for `bytes[ends[id - 1]..ends[id]]`.
    ends: Vec<usize>,
    template_ids: HashMap<String, u32>,
    end_tokens: Vec<u32>,
}

impl Vocabulary {
    /// `spec` has been validated; its tokens are taken. When a text occurs twice, the first token has it and the others can only be read.
    pub(crate) fn new(spec: &mut TokenizerSpec, spelling: Spelling) -> Result<Self, TextError> {
        let named: Vec<u32> = [spec.bos, spec.eos, spec.eot, spec.unknown].into_iter().flatten().collect();
        let mut kinds = Vec::with_capacity(spec.tokens.len());
        for (id, token) in spec.tokens.iter().enumerate() {
            kinds.push(kind_of(token, spec.token_types.get(id).copied(), spelling)?);
        }
        for id in named {
            kinds[id as usize] = Kind::Control;
        }
        let mut vocabulary = Self {
            tokens: std::mem::take(&mut spec.tokens),
            kinds,
            bytes: Vec::new(),
            ends: Vec::new(),
            template_ids: HashMap::new(),
            end_tokens: Vec::new(),
        };
        vocabulary.fill_bytes(spelling);
        vocabulary.collect_template_ids();
        vocabulary.collect_end_tokens(spec);
        Ok(vocabulary)
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The token as the file spells it.
    pub(crate) fn token(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize).map(String::as_str)
    }

    pub(crate) fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let Some(&end) = self.ends.get(id) else { return &[] };
        let start = id.checked_sub(1).map_or(0, |previous| self.ends[previous]);
        &self.bytes[start..end]
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

    /// The tokens that BPE may build: nothing else is reachable from text.
    pub(crate) fn text_pieces(&self) -> HashMap<&str, u32> {
        let mut pieces = HashMap::with_capacity(self.tokens.len());
        for (id, token) in self.of_kind(Kind::Text).filter(|(_, token)| !token.is_empty()) {
            pieces.entry(token).or_insert(id);
        }
        pieces
    }

    /// Added tokens that are matched in text as a whole: their bytes as text, and their ids.
    pub(crate) fn literals(&self) -> Vec<(&str, u32)> {
        self.of_kind(Kind::Literal)
            .filter_map(|(id, _)| Some((std::str::from_utf8(self.bytes(id)).ok()?, id)))
            .filter(|(text, _)| !text.is_empty())
            .collect()
    }

    /// The tokens of single bytes in a SentencePiece vocabulary.
    pub(crate) fn byte_tokens(&self) -> [Option<u32>; 256] {
        let mut ids = [None; 256];
        for (id, token) in self.of_kind(Kind::Byte) {
            if let Some(byte) = parse_byte(token) {
                ids[usize::from(byte)].get_or_insert(id);
            }
        }
        ids
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (u32, &str)> {
        let ids = 0_u32..;
        ids.zip(&self.tokens)
            .zip(&self.kinds)
            .filter(move |(_, found)| **found == kind)
            .map(|((id, token), _)| (id, token.as_str()))
    }

    fn fill_bytes(&mut self, spelling: Spelling) {
        for (token, kind) in self.tokens.iter().zip(&self.kinds) {
            match (kind, spelling) {
                (Kind::Control, _) => {}
                (Kind::Byte, _) => self.bytes.extend(parse_byte(token)),
                (Kind::Marker, Spelling::ByteLevel) | (Kind::Literal, Spelling::ByteLevel) => {
                    self.bytes.extend_from_slice(token.as_bytes());
                }
                (Kind::Text, Spelling::ByteLevel) => self.bytes.extend(byte_table::bytes_of(token)),
                (_, Spelling::SentencePiece) => self.bytes.extend(token.replace(SPACE, " ").into_bytes()),
            }
            self.ends.push(self.bytes.len());
        }
    }

    fn collect_template_ids(&mut self) {
        let mut template_ids = HashMap::new();
        for kind in [Kind::Control, Kind::Marker] {
            for (id, token) in self.of_kind(kind).filter(|(_, token)| !token.is_empty()) {
                template_ids.entry(token.to_owned()).or_insert(id);
            }
        }
        self.template_ids = template_ids;
    }

    fn collect_end_tokens(&mut self, spec: &TokenizerSpec) {
        let known = END_TOKENS.iter().filter_map(|text| self.template_ids.get(*text).copied());
        let mut end_tokens: Vec<u32> = [spec.eos, spec.eot].into_iter().flatten().chain(known).collect();
        let mut seen = std::collections::HashSet::new();
        end_tokens.retain(|id| seen.insert(*id));
        self.end_tokens = end_tokens;
    }
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
