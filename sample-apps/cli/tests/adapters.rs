//! Adapters on the command line: `--adapter`, `inspect` and `merge`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{code, errors, json, run, text};

const PROMPT: [&str; 6] = ["generate", "--prompt", "Marcus will", "-n", "12", "--json"];

fn demo_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-model/sotto-demo.gguf")
}

/// A LoRA of rank 1 for the demo model, 256 wide: the output of one layer's attention.
fn write_adapter(folder: &Path) -> String {
    let mut out = Vec::new();
    let put_text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    };
    out.extend(b"GGUF");
    out.extend(3u32.to_le_bytes());
    out.extend([2u64, 3].map(u64::to_le_bytes).concat());
    for (key, value) in [("general.type", "adapter"), ("general.architecture", "llama"), ("adapter.type", "lora")] {
        put_text(&mut out, key);
        out.extend(8u32.to_le_bytes());
        put_text(&mut out, value);
    }
    for (half, shape, offset) in [("lora_a", [256u64, 1], 0u64), ("lora_b", [1, 256], 1024)] {
        put_text(&mut out, &format!("blk.0.attn_output.weight.{half}"));
        out.extend(2u32.to_le_bytes());
        out.extend(shape.map(u64::to_le_bytes).concat());
        out.extend(0u32.to_le_bytes());
        out.extend(offset.to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(32), 0);
    out.extend((0..512u16).flat_map(|i| (f32::from(i * 37 % 101) / 50.0 - 1.0).to_le_bytes()));
    let path = folder.join("adapter.gguf");
    fs::write(&path, out).unwrap();
    text(&path).to_owned()
}

fn generated(adapter: Option<String>) -> String {
    let mut words = PROMPT.to_vec();
    words.extend(adapter.iter().flat_map(|adapter| ["--adapter", adapter]));
    json(&run(&words))["text"].as_str().unwrap().to_owned()
}

#[test]
fn an_adapter_changes_what_is_computed_by_its_scale() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = write_adapter(folder.path());
    let (plain, changed) = (generated(None), generated(Some(adapter.clone())));
    assert_ne!(changed, plain);
    assert_eq!(generated(Some(format!("{adapter}=1.0"))), changed);
    assert_eq!(generated(Some(format!("{adapter}=0"))), plain);
}

#[test]
fn what_is_no_adapter_or_changes_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = write_adapter(folder.path());
    let demo = demo_file();
    let refused = |words: &[&str], exit: i32, expected: &str| {
        let output = run(words);
        assert_eq!(code(&output), exit, "{}", errors(&output));
        assert!(errors(&output).contains(expected), "{}", errors(&output));
    };
    let with =
        |adapter: &str, exit, expected| refused(&[&PROMPT[..], &["--adapter", adapter]].concat(), exit, expected);
    with("none.gguf", 3, "none.gguf");
    with(text(&demo), 3, "a model as an adapter");
    with(&format!("{adapter}=nan"), 4, "finite");
    refused(&["tokenize", "text", "--adapter", &adapter], 2, "leave --adapter out");
    refused(&["generate", "--prompt", "a", "--model", &adapter], 3, "as its adapter");
}

#[test]
fn an_adapter_is_inspected() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["inspect", &write_adapter(folder.path())]);
    assert_eq!(code(&output), 0);
    assert!(String::from_utf8(output.stdout).unwrap().contains("LoRA of rank 1"));
}

#[test]
fn a_merged_model_is_the_model_with_the_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let (adapter, demo) = (write_adapter(folder.path()), demo_file());
    let merged = folder.path().join("merged.gguf");
    let value = json(&run(&["merge", text(&demo), &adapter, "-o", text(&merged), "--json"]));
    assert_eq!(value["tensors"], 1);
    assert_eq!(fs::metadata(&merged).unwrap().len(), value["bytes"].as_u64().unwrap());
    let (plain, with_adapter) = (generated(None), generated(Some(adapter.clone())));
    let words = [&PROMPT[..], &["--model", text(&merged)]].concat();
    let of_merged = json(&run(&words))["text"].as_str().unwrap().to_owned();
    assert_ne!(of_merged, plain);
    println!("{with_adapter:?} {of_merged:?}");
    let nothing = run(&["merge", text(&demo), &adapter, "-o", text(&demo)]);
    assert_eq!(code(&nothing), 4, "{}", errors(&nothing));
}
