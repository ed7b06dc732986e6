//! Recordings, with a speech model of real weights: `SOTTO_REAL_MODELS` names its folder, and `cargo xtask real-models` brings it.

mod common;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use common::{code, errors, json, run, run_with_input, text};
use sotto::VoiceNote;

/// A file of that folder; `None` where there is none, and the test says that it is skipped.
fn real(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("SOTTO_REAL_MODELS").map(PathBuf::from) else {
        writeln!(std::io::stderr(), "SKIPPED: {name}: SOTTO_REAL_MODELS is not set (`cargo xtask real-models`)")
            .expect("stderr");
        return None;
    };
    Some(text(&folder.join(name)).to_owned())
}

#[test]
fn a_recording_becomes_lines_or_json_or_a_summary_with_times() {
    let (Some(whisper), Some(audio)) = (real("ggml-base-q5_1.bin"), real("librivox-0870.wav")) else { return };
    let transcript = json(&run(&["transcribe", &audio, "--model", &whisper, "--json", "--language", "en"]));
    assert_eq!(transcript["language"], "en");
    let segments = transcript["segments"].as_array().expect("segments");
    assert!(segments.iter().all(|segment| segment["start"].as_f64() < segment["end"].as_f64()));
    assert!(segments[0].get("words").is_none());
    assert_eq!(transcript["metrics"]["audio_seconds"], 7.1);
    assert!(transcript["metrics"]["real_time_factor"].as_f64() > Some(0.0));

    let lines = run_with_input(&["transcribe", "-", "--model", &whisper], &std::fs::read(&audio).expect("a file"));
    let note = VoiceNote::transcript(&String::from_utf8_lossy(&lines.stdout));
    let heard: Vec<_> = segments.iter().map(|segment| segment["text"].as_str().expect("a text")).collect();
    assert_eq!(note.segments().iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>(), heard);
    assert!(errors(&lines).contains("real-time factor"), "{}", errors(&lines));

    let words = json(&run(&["transcribe", &audio, "--model", &whisper, "--json", "--words"]));
    let words = words["segments"][0]["words"].as_array().expect("words").len();
    assert_eq!(words, heard[0].split_whitespace().count());

    let summary = json(&run(&["summarize", &audio, "--speech", &whisper, "--json"]));
    assert_eq!(summary["segments"][0]["start"], segments[0]["start"]);
    assert_eq!(summary["segments"].as_array().expect("segments").len(), segments.len());
}

#[test]
fn a_recording_of_nothing_or_of_no_sound_is_told() {
    let Some(whisper) = real("ggml-base-q5_1.bin") else { return };
    let silence = [
        &b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x7d\0\0"[..],
        &[0; 32_000],
    ]
    .concat();
    let transcript = json(&run_with_input(&["transcribe", "-", "--model", &whisper, "--json"], &silence));
    assert_eq!(
        (transcript["segments"].as_array().map(Vec::len), &transcript["language"]),
        (Some(0), &serde_json::Value::Null)
    );
    let output = run_with_input(&["summarize", "-", "--speech", &whisper], &silence);
    assert_eq!(code(&output), 4);
    assert!(errors(&output).contains("there is no speech in the recording"), "{}", errors(&output));

    let this = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    for no_audio in [text(&this), "none.wav"] {
        let output = run(&["transcribe", no_audio, "--model", &whisper]);
        assert_eq!(code(&output), 4, "{}", errors(&output));
        assert!(errors(&output).contains("the recording cannot be used"), "{}", errors(&output));
    }
}
