use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use sotto::{CancelToken, Tool};

use crate::failure::Failure;
use crate::input;

/// The time between two looks at whether a program has ended.
const PATIENCE: Duration = Duration::from_millis(10);

/// A program that the model may call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    name: String,
    description: String,
    parameters: Value,
    /// The program and what it is called with. The model's arguments are not among them: they go to its standard input, as JSON.
    command: Vec<String>,
}

/// The tools in a file: a JSON list of `{"name", "description", "parameters", "command"}`.
pub fn read(path: &Path) -> Result<Vec<Tool>, Failure> {
    let programs: Vec<Program> = serde_json::from_str(&input::read_file(path)?).map_err(|error| {
        Failure::BadInput(format!(
            "the tools are no JSON list of {{\"name\", \"description\", \"parameters\", \"command\"}}: {error}"
        ))
    })?;
    if programs.iter().any(|program| program.command.is_empty()) {
        return Err(Failure::BadInput("a tool has an empty command: name a program".to_owned()));
    }
    let tool = |Program { name, description, parameters, command }| {
        Tool::new(name, description, parameters, move |arguments, cancel| run(&command, arguments, cancel))
    };
    Ok(programs.into_iter().map(tool).collect())
}

/// What the program writes, or why it failed.
fn run(command: &[String], arguments: &Value, cancel: &CancelToken) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("the program cannot be run: {error}");
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program need not read its arguments.
        let _ = stdin.write_all(arguments.to_string().as_bytes());
    }
    let output = child.stdout.take().map(|mut stdout| {
        thread::spawn(move || {
            let mut text = Vec::new();
            stdout.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).trim_end().to_owned())
        })
    });
    let is_success = wait(&mut child, cancel).map_err(failed)?;
    // What it started may go on, and keep its output open.
    if cancel.is_cancelled() {
        return Err("cancelled".to_owned());
    }
    let text = output.and_then(|reader| reader.join().ok()).transpose().map_err(failed)?.unwrap_or_default();
    if is_success { Ok(text) } else { Err(format!("the program failed: {text}")) }
}

/// Whether the program has succeeded. It is killed when the answer is cancelled.
fn wait(child: &mut Child, cancel: &CancelToken) -> std::io::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if cancel.is_cancelled() {
            child.kill()?;
        }
        thread::sleep(PATIENCE);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, cancel: &CancelToken) -> Result<String, String> {
        let command = ["sh", "-c", script].map(str::to_owned);
        run(&command, &serde_json::json!({ "city": "Oslo; rm -rf *" }), cancel)
    }

    #[test]
    fn a_program_reads_the_arguments_and_the_model_gets_what_it_prints() {
        let cancel = CancelToken::new();
        assert_eq!(shell("cat", &cancel), Ok(r#"{"city":"Oslo; rm -rf *"}"#.to_owned()));
        assert_eq!(shell("echo rain; echo", &cancel), Ok("rain".to_owned()));
        assert_eq!(shell("echo no network; exit 3", &cancel), Err("the program failed: no network".to_owned()));
        assert!(run(&["no-such-program".to_owned()], &Value::Null, &cancel).is_err());
    }

    #[test]
    fn a_cancelled_program_is_killed() {
        let cancel = CancelToken::new();
        cancel.cancel();
        // Not a child of the shell, which would go on, and keep what waits for the output of the tests waiting.
        assert!(shell("exec sleep 600", &cancel).is_err());
    }
}
