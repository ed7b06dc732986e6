//! Spans copied from a note.

use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Value, json};
use sotto_text::{
    ConstraintFactory, Logits, OutputFormat, Sampler, SamplingOptions, TextError, Tokenizer, spans_grammar,
};

use crate::common::{at_most, byte_level, byte_level_factory, llama3};
use crate::constraints::{accepts, random_answer};

fn grammar(lines: &[Vec<String>]) -> OutputFormat {
    let spans = spans_grammar("SPAN", lines).unwrap();
    OutputFormat::Lark(format!("start: \"Title:\" SPAN \"\\n\" (\"-\" SPAN \"\\n\")*\n{spans}"))
}

fn chunks(line: &str) -> Vec<String> {
    line.split(' ').filter(|word| !word.is_empty()).map(|word| format!(" {word}")).collect()
}

fn is_span(lines: &[Vec<String>], text: &str) -> bool {
    let runs_of = |line: &Vec<String>| {
        let line = line.clone();
        (0..line.len()).flat_map(move |start| {
            let line = line.clone();
            (start + 1..=line.len()).map(move |end| line[start..end].concat())
        })
    };
    lines.iter().flat_map(runs_of).any(|run| run == text)
}

fn text_of(tokenizer: &Tokenizer, ids: &[u32]) -> String {
    let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.token_bytes(id)).copied().collect();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn open_strings_of_a_schema_may_be_held_to_a_text() {
    let tokenizer = byte_level();
    let schema = json!({ "type": "object", "properties": {
        "who": { "type": ["string", "null"] },
        "size": { "type": "string", "enum": ["small"] },
        "code": { "type": "string", "pattern": "^[a-z]{2}$" },
        "initial": { "type": "string", "maxLength": 1 },
        "day": { "type": "string", "format": "date" },
    }, "required": ["who"] });
    let lines = ["Ines \"the\" Boss (2) sends it. Not", "tom+co/ü"].map(chunks).to_vec();
    let format =
        |lines: &[Vec<String>]| OutputFormat::JsonSchemaOverText { schema: schema.clone(), lines: lines.to_vec() };
    let takes = |lines: &[Vec<String>], answer: Value| {
        let answer = answer.to_string().replace(",", ", ").replace(":", ": ");
        accepts(&tokenizer, byte_level_factory(), &format(lines), &answer)
    };
    for who in ["Ines", "Ines \"the\" Boss (2)", "it. Not", "tom+co/ü"] {
        assert!(takes(&lines, json!({ "who": who })), "{who}");
    }
    for other in ["", "Inex", "Ines the", "Ines Boss", " Ines", "Not tom+co/ü", "ines"] {
        assert!(!takes(&lines, json!({ "who": other })), "{other}");
    }
    // What the schema says more of is as it says.
    assert!(takes(&lines, json!({ "who": null, "size": "small", "code": "xy", "initial": "Q", "day": "2026-01-31" })));
    // A long text leaves strings open.
    let long = vec![chunks(&"so ".repeat(1000))];
    assert!(takes(&long, json!({ "who": "anybody" })) && takes(&[], json!({ "who": "anybody" })));
}

proptest! {
    #![proptest_config(at_most(60))]

    #[test]
    fn every_run_is_taken_and_nothing_else(
        lines in prop::collection::vec(prop::collection::vec("[ab\"\\\\/é]{1,3}", 1..6), 1..4),
        other in "( [ab\"é]{1,3}){1,4}",
    ) {
        let lines: Vec<Vec<String>> = lines.iter().map(|words| chunks(&words.join(" "))).collect();
        let tokenizer = byte_level();
        let factory = byte_level_factory();
        let format = grammar(&lines);
        let takes = |span: &str| accepts(&tokenizer, factory, &format, &format!("Title:{span}\n"));
        for line in &lines {
            for start in 0..line.len() {
                for end in start + 1..=line.len() {
                    let span = line[start..end].concat();
                    prop_assert!(takes(&span), "{:?}", span);
                }
            }
        }
        prop_assert_eq!(takes(&other), is_span(&lines, &other));
        prop_assert!(!takes(""));
    }

    #[test]
    fn a_random_answer_copies_from_the_note(words in prop::collection::vec("[a-d]{1,4}", 1..40), seed in any::<u64>()) {
        let lines = vec![chunks(&words.join(" ")), chunks("Marta: see you by Thursday")];
        let tokenizer = byte_level();
        let mut constraint = byte_level_factory().constraint(&grammar(&lines)).unwrap();
        if let Some(ids) = random_answer(&tokenizer, &mut constraint, seed, 300) {
            let answer = text_of(&tokenizer, &ids);
            let mut spans = answer.trim_end_matches('\n').split('\n').map(|line| {
                line.strip_prefix("Title:").or(line.strip_prefix('-')).unwrap().to_owned()
            });
            prop_assert!(spans.all(|span| is_span(&lines, &span)), "{:?}", answer);
        }
    }
}

#[test]
fn what_is_no_span_source_is_refused() {
    let bad = [vec![], vec![vec![]], vec![vec!["".to_owned()]], vec![vec!["a\nb".to_owned()]]];
    for lines in bad {
        assert!(matches!(spans_grammar("SPAN", &lines), Err(TextError::InvalidConstraint { .. })));
    }
    assert!(spans_grammar("lower", &[vec!["a".to_owned()]]).is_err());
    assert!(spans_grammar("", &[vec!["a".to_owned()]]).is_err());
}

/// As many turns as fit a window of 16,384 tokens.
#[test]
fn a_long_conversation_can_be_copied_from() {
    let words =
        |turn: u32| (0..5).map(move |word| format!(" w{}", (turn * 5 + word).wrapping_mul(2_654_435_761) % 3000));
    let lines: Vec<Vec<String>> =
        (0..2000).map(|turn| [" Marta", ":"].map(str::to_owned).into_iter().chain(words(turn)).collect()).collect();
    let small = byte_level();
    let tokenizer = llama3("a conversation over the large vocabulary").unwrap_or(&small);
    let mut constraint = ConstraintFactory::new(tokenizer).unwrap().constraint(&grammar(&lines)).unwrap();
    let answer = random_answer(tokenizer, &mut constraint, 1, 200).map(|ids| text_of(tokenizer, &ids));
    for span in answer.iter().flat_map(|answer| answer.trim_end_matches('\n').split('\n')) {
        assert!(is_span(&lines, span.trim_start_matches("Title:").trim_start_matches('-')), "{span:?}");
    }
}

/// 5,000 words, as a long meeting has; over the large vocabulary when it is there.
#[test]
fn a_long_note_is_fast() {
    let small = byte_level();
    let tokenizer = llama3("spans over the large vocabulary").unwrap_or(&small);
    let factory = ConstraintFactory::new(tokenizer).unwrap();
    let words: Vec<String> =
        (0..5000_u32).map(|index| format!(" w{}", index.wrapping_mul(2_654_435_761) % 900)).collect();
    let start = Instant::now();
    let mut constraint = factory.constraint(&grammar(&[words])).unwrap();
    constraint.allowed().unwrap();
    let compiled = start.elapsed();
    let mut random = Sampler::new(SamplingOptions { temperature: 1.0, ..SamplingOptions::default() }).unwrap();
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        let mask = constraint.allowed().unwrap();
        times.push(start.elapsed());
        let mut logits = vec![0.0; tokenizer.vocab_size()];
        // The end would come early; a summary goes on.
        tokenizer.end_tokens().iter().for_each(|&end| logits[end as usize] = -50.0);
        let id = random.sample(Logits::All(&logits), &[], Some(mask)).unwrap();
        constraint.commit(id).unwrap();
    }
    times.sort_unstable();
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    eprintln!("5,000 words: compiled in {compiled:?}; masks: median {median:?}, slowest {slowest:?}");
    assert!(compiled.as_secs() < 20);
    assert!(median.as_millis() < 200);
}
