//! `--fallback`: what is handed over, what is sent, and what each kind of answer becomes.

mod common;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::chat_server::{ChatServer, Does, events, serve};
use common::{code, errors, json, output_with_input, run, sotto};
use serde_json::{Value, json};

const NOW: Duration = Duration::ZERO;
const LABEL: &str = "{\"label\": \"task\"}";

/// The program with this server, which knows the model as `big`.
fn with_server(server: &ChatServer, arguments: &[&str]) -> Command {
    let mut command = sotto();
    command.args(arguments).args(["--fallback", &server.address, "--fallback-model", "big"]);
    command.env("SOTTO_FALLBACK_KEY", "sk-hidden").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ask(server: &ChatServer, arguments: &[&str]) -> Output {
    with_server(server, arguments).output().unwrap()
}

fn sent(server: &ChatServer) -> Vec<Value> {
    server.requests.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
}

/// Longer than the demo model reads.
fn long_text() -> String {
    "The list is not here. ".repeat(2000)
}

#[test]
fn what_the_machine_can_do_is_sent_nowhere() {
    let server = serve(Does::Answers(LABEL, NOW));
    let found = json(&ask(&server, &["classify", "call Tom", "--json"]));
    assert_eq!(found["metrics"]["handed_over"], Value::Null);
    assert_eq!(found["label"], json(&run(&["classify", "call Tom", "--json"]))["label"]);
    assert!(sent(&server).is_empty());
    // Nor is what is too long, unless the server is named, and asked for that.
    let text = long_text();
    assert_eq!(code(&run(&["classify", &text])), 5);
    assert_eq!(code(&ask(&server, &["classify", &text, "--fallback-when", "model"])), 5);
    assert!(sent(&server).is_empty());
}

#[test]
fn a_text_that_is_too_long_is_labelled_by_the_server() {
    let server = serve(Does::Answers(LABEL, NOW));
    let text = long_text();
    let found = json(&ask(&server, &["classify", &text, "--labels", "urgent,task", "--json"]));
    assert_eq!((&found["label"], &found["metrics"]["handed_over"]), (&json!("task"), &json!("context_too_long")));
    let (head, body) = server.requests.lock().unwrap()[0].clone();
    assert!(head.starts_with("post /v1/chat/completions http/1.1") && head.contains("authorization: bearer sk-hidden"));
    assert_eq!((&body["model"], &body["messages"][1]["content"]), (&json!("big"), &json!(text)));
    let shown = ask(&server, &["classify", &text, "--labels", "urgent,task"]);
    assert!(errors(&shown).contains("answered by the fallback server, because the text is too long"));
}

#[test]
fn a_label_that_is_not_sure_enough_is_found_by_the_server() {
    let server = serve(Does::Answers(LABEL, NOW));
    let when = |when: &str| {
        let found =
            ask(&server, &["classify", "call Tom", "--labels", "urgent,task", "--json", "--fallback-when", when]);
        json(&found)["metrics"]["handed_over"].clone()
    };
    assert_eq!((when("confidence=1"), when("confidence=0")), (json!("low_confidence"), Value::Null));
    assert_eq!(sent(&server).len(), 1);
}

#[test]
fn a_model_that_is_missing_is_replaced_in_each_task() {
    let missing = ["--model", "nowhere.gguf", "--json"];
    let with = |task: &[&str], answer: &'static str| {
        let output = ask(&serve(Does::Answers(answer, NOW)), &[task, &missing[..]].concat());
        let found = json(&output);
        // A value that was extracted is printed alone.
        let is_told =
            found["metrics"]["handed_over"] == "model_missing" || errors(&output).contains("because the model is not");
        assert!(is_told, "{found}");
        found
    };
    assert_eq!(with(&["classify", "call Tom"], LABEL)["label"], "task");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let schema = file(
        "schema.json",
        "{\"type\": \"object\", \"properties\": {\"who\": {\"type\": \"string\"}}, \"required\": [\"who\"]}",
    );
    assert_eq!(with(&["extract", "call Tom", "--schema", &schema], "{\"who\": \"Tom\"}"), json!({ "who": "Tom" }));
    let note = file("note.txt", "Marcus will write a test by Thursday.");
    let written = "Title: a test\nOverview: a test\nPoints:\n- a rocket\nActions:\n- write a test\n  owner: Marcus\n";
    let summary = with(&["summarize", &note], written);
    assert_eq!((&summary["title"], &summary["points"]), (&json!("A test"), &json!([])));
    assert_eq!(
        (&summary["actions"][0]["text"], &summary["actions"][0]["owner"]),
        (&json!("write a test"), &json!("Marcus"))
    );
}

#[test]
fn a_conversation_goes_on_with_all_that_was_said() {
    let server = serve(Does::Answers("Good evening.", NOW));
    let mut chat = with_server(
        &server,
        &["chat", "--system", "Be brief.", "--context", "128", "--json", "-n", "8", "--temperature", "0"],
    );
    let long = "on and on ".repeat(100);
    let said = output_with_input(&mut chat, format!("Hello\n{long}\nAnd now?\n").as_bytes());
    assert_eq!(code(&said), 0, "{}", errors(&said));
    let replies: Vec<Value> =
        String::from_utf8_lossy(&said.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let handed_over: Vec<&Value> = replies.iter().map(|reply| &reply["metrics"]["handed_over"]).collect();
    assert_eq!(handed_over, [&Value::Null, &json!("context_too_long"), &json!("context_too_long")]);
    let messages = sent(&server)[1]["messages"].clone();
    let said: Vec<&str> = messages.as_array().unwrap().iter().map(|said| said["content"].as_str().unwrap()).collect();
    let first = replies[0]["text"].as_str().unwrap();
    assert_eq!(said, ["Be brief.", "Hello", first, &long, "Good evening.", "And now?"]);
}

#[test]
fn each_kind_of_failure_has_its_own_words_and_none_of_the_texts() {
    let whole = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", events(LABEL).concat());
    let cut = whole.as_bytes()[..whole.len() / 2].to_vec();
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n: hello\n\r\n".to_vec();
    let plain = |body: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}").into_bytes();
    let huge = plain(&format!("data: {}\n", "x".repeat(2 << 20)));
    for (does, says) in [
        (Does::Refuses("401 Unauthorized"), "status 401"),
        (Does::Refuses("429 Too Many Requests"), "status 429"),
        (Does::Refuses("500 Internal Server Error"), "status 500"),
        (Does::Refuses("302 Found"), "status 302"),
        (Does::Sends(Vec::new()), "cannot be reached"),
        (Does::Sends(b"secret\r\n\r\n".to_vec()), "cannot be reached"),
        (Does::Sends(chunked), "cannot be reached"),
        (Does::Sends(cut), "broke off"),
        (Does::Sends(plain("<html>secret</html>\n")), "not a stream"),
        (Does::Sends(huge), "does not end"),
        (Does::Answers("{\"label\": \"secret\"}", NOW), "none of the labels"),
        (Does::Answers("It is a secret.", NOW), "not JSON"),
        (Does::Stalls, "silent for too long"),
    ] {
        let server = serve(does);
        let text = format!("private words {}", long_text());
        let output = ask(&server, &["classify", &text, "--labels", "urgent,task", "--fallback-timeout", "0.5"]);
        let errors = errors(&output);
        assert!(code(&output) == 1 && errors.contains(says), "{says}: {errors}");
        assert!(!errors.contains("secret") && !errors.contains("private") && !errors.contains("sk-hidden"), "{errors}");
        assert!(output.stdout.is_empty());
        assert_eq!(sent(&server).len(), 1, "{says}: it is asked once");
    }
    let nobody = ChatServer { address: "http://127.0.0.1:9".into(), ..serve(Does::Stalls) };
    let output = ask(&nobody, &["classify", &long_text()]);
    assert!(code(&output) == 1 && errors(&output).contains("nothing listens there"), "{}", errors(&output));
}

#[test]
fn a_server_is_named_whole_and_over_tls() {
    for (arguments, status, says) in [
        (&["--fallback", "http://models.example", "--fallback-model", "big"][..], 4, "TLS"),
        (&["--fallback", "https://u:hunter2@models.example", "--fallback-model", "big"], 4, "leave the password out"),
        (&["--fallback", "https://models.example"], 2, "--fallback-model"),
        (&["--fallback-when", "model"], 2, "--fallback"),
        (
            &["--fallback", "https://models.example", "--fallback-model", "big", "--fallback-when", "always"],
            2,
            "confidence=P",
        ),
    ] {
        let output = run(&[&["classify", "call Tom"], arguments].concat());
        let errors = errors(&output);
        assert!(code(&output) == status && errors.contains(says), "{arguments:?}: {errors}");
        assert!(!errors.contains("hunter2"), "{errors}");
    }
    let server = serve(Does::Answers(LABEL, NOW));
    for arguments in [&["classify", "--lines", "-"][..], &["chat", "--tools", "tools.json"]] {
        let output = ask(&server, arguments);
        assert!(code(&output) == 2 && errors(&output).contains("cannot be used with"), "{arguments:?}");
    }
}

/// Ctrl-C, as a terminal sends it.
#[cfg(unix)]
#[test]
fn a_stopped_answer_closes_the_connection_at_once() {
    for does in [Does::Drips(Duration::from_millis(5)), Does::Drips(Duration::from_millis(50)), Does::Stalls] {
        let server = serve(does);
        let mut chat =
            with_server(&server, &["chat", "--model", "nowhere.gguf"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = chat.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, b"Hello\n").unwrap();
        while sent(&server).is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        let stopped = Instant::now();
        assert!(Command::new("kill").args(["-INT", &chat.id().to_string()]).status().unwrap().success());
        let closed = loop {
            assert!(stopped.elapsed() < Duration::from_secs(10), "the connection stays open");
            if let Some(closed) = *server.closed.lock().unwrap() {
                break closed;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        // A server that drips notices with its next drop but one; a busy machine has some time on top.
        let took = closed.duration_since(stopped);
        eprintln!("closed after {} ms", took.as_millis());
        assert!(took < Duration::from_millis(300), "{took:?}");
        drop(input);
        assert_eq!(code(&chat.wait_with_output().unwrap()), 0);
    }
}
