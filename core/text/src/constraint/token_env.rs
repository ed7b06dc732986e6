//! A tokenizer as the constraint engine wants to see it.

use std::sync::Arc;

use toktrie::{TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use crate::{TextError, Tokenizer};

/// The trie counts nodes in 22 bits and the depth of a token in 10; beyond that it would panic.
const MAX_TRIE_BYTES: usize = (1 << 22) - 2;
const MAX_TOKEN_BYTES: usize = 1000;

struct Environment {
    tokenizer: Tokenizer,
    trie: TokTrie,
}

/// The trie of all tokens. Costs tens of milliseconds for a vocabulary of 128k.
pub(super) fn token_env(tokenizer: &Tokenizer) -> Result<TokEnv, TextError> {
    let count = u32::try_from(tokenizer.vocab_size()).unwrap_or(u32::MAX);
    let words: Vec<Vec<u8>> = (0..count).map(|id| word(tokenizer, id)).collect();
    if words.iter().map(Vec::len).sum::<usize>() > MAX_TRIE_BYTES {
        return Err(TextError::Unsupported { what: "output constraints over a vocabulary of this size".to_owned() });
    }
    let ends = tokenizer.end_tokens();
    let Some(&end) = ends.first() else {
        return Err(TextError::Unsupported { what: "output constraints without an end token".to_owned() });
    };
    let trie = TokTrie::from(&TokRxInfo::new(count, end), &words).with_eos_tokens(ends);
    Ok(Arc::new(Environment { tokenizer: tokenizer.clone(), trie }))
}

/// The bytes of a token in the trie. Control tokens are behind a byte that no text holds, so a grammar cannot reach
/// them by text. A token too long for the trie is left out: the model spells it with shorter ones.
fn word(tokenizer: &Tokenizer, id: u32) -> Vec<u8> {
    if tokenizer.is_control(id) {
        return [&[TokTrie::SPECIAL_TOKEN_MARKER], format!("<{id}>").as_bytes()].concat();
    }
    match tokenizer.token_bytes(id) {
        too_long if too_long.len() > MAX_TOKEN_BYTES => Vec::new(),
        bytes => bytes.to_vec(),
    }
}

impl TokenizerEnv for Environment {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            let ids = self.tokenizer.encode_continuation(text).unwrap_or_default();
            let spelled = ids.iter().flat_map(|&id| self.tokenizer.token_bytes(id));
            // A SentencePiece vocabulary cannot spell everything: `▁` itself reads as a space.
            match spelled.eq(text.as_bytes()) {
                true => ids,
                false => self.trie.greedy_tokenize(text.as_bytes()),
            }
        })
    }
}
