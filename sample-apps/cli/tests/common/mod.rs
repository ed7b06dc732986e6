//! The program, and what it answered.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod chat_server;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub fn sotto() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sotto"));
    command.stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Output {
    sotto().args(arguments).output().expect("sotto starts")
}

pub fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = sotto();
    command.args(arguments);
    output_with_input(&mut command, input)
}

pub fn output_with_input(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that refuses its input early closes it early.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("the program ends")
}

pub fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", errors(output));
    serde_json::from_slice(&output.stdout).expect("one JSON value on stdout")
}

pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn code(output: &Output) -> i32 {
    let errors = errors(output);
    assert!(!errors.contains("panicked"), "{errors}");
    output.status.code().expect("no signal")
}

pub fn note(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../notes").join(name)
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// What a terminal shows while it runs the program and somebody types `input`.
pub fn on_a_terminal(arguments: &[&str], input: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let command = format!("{} {}", env!("CARGO_BIN_EXE_sotto"), arguments.join(" "));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command]).arg(folder.path().join("log")).env("TERM", "xterm");
    let output = output_with_input(&mut script, input);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    shown
}
