//! Cost on ARM without ARM hardware: executed instructions, counted by a plugin of qemu.

use std::collections::HashMap;
use std::fmt::Write;
use std::process::{Command, Stdio};

use crate::arm::{cargo_for_arm, need_packages};
use crate::steps::{root, run};

/// Only the dynamic qemu takes plugins.
pub const PACKAGES: [&str; 6] =
    ["rustc-web", "libstd-rust-web-dev:arm64", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user", "gcc"];

/// The program that is counted.
pub const COUNT_PROGRAM: &str = "target/arm/aarch64-unknown-linux-gnu/release/examples/count";

/// The plugin that counts, in C.
const PLUGIN: &str = "tools/xtask/arm-count.c";

/// Seconds after which the run has gone wrong.
const TIMEOUT: &str = "1800";

/// llama.cpp's and candle 0.11.1's instructions for each 1,000 multiply-accumulates, counted alike: instruction set, format,
/// whether it is prefill.
const PEERS: [(&str, &str, bool, u32, u32); 12] = [
    ("i8mm", "Q4_0", true, 120, 199),
    ("i8mm", "Q4_K", true, 232, 250),
    ("i8mm", "Q8_0", true, 142, 183),
    ("i8mm", "Q4_0", false, 337, 354),
    ("i8mm", "Q4_K", false, 496, 450),
    ("i8mm", "Q8_0", false, 298, 290),
    ("dotprod", "Q4_0", true, 142, 281),
    ("dotprod", "Q4_K", true, 278, 366),
    ("dotprod", "Q8_0", true, 145, 266),
    ("dotprod", "Q4_0", false, 280, 352),
    ("dotprod", "Q4_K", false, 443, 429),
    ("dotprod", "Q8_0", false, 212, 290),
];

/// Counts what `core/kernels/examples/count.rs` executes, and prints it beside the peers'.
pub fn count(filter: &[String]) -> Result<(), String> {
    need_packages("ARM", PACKAGES.into_iter())?;
    let plugin = root().join("target/arm/arm-count.so");
    build()?;
    let compiler = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"];
    run(Command::new("gcc").args(compiler).arg(&plugin).arg(root().join(PLUGIN)))?;
    let output = Command::new("timeout")
        .args([TIMEOUT, "qemu-aarch64", "-cpu", "max", "-plugin"])
        .arg(&plugin)
        .arg(root().join(COUNT_PROGRAM))
        .args(filter)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("qemu-aarch64 could not be started: {error}"))?;
    let (regions, counts) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("the counted program ended with {}:\n{counts}", output.status));
    }
    print!("{}", table(&regions, &counts)?);
    Ok(())
}

/// Builds [`COUNT_PROGRAM`].
pub fn build() -> Result<(), String> {
    run(cargo_for_arm("build").args(["--release", "--package", "sotto-kernels", "--example", "count"]))
}

/// A table of Markdown: instructions for each 1,000 multiply-accumulates, all and by class. A line of `regions` is its
/// number, instruction set, format, rows of activations and multiply-accumulates; one of `counts` is
/// `counted 7 instructions=4 branch=2 ...` for region 7.
fn table(regions: &str, counts: &str) -> Result<String, String> {
    let counts: HashMap<&str, Vec<(&str, f64)>> = counts.lines().filter_map(region_counts).collect();
    let mut table = String::new();
    for line in regions.lines() {
        let [region, isa, format, rows, macs] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(format!("not a region: {line}"));
        };
        let counted = counts.get(region).ok_or_else(|| format!("region {region} was not counted"))?;
        let thousands = macs.parse::<f64>().map_err(|error| format!("{line}: {error}"))? / 1000.0;
        if table.is_empty() {
            let classes = counted.iter().map(|(class, _)| *class).collect::<Vec<_>>().join(" | ");
            writeln!(table, "| kernels | format | rows | llama.cpp | candle | {classes} |").ok();
            writeln!(table, "|---|---|---|---|---|{}", "---|".repeat(counted.len())).ok();
        }
        let peer = PEERS.iter().find(|peer| (peer.0, peer.1, peer.2) == (isa, format, rows != "1"));
        let (llama_cpp, candle) = peer.map_or((String::new(), String::new()), |p| (p.3.to_string(), p.4.to_string()));
        write!(table, "| {isa} | {format} | {rows} | {llama_cpp} | {candle} |").ok();
        for (_, count) in counted {
            write!(table, " {:.1} |", count / thousands).ok();
        }
        table.push('\n');
    }
    Ok(table)
}

/// The region's number, and its count by class.
fn region_counts(line: &str) -> Option<(&str, Vec<(&str, f64)>)> {
    let (region, counts) = line.strip_prefix("counted ")?.split_once(' ')?;
    let classes = counts.split_whitespace().map(|word| {
        let (class, count) = word.split_once('=')?;
        Some((class, count.parse().ok()?))
    });
    Some((region, classes.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_for_each_thousand_multiply_accumulates_beside_the_peers() {
        let counts = "counted 0 instructions=9 branch=1\ncounted 1 instructions=5000 branch=20\nother\n";
        let table = table("1 i8mm Q4_0 128 50000\n", counts).expect("a table");
        assert_eq!(table.lines().last(), Some("| i8mm | Q4_0 | 128 | 120 | 199 | 100.0 | 0.4 |"));
    }

    #[test]
    fn a_region_that_was_not_counted_is_an_error() {
        assert!(table("2 neon Q4_0 1 1000\n", "counted 1 instructions=5\n").is_err());
    }
}
