//! The special tokens that a model file names by their ids.

use super::spec::TokenizerSpec;

/// The special tokens, whatever else the file says about them.
#[derive(Debug, Default)]
pub(crate) struct SpecialIds {
    pub(crate) bos: Option<u32>,
    pub(crate) eos: Option<u32>,
    pub(crate) eot: Option<u32>,
    pub(crate) eom: Option<u32>,
    pub(crate) unknown: Option<u32>,
    /// What is told about ids that no token has. Files in the wild have 4294967295 for none.
    pub(crate) warnings: Vec<String>,
}

impl SpecialIds {
    /// Those of a vocabulary of `count` tokens.
    pub(crate) fn of(spec: &TokenizerSpec, count: usize) -> Self {
        let mut warnings = Vec::new();
        let mut known = |name: &str, id: Option<u32>| {
            let known = id.filter(|&id| (id as usize) < count);
            if let (Some(id), None) = (id, known) {
                warnings.push(format!(
                    "tokenizer.ggml.{name}_token_id is {id}, but there are only {count} tokens: it is ignored"
                ));
            }
            known
        };
        Self {
            bos: known("bos", spec.bos),
            eos: known("eos", spec.eos),
            eot: known("eot", spec.eot),
            eom: known("eom", spec.eom),
            unknown: known("unknown", spec.unknown),
            warnings,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = u32> {
        self.ends().chain([self.bos, self.unknown].into_iter().flatten())
    }

    /// Those that end a turn or a text.
    pub(crate) fn ends(&self) -> impl Iterator<Item = u32> {
        [self.eos, self.eot, self.eom].into_iter().flatten()
    }
}
