//! Metadata that contradicts itself.

use proptest::prelude::*;
use sotto_text::{TextError, Tokenizer, TokenizerHints, TokenizerSpec};

use crate::common::{by_ids, byte_level, byte_level_spec, sentence_piece, sentence_piece_spec};

fn refused(change: impl FnOnce(&mut TokenizerSpec<'static>)) -> TextError {
    let mut spec = byte_level_spec();
    change(&mut spec);
    Tokenizer::from_spec(&spec).unwrap_err()
}

#[test]
fn contradictions_are_typed_errors() {
    type Change = fn(&mut TokenizerSpec<'static>);
    let changes: [(&str, Change); 9] = [
        ("no tokens", |spec| *spec = TokenizerSpec { tokens: Vec::new(), ..spec.clone() }),
        ("too few types", |spec| spec.token_types.truncate(3)),
        ("too many scores", |spec| spec.scores = vec![0.0; 1000]),
        ("begin token out of range", |spec| spec.bos = Some(u32::MAX)),
        ("end token out of range", |spec| spec.eos = Some(spec.tokens.len() as u32)),
        ("merge without a space", |spec| spec.merges.push("ab")),
        ("a byte is missing", |spec| spec.tokens[0x41] = "missing"),
        ("unknown token type", |spec| spec.token_types[0] = 99),
        ("byte token without a byte", |spec| spec.token_types[0] = 6),
    ];
    for (name, change) in changes {
        assert!(matches!(refused(change), TextError::InvalidTokenizer { .. }), "{name}");
    }
    let without_scores = TokenizerSpec { scores: Vec::new(), ..sentence_piece_spec() };
    assert!(matches!(Tokenizer::from_spec(&without_scores), Err(TextError::InvalidTokenizer { .. })));
}

/// Four numbers a merge: left, right, joined, rank.
#[test]
fn merges_by_id_that_contradict_themselves_are_typed_errors() {
    type Change = fn(&mut Vec<u32>);
    let changes: [(&str, Change); 9] = [
        ("half a merge", |ids| ids.truncate(6)),
        ("left out of range", |ids| ids.extend([u32::MAX, 1, 256, 0])),
        ("left beyond the last token", |ids| ids.extend([byte_level().vocab_size() as u32, 1, 256, 0])),
        ("right out of range", |ids| ids[1] = u32::MAX),
        ("joined out of range", |ids| ids[2] = u32::MAX),
        ("a control token is made", |ids| ids[2] = byte_level().bos().unwrap()),
        ("a marker is made", |ids| ids[2] = byte_level().token_id("<tool_call>").unwrap()),
        ("not sorted", |ids| ids.rotate_left(4)),
        ("one pair twice", |ids| ids.splice(0..0, [ids[0], ids[1], 257, 0]).for_each(drop)),
    ];
    let packed = |change: Change| {
        let mut spec = by_ids(&byte_level_spec(), &byte_level());
        change(spec.merges_by_id.as_mut().unwrap());
        Tokenizer::from_spec(&spec)
    };
    assert!(packed(|_| ()).is_ok());
    for (name, change) in changes {
        assert!(matches!(packed(change), Err(TextError::InvalidTokenizer { .. })), "{name}");
    }
    let twice = TokenizerSpec { merges_by_id: byte_level().merges_by_id(), ..byte_level_spec() };
    assert!(matches!(Tokenizer::from_spec(&twice), Err(TextError::InvalidTokenizer { .. })));
    assert_eq!(sentence_piece().merges_by_id(), None);
}

#[test]
fn what_is_not_supported_is_named() {
    let error = refused(|spec| spec.pre = Some("martian"));
    assert!(matches!(&error, TextError::Unsupported { what } if what.contains("martian")));
    let error = refused(|spec| spec.model = "bert");
    assert!(matches!(&error, TextError::Unsupported { what } if what.contains("bert")));
}

#[test]
fn every_known_pre_tokenizer_builds_and_round_trips() {
    let names = "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral lfm2 smaug-bpe dbrx tekken gpt-4o qwen2 deepseek-r1-qwen \
                 stablelm2 gpt-2 phi-2 mpt olmo jais smollm starcoder refact command-r codeshell exaone default";
    let text = "Hello, wörld!  It's 12345\r\n\t日本語 \u{301}🧑‍🚀 ";
    for name in names.split_whitespace().map(Some).chain([None]) {
        let spec = TokenizerSpec { pre: name, ..byte_level_spec() };
        let tokenizer = Tokenizer::from_spec(&spec).unwrap();
        assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()), text, "{name:?}");
    }
}

#[test]
fn duplicates_and_strange_merges_are_survived() {
    let mut spec = byte_level_spec();
    spec.tokens[300 - 40] = "h";
    spec.merges.extend(["nowhere known", " h", "h ", "< |eot_id|>", "h e"]);
    let tokenizer = Tokenizer::from_spec(&spec).unwrap();
    let text = "hello <|eot_id|>";
    assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()), text);
}

/// A control token that BPE or a whole-word hit would reach stays out of reach.
#[test]
fn a_control_token_that_is_a_word_cannot_be_typed() {
    let mut spec = byte_level_spec();
    let hello = spec.tokens.iter().position(|&token| token == "hello").unwrap();
    spec.token_types[hello] = 3;
    let tokenizer = Tokenizer::from_spec(&spec).unwrap();
    let ids = tokenizer.encode("hello").unwrap();
    assert!(!ids.contains(&(hello as u32)));
    assert_eq!(tokenizer.decode(&ids), "hello");
}

proptest! {
    #[test]
    fn random_specs_never_panic(
        model in prop::sample::select(vec!["gpt2", "llama"]),
        tokens in prop::collection::vec(prop_oneof![any::<String>(), "[a-c▁<>|]{0,5}", "<0x[0-9A-F]{2}>"], 0..60),
        types in prop::collection::vec(0_i32..7, 0..60),
        scores in prop::collection::vec(any::<f32>(), 0..60),
        merges in prop::collection::vec("[a-c ]{0,5}", 0..20),
        ids in prop::collection::vec(prop::option::of(0_u32..70), 4),
        text in any::<String>(),
    ) {
        let fit = |length: usize| if length > 30 { tokens.len() } else { 0 };
        let spec = TokenizerSpec {
            model,
            token_types: types.iter().copied().cycle().take(fit(types.len()).min(types.len() * tokens.len())).collect(),
            scores: scores.iter().copied().cycle().take(fit(scores.len()).min(scores.len() * tokens.len())).collect(),
            merges: merges.iter().map(String::as_str).collect(),
            bos: ids[0], eos: ids[1], eot: ids[2], unknown: ids[3],
            tokens: tokens.iter().map(String::as_str).collect(),
            ..TokenizerSpec::default()
        };
        if let Ok(tokenizer) = Tokenizer::from_spec(&spec) {
            let ids = tokenizer.encode(&text).unwrap();
            tokenizer.decode(&ids);
            let _ = sotto_text::ConstraintFactory::new(&tokenizer);
        }
    }

    /// Sorted rows get past the first checks; edits of sound ones get further.
    #[test]
    fn random_merges_by_id_never_reach_a_control_token(
        rows in prop::collection::vec(prop::array::uniform4(0_u32..300), 0..60),
        edits in prop::collection::vec((any::<usize>(), prop_oneof![0_u32..300, any::<u32>()]), 0..4),
        made_up in any::<bool>(),
        text in "[ <|>_a-z]{0,40}",
    ) {
        let mut spec = by_ids(&byte_level_spec(), &byte_level());
        let ids = spec.merges_by_id.as_mut().unwrap();
        if made_up {
            let sorted: std::collections::BTreeSet<_> = rows.into_iter().collect();
            *ids = sorted.into_iter().flatten().collect();
        }
        for (at, number) in edits {
            let at = at % ids.len().max(1);
            ids.get_mut(at).into_iter().for_each(|id| *id = number);
        }
        if let Ok(tokenizer) = Tokenizer::from_spec(&spec) {
            let ids = tokenizer.encode(&text).unwrap();
            prop_assert!(ids.iter().all(|&id| !tokenizer.is_control(id) && tokenizer.token_bytes(id) != b"<tool_call>"));
        }
    }

    #[test]
    fn random_json_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Tokenizer::from_json(&bytes, &TokenizerHints::default()).is_err());
    }
}
