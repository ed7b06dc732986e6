//! `sotto pull`, and `--model` with what it has pulled.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::thread;

use common::{code, errors, json, sotto, text};

const NAME: &str = "owner/repo:demo.gguf";

/// The address of a server that has the demo model, and nothing else.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let model = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-model/sotto-demo.gguf")).unwrap();
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let is_model = lines.next().is_some_and(|line| line.contains("/owner/repo/resolve/main/demo.gguf"));
            lines.for_each(drop);
            let (status, body) = if is_model { ("200 OK", &model[..]) } else { ("404 Not Found", &[][..]) };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    address
}

fn run(hub: &str, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = sotto();
    command.args(arguments).env("HF_ENDPOINT", hub).env("HF_TOKEN", "hf_secret").env("SOTTO_MODELS", folder);
    command.output().unwrap()
}

#[test]
fn a_pulled_model_is_used_by_its_name_and_its_path() {
    let (hub, folder) = (server(), tempfile::tempdir().unwrap());
    let early = run(&hub, folder.path(), &["tokenize", "hello", "--model", NAME]);
    assert_eq!(code(&early), 3);
    assert!(errors(&early).contains("sotto pull"), "{}", errors(&early));

    let pulled = json(&run(&hub, folder.path(), &["pull", NAME, "--json"]));
    assert_eq!((&pulled["fetched"], &pulled["verified"]), (&true.into(), &false.into()));
    let again =
        json(&run(&hub, folder.path(), &["pull", NAME, "--json", "--sha256", pulled["sha256"].as_str().unwrap()]));
    assert_eq!((&again["fetched"], &again["verified"], &again["file"]), (&false.into(), &true.into(), &pulled["file"]));

    let demo = json(&run(&hub, folder.path(), &["tokenize", "hello", "--json"]));
    for model in [NAME, pulled["file"].as_str().unwrap()] {
        assert_eq!(json(&run(&hub, folder.path(), &["tokenize", "hello", "--json", "--model", model])), demo);
    }
    let path = run(&hub, folder.path(), &["pull", NAME]);
    assert_eq!(String::from_utf8_lossy(&path.stdout).trim(), pulled["file"].as_str().unwrap());
}

#[test]
fn what_cannot_be_pulled_is_explained() {
    let (hub, folder) = (server(), tempfile::tempdir().unwrap());
    for (arguments, status, says) in [
        (&["owner/repo:other.gguf"][..], 3, "check owner, repository and file name"),
        (&["owner/repo"], 4, "owner/repo:file.gguf"),
        (&[NAME, "--sha256", "12"], 4, "64 hexadecimal digits"),
        (&["http://user:hunter2@models.example/a.gguf"], 4, "leave the password out"),
        (&["http://models.example/a.gguf"], 4, "--sha256"),
        (&[NAME, "--model", "a.gguf"], 2, "without --model"),
    ] {
        let output = run(&hub, folder.path(), &[&["pull"], arguments].concat());
        let errors = errors(&output);
        assert!(code(&output) == status && errors.contains(says), "{arguments:?}: {errors}");
        assert!(!errors.contains("hf_secret") && !errors.contains("hunter2"), "{errors}");
    }
    let wrong = "0".repeat(64);
    let output = run(&hub, folder.path(), &["pull", NAME, "--sha256", &wrong, "--models", text(folder.path())]);
    assert_eq!(code(&output), 3);
    assert!(errors(&output).contains("SHA-256"), "{}", errors(&output));
}
