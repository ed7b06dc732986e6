//! Turns text into token ids and back.

mod byte_level;
mod byte_table;
mod json;
mod kind;
mod merges;
mod merging;
mod pieces;
mod pre_tokenizer;
mod sentence_piece;
mod spec;
mod special_ids;
mod tables;
mod vocabulary;

use std::borrow::Cow;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use self::byte_level::ByteLevelBpe;
pub use self::json::TokenizerHints;
use self::kind::Spelling;
use self::merges::Merges;
use self::pre_tokenizer::PreTokenizer;
use self::sentence_piece::SentencePieceBpe;
pub use self::spec::TokenizerSpec;
use self::spec::invalid;
use self::tables::TableReader;
use self::vocabulary::Vocabulary;
use crate::{PromptPiece, RenderedPrompt, TextError};

/// A model's tokenizer. Cheap to clone, and safe to share between threads.
///
/// Control tokens (begin, end, headers) are not part of what text can be encoded to: they come from a chat template
/// alone, through [`Tokenizer::encode_prompt`]. The same goes for tokens that a model's authors added and that look
/// like markers (`<tool_call>`), but these have text when a model writes them. Other added tokens (runs of white space,
/// tags of HTML) are found in text as a whole.
///
/// Decoding returns the bytes that were encoded, unless the model's own tokenizer changes them: some normalize text to
/// Unicode form C (Qwen), and some vocabularies lack control characters (SmolLM2).
#[derive(Clone)]
pub struct Tokenizer {
    inner: Arc<Inner>,
}

struct Inner {
    vocabulary: Vocabulary,
    encoder: Encoder,
    literals: Literals,
    add_bos: bool,
    space_prefix: bool,
    control_swallows_space: bool,
    warnings: Vec<String>,
}

enum Encoder {
    ByteLevel(Box<ByteLevelBpe>),
    SentencePiece(Box<SentencePieceBpe>),
}

impl Encoder {
    /// What is told about bytes of UTF-8 that no token spells.
    fn missing_bytes(&self) -> Option<String> {
        let (is_spelled, result): (&dyn Fn(u8) -> bool, _) = match self {
            Self::ByteLevel(bpe) => (&|byte| bpe.spells(byte), "are left out of a text"),
            Self::SentencePiece(bpe) => (&|byte| bpe.spells(byte), "spell no character that the vocabulary lacks"),
        };
        let in_text = (0..=u8::MAX).filter(|byte| !matches!(byte, 0xC0 | 0xC1 | 0xF5..));
        let missing: Vec<String> =
            in_text.filter(|&byte| !is_spelled(byte)).map(|byte| format!("{byte:02X}")).collect();
        (!missing.is_empty()).then(|| {
            format!(
                "the vocabulary has no token for {} of 256 bytes, which {result}: {}",
                missing.len(),
                missing.join(" ")
            )
        })
    }
}

impl Tokenizer {
    /// Builds the tokenizer that GGUF metadata describes.
    ///
    /// Merges that name tokens outside the vocabulary are skipped, and when two tokens have the same text the first one
    /// is used. Text that the vocabulary cannot spell becomes the unknown token for SentencePiece, and is dropped
    /// otherwise.
    ///
    /// # Errors
    /// [`TextError::InvalidTokenizer`] for inconsistent metadata, [`TextError::Unsupported`] for tokenizers other than
    /// byte-level BPE and SentencePiece, [`TextError::Cancelled`] when [`TokenizerSpec::cancelled`] is set.
    pub fn from_spec(spec: &TokenizerSpec) -> Result<Self, TextError> {
        let mut warnings = Vec::new();
        let pre_tokenizer = match spec.model {
            "gpt2" => Some(PreTokenizer::named(spec.pre, &mut warnings)?),
            "llama" => None,
            other => return Err(TextError::Unsupported { what: format!("the tokenizer model {other:?}") }),
        };
        Self::build(spec, pre_tokenizer, warnings)
    }

    /// Builds the tokenizer from the `tokenizer.json` next to a model. Both kinds of BPE are supported.
    ///
    /// # Errors
    /// [`TextError::InvalidTokenizer`] for a damaged or inconsistent file, [`TextError::Unsupported`] for a model,
    /// pre-tokenizer or normalizer that is not supported.
    pub fn from_json(json: &[u8], hints: &TokenizerHints) -> Result<Self, TextError> {
        let (file, pre_tokenizer) = json::read(json, hints)?;
        Self::build(&file.spec(), pre_tokenizer, Vec::new())
    }

    /// A pre-tokenizer makes it byte-level BPE, none SentencePiece.
    fn build(
        spec: &TokenizerSpec,
        pre_tokenizer: Option<PreTokenizer>,
        mut warnings: Vec<String>,
    ) -> Result<Self, TextError> {
        spec.validate()?;
        let spelling = if pre_tokenizer.is_some() { Spelling::ByteLevel } else { Spelling::SentencePiece };
        let mut tables = spec.tables.clone().map(TableReader::new);
        let vocabulary = match &mut tables {
            Some(tables) => Vocabulary::read(tables, spec, spelling)?,
            None => Vocabulary::new(spec, spelling)?,
        };
        let (encoder, add_bos, space_prefix) = match &pre_tokenizer {
            Some(pre_tokenizer) => {
                let merges = match &mut tables {
                    Some(tables) => Merges::read(tables, &vocabulary)?,
                    None => Merges::from_texts(&vocabulary, spec)?,
                };
                let bpe = ByteLevelBpe::new(&vocabulary, merges, pre_tokenizer)?;
                (Encoder::ByteLevel(Box::new(bpe)), pre_tokenizer.add_bos, false)
            }
            None => {
                let scores = match &mut tables {
                    Some(tables) => tables.rows("scores")?,
                    None => spec.scores.iter().map(|score| [score.to_bits()]).collect(),
                };
                let bpe = SentencePieceBpe::new(&vocabulary, scores)?;
                (Encoder::SentencePiece(Box::new(bpe)), true, spec.add_space_prefix.unwrap_or(true))
            }
        };
        tables.map_or(Ok(()), TableReader::end)?;
        warnings.extend_from_slice(&vocabulary.special().warnings);
        warnings.iter().for_each(|warning| log::warn!("{warning}"));
        // Vocabularies without control characters are common, so this is reported only when a file is inspected.
        warnings.extend(encoder.missing_bytes());
        let inner = Inner {
            literals: Literals::new(&vocabulary.literals())?,
            add_bos: spec.add_bos.unwrap_or(add_bos) && vocabulary.special().bos.is_some(),
            vocabulary,
            encoder,
            space_prefix,
            control_swallows_space: spec.control_swallows_space,
            warnings,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What was built of tokens and merges, as [`TokenizerSpec::tables`] takes it back: nothing needs to be built again then.
    /// A multiple of four bytes, the same on all machines.
    pub fn tables(&self) -> Vec<u8> {
        let mut tables = Vec::new();
        self.inner.vocabulary.write(&mut tables);
        match &self.inner.encoder {
            Encoder::ByteLevel(bpe) => bpe.write(&mut tables),
            Encoder::SentencePiece(bpe) => bpe.write(&mut tables),
        }
        tables
    }

    /// The tokens of a separate text. They never include control tokens or the begin token.
    ///
    /// # Errors
    /// [`TextError::Internal`] if the pre-tokenizer fails on the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TextError> {
        let mut ids = Vec::new();
        self.encode_text(text, self.inner.space_prefix, &mut ids)?;
        Ok(ids)
    }

    /// The tokens of a text that goes on from another: as [`encode`](Self::encode), without the space that
    /// SentencePiece tokenizers put before a text.
    ///
    /// # Errors
    /// [`TextError::Internal`] if the pre-tokenizer fails on the text.
    pub fn encode_continuation(&self, text: &str) -> Result<Vec<u32>, TextError> {
        let mut ids = Vec::new();
        self.encode_text(text, false, &mut ids)?;
        Ok(ids)
    }

    /// The tokens of a prompt, with control tokens only where the template wrote them. The begin token is added if the
    /// model uses one and the template did not write it.
    ///
    /// # Errors
    /// [`TextError::Template`] for a prompt that was rendered for another tokenizer, [`TextError::Internal`] if the
    /// pre-tokenizer fails on the text.
    pub fn encode_prompt(&self, prompt: &RenderedPrompt) -> Result<Vec<u32>, TextError> {
        let mut ids = Vec::new();
        let mut swallows_space = false;
        for piece in prompt.pieces() {
            match piece {
                PromptPiece::Control(text) => {
                    ids.push(self.token_id(text).ok_or_else(|| TextError::Template {
                        why: "it was rendered for another tokenizer".to_owned(),
                    })?);
                    swallows_space = self.swallows_space(text);
                }
                PromptPiece::Text(text) => {
                    let text = if swallows_space { text.trim_start() } else { text };
                    self.encode_text(text, self.inner.space_prefix, &mut ids)?;
                }
            }
        }
        if let Some(bos) = self.bos().filter(|bos| self.inner.add_bos && ids.first() != Some(bos)) {
            ids.insert(0, bos);
        }
        Ok(ids)
    }

    /// Whether white space after a control token is taken away. Phi-3's tokens of Llama 2 leave it there.
    fn swallows_space(&self, control: &str) -> bool {
        self.inner.control_swallows_space && !["<unk>", "<s>", "<|endoftext|>"].contains(&control)
    }

    fn encode_text(&self, text: &str, space_prefix: bool, ids: &mut Vec<u32>) -> Result<(), TextError> {
        if text.is_empty() {
            return Ok(());
        }
        self.inner.literals.split(text, |position, part| {
            match (part, &self.inner.encoder) {
                (Part::Literal(id), _) => ids.push(id),
                (Part::Text(text), Encoder::ByteLevel(bpe)) => bpe.encode(&self.inner.vocabulary, text, ids)?,
                (Part::Text(text), Encoder::SentencePiece(bpe)) => {
                    // Literals part a text as control tokens do: it begins anew after each.
                    let space_prefix = if position == 0 { space_prefix } else { self.inner.space_prefix };
                    bpe.encode(&self.inner.vocabulary, text, space_prefix, ids);
                }
            }
            Ok(())
        })
    }

    /// The text of tokens: what [`encode`](Self::encode) was given. Bytes that are not UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|&id| self.token_bytes(id)).copied().collect();
        let bytes = match bytes.strip_prefix(b" ") {
            Some(rest) if self.inner.space_prefix => rest,
            _ => &bytes,
        };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// The bytes of a token; none for a control token or an unknown id.
    pub fn token_bytes(&self, id: u32) -> &[u8] {
        self.inner.vocabulary.bytes(id)
    }

    /// A token in readable form: its text, or the name of a control token. Incomplete characters are shown as U+FFFD.
    pub fn token_text(&self, id: u32) -> Cow<'_, str> {
        match self.is_control(id) {
            true => Cow::Borrowed(self.inner.vocabulary.control_name(id).unwrap_or_default()),
            false => String::from_utf8_lossy(self.token_bytes(id)),
        }
    }

    /// Whether a token is one of the model's control tokens.
    pub fn is_control(&self, id: u32) -> bool {
        self.inner.vocabulary.is_control(id)
    }

    /// The id of a control token, or of another token that only templates write.
    pub fn token_id(&self, control: &str) -> Option<u32> {
        self.inner.vocabulary.template_ids().get(control).copied()
    }

    /// All tokens that only templates write: their texts, and whether each is a control token.
    pub(crate) fn template_tokens(&self) -> impl Iterator<Item = (&str, bool)> {
        self.inner.vocabulary.template_ids().iter().map(|(text, id)| (text.as_str(), self.is_control(*id)))
    }

    /// The minimum number of tokens for a text of this many bytes.
    pub fn fewest_tokens(&self, bytes: usize) -> usize {
        bytes.div_ceil(self.inner.vocabulary.longest())
    }

    /// The number of tokens.
    pub fn vocab_size(&self) -> usize {
        self.inner.vocabulary.len()
    }

    /// The number of tokens without the unused ones at the end, which pad the embedding and must not be chosen.
    pub fn trained_tokens(&self) -> usize {
        self.inner.vocabulary.trained()
    }

    /// Problems of the model file's tokenizer, described for the user who chose the file. The tokenizer works
    /// nevertheless. Everything except missing bytes is also logged.
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// The begin token.
    pub fn bos(&self) -> Option<u32> {
        self.inner.vocabulary.special().bos
    }

    /// Whether a prompt has to start with the begin token.
    pub fn add_bos(&self) -> bool {
        self.inner.add_bos
    }

    /// The tokens that end a turn or a text; generation stops at any of them.
    pub fn end_tokens(&self) -> &[u32] {
        self.inner.vocabulary.end_tokens()
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tokenizer").field("vocab_size", &self.vocab_size()).finish_non_exhaustive()
    }
}

/// Tokens that are found in text as a whole, before BPE.
struct Literals {
    matcher: Option<AhoCorasick>,
    ids: Vec<u32>,
}

enum Part<'a> {
    Literal(u32),
    Text(&'a str),
}

impl Literals {
    fn new(literals: &[(&str, u32)]) -> Result<Self, TextError> {
        let ids = literals.iter().map(|(_, id)| *id).collect();
        if literals.is_empty() {
            return Ok(Self { matcher: None, ids });
        }
        let matcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(literals.iter().map(|(text, _)| text))
            .map_err(|_| invalid("tokens", "too many user-defined tokens"))?;
        Ok(Self { matcher: Some(matcher), ids })
    }

    /// Calls `each` with the parts of `text` and where they start.
    fn split<'a>(
        &self,
        text: &'a str,
        mut each: impl FnMut(usize, Part<'a>) -> Result<(), TextError>,
    ) -> Result<(), TextError> {
        let mut done = 0;
        for found in self.matcher.iter().flat_map(|matcher| matcher.find_iter(text)) {
            if done < found.start() {
                each(done, Part::Text(&text[done..found.start()]))?;
            }
            each(found.start(), Part::Literal(self.ids[found.pattern()]))?;
            done = found.end();
        }
        if done < text.len() {
            each(done, Part::Text(&text[done..]))?;
        }
        Ok(())
    }
}
