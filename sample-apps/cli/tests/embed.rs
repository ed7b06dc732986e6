//! `sotto embed`, with a small random embedding model and with the demo model.

mod common;

use std::path::Path;

use common::{code, errors, json, run, run_with_input, text};

fn small() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/embedding/tests/golden/small");
    text(&folder).to_owned()
}

#[test]
fn a_folder_is_an_embedding_model() {
    let answer = json(&run(&["embed", "ab c", "--model", &small(), "--json"]));
    let numbers: Vec<f64> = answer["embedding"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert_eq!(numbers.len(), 32);
    assert!((numbers.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-5);
    assert_eq!((answer["tokens"].as_u64(), answer["truncated"].as_bool()), (Some(4), Some(false)));

    let line = run(&["embed", "ab c", "--model", &small()]);
    let line: Vec<f64> =
        String::from_utf8(line.stdout).unwrap().split_whitespace().map(|x| x.parse().unwrap()).collect();
    assert!(line.iter().zip(&numbers).all(|(a, b)| (a - b).abs() < 1e-6), "{line:?}");
}

#[test]
fn a_text_that_is_cut_off_is_told() {
    let output = run_with_input(&["embed", "-", "--model", &small(), "--json"], "c ".repeat(100).as_bytes());
    assert_eq!(json(&output)["truncated"], true);
    assert!(errors(&output).contains("only the first 24 tokens"), "{}", errors(&output));
}

#[test]
fn a_language_model_embeds_too() {
    let answer = json(&run(&["embed", "Buy milk.", "--json"]));
    assert!(answer["embedding"].as_array().unwrap().len() > 32);
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    assert_eq!(code(&run(&["embed", " ", "--model", &small()])), 4);
    assert_eq!(code(&run(&["embed", "c", "--model", "/"])), 3);
    assert_eq!(code(&run(&["embed", "c", "--model", &small(), "--adapter", "a.gguf"])), 4);
}
