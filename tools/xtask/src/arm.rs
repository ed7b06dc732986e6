//! ARM without ARM hardware: Debian's compiler builds, qemu runs. `.cargo/arm.toml` says how.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::steps::{SKIPPED, cargo, run, run_tests};

/// A test that has run an instruction set's kernels says so in a line `EXERCISED: package instruction-set`.
pub const EXERCISED: &str = "EXERCISED: ";

/// qemu's CPUs, and their instruction sets: neither less nor more must be exercised.
const CPUS: [(&str, &[&str]); 3] = [
    ("cortex-a53", &["neon", "scalar"]),
    ("cortex-a76", &["dotprod", "neon", "scalar"]),
    ("max", &["i8mm", "dotprod", "neon", "scalar"]),
];

/// The packages that are tested. Each goes through all of a CPU's instruction sets.
const TESTED: [&str; 3] = ["sotto-kernels", "sotto-engine", "sotto"];

/// The tests that depend on the instruction set.
const BY_INSTRUCTION_SET: [&str; 6] =
    ["matmul", "rows", "scalar_against_f64", "forward", "golden_logits", "same_everywhere"];

/// What runs on `max` alone, with the unit tests. (The SDK's other tests take many minutes under qemu.)
const ONCE: [&str; 5] = ["allocations", "file_part", "gguf", "gguf_random", "packed"];

/// Debian's packages, also read by `.ci/run`.
const PACKAGES: &str = include_str!("../arm-packages.txt");

/// Runs the tests of kernels, engine and SDK on each CPU.
pub fn test() -> Result<(), String> {
    need_packages("ARM", PACKAGES.split_whitespace())?;
    let started = Instant::now();
    run(tests("max").arg("--no-run"))?;
    let mut summary = vec![format!("built in {} s", started.elapsed().as_secs())];
    let mut wrong = Vec::new();
    for (cpu, instruction_sets) in CPUS {
        println!("== tests on {cpu}");
        let started = Instant::now();
        match run_tests(&mut tests(cpu), &[EXERCISED, SKIPPED]) {
            Ok(said) => {
                wrong.extend(differences(instruction_sets, &said).into_iter().map(|what| format!("{cpu}: {what}")))
            }
            Err(why) => wrong.push(format!("{cpu}: {why}")),
        }
        summary.push(format!("{cpu} in {} s: {}", started.elapsed().as_secs(), instruction_sets.join(", ")));
    }
    println!("{}", summary.join("\n"));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\nxtask: ")) }
}

/// A command that runs what is to be tested on `cpu`.
fn tests(cpu: &str) -> Command {
    let mut command = cargo_for_arm("test");
    command.args(selection(cpu == "max")).env("QEMU_CPU", cpu);
    command
}

/// What is tested: what depends on the instruction set, or all that is worth a run on an ARM CPU.
pub fn selection(all: bool) -> Vec<&'static str> {
    let mut arguments: Vec<&str> = TESTED.iter().flat_map(|package| ["--package", package]).collect();
    arguments.extend(BY_INSTRUCTION_SET.iter().flat_map(|test| ["--test", test]));
    if all {
        arguments.push("--lib");
        arguments.extend(ONCE.iter().flat_map(|test| ["--test", test]));
    }
    arguments.push("--no-fail-fast");
    arguments
}

/// What the tests said that they should not have, and the other way round.
fn differences(instruction_sets: &[&str], said: &[String]) -> Vec<String> {
    let pairs = TESTED.iter().flat_map(|package| instruction_sets.iter().map(move |set| format!("{package} {set}")));
    let expected: BTreeSet<String> = pairs.collect();
    let exercised: BTreeSet<String> =
        said.iter().filter_map(|line| line.strip_prefix(EXERCISED)).map(str::to_owned).collect();
    let missing = expected.difference(&exercised).map(|what| format!("not exercised: {what}"));
    let unknown = exercised.difference(&expected).map(|what| format!("exercised, but not in xtask's list: {what}"));
    let skipped = said.iter().filter(|line| line.starts_with(SKIPPED)).cloned();
    missing.chain(unknown).chain(skipped).collect()
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
    use super::*;

    #[test]
    fn what_is_missing_unknown_or_skipped_is_reported() {
        let said: Vec<String> = TESTED
            .iter()
            .flat_map(|package| ["neon", "scalar"].map(|set| format!("{EXERCISED}{package} {set}")))
            .collect();
        assert!(differences(&["neon", "scalar"], &said).is_empty());
        assert_eq!(differences(&["neon", "scalar"], &said[1..]), ["not exercised: sotto-kernels neon"]);
        assert_eq!(differences(&["neon"], &said).len(), TESTED.len());
        let with_skip = [said.as_slice(), &["SKIPPED: x".to_owned()]].concat();
        assert_eq!(differences(&["neon", "scalar"], &with_skip), ["SKIPPED: x"]);
    }
}
