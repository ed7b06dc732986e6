//! ARM without ARM hardware: Debian's compiler builds, qemu runs. `.cargo/arm.toml` says how.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::steps::{SKIPPED, cargo, run, run_tests};

/// A test that has run an instruction set's kernels says so in a line `EXERCISED: package instruction-set`.
const EXERCISED: &str = "EXERCISED: ";

/// What must be exercised, neither less nor more, on which of qemu's CPUs. The kernels' tests run every set that the CPU
/// has, the engine's the one that it chooses.
#[rustfmt::skip]
const EXPECTED: [(&str, &[&str]); 3] = [
    ("cortex-a53", &["sotto-engine neon", "sotto-kernels neon", "sotto-kernels scalar"]),
    ("cortex-a76", &["sotto-engine dotprod", "sotto-kernels dotprod", "sotto-kernels neon", "sotto-kernels scalar"]),
    ("max", &["sotto-engine i8mm",
              "sotto-kernels dotprod", "sotto-kernels i8mm", "sotto-kernels neon", "sotto-kernels scalar"]),
];

/// Debian's packages, also read by `.ci/run`.
const PACKAGES: &str = include_str!("../arm-packages.txt");

/// Runs the tests of kernels and engine on each CPU.
pub fn test() -> Result<(), String> {
    need_packages(PACKAGES.split_whitespace())?;
    let packages = ["--package", "sotto-kernels", "--package", "sotto-engine"];
    let started = Instant::now();
    run(cargo_for_arm("test").args(packages).arg("--no-run"))?;
    let mut summary = vec![format!("built in {} s", started.elapsed().as_secs())];
    let mut wrong = Vec::new();
    for (cpu, expected) in EXPECTED {
        println!("== tests on {cpu}");
        let started = Instant::now();
        let mut tests = cargo_for_arm("test");
        tests.args(packages).arg("--no-fail-fast").env("QEMU_CPU", cpu);
        match run_tests(&mut tests, &[EXERCISED, SKIPPED]) {
            Ok(said) => wrong.extend(differences(expected, &said).into_iter().map(|what| format!("{cpu}: {what}"))),
            Err(why) => wrong.push(format!("{cpu}: {why}")),
        }
        summary.push(format!("{cpu} in {} s: {}", started.elapsed().as_secs(), expected.join(", ")));
    }
    println!("{}", summary.join("\n"));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\nxtask: ")) }
}

/// What the tests said that they should not have, and the other way round.
fn differences(expected: &[&str], said: &[String]) -> Vec<String> {
    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    let exercised: BTreeSet<&str> = said.iter().filter_map(|line| line.strip_prefix(EXERCISED)).collect();
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
pub fn need_packages<'a>(packages: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let missing: Vec<&str> = packages.filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{SKIPPED}: nothing was run for ARM. It needs Debian bookworm's\n  \
         dpkg --add-architecture arm64 && apt-get update && apt-get install --no-install-recommends {}",
        missing.join(" ")
    ))
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
        let expected = ["sotto-kernels neon", "sotto-kernels scalar"];
        let said = |lines: &[&str]| differences(&expected, &lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        let neon = "EXERCISED: sotto-kernels neon";
        assert!(said(&[neon, "EXERCISED: sotto-kernels scalar", neon]).is_empty());
        assert_eq!(said(&[neon]), ["not exercised: sotto-kernels scalar"]);
        assert_eq!(said(&[neon, "EXERCISED: sotto-kernels scalar", "SKIPPED: x"]), ["SKIPPED: x"]);
        assert_eq!(
            said(&["EXERCISED: sotto-kernels sve2", neon, "EXERCISED: sotto-kernels scalar"]),
            ["exercised, but not in xtask's list: sotto-kernels sve2"]
        );
    }
}
