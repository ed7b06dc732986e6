//! What each token is.

use super::spec::{TokenizerSpec, invalid};
use super::special_ids::SpecialIds;
use crate::TextError;

/// Tokens that end a turn or a text, in the model families that are around. A file names at most three of its end tokens; a
/// model may emit any of them. llama.cpp stops at the same, and at those of code models that end a file.
pub(crate) const END_TOKENS: [&str; 36] = [
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
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<end_of_utterance>",
    "<|end_of_turn|>",
    "<|return|>",
    "<|call|>",
    "<|calls|>",
    "<|flush|>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
    "<|fim_pad|>",
    "<fim_pad>",
    "<fim-pad>",
    "<PAD>",
    "[PAD]",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<reponame>",
    "<REPO>",
    "<|file_sep|>",
];

/// Elements of HTML whose tags are tokens of Gemma: people write them.
const HTML_ELEMENTS: [&str; 37] = [
    "a",
    "b",
    "bbox",
    "blockquote",
    "body",
    "caption",
    "code",
    "div",
    "em",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "html",
    "i",
    "iframe",
    "img",
    "li",
    "s",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
    "p",
    "ol",
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
#[repr(u8)]
pub(crate) enum Kind {
    /// Text that BPE may build.
    Text,
    /// Text that BPE cannot build: an earlier token has it too, or bytes are not spelled so.
    OutOfReach,
    /// One byte of a SentencePiece vocabulary.
    Byte,
    /// Added by the model's authors, looks like a marker (`<tool_call>`): it has text, but only a template may write
    /// it.
    Marker,
    /// Added by the model's authors, plain text that is matched as a whole: runs of white space, tags of HTML.
    Literal,
    /// Has no text: begin, end, header and unknown tokens.
    Control,
    /// Nothing was ever trained to it, such as what fills an embedding up to a round number of rows.
    Unused,
}

impl Kind {
    /// Whether one of them is stored as this byte.
    pub(crate) fn is_stored_as(byte: u8) -> bool {
        byte <= Self::Unused as u8
    }
}

/// The kind of each token.
pub(crate) fn kinds(spec: &TokenizerSpec, special: &SpecialIds, spelling: Spelling) -> Result<Vec<Kind>, TextError> {
    let types = spec.token_types.iter().copied().map(Some).chain(std::iter::repeat(None));
    let tokens = (0..).zip(spec.tokens.iter().zip(types));
    let mut kinds = tokens
        .map(|(id, (token, token_type))| kind_of(id, token, token_type, spelling))
        .collect::<Result<Vec<_>, _>>()?;
    for id in special.all() {
        kinds[id as usize] = Kind::Control;
    }
    Ok(kinds)
}

/// The kind of a token from its `token_type` (1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte), and
/// from its text where the file is known to be careless.
fn kind_of(id: u32, token: &str, token_type: Option<i32>, spelling: Spelling) -> Result<Kind, TextError> {
    let kind = match token_type {
        _ if is_padding(id, token) => Kind::Unused,
        Some(0 | 1) => Kind::Text,
        Some(2 | 3) => Kind::Control,
        Some(4) if looks_like_marker(token) => Kind::Marker,
        Some(4) => Kind::Literal,
        Some(5) => Kind::Unused,
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
    if kind == Kind::Marker && is_html_tag(token) {
        return Ok(Kind::Literal);
    }
    if kind == Kind::Byte && parse_byte(token).is_none() {
        return Err(invalid("token_type", "a byte token is not of the form <0x00>"));
    }
    Ok(kind)
}

/// Converters fill a vocabulary up to the rows of the embedding with these.
fn is_padding(id: u32, token: &str) -> bool {
    token.strip_prefix("[PAD").and_then(|rest| rest.strip_suffix(']')).is_some_and(|number| number == id.to_string())
}

fn is_html_tag(token: &str) -> bool {
    let name = token.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or_default();
    HTML_ELEMENTS.contains(&name.strip_prefix('/').unwrap_or(name))
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
