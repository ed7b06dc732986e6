//! `--fallback` against a real server: llama.cpp's for Python, which `cargo xtask test-fallback` brings and names.

mod common;

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use common::{code, errors, json, output_with_input, sotto, text};
use serde_json::{Value, json};

/// Stops the server in the end.
struct Server {
    program: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn start() -> Server {
    let named = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let model = Path::new(&named("SOTTO_REAL_MODELS")).join("SmolLM2-135M-Instruct.Q4_1.gguf");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(named("SOTTO_LLAMA_SERVER"));
    command.arg(root.join("tools/fallback/server.py")).arg(model).arg(port.to_string());
    let server = Server { program: command.spawn().unwrap(), address: format!("http://127.0.0.1:{port}") };
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "the server does not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    server
}

#[test]
#[ignore = "needs llama.cpp's server: cargo xtask test-fallback"]
fn a_real_server_does_each_task() {
    let server = start();
    let asked = |arguments: &[&str]| {
        let mut command = sotto();
        command.args(arguments).args(["--model", "nowhere.gguf", "--json"]);
        command.args(["--fallback", &server.address, "--fallback-model", "big"]);
        command
    };
    let run = |arguments: &[&str]| json(&asked(arguments).output().unwrap());

    let label =
        run(&["classify", "The server is down, and everybody is waiting!", "--labels", "urgent,task,ignorable"]);
    assert!(["urgent", "task", "ignorable"].contains(&label["label"].as_str().unwrap()));
    assert_eq!(label["metrics"]["handed_over"], "model_missing");

    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("schema.json");
    let errand = json!({ "type": "object", "properties": { "day": { "enum": ["Monday", "Friday"] }, "done": { "type": "boolean" } },
        "required": ["day", "done"], "additionalProperties": false });
    std::fs::write(&schema, errand.to_string()).unwrap();
    let value = run(&["extract", "Call Tom on Friday.", "--schema", text(&schema)]);
    assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), ["day", "done"]);

    let said = "Marcus will write a test by Thursday. The demo moved to Monday.";
    let note = folder.path().join("note.txt");
    std::fs::write(&note, said).unwrap();
    let summary = run(&["summarize", text(&note)]);
    assert!(!summary["title"].as_str().unwrap().is_empty());
    for item in ["points", "actions"].iter().flat_map(|list| summary[list].as_array().unwrap()) {
        assert!(said.contains(item["text"].as_str().unwrap()), "{item}");
    }

    let chat = output_with_input(
        &mut asked(&["chat", "-n", "12", "--temperature", "0"]),
        "What is the capital of France?\nAnd of Italy?\n".as_bytes(),
    );
    assert_eq!(code(&chat), 0, "{}", errors(&chat));
    let replies: Vec<Value> =
        String::from_utf8_lossy(&chat.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(replies.len(), 2);
    for reply in replies {
        assert!(
            !reply["text"].as_str().unwrap().is_empty() && reply["metrics"]["handed_over"] == "model_missing",
            "{reply}"
        );
    }
}
