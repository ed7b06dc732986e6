//! What the demo model writes does not depend on the device: every instruction set gives the stored summaries.

mod common;

use std::io::Write;

use common::{demo_path, package_folder};
use serde_json::{Value, json};
use sotto::{Kernels, LoadOptions, LocalModel, ModelFile, NoteSummary, SummaryOptions, VoiceNote};

const NOTES: [&str; 3] = ["clinic-move", "team-call", "train-trip"];

#[test]
fn every_instruction_set_writes_the_stored_summaries() {
    let root = package_folder();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    let stored: Value = serde_json::from_str(&read("tests/summaries.json")).expect("JSON");
    for kernels in Kernels::available() {
        let options = LoadOptions { kernels: Some(kernels), ..LoadOptions::default() };
        let model = LocalModel::load_with(ModelFile::path(demo_path()), &options).expect("the demo model loads");
        let summary = |name: &str| {
            let note = VoiceNote::transcript(&read(&format!("../../sample-apps/notes/{name}.txt")));
            let summary = model.summarize(&note, &SummaryOptions::default()).wait().expect("a summary");
            assert!(summary.metrics.as_ref().is_some_and(|metrics| metrics.kernels == kernels.name()));
            json!(NoteSummary { metrics: None, ..summary })
        };
        // Plain Rust takes thirty times as long as any other set, and is held against each in the kernels' tests: one note.
        let notes = if kernels.name() == "scalar" { &NOTES[..1] } else { &NOTES };
        for name in notes {
            let written = summary(name);
            // For another demo model, what is printed here is what to store.
            assert!(written == stored[name], "{}, {name}: {written:#}", kernels.name());
        }
        say_exercised(kernels);
    }
}

/// `cargo xtask test-arm` fails when an instruction set is missing among these lines.
fn say_exercised(kernels: &Kernels) {
    // Not `eprintln`: the test runner would keep that to itself.
    writeln!(std::io::stderr(), "EXERCISED: {} {}", env!("CARGO_PKG_NAME"), kernels.name()).expect("stderr");
}
