//! What the program says when it refuses: what is wrong, what would be right, and nothing of the user's text.

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;

use common::{code, errors, json, note, run, run_with_input, text};

/// Whether the program ended with `exit` and said `expected`.
fn refused(output: &Output, exit: i32, expected: &str) {
    let errors = errors(output);
    assert_eq!(code(output), exit, "{errors}");
    assert!(errors.contains(expected), "{expected:?} is not in: {errors}");
    assert!(output.stdout.is_empty());
}

fn tiny(folder: &Path, name: &str) -> String {
    let file = text(&folder.join(name)).to_owned();
    json(&run(&["synth", "--shape", "tiny", "--quant", "q4_0", "-o", &file, "--json"]));
    file
}

#[test]
fn messages_of_a_chat_are_not_quoted() {
    for given in [
        r#"[{"role": "user", "content": ["my secret"]}]"#,
        r#"["my secret"]"#,
        r#"[{"role": "my secret", "content": "hi"}]"#,
    ] {
        let output = run_with_input(&["render", "-"], given.as_bytes());
        refused(&output, 4, "line 1, column ");
        assert!(!errors(&output).contains("secret"), "{}", errors(&output));
    }
}

#[test]
fn more_tokens_than_the_model_has_are_told_by_the_option_that_asked_for_them() {
    let note = note("train-trip.txt");
    refused(&run(&["inspect", "--context", "1000000"]), 5, "--context asks for 1000000 tokens, but the model has ");
    refused(
        &run(&["perplexity", text(&note), "--window", "90000"]),
        5,
        "--window asks for 90000 tokens, but the model has ",
    );
    for depth in ["90000", "18446744073709551615"] {
        let output = run(&["bench", "--depth", depth, "--repeat", "1"]);
        refused(&output, 5, "--depth with --prefill or --decode asks for ");
        assert!(!errors(&output).contains("shorten the text"));
    }
}

#[test]
fn a_value_without_an_end_is_blamed_on_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("schema.json");
    std::fs::write(
        &schema,
        r#"{"type":"object","properties":{"task":{"type":"string","minLength":9000}},"required":["task"]}"#,
    )
    .unwrap();
    let output = run(&["extract", "Carla sends the figures tonight.", "--schema", text(&schema)]);
    refused(&output, 4, "limit it in the schema");
    assert!(!errors(&output).contains("shorten the text"));
}

#[test]
fn a_number_that_an_option_cannot_take_is_called_a_value() {
    let note = note("train-trip.txt");
    refused(&run(&["inspect", "-t", "-1"]), 2, "invalid value '-1' for '--threads <N>'");
    refused(&run(&["bench", "--depth", "-1"]), 2, "invalid value '-1' for '--depth <N,…>'");
    refused(&run(&["perplexity", text(&note), "--window", "0"]), 2, "invalid value '0' for '--window <N>'");
    refused(
        &run(&["generate", "-p", "a", "--temperature", "-1"]),
        4,
        "temperature: it must be a finite number, 0 or above",
    );
    for sequences in ["0", "129"] {
        let expected = format!("{sequences} sequences cannot decode together: 1 to 128 can");
        refused(&run(&["bench", "--sequences", sequences]), 4, &expected);
    }
}

#[test]
fn a_model_that_a_command_does_not_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (model, output) = (tiny(folder.path(), "tiny.gguf"), folder.path().join("unwritten"));
    refused(&run(&["inspect", &model, "--model", &model]), 2, "leave --model out");
    refused(&run(&["-m", &model, "pack", &model, "-o", text(&output)]), 2, "sotto pack FILE");
    let synth = ["synth", "--shape", "tiny", "--quant", "q4_0", "-o", text(&output), "--model", &model];
    refused(&run(&synth), 2, "--vocab names the file");
    refused(&run(&["render", "-", "--template", &model, "--model", &model]), 2, "leave --model out");
    assert!(!output.exists());
}

#[test]
fn advice_fits_what_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny(folder.path(), "tiny.gguf");
    let missing = run(&["inspect", "/nowhere.gguf"]);
    refused(&missing, 3, "check the path");
    assert!(!errors(&missing).contains("--model"));
    json(&run(&["pack", &model, "--json"]));
    let packed = folder.path().join("tiny.sotto");
    let mut bytes = std::fs::read(&packed).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&packed, bytes).unwrap();
    refused(&run(&["inspect", text(&packed)]), 3, "pack the model again");
    for (name, bytes) in [("empty", ""), ("garbage", "not a model")] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let vocab = text(&folder.path().join(name)).to_owned();
        let output = text(&folder.path().join("unwritten")).to_owned();
        let synth = run(&["synth", "--shape", "tiny", "--quant", "q4_0", "--vocab", &vocab, "-o", &output]);
        refused(&synth, 3, "it is not a GGUF file");
    }
}

/// The demo model with another value for one of its numbers or texts, of the same length.
fn demo_with(folder: &Path, name: &str, key: &str, value: &[u8]) -> PathBuf {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-model/sotto-demo.gguf");
    let mut bytes = std::fs::read(demo).unwrap();
    let key = [&(key.len() as u64).to_le_bytes()[..], key.as_bytes()].concat();
    let at = bytes.windows(key.len()).position(|window| window == key).expect("the key") + key.len() + 4;
    bytes[at..at + value.len()].copy_from_slice(value);
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// `generate`, `pack` and `inspect` say the same of every file.
#[test]
fn what_one_command_accepts_all_accept() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let lengths = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let demo = |name: &str, key: &str, value: &[u8]| demo_with(folder.path(), name, key, value);
    let f32 = tiny(folder.path(), "tiny.gguf");
    let files = [
        (PathBuf::from(&f32), true, ""),
        (demo("same.gguf", "general.architecture", &lengths("llama")), true, ""),
        (demo("mamba.gguf", "general.architecture", &lengths("mamba")), false, "the architecture \"mamba\""),
        (demo("heads.gguf", "llama.attention.head_count", &[0; 4]), false, "llama.attention.head_count"),
        (demo("tokenizer.gguf", "tokenizer.ggml.model", &lengths("gptz")), false, "gptz"),
        (write("page.gguf", b"<!doctype html><title>Sign in</title>"), false, "it is a web page, not a model"),
        (write("lfs.gguf", b"version https://git-lfs.github.com/spec/v1\n"), false, "git lfs pull"),
        (write("old.bin", b"tjgg\x03\0\0\0"), false, "not supported: a model in the format GGJT"),
        (write("torch.bin", b"PK\x03\x04\0\0"), false, "not supported: a ZIP file"),
        (folder.path().to_owned(), false, "it is a folder, not a file"),
    ];
    for (file, accepted, words) in files {
        let generate = run(&["generate", "-m", text(&file), "-p", "a", "-n", "1"]);
        let packed = folder.path().join("packed.sotto");
        let pack = run(&["pack", text(&file), "-o", text(&packed)]);
        let inspect = run(&["inspect", text(&file), "--json"]);
        let reason = match inspect.status.success() {
            true => json(&inspect)["why_not"].as_str().map(str::to_owned),
            false => Some(errors(&inspect)),
        };
        for output in [&generate, &pack] {
            assert_eq!(code(output), if accepted { 0 } else { 3 }, "{}: {}", file.display(), errors(output));
            assert!(errors(output).contains(words), "{words:?} is not in: {}", errors(output));
        }
        assert_eq!(reason.is_none(), accepted, "{reason:?}");
        assert!(reason.unwrap_or_default().contains(words));
        assert_eq!(packed.exists(), accepted);
        let _ = std::fs::remove_file(&packed);
    }
}

#[test]
fn a_vocabulary_and_other_kinds_are_inspected_and_refused() {
    let folder = tempfile::tempdir().unwrap();
    let string = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut adapter = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes(), &2u64.to_le_bytes()].concat();
    for (key, value) in [("general.type", "adapter"), ("general.architecture", "llama")] {
        adapter.extend([string(key), 8u32.to_le_bytes().to_vec(), string(value)].concat());
    }
    let path = folder.path().join("adapter.gguf");
    std::fs::write(&path, adapter).unwrap();
    let report = json(&run(&["inspect", text(&path), "--json"]));
    assert_eq!((&report["kind"], &report["architecture"]), (&"adapter".into(), &"llama".into()));
    let shown = run(&["inspect", text(&path)]);
    assert!(
        String::from_utf8(shown.stdout).unwrap().starts_with("runs here       no: not supported: an adapter (LoRA)")
    );
    refused(&run(&["generate", "-m", text(&path), "-p", "a"]), 3, "an adapter (LoRA), which changes another model");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_no_address_space_holds_is_too_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.gguf");
    std::fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).unwrap();
    let program = env!("CARGO_BIN_EXE_sotto");
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -v 16000000; exec \"$0\" inspect \"$1\"", program, text(&path)]);
    refused(&limited.output().unwrap(), 5, "1099511627776 bytes of memory are needed, but not available");
}

#[test]
fn what_cannot_be_transcribed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let audio = folder.path().join("note.wav");
    std::fs::write(&audio, b"RIFF").unwrap();
    let audio = text(&audio);
    refused(&run(&["transcribe", audio]), 2, "transcribe needs a Whisper model: --model");
    refused(&run(&["transcribe", audio, "--model", "none.bin", "--adapter", "a.gguf"]), 2, "leave --adapter out");
    refused(&run(&["transcribe", audio, "--model", "none.bin", "--language", "english"]), 2, "such as en, de or zh");
    refused(&run(&["transcribe", audio, "--model", "none.bin"]), 3, "none.bin");
    refused(&run(&["summarize", audio, "--speech", "none.bin"]), 3, "none.bin");
    let no_model = tiny(folder.path(), "tiny.gguf");
    assert_eq!(code(&run(&["transcribe", audio, "--model", &no_model])), 3);
}
