//! The Rust tests on a phone: built with the NDK, run by adb.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::ARM64;
use super::build::Toolchain;
use crate::arm::{EXERCISED, selection};
use crate::steps::{SKIPPED, root, run, run_tests};

/// A folder of the device from which its shell may run programs.
const FOLDER: &str = "/data/local/tmp/sotto";

/// What the tests read, from the root.
const FILES: [&str; 4] =
    ["core/engine/tests/golden", "core/sdk/tests/summaries.json", "sample-apps/demo-model", "sample-apps/notes"];

/// A test program, and the folder of its package from the root.
#[derive(Debug, PartialEq)]
struct Program {
    path: PathBuf,
    package: PathBuf,
}

/// Runs the tests that `test-arm` runs under qemu on the device that adb finds.
pub fn test() -> Result<(), String> {
    let mut build = Toolchain::ndk()?.cargo("test", ARM64);
    build.args(selection()).args(["--no-run", "--message-format=json"]).stderr(Stdio::inherit());
    let output = build.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err("the tests could not be built".into());
    }
    let programs = programs(&String::from_utf8_lossy(&output.stdout), &root());
    for command in preparation(&programs) {
        run(Command::new("adb").args(command).current_dir(root()))?;
    }
    let mut failed = Vec::new();
    let mut said = Vec::new();
    for program in &programs {
        match run_tests(Command::new("adb").args(execution(program)), &[EXERCISED, SKIPPED]) {
            Ok(lines) => said.extend(lines),
            Err(why) => failed.push(format!("{}: {why}", program.path.display())),
        }
    }
    println!("{} test programs, {} failed\n{}", programs.len(), failed.len(), said.join("\n"));
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\nxtask: ")) }
}

/// The test programs among cargo's messages.
fn programs(messages: &str, root: &Path) -> Vec<Program> {
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let path = message["executable"].as_str()?.into();
        let manifest = Path::new(message["manifest_path"].as_str()?).strip_prefix(root).ok()?;
        Some(Program { path, package: manifest.parent()?.to_owned() })
    };
    messages.lines().filter_map(program).collect()
}

/// adb's arguments: everything that is needed goes to the device, to where it lies here.
fn preparation(programs: &[Program]) -> Vec<Vec<String>> {
    let shell = |command: String| vec!["shell".to_owned(), command];
    let folders = FILES.iter().filter_map(|file| Path::new(file).parent());
    let folders = folders.chain(programs.iter().map(|program| program.package.as_path())).chain([Path::new("tmp")]);
    let folders: Vec<String> = folders.map(|folder| format!("{FOLDER}/{}", folder.display())).collect();
    let mut commands = vec![shell(format!("rm -rf {FOLDER} && mkdir -p {}", folders.join(" ")))];
    let push = |from: &str, to: String| vec!["push".to_owned(), from.to_owned(), to];
    commands.extend(FILES.iter().map(|file| push(file, format!("{FOLDER}/{file}"))));
    commands.extend(programs.iter().map(|program| push(&program.path.display().to_string(), on_device(program))));
    commands
}

/// adb's arguments: the program runs as cargo would run it.
fn execution(program: &Program) -> Vec<String> {
    let package = format!("{FOLDER}/{}", program.package.display());
    let run = format!("cd {package} && CARGO_MANIFEST_DIR={package} TMPDIR={FOLDER}/tmp {}", on_device(program));
    vec!["shell".into(), run]
}

fn on_device(program: &Program) -> String {
    let name = program.path.file_name().unwrap_or_default().to_string_lossy();
    format!("{FOLDER}/{}/{name}", program.package.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = r#"
{"reason":"compiler-artifact","manifest_path":"/sotto/core/sdk/Cargo.toml","executable":null}
{"reason":"compiler-artifact","manifest_path":"/sotto/core/engine/Cargo.toml","executable":"/sotto/target/forward-1f"}
{"reason":"build-finished","success":true}
"#;

    #[test]
    fn a_program_goes_to_its_package_and_runs_there() {
        let programs = programs(MESSAGES, Path::new("/sotto"));
        let expected = Program { path: "/sotto/target/forward-1f".into(), package: "core/engine".into() };
        assert_eq!(programs, [expected]);
        let commands = preparation(&programs);
        assert_eq!(commands[0][0], "shell");
        assert!(commands[0][1].contains(&format!("{FOLDER}/core/engine ")) && commands[0][1].ends_with("/tmp"));
        let pushed: Vec<&str> = commands[1..].iter().map(|command| command[1].as_str()).collect();
        assert_eq!(pushed, [&FILES[..], &["/sotto/target/forward-1f"]].concat());
        assert_eq!(commands.last().map(|command| command[2].clone()), Some(format!("{FOLDER}/core/engine/forward-1f")));
        let run = format!(
            "cd {FOLDER}/core/engine && CARGO_MANIFEST_DIR={FOLDER}/core/engine TMPDIR={FOLDER}/tmp \
             {FOLDER}/core/engine/forward-1f"
        );
        assert_eq!(execution(&programs[0]), ["shell".to_owned(), run]);
    }

    #[test]
    fn what_the_tests_read_is_there() {
        for file in FILES {
            assert!(root().join(file).exists(), "{file}");
        }
    }
}
