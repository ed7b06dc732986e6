use super::Vocabulary;
use crate::decoding::prefix;
use crate::golden::{golden, real_models};
use crate::{Language, Task};

/// Tokens of `.en` models, of multilingual ones, and of those that know Cantonese.
const SIZES: [usize; 3] = [51_864, 51_865, 51_866];

#[test]
fn special_tokens_are_openais() {
    let german = Language::from_code("de").expect("a language");
    // As in OpenAI's tokenizers.
    let expected = [
        ([50_256, 50_357, 50_358, 50_360, 50_361, 50_362, 50_363], vec![50_257]),
        ([50_257, 50_358, 50_359, 50_361, 50_362, 50_363, 50_364], vec![50_258, 50_261, 50_359]),
        ([50_257, 50_359, 50_360, 50_362, 50_363, 50_364, 50_365], vec![50_258, 50_261, 50_360]),
    ];
    for (size, (special, beginning)) in SIZES.into_iter().zip(expected) {
        let texts = (0..50_257u32).map(|token| token.to_be_bytes().to_vec()).collect();
        let vocabulary = Vocabulary::new(size, texts).expect("a vocabulary");
        let found = [
            vocabulary.end(),
            vocabulary.translate(),
            vocabulary.transcribe(),
            vocabulary.previous(),
            vocabulary.no_speech(),
            vocabulary.no_times(),
            vocabulary.first_time(),
        ];
        assert_eq!(found, special, "{size}");
        assert_eq!(prefix(&vocabulary, german, Task::Transcribe), beginning, "{size}");
        assert!(special[1..6].iter().all(|token| vocabulary.suppressed().contains(token)), "{size}");
    }
}

#[test]
fn what_is_not_speech_is_openais() {
    let Some(folder) = real_models() else { return };
    for (name, size) in [("english", SIZES[0]), ("multilingual", SIZES[1])] {
        let file = folder.join(format!("whisper-{name}.tiktoken"));
        let text = std::fs::read_to_string(file).expect("cargo xtask real-models brings it");
        let tokens = text.lines().map(|line| base64(line.split(' ').next().unwrap_or_default()));
        let vocabulary = Vocabulary::new(size, tokens.collect()).expect("a vocabulary");
        let found: Vec<u32> =
            vocabulary.suppressed().iter().copied().filter(|&token| token < vocabulary.end()).collect();
        let expected = golden()["not_speech"][name].clone();
        assert_eq!(serde_json::json!(found), expected, "{name}");
    }
}

/// The bytes that a text in base 64 stands for.
fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|&byte| byte != b'=').map(digit).collect();
    let of_four = |digits: &[u8]| {
        let word = digits.iter().fold(0, |word, &digit| word << 6 | u32::from(digit)) << (6 * (4 - digits.len()));
        word.to_be_bytes()[1..digits.len()].to_vec()
    };
    digits.chunks(4).flat_map(of_four).collect()
}
