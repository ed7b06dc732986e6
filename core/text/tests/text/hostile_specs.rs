//! Metadata that contradicts itself.

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use sotto_text::{TextError, Tokenizer, TokenizerHints, TokenizerSpec};

use crate::common::{byte_level, byte_level_spec, packed, sentence_piece_spec};

fn refused(change: impl FnOnce(&mut TokenizerSpec<'static>)) -> TextError {
    let mut spec = byte_level_spec();
    change(&mut spec);
    Tokenizer::from_spec(&spec).unwrap_err()
}

#[test]
fn building_stops_when_somebody_says_so() {
    for flag in [true, false] {
        let cancelled = AtomicBool::new(flag);
        for spec in [byte_level_spec(), sentence_piece_spec()] {
            let built = Tokenizer::from_spec(&TokenizerSpec { cancelled: Some(&cancelled), ..spec });
            assert_eq!(matches!(built, Err(TextError::Cancelled)), flag);
        }
    }
}

#[test]
fn contradictions_are_typed_errors() {
    type Change = fn(&mut TokenizerSpec<'static>);
    let changes: [(&str, Change); 7] = [
        ("no tokens", |spec| *spec = TokenizerSpec { tokens: Vec::new(), ..spec.clone() }),
        ("too few types", |spec| spec.token_types.truncate(3)),
        ("too many scores", |spec| spec.scores = vec![0.0; 1000]),
        ("merge without a space", |spec| spec.merges.push("ab")),
        ("no merges", |spec| spec.merges.clear()),
        ("unknown token type", |spec| spec.token_types[0] = 99),
        ("byte token without a byte", |spec| spec.token_types[0] = 6),
    ];
    for (name, change) in changes {
        assert!(matches!(refused(change), TextError::InvalidTokenizer { .. }), "{name}");
    }
    let without_scores = TokenizerSpec { scores: Vec::new(), ..sentence_piece_spec() };
    assert!(matches!(Tokenizer::from_spec(&without_scores), Err(TextError::InvalidTokenizer { .. })));
}

/// The tables of [`byte_level`], apart from each other.
mod table {
    pub const KINDS: usize = 0;
    pub const ENDS: usize = 2;
    pub const STARTS: usize = 4;
    pub const RIGHTS: usize = 5;
    pub const MADE: usize = 6;
    pub const COUNT: usize = 7;
}

fn tables_of(tokenizer: &Tokenizer) -> Vec<Vec<u8>> {
    let (all, mut rest) = (tokenizer.tables(), Vec::new());
    let mut at = 0;
    while at < all.len() {
        let length = u32::from_le_bytes(all[at..at + 4].try_into().unwrap()) as usize;
        rest.push(all[at + 4..at + 4 + length].to_vec());
        at += 4 + length.next_multiple_of(4);
    }
    assert_eq!(at, all.len());
    rest
}

fn joined(tables: &[Vec<u8>]) -> Vec<u8> {
    let mut all = Vec::new();
    for table in tables {
        all.extend_from_slice(&(table.len() as u32).to_le_bytes());
        all.extend_from_slice(table);
        all.resize(all.len().next_multiple_of(4), 0);
    }
    all
}

fn with_tables(tables: Vec<u8>) -> Result<Tokenizer, TextError> {
    Tokenizer::from_spec(&TokenizerSpec { tables: Some(tables.into()), ..packed(&byte_level_spec(), &byte_level()) })
}

fn put(table: &mut [u8], place: usize, number: u32) {
    table[4 * place..4 * place + 4].copy_from_slice(&number.to_le_bytes());
}

#[test]
fn tables_that_contradict_themselves_are_typed_errors() {
    type Change = fn(&mut Vec<Vec<u8>>);
    let changes: [(&str, Change); 17] = [
        ("no tokens", |tables| tables.iter_mut().for_each(Vec::clear)),
        ("a kind that there is not", |tables| tables[table::KINDS][7] = 99),
        ("a begin token of text", |tables| tables[table::KINDS][byte_level().bos().unwrap() as usize] = 0),
        ("more kinds than texts", |tables| tables[table::KINDS].push(0)),
        ("half a number", |tables| tables[table::ENDS].truncate(5)),
        ("too few texts", |tables| tables[table::ENDS].truncate(8)),
        ("texts that overlap", |tables| put(&mut tables[table::ENDS], 258, 3)),
        ("texts beyond the end", |tables| {
            let last = byte_level().vocab_size() - 1;
            put(&mut tables[table::ENDS], last, u32::MAX);
        }),
        ("too few groups of merges", |tables| tables[table::STARTS].truncate(8)),
        ("groups of merges that are not sorted", |tables| put(&mut tables[table::STARTS], 3, 5)),
        ("a group that ends elsewhere", |tables| {
            let last = byte_level().vocab_size();
            put(&mut tables[table::STARTS], last, u32::MAX);
        }),
        ("too few merges", |tables| tables[table::RIGHTS].truncate(8)),
        ("half a merge", |tables| tables[table::MADE].truncate(12)),
        ("a token that there is not is made", |tables| put(&mut tables[table::MADE], 0, u32::MAX)),
        ("a control token is made", |tables| put(&mut tables[table::MADE], 2, byte_level().bos().unwrap())),
        ("a marker is made", |tables| put(&mut tables[table::MADE], 4, byte_level().token_id("<tool_call>").unwrap())),
        ("one table more", |tables| tables.push(Vec::new())),
    ];
    let sound = tables_of(&byte_level());
    assert_eq!(sound.len(), table::COUNT);
    assert!(with_tables(joined(&sound)).is_ok());
    for (name, change) in changes {
        let mut tables = sound.clone();
        change(&mut tables);
        assert!(matches!(with_tables(joined(&tables)), Err(TextError::InvalidTokenizer { .. })), "{name}");
    }
    let all = joined(&sound);
    for length in 0..all.len() {
        assert!(matches!(with_tables(all[..length].to_vec()), Err(TextError::InvalidTokenizer { .. })), "{length}");
    }
    let tables = Some(all.into());
    let twice = Tokenizer::from_spec(&TokenizerSpec { tables, ..byte_level_spec() });
    assert!(matches!(twice, Err(TextError::InvalidTokenizer { at, .. }) if at == "sotto.tokenizer.tables"));
}

#[test]
fn what_is_not_supported_is_named() {
    for model in ["bert", "t5", "rwkv", "plamo2", "gemma4"] {
        let error = refused(|spec| spec.model = model);
        assert!(matches!(&error, TextError::Unsupported { what } if what.contains(model)));
    }
    let error = refused(|spec| spec.pre = Some("kimi-k2"));
    assert!(matches!(&error, TextError::Unsupported { what } if what.contains("kimi-k2")));
}

#[test]
fn a_pre_tokenizer_that_nobody_knows_is_the_default_one_with_a_warning() {
    let named = |pre| Tokenizer::from_spec(&TokenizerSpec { pre, ..byte_level_spec() }).unwrap();
    let text = "Hello, world!  12345\n\n x";
    let expected = named(Some("default"));
    assert!(expected.warnings().is_empty());
    for pre in [None, Some("martian")] {
        let tokenizer = named(pre);
        assert_eq!(tokenizer.encode(text).unwrap(), expected.encode(text).unwrap());
        assert!(
            tokenizer.warnings().iter().any(|warning| warning.contains(pre.unwrap_or("tokenizer.ggml.pre is missing")))
        );
    }
}

#[test]
fn ids_that_no_token_has_are_absent_with_a_warning() {
    let mut spec = byte_level_spec();
    (spec.bos, spec.eos) = (Some(u32::MAX), Some(spec.tokens.len() as u32));
    let tokenizer = Tokenizer::from_spec(&spec).unwrap();
    assert_eq!((tokenizer.bos(), tokenizer.add_bos()), (None, false));
    assert_eq!(
        tokenizer.end_tokens(),
        [tokenizer.token_id("<|eot_id|>"), tokenizer.token_id("<|end_of_text|>")].map(Option::unwrap)
    );
    let told = |text: &str| tokenizer.warnings().iter().any(|warning| warning.contains(text));
    assert!(told("bos_token_id is 4294967295") && told("eos_token_id is"));
    let stored = Tokenizer::from_spec(&packed(&spec, &tokenizer)).unwrap();
    assert_eq!(stored.warnings(), tokenizer.warnings());
}

#[test]
fn every_known_pre_tokenizer_builds_and_round_trips() {
    let names = "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral lfm2 smaug-bpe dbrx tekken gpt-4o qwen2 deepseek-r1-qwen \
                 stablelm2 gpt-2 phi-2 mpt olmo jais smollm starcoder refact command-r codeshell exaone default llama4 \
                 minicpm5 glm4 qwen35 bailingmoe seed-coder falcon deepseek-llm deepseek-coder deepseek-v3 poro-chat viking";
    // It is composed.
    let text = "Hello, wörld!  It's 12345\r\n\t日本語 \u{301}🧑‍🚀 ";
    for name in names.split_whitespace() {
        let spec = TokenizerSpec { pre: Some(name), ..byte_level_spec() };
        let tokenizer = Tokenizer::from_spec(&spec).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(tokenizer.warnings().is_empty());
        assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()), text, "{name}");
    }
}

/// Each vocabulary lacks bytes that its training text never had.
#[test]
fn what_a_vocabulary_cannot_spell_is_unknown_or_nothing() {
    let mut spec = byte_level_spec();
    spec.tokens[0x04] = "nowhere";
    let tokenizer = Tokenizer::from_spec(&spec).unwrap();
    let told = |warnings: &[String], what: &str| {
        let [warning] = warnings else { panic!("{warnings:?}") };
        assert!(warning.contains("no token for 1 of 256 bytes") && warning.contains(what) && warning.ends_with(": 04"));
    };
    told(tokenizer.warnings(), "left out");
    assert_eq!(tokenizer.encode("a\u{4}b\u{4}").unwrap(), tokenizer.encode("ab").unwrap());
    assert!(tokenizer.encode("\u{4}").unwrap().is_empty());
    let stored = Tokenizer::from_spec(&packed(&spec, &tokenizer)).unwrap();
    assert_eq!(stored.encode("h\u{4}ello").unwrap(), tokenizer.encode("h\u{4}ello").unwrap());

    let mut spec = sentence_piece_spec();
    let byte = spec.tokens.iter().position(|&token| token == "<0x04>").unwrap();
    spec.tokens[byte] = "<0x05>";
    told(Tokenizer::from_spec(&spec).unwrap().warnings(), "spell no character");
    let unknown = spec.unknown.unwrap();
    assert_eq!(Tokenizer::from_spec(&spec).unwrap().encode_continuation("\u{4}").unwrap(), [unknown]);
    spec.unknown = None;
    assert!(Tokenizer::from_spec(&spec).unwrap().encode_continuation("\u{4}").unwrap().is_empty());
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

    #[test]
    fn random_tables_never_panic_and_reach_no_control_token(
        edits in prop::collection::vec((0..table::COUNT, any::<prop::sample::Index>(), any::<u8>()), 0..4),
        numbers in prop::collection::vec((table::ENDS..table::COUNT, any::<prop::sample::Index>(), 0_u32..300), 0..4),
        text in "[ <|>_a-z]{0,40}",
    ) {
        let mut tables = tables_of(&byte_level());
        for (table, place, byte) in edits {
            let table = &mut tables[table];
            let place = place.index(table.len());
            table[place] = byte;
        }
        for (table, place, number) in numbers {
            let table = &mut tables[table];
            let place = place.index(table.len() / 4);
            put(table, place, number);
        }
        let same_kinds = tables[table::KINDS] == tables_of(&byte_level())[table::KINDS];
        if let Ok(tokenizer) = with_tables(joined(&tables)) {
            let marker = byte_level().token_id("<tool_call>");
            let ids = tokenizer.encode(&text).unwrap();
            let reaches = |id: u32| tokenizer.is_control(id) || same_kinds && Some(id) == marker;
            prop_assert!(!ids.iter().any(|&id| reaches(id)));
            tokenizer.decode(&ids);
            let _ = sotto_text::ConstraintFactory::new(&tokenizer);
        }
    }

    #[test]
    fn random_json_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Tokenizer::from_json(&bytes, &TokenizerHints::default()).is_err());
    }
}
