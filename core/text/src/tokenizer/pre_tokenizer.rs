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
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Splits applied one after the other, and what else the name implies.
#[derive(Debug, Clone)]
pub(crate) struct PreTokenizer {
    splits: Vec<String>,
    /// A word that is a token is taken whole, without looking at the merges.
    pub(crate) ignore_merges: bool,
    /// Whether models of this kind want the begin token when their file does not say.
    pub(crate) add_bos: bool,
}

impl PreTokenizer {
    /// The pre-tokenizer of that name; only names whose expressions are known for sure are taken, since a wrong split
    /// gives a model that speaks nonsense.
    pub(crate) fn named(name: Option<&str>) -> Result<Self, TextError> {
        let llama3_like =
            |expression: &str| Self { ignore_merges: true, add_bos: true, ..Self::split_by(&[expression]) };
        Ok(match name.unwrap_or("default") {
            "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "falcon-h1" | "pixtral" | "lfm2" => llama3_like(LLAMA3),
            "smaug-bpe" | "dbrx" => Self::split_by(&[LLAMA3]),
            "tekken" => llama3_like(TEKKEN),
            "gpt-4o" => Self::split_by(&[GPT4O]),
            "qwen2" | "deepseek-r1-qwen" | "stablelm2" => Self::split_by(&[QWEN2]),
            "gpt-2" | "phi-2" | "mpt" | "olmo" | "jais" => Self::split_by(&[GPT2]),
            "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" => {
                Self::split_by(&[r"\p{N}", GPT2])
            }
            // What llama.cpp does with a file that names no pre-tokenizer.
            "default" => Self::split_by(&[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"]),
            unknown => {
                log::warn!("the pre-tokenizer of this model is not known");
                return Err(TextError::Unsupported { what: format!("the pre-tokenizer {unknown:?}") });
            }
        })
    }

    /// Splits by regular expressions, applied one after the other.
    pub(crate) fn split_by<S: AsRef<str>>(expressions: &[S]) -> Self {
        let splits = expressions.iter().map(|expression| expression.as_ref().to_owned()).collect();
        Self { splits, ignore_merges: false, add_bos: false }
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
