//! What each step runs.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::{kotlin, swift};

/// A test that cannot do its work says so in a line that begins like this, and passes.
pub const SKIPPED: &str = "SKIPPED";

/// What the tests of the second backend say, which are compiled where the command line program is: it has the feature.
const CANDLE: &str = "EXERCISED: sotto-engine candle";

/// Runs all tests, and counts what was skipped.
pub fn test(deny_skips: bool) -> Result<(), String> {
    let mut skipped = timed("Rust's tests", rust_tests)?;
    skipped.extend(timed("Kotlin's tests", kotlin::test_if_installed)?);
    skipped.extend(timed("Swift's tests", swift::test_if_installed)?);
    println!("all tests passed; {} checks skipped", skipped.len());
    for line in &skipped {
        println!("  {line}");
    }
    if deny_skips && !skipped.is_empty() {
        return Err("checks were skipped, which --deny-skips forbids".into());
    }
    Ok(())
}

/// Runs Rust's tests, and returns what they say that they skipped.
fn rust_tests() -> Result<Vec<String>, String> {
    let said = run_tests(&mut cargo(&["test", "--workspace"]), &[SKIPPED, CANDLE])?;
    let (skipped, candle): (Vec<_>, Vec<_>) = said.into_iter().partition(|line| line.starts_with(SKIPPED));
    if candle.is_empty() { Err(format!("no test says {CANDLE:?}")) } else { Ok(skipped) }
}

/// Does a part of a step, and says how long it took.
fn timed<T>(part: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let started = Instant::now();
    let outcome = work()?;
    println!("{part}: {} s", started.elapsed().as_secs());
    Ok(outcome)
}

/// Runs tests, and returns those lines of what they say that begin with one of `marks`.
pub fn run_tests(command: &mut Command, marks: &[&str]) -> Result<Vec<String>, String> {
    let mut tests = command.stderr(Stdio::piped()).spawn().map_err(|error| format!("cannot start cargo: {error}"))?;
    let mut marked = Vec::new();
    if let Some(stderr) = tests.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("{line}");
            if marks.iter().any(|mark| line.starts_with(mark)) {
                marked.push(line);
            }
        }
    }
    match tests.wait() {
        Ok(status) if status.success() => Ok(marked),
        Ok(_) => Err("a test failed".into()),
        Err(error) => Err(format!("cannot wait for the tests: {error}")),
    }
}

/// Runs the kernels' tests with the address sanitizer.
pub fn test_sanitizer() -> Result<(), String> {
    let target = ["--target", "x86_64-unknown-linux-gnu", "--target-dir", "target/sanitizer"];
    let mut tests = cargo(&["test", "--package", "sotto-kernels", "--tests"]);
    // The stable compiler takes sanitizer flags only like this; a target keeps them away from build scripts.
    tests.args(target).env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
    run(&mut tests)
}

/// Measures a model with a program that is built as fast as users have it. Its paths are those of whoever calls.
pub fn evaluate(arguments: &[String]) -> Result<(), String> {
    let folder = env::current_dir().map_err(|error| error.to_string())?;
    let mut program = cargo(&["run", "--quiet", "--release", "--package", "sotto-evaluate", "--manifest-path"]);
    program.arg(root().join("Cargo.toml")).arg("--").args(arguments).current_dir(folder);
    match program.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("nothing was measured".into()),
        Err(error) => Err(format!("cannot start cargo: {error}")),
    }
}

/// Checks format and lints.
pub fn check() -> Result<(), String> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    if let Some(skipped) = swift::check_if_installed()? {
        eprintln!("{skipped}");
    }
    check_workflows()
}

/// Checks GitHub's workflows, if there is a program to do so.
fn check_workflows() -> Result<(), String> {
    match Command::new("actionlint").current_dir(root()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("a workflow is wrong".into()),
        Err(_) => {
            eprintln!(
                "not checked: the workflows, because actionlint is missing (see docs/testing.md); GitHub checks them"
            );
            Ok(())
        }
    }
}

/// Runs each fuzz target for some seconds.
pub fn fuzz(seconds: u32) -> Result<(), String> {
    let fuzz_folder = root().join("tools/fuzz");
    let targets =
        fs::read_dir(fuzz_folder.join("fuzz_targets")).map_err(|error| format!("no fuzz targets found: {error}"))?;
    let mut names: Vec<String> =
        targets.filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned)).collect();
    names.sort();
    for name in names {
        let limit = format!("-max_total_time={seconds}");
        let mut command =
            cargo(&["fuzz", "run", "--fuzz-dir", ".", &name, "--", &limit, "-rss_limit_mb=2048", "-timeout=20"]);
        // cargo-fuzz wants sanitizer flags, which the stable compiler takes only like this.
        command.current_dir(&fuzz_folder).env("RUSTC_BOOTSTRAP", "1");
        run(&mut command)?;
    }
    Ok(())
}

pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders below the root").to_owned()
}

pub fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    println!("+ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} ended with {status}")),
        Err(error) => Err(format!("cannot start {shown}: {error}")),
    }
}

/// A folder beside other caches: all copies of the project share it, and `cargo clean` leaves it. None where no folder is anyone's home.
pub fn cache_folder(name: &str) -> Option<PathBuf> {
    let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let caches = caches.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")));
    Some(caches?.join("sotto").join(name))
}

/// The SHA-256 of some bytes, in hexadecimal.
pub fn sha256(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies what is in a folder, with the folders in it.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// What went wrong with a file, with its name.
pub fn in_file<T>(path: &Path, outcome: io::Result<T>) -> Result<T, String> {
    outcome.map_err(|error| format!("{}: {error}", path.display()))
}
