//! SentencePiece-style BPE against the plainest way to do it.

use std::collections::HashMap;

use proptest::prelude::*;
use sotto_text::TokenizerSpec;

use crate::common::{
    BYTE, NORMAL, USER_DEFINED, at_most, description, packed, push, sentence_piece, sentence_piece_spec,
};

/// Looks at all neighbours again after each merge, and takes the best-scored, leftmost.
fn reference(spec: &TokenizerSpec, text: &str) -> Vec<u32> {
    let of_type = |token_type: i32| {
        let ids = (0_u32..).zip(spec.tokens.iter().zip(&spec.token_types));
        ids.filter(move |(_, (_, found))| **found == token_type).map(|(id, (token, _))| ((*token).to_owned(), id))
    };
    let pieces: HashMap<String, u32> = of_type(NORMAL).collect();
    let bytes: HashMap<String, u32> = of_type(BYTE).collect();
    let mut symbols: Vec<String> = text.replace(' ', "▁").chars().map(String::from).collect();
    loop {
        let mut best: Option<(usize, f32)> = None;
        for (index, pair) in symbols.windows(2).enumerate() {
            if let Some(&id) = pieces.get(&pair.concat()) {
                let score = spec.scores[id as usize];
                if best.is_none_or(|(_, best)| score > best) {
                    best = Some((index, score));
                }
            }
        }
        let Some((index, _)) = best else { break };
        let right = symbols.remove(index + 1);
        symbols[index].push_str(&right);
    }
    let ids_of = |symbol: &String| match pieces.get(symbol) {
        Some(&id) => vec![id],
        None => symbol.bytes().map(|byte| bytes[&format!("<0x{byte:02X}>")]).collect(),
    };
    symbols.iter().flat_map(ids_of).collect()
}

proptest! {
    #![proptest_config(at_most(1000))]

    #[test]
    fn agrees_with_the_reference(text in prop_oneof!["[abc ]{0,30}", "[abchelo wrd<>/s]{0,40}", any::<String>()]) {
        let expected = reference(&sentence_piece_spec(), &text);
        prop_assert_eq!(sentence_piece().encode_continuation(&text).unwrap(), expected);
    }

}

proptest! {
    #![proptest_config(at_most(200))]

    /// Random scores with many ties.
    #[test]
    fn agrees_whatever_the_scores(text in "[abc ]{0,30}", scores in prop::collection::vec(-3_i8..3, 400)) {
        let mut spec = sentence_piece_spec();
        spec.scores = (0..spec.tokens.len()).map(|id| f32::from(scores[id])).collect();
        let expected = reference(&spec, &text);
        let tokenizer = sotto_text::Tokenizer::from_spec(&spec).unwrap();
        let stored = sotto_text::Tokenizer::from_spec(&packed(&spec, &tokenizer)).unwrap();
        prop_assert_eq!(tokenizer.encode_continuation(&text).unwrap(), expected.clone());
        prop_assert_eq!(stored.encode_continuation(&text).unwrap(), expected);
    }
}

#[test]
fn a_stored_vocabulary_is_the_same() {
    let mut spec = sentence_piece_spec();
    // Spelled as the file has it, with spaces where it is read.
    let marker = push(&mut spec, "<tool▁call>", USER_DEFINED);
    push(&mut spec, "two▁words", USER_DEFINED);
    spec.scores.resize(spec.tokens.len(), 0.0);
    let tokenizer = sotto_text::Tokenizer::from_spec(&spec).unwrap();
    let stored = sotto_text::Tokenizer::from_spec(&packed(&spec, &tokenizer)).unwrap();
    assert_eq!(tokenizer.token_id("<tool▁call>"), Some(marker));
    assert_eq!(description(&stored), description(&tokenizer));
    assert_eq!(stored.encode("hello two words").unwrap(), tokenizer.encode("hello two words").unwrap());
}

#[test]
fn a_text_gets_one_space_before_it() {
    let tokenizer = sentence_piece();
    assert_eq!(tokenizer.encode("hello").unwrap(), tokenizer.encode_continuation(" hello").unwrap());
    assert!(tokenizer.encode("").unwrap().is_empty());
    let spec = TokenizerSpec { add_space_prefix: Some(false), ..sentence_piece_spec() };
    let without = sotto_text::Tokenizer::from_spec(&spec).unwrap();
    assert_eq!(without.encode("hello").unwrap(), tokenizer.encode_continuation("hello").unwrap());
}

#[test]
fn byte_tokens_cannot_be_typed() {
    let tokenizer = sentence_piece();
    let newline = tokenizer.encode_continuation("\n").unwrap();
    assert_eq!(tokenizer.token_bytes(newline[0]), b"\n");
    assert!(!tokenizer.encode("<0x0A>").unwrap().contains(&newline[0]));
}

#[test]
fn long_text_has_the_tokens_of_its_words() {
    let tokenizer = sentence_piece();
    let sentence = " hello abc aab\n ab";
    let one = tokenizer.encode_continuation(sentence).unwrap();
    assert_eq!(tokenizer.encode_continuation(&sentence.repeat(10_000)).unwrap(), one.repeat(10_000));
    let letters = "a".repeat(1 << 20);
    assert_eq!(tokenizer.decode(&tokenizer.encode(&letters).unwrap()), letters);
}
