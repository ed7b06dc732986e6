//! ARM without ARM hardware: Debian's compiler builds, qemu runs. `.cargo/arm.toml` says how.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::steps::{SKIPPED, cargo, run};

/// A test that has run an instruction set's kernels says so in a line `EXERCISED: package instruction-set`.
pub const EXERCISED: &str = "EXERCISED: ";

/// One of qemu's CPUs, and its instruction sets: neither less nor more must be exercised.
type Cpu = (&'static str, &'static [&'static str]);

/// Those of a list one after the other, the lists beside each other: a run has stretches of one thread, and the last takes as long
/// as the two before it.
const CPUS: [&[Cpu]; 2] = [
    &[("cortex-a53", &["neon", "scalar"]), ("cortex-a76", &["dotprod", "neon", "scalar"])],
    &[("max", &["i8mm", "dotprod", "neon", "scalar"])],
];

/// The packages that compute. Each goes through all of a CPU's instruction sets.
pub const COMPUTING: [&str; 3] = ["sotto-kernels", "sotto-engine", "sotto"];

/// The packages of which no test depends on the instruction set; those of the first can run on a phone, too, those of the
/// second read the sources.
const TEXT: &str = "sotto-text";
const BINDINGS: &str = "sotto-ffi";

/// The tests that depend on the instruction set.
const BY_INSTRUCTION_SET: [&str; 7] =
    ["matmul", "rows", "scalar_against_f64", "batch", "forward", "golden_logits", "same_everywhere"];

/// What runs on `max` alone.
const ONCE: [&str; 10] = [
    "allocations",
    "file_part",
    "gguf",
    "gguf_random",
    "packed",
    "text",
    "packing",
    "classify_extract_chat",
    "note_session",
    "summarize",
];

/// What takes minutes under qemu, or measures time: docs/testing.md has a reason for each.
const LEFT_OUT: [&str; 13] = [
    "long_text_costs_linear_time",
    "long_text_has_the_tokens_of_its_words",
    "masks_of_a_large_vocabulary_are_fast",
    "a_long_note_is_fast",
    "whoever_waits_can_be_cancelled",
    "a_question_that_waits_for_another_can_be_cancelled",
    "an_end_that_waits_for_another_can_be_cancelled",
    "what_is_too_long_for_any_number_of_windows_is_refused_before_any_work",
    "a_note_longer_than_the_context_is_read_in_windows",
    "a_segment_longer_than_the_context_is_read_in_parts",
    "a_note_that_outgrows_the_context_is_the_same",
    "guesses_change_nothing_but_the_number_of_passes",
    "both_backends_agree_after_going_back",
];

/// Random cases of each property, unless the test itself has fewer.
const RANDOM_CASES: &str = "2";

/// Debian's packages, also read by `.ci/run`.
const PACKAGES: &str = include_str!("../arm-packages.txt");

/// Runs the tests on each CPU, and counts what was skipped.
pub fn test(deny_skips: bool) -> Result<(), String> {
    need_packages("ARM", PACKAGES.split_whitespace())?;
    let started = Instant::now();
    run(tests("max").arg("--no-run"))?;
    let mut summary = vec![format!("built in {} s", started.elapsed().as_secs())];
    let runs: Vec<Run> = thread::scope(|scope| {
        let lists = CPUS.map(|cpus| scope.spawn(|| cpus.iter().map(|&cpu| test_on(cpu)).collect::<Vec<_>>()));
        lists.into_iter().flat_map(|list| list.join().expect("a run of tests does not panic")).collect()
    });
    let (mut wrong, mut skipped) = (Vec::new(), Vec::new());
    for run in runs {
        summary.push(run.summary);
        wrong.extend(run.wrong);
        skipped.extend(run.skipped);
    }
    summary.push(format!("{} checks skipped", skipped.len()));
    summary.extend(skipped.iter().map(|line| format!("  {line}")));
    println!("{}", summary.join("\n"));
    if deny_skips {
        wrong.extend(skipped);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\nxtask: ")) }
}

/// What came of the tests on a CPU.
struct Run {
    summary: String,
    wrong: Vec<String>,
    skipped: Vec<String>,
}

/// Runs the tests on a CPU, and prints what they say when they have ended.
fn test_on((cpu, instruction_sets): Cpu) -> Run {
    let started = Instant::now();
    let left_out = LEFT_OUT.iter().flat_map(|test| ["--skip", test]);
    let outcome = tests(cpu).arg("--").args(left_out).stdin(Stdio::null()).output();
    let summary = format!("{cpu} in {} s: {}", started.elapsed().as_secs(), instruction_sets.join(", "));
    let output = match outcome {
        Ok(output) => output,
        Err(error) => {
            let wrong = vec![format!("{cpu}: cargo could not be started: {error}")];
            return Run { summary, wrong, skipped: Vec::new() };
        }
    };
    let (tests, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    print!("== tests on {cpu}\n{said}{tests}");
    let lines = |mark: &str| said.lines().filter(|line| line.starts_with(mark)).map(str::to_owned).collect::<Vec<_>>();
    let faults = if output.status.success() {
        differences(instruction_sets, &lines(EXERCISED))
    } else {
        vec!["a test failed".into()]
    };
    let wrong = faults.into_iter().map(|what| format!("{cpu}: {what}")).collect();
    Run { summary, wrong, skipped: lines(SKIPPED) }
}

/// A command that runs what is to be tested on `cpu`.
fn tests(cpu: &str) -> Command {
    let mut command = cargo_for_arm("test");
    command.args(["--package", BINDINGS]).args(selection(cpu == "max"));
    command.env("QEMU_CPU", cpu).env("PROPTEST_CASES", RANDOM_CASES);
    command
}

/// What is tested: the unit tests and what depends on the instruction set, or all that is worth a run on an ARM CPU.
pub fn selection(all: bool) -> Vec<&'static str> {
    let packages = COMPUTING.iter().chain([&TEXT]);
    let mut arguments: Vec<&str> = packages.flat_map(|package| ["--package", package]).collect();
    arguments.push("--lib");
    arguments.extend(BY_INSTRUCTION_SET.iter().flat_map(|test| ["--test", test]));
    if all {
        arguments.extend(ONCE.iter().flat_map(|test| ["--test", test]));
    }
    arguments.push("--no-fail-fast");
    arguments
}

/// What the tests said that they should not have, and the other way round.
pub fn differences(instruction_sets: &[&str], said: &[String]) -> Vec<String> {
    let pairs = COMPUTING.iter().flat_map(|package| instruction_sets.iter().map(move |set| format!("{package} {set}")));
    let expected: BTreeSet<String> = pairs.collect();
    let exercised: BTreeSet<String> =
        said.iter().filter_map(|line| line.strip_prefix(EXERCISED)).map(str::to_owned).collect();
    let missing = expected.difference(&exercised).map(|what| format!("not exercised: {what}"));
    let unknown = exercised.difference(&expected).map(|what| format!("exercised, but not in xtask's list: {what}"));
    missing.chain(unknown).collect()
}

/// A cargo command that builds with Debian's compiler for ARM and runs under qemu.
pub fn cargo_for_arm(command: &str) -> Command {
    cargo(&["--config", ".cargo/arm.toml", command])
}

/// Fails, and says how to install them, unless these packages are there.
pub fn need_packages<'a>(purpose: &str, packages: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    let foreign = missing.iter().any(|package| package.ends_with(":arm64"));
    let architecture = if foreign { "dpkg --add-architecture arm64 && " } else { "" };
    Err(format!(
        "{SKIPPED}: nothing was run for {purpose}. It needs Debian bookworm's\n  \
         {architecture}apt-get update && apt-get install --no-install-recommends {}",
        missing.join(" ")
    ))
}

/// Those of Debian's packages that are not installed.
pub fn missing<'a>(packages: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    packages.filter(|package| !is_installed(package)).collect()
}

fn is_installed(package: &str) -> bool {
    let status = Command::new("dpkg").args(["--status", package]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;

    use super::*;
    use crate::steps::root;

    #[test]
    fn what_is_missing_or_unknown_is_reported() {
        let said: Vec<String> = COMPUTING
            .iter()
            .flat_map(|package| ["neon", "scalar"].map(|set| format!("{EXERCISED}{package} {set}")))
            .collect();
        assert!(differences(&["neon", "scalar"], &said).is_empty());
        assert_eq!(differences(&["neon", "scalar"], &said[1..]), ["not exercised: sotto-kernels neon"]);
        assert_eq!(differences(&["neon"], &said).len(), COMPUTING.len());
    }

    #[test]
    fn no_test_program_is_forgotten() {
        for package in ["kernels", "engine", "text", "sdk"] {
            let folder = root().join("core").join(package).join("tests");
            for entry in fs::read_dir(&folder).expect("a folder of tests") {
                let path = entry.expect("an entry").path();
                let name = path.file_stem().and_then(OsStr::to_str).expect("a name");
                let program =
                    path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists();
                let listed = BY_INSTRUCTION_SET.contains(&name) || ONCE.contains(&name);
                assert!(!program || listed, "{name} is in no list of what runs on ARM");
            }
        }
    }
}
