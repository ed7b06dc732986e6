//! How each `tokenizer.ggml.pre` name splits text before BPE.

use tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::SplitDelimiterBehavior;

use crate::TextError;

pub(crate) const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const BAILING: &str =
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const SEED_CODER: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
/// Letters with a case, but not Armenian and Georgian small ones, those of mathematics, and others that are rare.
const DEEPSEEK_LETTERS: &str = r"\s?[[\p{Lu}\p{Ll}\p{Lt}]--[\x{560}-\x{588}\x{10C7}-\x{10FF}\x{1C80}-\x{1C88}\x{2D00}-\x{2D2D}\x{A790}-\x{AB68}\x{10570}-\x{105BC}\x{16E40}-\x{16E7F}\x{1D400}-\x{1DFFF}]]+";
const DEEPSEEK_CJK: &str = "[一-龥ࠀ-一가-퟿]+";

/// Splits applied one after the other, and what else the name implies.
#[derive(Debug, Clone)]
pub(crate) struct PreTokenizer {
    splits: Vec<String>,
    /// A word that is a token is taken whole, without looking at the merges.
    pub(crate) ignore_merges: bool,
    /// Whether models of this kind want the begin token when their file does not say.
    pub(crate) add_bos: bool,
    /// Whether their text is brought to Unicode's normalization form C first.
    pub(crate) composes: bool,
}

impl PreTokenizer {
    /// The pre-tokenizer of that name. A file that names none, or one that is not known, gets the default, and a warning: its
    /// tokens may not be those that the model was trained on.
    pub(crate) fn named(name: Option<&str>, warnings: &mut Vec<String>) -> Result<Self, TextError> {
        if let Some(known) = name.and_then(Self::known) {
            return Ok(known);
        }
        warnings.push(match name {
            // They do not spell bytes with stand-ins, or do not merge.
            Some("gemma4" | "sarvam-moe" | "granite-embed-multi-311m" | "whitespace" | "kimi-k2") => {
                return Err(TextError::Unsupported { what: format!("the pre-tokenizer {:?}", name.unwrap_or_default()) });
            }
            Some(name) => format!(
                "tokenizer.ggml.pre is {name:?}, which is unknown: text is split in the default way, and answers may be worse"
            ),
            None => "tokenizer.ggml.pre is missing: text is split in the default way, and answers may be worse".to_owned(),
        });
        Ok(Self::by_default())
    }

    fn known(name: &str) -> Option<Self> {
        Some(match name {
            "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "falcon-h1" | "pixtral" | "lfm2" | "midm-2.0"
            | "jina-v5-nano" => Self::split_by(&[LLAMA3]).whole_words().begun(),
            "smaug-bpe" | "dbrx" | "chatglm-bpe" => Self::split_by(&[LLAMA3]),
            "glm4" | "glm5" => Self::split_by(&[LLAMA3]).whole_words(),
            "minicpm5" => Self::split_by(&[r"\p{N}{1,3}", LLAMA3]).whole_words(),
            "tekken" => Self::split_by(&[TEKKEN]).whole_words().begun(),
            "gpt-4o" | "llama4" | "kanana2" | "talkie" | "minimax-m2" => Self::split_by(&[GPT4O]),
            "qwen2" | "deepseek-r1-qwen" | "megrez" | "kormo" | "f2llmv2" => Self::split_by(&[QWEN2]).composed(),
            "qwen35" => Self::split_by(&[QWEN35]).composed(),
            "stablelm2" | "hunyuan" | "solar-open" | "grok-2" => Self::split_by(&[QWEN2]),
            "bailingmoe" | "bailingmoe2" | "llada-moe" => Self::split_by(&[BAILING]),
            "seed-coder" => Self::split_by(&[SEED_CODER]),
            "mpt" | "olmo" => Self::split_by(&[GPT2]).composed(),
            "gpt-2" | "phi-2" | "jais" | "exaone4" | "trillion" | "granite-docling" | "gigachat" | "a.x-4.0"
            | "mellum" | "modern-bert" | "jina-es" | "jina-de" | "jina-v2-es" | "jina-v2-de" | "jina-v1-en"
            | "jina-v2-code" | "roberta-bpe" => Self::split_by(&[GPT2]),
            "command-r" => Self::split_by(&[r"\p{N}", GPT2]).composed(),
            "smollm" | "starcoder" | "refact" | "codeshell" | "exaone" | "minerva-7b" | "mellum2" => {
                Self::split_by(&[r"\p{N}", GPT2])
            }
            "falcon" => Self::split_by(&[r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"]),
            "deepseek-llm" => Self::split_by(&[
                r"[\r\n]",
                DEEPSEEK_LETTERS,
                r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
                r"\s+$",
                DEEPSEEK_CJK,
                r"\p{N}+",
            ]),
            "deepseek-coder" => Self::split_by(&[r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", DEEPSEEK_CJK, r"\p{N}"]),
            "deepseek-v3" | "hunyuan-dense" | "joyai-llm" | "hy_v4" => {
                Self::split_by(&[r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3])
            }
            "poro-chat" | "bloom" | "gpt3-finnish" => Self::split_by(&[" ?[^(\\s|.,!?…。，、।۔،)]+"]),
            "viking" => Self::split_by(&[" ?[^(\\s|.,!?…。，、।۔،)]+", r"\p{N}"]),
            "default" => Self::by_default(),
            _ => return None,
        })
    }

    /// What llama.cpp does with a file that names no pre-tokenizer.
    fn by_default() -> Self {
        Self::split_by(&[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"])
    }

    /// Splits by regular expressions, applied one after the other.
    pub(crate) fn split_by<S: AsRef<str>>(expressions: &[S]) -> Self {
        let splits = expressions.iter().map(|expression| expression.as_ref().to_owned()).collect();
        Self { splits, ignore_merges: false, add_bos: false, composes: false }
    }

    fn whole_words(self) -> Self {
        Self { ignore_merges: true, ..self }
    }

    fn begun(self) -> Self {
        Self { add_bos: true, ..self }
    }

    fn composed(self) -> Self {
        Self { composes: true, ..self }
    }

    /// The same, as the tokenizers crate wants it.
    pub(crate) fn build(&self) -> Result<PreTokenizerWrapper, TextError> {
        let mut steps: Vec<PreTokenizerWrapper> = Vec::new();
        for expression in &self.splits {
            let pattern = SplitPattern::Regex(expression.clone());
            let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false)
                .map_err(|_| TextError::Unsupported { what: "the pre-tokenizer's regular expression".to_owned() })?;
            steps.push(split.into());
        }
        Ok(Sequence::new(steps).into())
    }
}
