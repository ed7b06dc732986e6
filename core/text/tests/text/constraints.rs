//! Output held to schemas, choices and grammars.

use serde_json::{Value, json};
use sotto_text::{Constraint, ConstraintFactory, Logits, OutputFormat, Sampler, SamplingOptions, TextError, Tokenizer};

use crate::common::{byte_level, byte_level_factory, llama3, sentence_piece};

/// An answer drawn at random within the constraint, up to `limit` tokens; None when it did not end by then.
pub fn random_answer(tokenizer: &Tokenizer, constraint: &mut Constraint, seed: u64, limit: usize) -> Option<Vec<u32>> {
    let options = SamplingOptions { temperature: 1.0, seed, ..SamplingOptions::default() };
    let mut sampler = Sampler::new(options).unwrap();
    let mut ids = Vec::new();
    while ids.len() < limit {
        let logits = vec![0.0; tokenizer.vocab_size()];
        let id = sampler.sample(Logits::All(&logits), &ids, Some(constraint.allowed().unwrap())).unwrap();
        constraint.commit(id).unwrap();
        if tokenizer.end_tokens().contains(&id) {
            return Some(ids);
        }
        ids.push(id);
    }
    None
}

/// Whether the constraint takes the text and may stop after it.
pub fn accepts(tokenizer: &Tokenizer, factory: &ConstraintFactory, format: &OutputFormat, text: &str) -> bool {
    let mut constraint = factory.constraint(format).unwrap();
    let ids = tokenizer.encode_continuation(text).unwrap();
    ids.iter().all(|&id| constraint.commit(id).is_ok()) && constraint.may_stop()
}

fn schema() -> OutputFormat {
    OutputFormat::JsonSchema(json!({
        "type": "object",
        "properties": {
            "task": { "type": "string", "maxLength": 12 },
            "owner": { "type": ["string", "null"], "maxLength": 5 },
            "urgent": { "type": "boolean" },
            "tags": { "type": "array", "items": { "enum": ["a", "b"] }, "maxItems": 3 },
        },
        "required": ["task", "owner", "urgent", "tags"],
        "additionalProperties": false,
    }))
}

#[test]
fn random_json_fits_the_schema_and_the_separators() {
    for tokenizer in [byte_level(), sentence_piece()] {
        let factory = ConstraintFactory::new(&tokenizer).unwrap();
        let mut ended = 0;
        for seed in 0..20 {
            let mut constraint = factory.constraint(&schema()).unwrap();
            let Some(ids) = random_answer(&tokenizer, &mut constraint, seed, 400) else { continue };
            ended += 1;
            let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.token_bytes(id)).copied().collect();
            let text = String::from_utf8(bytes).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, ["task", "owner", "urgent", "tags"]);
            assert!(text.starts_with("{\"task\": \"") && text.contains(", \"urgent\": "), "{text}");
        }
        assert!(ended >= 15, "{ended}");
    }
}

#[test]
fn json_white_space_is_fixed() {
    let tokenizer = byte_level();
    let factory = byte_level_factory();
    let takes = |text: &str| accepts(&tokenizer, factory, &schema(), text);
    assert!(takes(r#"{"task": "x", "owner": null, "urgent": true, "tags": ["a", "b"]}"#));
    assert!(!takes(r#"{"task":"x","owner":null,"urgent":true,"tags":[]}"#));
    assert!(!takes(r#"{"owner": null, "task": "x", "urgent": true, "tags": []}"#));
    assert!(!takes("{\"task\": \"x\"}"));
}

#[test]
fn choices_are_exact() {
    let tokenizer = byte_level();
    let factory = byte_level_factory();
    let texts = ["urgent", "urgent!", "a \"quoted\" \\ one", "naïve\nline", "<|eot_id|>"];
    let format = OutputFormat::Choice(texts.map(str::to_owned).to_vec());
    for text in texts {
        assert!(accepts(&tokenizer, factory, &format, text), "{text}");
    }
    for text in ["", "urgen", "urgent?", "other"] {
        assert!(!accepts(&tokenizer, factory, &format, text), "{text}");
    }
}

#[test]
fn every_end_token_ends_and_only_where_it_may() {
    let tokenizer = byte_level();
    let factory = byte_level_factory();
    let format = OutputFormat::Choice(vec!["a".to_owned(), "ab".to_owned()]);
    assert!(tokenizer.end_tokens().len() > 1);
    for &end in tokenizer.end_tokens() {
        let mut constraint = factory.constraint(&format).unwrap();
        assert!(matches!(constraint.commit(end), Err(TextError::NotAllowed { token }) if token == end));
        constraint.commit(u32::from(b'a')).unwrap();
        assert!(constraint.may_stop() && !constraint.is_finished());
        assert!(tokenizer.end_tokens().iter().all(|&end| constraint.allowed().unwrap().allows(end)));
        constraint.commit(end).unwrap();
        assert!(constraint.is_finished());
        assert!(constraint.commit(u32::from(b'b')).is_err());
        assert_eq!(constraint.allowed().unwrap().count(), 0);
    }
    let mut constraint = factory.constraint(&format).unwrap();
    constraint.commit(u32::from(b'a')).unwrap();
    constraint.commit(u32::from(b'b')).unwrap();
    assert!(constraint.is_finished());
    let only_ends: Vec<u32> = constraint.allowed().unwrap().ids();
    let mut ends = tokenizer.end_tokens().to_vec();
    ends.sort_unstable();
    assert_eq!(only_ends, ends);
}

#[test]
fn a_grammar_cannot_reach_control_tokens_by_text() {
    let tokenizer = byte_level();
    let factory = byte_level_factory();
    let mut constraint = factory.constraint(&OutputFormat::Regex("(?s:.)*x".to_owned())).unwrap();
    let allowed: Vec<u32> = constraint.allowed().unwrap().ids();
    assert!(allowed.iter().all(|&id| !tokenizer.is_control(id)));
    assert!(allowed.len() > 150);
}

#[test]
fn forced_tokens_are_the_tokenizers_own() {
    let tokenizer = byte_level();
    let factory = byte_level_factory();
    let mut constraint =
        factory.constraint(&OutputFormat::Lark("start: \"hello world: \" /[0-9]/".to_owned())).unwrap();
    let forced = constraint.forced();
    let canonical = tokenizer.encode("hello world: ").unwrap();
    assert!(!forced.is_empty() && canonical.starts_with(&forced), "{forced:?} {canonical:?}");
    for id in forced {
        constraint.commit(id).unwrap();
    }
    // A choice of digits, or of endings, forces nothing.
    let mut choice = factory.constraint(&OutputFormat::Regex("[0-9]+".to_owned())).unwrap();
    assert!(choice.forced().is_empty());
}

/// With and without a mask at hand, the same tokens are taken.
#[test]
fn commit_agrees_with_the_mask() {
    let tokenizer = byte_level();
    let format = OutputFormat::Regex("(hello|he[0-9]|é)+".to_owned());
    let ids = tokenizer.encode("hellohe7").unwrap();
    for length in 0..ids.len() {
        let start = || {
            let mut constraint = byte_level_factory().constraint(&format).unwrap();
            ids[..length].iter().for_each(|&id| constraint.commit(id).unwrap());
            constraint
        };
        let (mut with_mask, mut without) = (start(), start());
        for id in (0..tokenizer.vocab_size() as u32 + 2).chain([u32::MAX]) {
            let allowed = with_mask.allowed().unwrap().allows(id);
            assert_eq!(with_mask.commit(id).is_ok(), allowed, "token {id} after {length}");
            assert_eq!(without.commit(id).is_ok(), allowed, "token {id} after {length}, no mask");
            // A token that is refused leaves both where they were.
            if allowed {
                (with_mask, without) = (start(), start());
            }
        }
    }
}

/// The mask of a forced text has its longest token alone. What was forced before that mask was computed may be cut elsewhere.
#[test]
fn shorter_tokens_of_a_forced_text_are_taken_too() {
    let tokenizer = byte_level();
    let mut constraint =
        byte_level_factory().constraint(&OutputFormat::Lark("start: \"hello\" /[0-9]/".to_owned())).unwrap();
    let hello = tokenizer.encode("hello").unwrap();
    assert_eq!(constraint.allowed().unwrap().ids(), hello);
    for part in ["he", "ll", "o"] {
        constraint.allowed().unwrap();
        constraint.commit(tokenizer.encode(part).unwrap()[0]).unwrap();
    }
    assert!(constraint.commit(tokenizer.encode("!").unwrap()[0]).is_err());
    constraint.commit(tokenizer.encode("7").unwrap()[0]).unwrap();
    assert!(constraint.may_stop());
}

#[test]
fn what_cannot_be_used_is_a_typed_error() {
    let factory = byte_level_factory();
    let formats = [
        OutputFormat::JsonSchema(json!(7)),
        OutputFormat::JsonSchema(json!({ "type": "martian" })),
        OutputFormat::Choice(vec![]),
        OutputFormat::Choice(vec![String::new()]),
        OutputFormat::Lark("no start here".to_owned()),
        OutputFormat::Lark("start: missing".to_owned()),
        OutputFormat::Regex("(".to_owned()),
    ];
    for format in formats {
        assert!(matches!(factory.constraint(&format), Err(TextError::InvalidConstraint { .. })), "{format:?}");
    }
    let secret = factory.constraint(&OutputFormat::Lark("start: \"secret words\" %".to_owned())).err().unwrap();
    assert!(!format!("{secret} {secret:?}").contains("secret"));
}

/// The engine cuts what it quotes of them at a hundred bytes, wherever a character ends.
#[test]
fn malformed_schemas_with_long_words_are_typed_errors() {
    for before in 0..4 {
        let words = "a".repeat(before) + &"日".repeat(100);
        let format = OutputFormat::JsonSchema(json!({ "type": "object", "required": words }));
        let refused = byte_level_factory().constraint(&format).err();
        assert!(matches!(refused, Some(TextError::InvalidConstraint { .. })), "{before}: {refused:?}");
    }
}

#[test]
fn masks_of_a_large_vocabulary_are_fast() {
    let Some(tokenizer) = llama3("masks of a large vocabulary") else { return };
    let start = std::time::Instant::now();
    let factory = ConstraintFactory::new(tokenizer).unwrap();
    eprintln!("factory over {} tokens: {:?}", tokenizer.vocab_size(), start.elapsed());
    let mut constraint = factory.constraint(&schema()).unwrap();
    let mut times = Vec::new();
    let mut random = Sampler::new(SamplingOptions { temperature: 1.0, ..SamplingOptions::default() }).unwrap();
    while !constraint.is_finished() && times.len() < 100 {
        let start = std::time::Instant::now();
        let mask = constraint.allowed().unwrap();
        times.push(start.elapsed());
        let id = random.sample(Logits::All(&vec![0.0; tokenizer.vocab_size()]), &[], Some(mask)).unwrap();
        constraint.commit(id).unwrap();
    }
    times.sort_unstable();
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    eprintln!("JSON: {} masks, median {median:?}, slowest {slowest:?}", times.len());
    // Far above what it takes, so that a busy machine does not fail it.
    assert!(median.as_millis() < 200);
}

#[test]
fn looking_ahead_changes_nothing() {
    let tokenizer = byte_level();
    let factory = byte_level_factory();
    for seed in 0..30 {
        let ids = random_answer(&tokenizer, &mut factory.constraint(&schema()).unwrap(), seed, 400);
        let Some(ids) = ids else { continue };
        let mut plain = factory.constraint(&schema()).unwrap();
        let mut looking = factory.constraint(&schema()).unwrap();
        for (index, &id) in ids.iter().enumerate() {
            // What comes, what does not, and what comes until it does not.
            let mut guesses = ids[index..ids.len().min(index + 3)].to_vec();
            let right = guesses.len();
            guesses.push(tokenizer.end_tokens()[0]);
            if seed % 3 == 1 {
                guesses[0] = (id + 1) % tokenizer.vocab_size() as u32;
            }
            let allowed = looking.look_ahead(&guesses).unwrap();
            if seed % 3 != 1 {
                assert_eq!(allowed, right, "an end token is not looked behind");
            }
            let ahead = looking.allowed_ahead().unwrap();
            assert!(plain.allowed().unwrap().ids().iter().all(|&id| ahead.allows(id)));
            assert_eq!(looking.allowed().unwrap().ids(), plain.allowed().unwrap().ids());
            assert_eq!(looking.forced(), plain.forced());
            plain.commit(id).unwrap();
            looking.commit(id).unwrap();
            assert_eq!(looking.allowed().unwrap().ids(), plain.allowed().unwrap().ids());
            assert_eq!((looking.may_stop(), looking.is_finished()), (plain.may_stop(), plain.is_finished()));
        }
    }
}
