//! The vectors that llama.cpp keeps for Llama 3.

use std::time::Instant;

use crate::common::{fixtures, llama3};

#[test]
fn all_vectors_give_identical_ids() {
    let Some(tokenizer) = llama3("the Llama 3 vectors") else { return };
    let folder = fixtures("the Llama 3 vectors").unwrap();
    let input = std::fs::read_to_string(folder.join("ggml-vocab-llama-bpe.gguf.inp")).unwrap();
    let output = std::fs::read_to_string(folder.join("ggml-vocab-llama-bpe.gguf.out")).unwrap();
    let texts: Vec<&str> =
        input.strip_suffix("\n__ggml_vocab_test__\n").unwrap_or(&input).split("\n__ggml_vocab_test__\n").collect();
    let expected: Vec<Vec<u32>> =
        output.lines().map(|line| line.split_whitespace().map(|id| id.parse().unwrap()).collect()).collect();
    assert_eq!(texts.len(), expected.len());
    assert!(texts.len() > 40);
    for (text, expected) in texts.iter().zip(&expected) {
        assert_eq!(&tokenizer.encode(text).unwrap(), expected, "{text:?}");
        assert_eq!(&tokenizer.decode(expected), text);
    }
}

#[test]
fn control_tokens_are_known() {
    let Some(tokenizer) = llama3("Llama 3's control tokens") else { return };
    assert_eq!(tokenizer.vocab_size(), 128_256);
    assert_eq!(tokenizer.bos(), Some(128_000));
    assert!(tokenizer.add_bos());
    for end in ["<|end_of_text|>", "<|eot_id|>"] {
        assert!(tokenizer.end_tokens().contains(&tokenizer.token_id(end).unwrap()), "{end}");
    }
    assert_eq!(tokenizer.token_text(128_009), "<|eot_id|>");
    assert!(tokenizer.token_bytes(128_009).is_empty());
    assert!(tokenizer.encode("<|eot_id|>").unwrap().iter().all(|&id| !tokenizer.is_control(id)));
}

#[test]
fn long_text_costs_linear_time() {
    let Some(tokenizer) = llama3("long text") else { return };
    let megabyte = 1 << 20;
    let texts = [
        "a".repeat(megabyte),
        " ".repeat(megabyte),
        "\n".repeat(megabyte),
        "日本語".repeat(megabyte / 9),
        "Some quite ordinary words, and 12345 numbers.\n".repeat(megabyte / 46),
    ];
    for text in texts {
        let start = Instant::now();
        let ids = tokenizer.encode(&text).unwrap();
        let elapsed = start.elapsed();
        eprintln!("{:>8} tokens of {} bytes in {elapsed:?}", ids.len(), text.len());
        assert!(elapsed.as_secs() < 60);
        assert_eq!(tokenizer.decode(&ids), text);
    }
}

/// The cuts are where the tokenizer has a boundary anyway: a long text has the tokens of its parts.
#[test]
fn pieces_do_not_change_tokens() {
    let Some(tokenizer) = llama3("pieces") else { return };
    let sentence = "Well — it's 12345 o'clock!?\n\n  Or (maybe)\tnot… naïve façades;\r\nnext line\nand more. ";
    let long = tokenizer.encode(&sentence.repeat(2000)).unwrap();
    let one = tokenizer.encode(sentence).unwrap();
    let many: Vec<u32> = tokenizer.encode(&sentence.repeat(20)).unwrap();
    // The space at the end of a sentence joins the first word of the next, so a period begins behind that word.
    let period = (many.len() - one.len()) / 19;
    assert_eq!(many.len(), one.len() + 19 * period);
    assert_eq!(long.len(), one.len() + 1999 * period);
    let periods: Vec<&[u32]> = long[1..].chunks_exact(period).take(1999).collect();
    assert!(periods.iter().all(|found| found == &periods[0]));
}
