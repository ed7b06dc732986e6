//! Cycles of the inner loops on ARM cores, by the estimates of llvm-mca.

use std::io::{self, Write as _};
use std::process::{Command, Output, Stdio};

use crate::arm::need_packages;
use crate::count::{COUNT_PROGRAM, PACKAGES, build};
use crate::steps::root;

/// An in-order core, and two that run far ahead.
const CORES: [&str; 3] = ["cortex-a510", "cortex-x4", "apple-m1"];

const ITERATIONS: u32 = 100;

/// An inner loop of a kernel.
struct Loop {
    kernels: &'static str,
    phase: &'static str,
    /// The table of functions that it is compiled for.
    table: &'static str,
    /// The functions that it may be in, in the order of [`FORMATS`]: of equal ones, the compiler keeps one.
    functions: [&'static [&'static str]; 4],
    /// The instruction that multiplies, and its multiply-accumulates.
    multiply: &'static str,
    macs: usize,
    /// How many of them the loop has for codes, in the formats of [`FORMATS`], and for minimums.
    counts: [(usize, usize); 4],
}

/// In prefill, Q4_K's sub-blocks are unrolled.
#[rustfmt::skip]
const LOOPS: [Loop; 3] = [
    Loop {
        kernels: "i8mm", phase: "prefill", table: "I8MM", functions: GEMM, multiply: "smmla", macs: 32,
        counts: [(48, 0), (48, 0), (8 * 48, 24), (48, 0)],
    },
    Loop {
        kernels: "dotprod", phase: "prefill", table: "DOTPROD", functions: GEMM, multiply: "sdot", macs: 16,
        counts: [(96, 0), (96, 0), (8 * 96, 48), (96, 0)],
    },
    Loop {
        kernels: "i8mm, dotprod", phase: "decode", table: "DOTPROD", functions: GEMV, multiply: "sdot", macs: 16,
        counts: [(64, 0), (64, 0), (64, 0), (32, 0)],
    },
];
const FORMATS: [&str; 4] = ["q4_0", "q8_0", "q4_k", "q6_k"];
const GEMM: [&[&str]; 4] = [&["less_eight", "signed"], &["signed"], &["k_nibbles"], &["k_six_bits", "k_three_bits"]];
const GEMV: [&[&str]; 4] = [&["Q4_0::gemv"], &["Q8_0::Q8_0::gemv"], &["Q4K::gemv"], &["Q6K::gemv"]];

/// Prints a table of Markdown.
pub fn mca() -> Result<(), String> {
    need_packages("ARM", PACKAGES.into_iter().chain(["llvm-22"]))?;
    build()?;
    let objdump = ["--disassemble", "--demangle", "--no-show-raw-insn"];
    let assembly = output(Command::new("llvm-objdump-22").args(objdump).arg(root().join(COUNT_PROGRAM)), "")?;
    println!("| kernels | format | | instructions | {} |", CORES.join(" | "));
    println!("|---|---|---|---|{}", "---|".repeat(CORES.len()));
    for Loop { kernels, phase, table, functions, multiply, macs, counts } in LOOPS {
        for ((format, names), (codes, mins)) in FORMATS.into_iter().zip(functions).zip(counts) {
            let functions = names.iter().map(|name| function(&assembly, &format!("table::{table}::{name}::")));
            let function = functions.into_iter().find(|function| !function.is_empty()).unwrap_or_default();
            let body = inner_loop(&function, multiply, codes + mins).ok_or_else(|| {
                format!("{kernels}, {format}, {phase}: no inner loop with {codes} + {mins} {multiply}")
            })?;
            let thousands = (codes * macs) as f64 / 1000.0;
            let cycles = CORES.map(|core| Ok(format!("{:.1}", cycles(&body, core)? / thousands)));
            let cycles = cycles.into_iter().collect::<Result<Vec<_>, String>>()?.join(" | ");
            println!("| {kernels} | {format} | {phase} | {:.1} | {cycles} |", body.len() as f64 / thousands);
        }
    }
    Ok(())
}

/// The instructions of a function whose name has `name` in it, with their addresses.
fn function<'a>(assembly: &'a str, name: &str) -> Vec<(u64, &'a str)> {
    let lines = assembly.lines().skip_while(|line| !(line.ends_with(">:") && line.contains(name))).skip(1);
    lines.take_while(|line| !line.is_empty()).filter_map(instruction).collect()
}

/// A line is the address, a colon, the instruction, and the name of its target in brackets, which is left out.
fn instruction(line: &str) -> Option<(u64, &str)> {
    let (address, instruction) = line.split_once(':')?;
    let instruction = instruction.split('<').next()?.split("//").next()?;
    Some((u64::from_str_radix(address.trim(), 16).ok()?, instruction.trim()))
}

/// The loop without a loop in it that has `count` of the instructions `multiply`. Of several, the longest: with more rows of
/// activations, weights are taken apart for all of them at once.
fn inner_loop<'a>(function: &[(u64, &'a str)], multiply: &str, count: usize) -> Option<Vec<&'a str>> {
    let first = function.first()?.0;
    let (mut begin, mut longest) = (0, None);
    for (end, (address, instruction)) in function.iter().enumerate() {
        let Some(target) = branch_target(instruction).filter(|target| (first..=*address).contains(target)) else {
            continue;
        };
        let from = function.iter().position(|(address, _)| *address == target)?;
        if from >= begin {
            let body: Vec<&str> = function[from..=end].iter().map(|(_, instruction)| *instruction).collect();
            let products = body.iter().filter(|instruction| instruction.starts_with(multiply)).count();
            if products == count && longest.as_ref().is_none_or(|longest: &Vec<&str>| longest.len() < body.len()) {
                longest = Some(body);
            }
        }
        begin = end + 1;
    }
    longest
}

fn branch_target(instruction: &str) -> Option<u64> {
    let (mnemonic, operands) = instruction.split_once('\t')?;
    let jumps = mnemonic.starts_with("b.") || ["b", "cbz", "cbnz", "tbz", "tbnz"].contains(&mnemonic);
    let target = operands.rsplit("0x").next().filter(|_| jumps)?;
    u64::from_str_radix(target.trim(), 16).ok()
}

/// Cycles of one iteration among many.
fn cycles(body: &[&str], core: &str) -> Result<f64, String> {
    let mut mca = Command::new("llvm-mca-22");
    mca.args(["-mtriple=aarch64", "-mattr=+dotprod,+i8mm,+fullfp16"]).arg(format!("-mcpu={core}"));
    let report = output(mca.arg(format!("-iterations={ITERATIONS}")), &body.join("\n"))?;
    let total = report.lines().find_map(|line| line.strip_prefix("Total Cycles:"));
    let total: f64 = total.and_then(|total| total.trim().parse().ok()).ok_or("llvm-mca's report has no cycles")?;
    Ok(total / f64::from(ITERATIONS))
}

/// What a program prints, given `input`, all of which it reads before it prints.
fn output(command: &mut Command, input: &str) -> Result<String, String> {
    let mut run = || -> io::Result<Output> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        child.wait_with_output()
    };
    match run() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(format!("a tool of llvm-22 ended with {}", output.status)),
        Err(error) => Err(format!("a tool of llvm-22 could not be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inner_loop_is_the_longest_with_so_many_products() {
        let assembly = "0000000000000010 <t::X::q4_0::h1>:\n\
                        10:      \tmov\tw0, #0x1    // =1\n\
                        14:      \tsdot\tv0.4s, v1.16b, v2.16b\n\
                        18:      \tsdot\tv0.4s, v1.16b, v2.16b\n\
                        1c:      \tb.ne\t0x14 <t::X::q4_0::h1+0x4>\n\
                        20:      \tsdot\tv0.4s, v1.16b, v2.16b\n\
                        24:      \tsdot\tv0.4s, v1.16b, v2.16b\n\
                        28:      \tadd\tx1, x1, #0x1\n\
                        2c:      \tb.ne\t0x20 <t::X::q4_0::h1+0x10>\n\
                        30:      \tsdot\tv0.4s, v1.16b, v2.16b\n\
                        34:      \tsdot\tv0.4s, v1.16b, v2.16b\n\
                        38:      \tb.ne\t0x30 <t::X::q4_0::h1+0x20>\n\
                        3c:      \tcbz\tx1, 0x10 <t::X::q4_0::h1>\n\
                        \n\
                        0000000000000040 <t::X::q8_0::h1>:\n";
        let function = function(assembly, "X::q4_0::");
        assert_eq!(function.len(), 12);
        let body = inner_loop(&function, "sdot", 2).expect("a loop");
        assert_eq!(body.last(), Some(&"b.ne\t0x20"));
        assert_eq!(body.len(), 4);
        assert!(inner_loop(&function, "sdot", 4).is_none());
    }
}
