//! Small vocabularies, and the real one of the fixtures.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{LazyLock, OnceLock};

use candle_core::quantized::gguf_file::{Content, Value};
use proptest::prelude::ProptestConfig;
use sotto_text::{ConstraintFactory, Tokenizer, TokenizerSpec};

pub const NORMAL: i32 = 1;
pub const UNKNOWN: i32 = 2;
pub const CONTROL: i32 = 3;
pub const USER_DEFINED: i32 = 4;
pub const BYTE: i32 = 6;

/// How Llama 3 splits text into words.
pub const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The folder of the fixtures; says loudly that the test is skipped when there is none.
pub fn fixtures(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SOTTO_FIXTURES").map(PathBuf::from);
    if folder.is_none() {
        skipped(test, "SOTTO_FIXTURES is not set");
    }
    folder
}

/// Says so, written directly: the test harness hides what the print macros of a passing test say.
#[expect(clippy::explicit_write, reason = "eprintln would be swallowed by the test runner")]
pub fn skipped(test: &str, why: &str) {
    writeln!(std::io::stderr(), "SKIPPED: {test}: {why}").unwrap();
}

/// So many random cases, or as few as `PROPTEST_CASES` says: under qemu, each takes a hundred times as long.
pub fn at_most(cases: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(wanted.map_or(cases, |wanted: u32| wanted.min(cases)))
}

/// GPT-2's stand-in for a byte, written down independently of the crate.
pub fn stand_in(byte: u8) -> char {
    let printable = |byte: &u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    if printable(&byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|byte| !printable(byte)).count();
    char::from_u32(256 + before as u32).unwrap()
}

pub fn push(spec: &mut TokenizerSpec<'static>, token: &str, token_type: i32) -> u32 {
    spec.tokens.push(token.to_owned().leak());
    spec.token_types.push(token_type);
    spec.tokens.len() as u32 - 1
}

/// A byte-level vocabulary: all bytes, some merges, Llama 3's control tokens, one user-defined token of each sort.
pub fn byte_level_spec() -> TokenizerSpec<'static> {
    let mut spec = TokenizerSpec { model: "gpt2", pre: Some("llama-bpe"), ..TokenizerSpec::default() };
    for byte in 0..=255 {
        push(&mut spec, &stand_in(byte).to_string(), NORMAL);
    }
    for merge in
        ["h e", "l l", "he ll", "hell o", "Ġ w", "Ġw o", "r l", "< |", "| >", "e o", "eo t", "i d", "_ id", "Ċ Ċ"]
    {
        push(&mut spec, &merge.replace(' ', ""), NORMAL);
        spec.merges.push(merge);
    }
    spec.bos = Some(push(&mut spec, "<|begin_of_text|>", CONTROL));
    spec.eos = Some(push(&mut spec, "<|end_of_text|>", CONTROL));
    for control in ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "[INST]"] {
        push(&mut spec, control, CONTROL);
    }
    push(&mut spec, "<tool_call>", USER_DEFINED);
    push(&mut spec, "   ", USER_DEFINED);
    spec
}

/// The same vocabulary as a packed file has it.
pub fn packed<'a>(spec: &TokenizerSpec<'a>, tokenizer: &Tokenizer) -> TokenizerSpec<'a> {
    TokenizerSpec {
        tokens: Vec::new(),
        token_types: Vec::new(),
        scores: Vec::new(),
        merges: Vec::new(),
        tables: Some(tokenizer.tables().into()),
        ..spec.clone()
    }
}

/// What a tokenizer says about itself and about each of its tokens.
pub fn description(tokenizer: &Tokenizer) -> Vec<String> {
    let token = |id| {
        let (bytes, text) = (tokenizer.token_bytes(id), tokenizer.token_text(id));
        format!("{bytes:?} {text} {} {:?}", tokenizer.is_control(id), tokenizer.token_id(&text))
    };
    let ends = format!("{:?} {:?} {}", tokenizer.end_tokens(), tokenizer.bos(), tokenizer.add_bos());
    (0..tokenizer.vocab_size() as u32 + 1).map(token).chain([ends]).collect()
}

pub fn byte_level() -> Tokenizer {
    static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::from_spec(&byte_level_spec()).unwrap());
    TOKENIZER.clone()
}

/// Constraints over the byte-level vocabulary.
pub fn byte_level_factory() -> &'static ConstraintFactory {
    static FACTORY: LazyLock<ConstraintFactory> = LazyLock::new(|| ConstraintFactory::new(&byte_level()).unwrap());
    &FACTORY
}

/// A SentencePiece vocabulary: control tokens, bytes, letters and some pieces; scores fall with the id, some are equal.
pub fn sentence_piece_spec() -> TokenizerSpec<'static> {
    let mut spec = TokenizerSpec { model: "llama", ..TokenizerSpec::default() };
    spec.unknown = Some(push(&mut spec, "<unk>", UNKNOWN));
    spec.bos = Some(push(&mut spec, "<s>", CONTROL));
    spec.eos = Some(push(&mut spec, "</s>", CONTROL));
    for byte in 0..=255 {
        push(&mut spec, &format!("<0x{byte:02X}>"), BYTE);
    }
    let pieces =
        "▁ a b c d e l o h w r < > s / é ab bc ca aa aaa aab abc ▁a ▁ab ▁b ▁▁ ▁▁▁ he ll hell hello ▁hello wo rld";
    for piece in pieces.split(' ') {
        push(&mut spec, piece, NORMAL);
    }
    spec.scores = (0..spec.tokens.len()).map(|id| -((id / 3) as f32)).collect();
    spec
}

pub fn sentence_piece() -> Tokenizer {
    static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::from_spec(&sentence_piece_spec()).unwrap());
    TOKENIZER.clone()
}

/// The spec in the metadata of a GGUF file; its texts are never freed.
pub fn spec_from_gguf(path: &std::path::Path) -> TokenizerSpec<'static> {
    let metadata = &Box::leak(Box::new(Content::read(&mut File::open(path).unwrap()).unwrap())).metadata;
    let get = |key: &str| metadata.get(&format!("tokenizer.ggml.{key}"));
    let string = |value: &'static Value| value.to_string().unwrap().as_str();
    let list = |key: &str| get(key).map_or(&[][..], |value| value.to_vec().unwrap());
    let id = |key: &str| get(key).map(|value| value.to_u32().unwrap());
    let flag = |key: &str| get(key).map(|value| value.to_bool().unwrap());
    TokenizerSpec {
        model: string(get("model").unwrap()),
        pre: get("pre").map(string),
        tokens: list("tokens").iter().map(string).collect(),
        token_types: list("token_type").iter().map(|value| value.to_i32().unwrap()).collect(),
        scores: list("scores").iter().map(|value| value.to_f32().unwrap()).collect(),
        merges: list("merges").iter().map(string).collect(),
        bos: id("bos_token_id"),
        eos: id("eos_token_id"),
        eot: id("eot_token_id"),
        unknown: id("unknown_token_id"),
        add_bos: flag("add_bos_token"),
        add_space_prefix: flag("add_space_prefix"),
        ..TokenizerSpec::default()
    }
}

/// Llama 3's tokenizer, if the fixtures are there.
pub fn llama3(test: &str) -> Option<&'static Tokenizer> {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    let path = fixtures(test)?.join("ggml-vocab-llama-bpe.gguf");
    Some(TOKENIZER.get_or_init(|| Tokenizer::from_spec(&spec_from_gguf(&path)).unwrap()))
}
