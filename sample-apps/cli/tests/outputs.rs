//! Places that cannot be written, names that are no text, and a terminal.
#![cfg(target_os = "linux")]

mod common;

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{code, errors, json, note, on_a_terminal, run, sotto, text};
use sotto_synth::{Quantization, Shape, SynthOptions, synthesize};

const BENCH: [&str; 7] = ["bench", "--prefill", "8", "--decode", "2", "--repeat", "1"];

/// A device on which there is never any room.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

fn tiny(folder: &Path) -> String {
    let file = text(&folder.join("tiny.gguf")).to_owned();
    json(&run(&["synth", "--shape", "tiny", "--quant", "q4_0", "-o", &file, "--json"]));
    file
}

#[test]
fn the_answer_comes_where_nobody_can_be_told_of_it() {
    let answer = sotto().args(["classify", "The kitchen is on fire!"]).stderr(full()).output().unwrap();
    assert_eq!(code(&answer), 0);
    assert!(!answer.stdout.is_empty());
    let refusal = sotto().args(["summarize", "/nowhere.txt"]).stderr(full()).output().unwrap();
    assert_eq!(code(&refusal), 4);
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let messages = folder.path().join("m.json");
    std::fs::write(&messages, r#"[{"role":"user","content":"hi"}]"#).unwrap();
    let note = note("train-trip.txt");
    for arguments in [
        &["render", text(&messages)][..],
        &["render", text(&messages), "--json"],
        &["summarize", text(&note)],
        &["tokenize", "--ids", "a"],
        &["inspect"],
    ] {
        let output = sotto().args(arguments).stdout(full()).output().unwrap();
        assert_eq!(code(&output), 1, "{arguments:?}");
        assert!(errors(&output).contains("cannot write the output"), "{arguments:?}");
    }
}

#[test]
fn a_name_that_is_no_text_is_told_as_well_as_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let name = |bytes: &[u8]| folder.path().join(OsStr::from_bytes(bytes));
    let (model, packed) = (name(b"caf\xe9.gguf"), name(b"caf\xe9.sotto"));
    let synth = ["synth", "--shape", "tiny", "--quant", "q4_0", "--json", "-o"];
    let synth = sotto().args(synth).arg(&model).output().unwrap();
    let pack = sotto().args(["pack", "--json", "-o"]).arg(&packed).arg(&model).output().unwrap();
    for (output, ending) in [(synth, "caf\u{fffd}.gguf"), (pack, "caf\u{fffd}.sotto")] {
        assert!(json(&output)["file"].as_str().unwrap().ends_with(ending));
    }
}

#[test]
fn figures_are_printed_even_if_the_plot_cannot_be_written() {
    let plot = "/no/such/folder/plot.svg";
    let output = run(&[&BENCH[..], &["--json", "--svg", plot]].concat());
    assert_eq!(code(&output), 1);
    assert!(errors(&output).contains(plot), "{}", errors(&output));
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["decode"].is_array());
}

#[test]
fn a_model_that_cannot_be_deleted_is_packed_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (model, packed) = (tiny(folder.path()), folder.path().join("packed.sotto"));
    // Nobody, not even root, can delete what lies here.
    let mut pack = sotto();
    pack.args(["pack", "/proc/self/fd/0", "--delete", "--json", "-o", text(&packed)]);
    let output = pack.stdin(File::open(&model).unwrap()).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(
        errors(&output).contains("the packed file is complete, but /proc/self/fd/0 could not be deleted"),
        "{}",
        errors(&output)
    );
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["deleted"], false);
    assert_eq!(code(&run(&["inspect", text(&packed)])), 0);
}

#[test]
fn a_load_that_is_interrupted_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (model, cache) = (folder.path().join("large.gguf"), folder.path().join("cache"));
    let shape = Shape { vocab_size: 40_000, ..Shape::named("tiny").unwrap() };
    synthesize(&SynthOptions::new(shape, Quantization::F32), &model, |_, _| {}).unwrap();
    let files = || std::fs::read_dir(&cache).map_or(0, Iterator::count);
    let interrupted = || {
        let load = ["generate", "-p", "a", "-n", "1", "-m", text(&model), "--cache", text(&cache)];
        let mut load = sotto().args(load).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while files() == 0 && load.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args(["-INT", &load.id().to_string()]).status().unwrap().success());
        load.wait().unwrap().code()
    };
    for _ in 0..20 {
        let code = interrupted();
        if code != Some(0) {
            assert_eq!((code, files()), (Some(130), 0));
            return;
        }
        // It was done before it was interrupted, which proves nothing.
        std::fs::remove_dir_all(&cache).unwrap();
    }
    panic!("no load was interrupted");
}

#[test]
fn a_terminal_shows_what_is_being_measured() {
    let shown = on_a_terminal(&BENCH, b"");
    assert!(shown.contains("the machine's ceilings") && !shown.contains("0/0"), "{shown}");
}

#[test]
fn a_conversation_at_a_terminal_goes_on_behind_a_line_that_is_no_text() {
    let shown = on_a_terminal(&["chat", "-n", "4", "--json"], b"caf\xe9\nHello\n\x04");
    assert!(shown.contains("not UTF-8") && shown.contains("\"metrics\""), "{shown}");
}
