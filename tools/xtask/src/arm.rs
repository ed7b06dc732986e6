//! ARM without ARM hardware: Debian's compiler builds, qemu runs. `.cargo/arm.toml` says how.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::steps::{SKIPPED, cargo, run};

/// A test that has run an instruction set's kernels says so in a line `EXERCISED: package instruction-set`.
pub const EXERCISED: &str = "EXERCISED: ";

/// One of qemu's CPUs.
struct Cpu {
    name: &'static str,
    /// Its instruction sets, which norms and attention are tested with: neither less nor more must be exercised.
    sets: &'static [&'static str],
    /// The one that no CPU before it has. Whatever takes long, products too, runs with that alone; on the first CPU, with all.
    new: Option<&'static str>,
}

/// Those of a list one after the other, the lists beside each other: a run has stretches of one thread.
const CPUS: [&[Cpu]; 2] = [
    &[
        Cpu { name: "cortex-a53", sets: &["neon", "scalar"], new: None },
        Cpu { name: "cortex-a76", sets: &["dotprod", "neon", "scalar"], new: Some("dotprod") },
    ],
    &[Cpu { name: "max", sets: &["i8mm", "dotprod", "neon", "scalar"], new: Some("i8mm") }],
];

/// The packages that compute, the kernels first.
pub const COMPUTING: [&str; 3] = ["sotto-kernels", "sotto-engine", "sotto"];

/// The packages of which no test is repeated with each instruction set: text does not depend on it, and speech, embeddings and
/// training have the same bits with each, as the kernels' tests show. They can run on a phone, too; the tests of the bindings read the sources.
const WITH_ONE_SET: [&str; 4] = ["sotto-text", "sotto-speech", "sotto-embedding", "sotto-training"];
const BINDINGS: &str = "sotto-ffi";

/// The quick tests of the kernels, and what depends on the instruction set beside them.
const OF_KERNELS: [&str; 2] = ["rows", "scalar_against_f64"];
const BY_INSTRUCTION_SET: [&str; 5] = ["matmul", "batch", "forward", "golden_logits", "same_everywhere"];

/// What runs on `max` alone, beside the unit tests.
const ONCE: [&str; 14] = [
    "adapters",
    "allocations",
    "file_part",
    "gguf",
    "gguf_random",
    "gradients",
    "packed",
    "text",
    "packing",
    "classify_extract_chat",
    "note_session",
    "shared",
    "style",
    "summarize",
];

/// What never runs under qemu: models with real weights, by the billion of instructions for a token, whole meetings and whole
/// trainings, texts of a megabyte, embedded by what the unit tests run, too, processes that are killed, and hundreds of
/// requests that are cancelled, each within a time.
#[cfg(test)]
const NEVER: [&str; 11] = [
    "real_models",
    "real_adapter",
    "meetings",
    "speech",
    "real",
    "embedding",
    "tune",
    "classifier",
    "delete_source",
    "scheduler",
    "snapshots",
];

/// What takes minutes under qemu, or measures time: docs/testing.md has a reason for each.
const LEFT_OUT: [&str; 26] = [
    "long_text_costs_linear_time",
    "long_text_has_the_tokens_of_its_words",
    "masks_of_a_large_vocabulary_are_fast",
    "a_long_note_is_fast",
    "a_long_conversation_can_be_copied_from",
    "whoever_waits_can_be_cancelled",
    "a_question_that_waits_for_another_can_be_cancelled",
    "an_end_that_waits_for_another_can_be_cancelled",
    "a_list_is_cancelled_at_once",
    "many_texts_get_the_bits_that_each_gets_alone",
    "what_is_too_long_for_any_number_of_windows_is_refused_before_any_work",
    "a_note_longer_than_the_context_is_read_in_windows",
    "a_segment_longer_than_the_context_is_read_in_parts",
    "a_note_that_outgrows_the_context_is_the_same",
    "guesses_change_nothing_but_the_number_of_passes",
    "going_back_and_on_is_close_to_exact_weights",
    "agrees_on_llama_3",
    "real_vocabularies::",
    "no_room_among_the_addresses_is_out_of_memory",
    "whisper_base_gives_pytorchs_logits",
    "other_shapes_give_pytorchs_logits",
    "quantized_files_give_the_logits_of_their_numbers",
    "the_embeddings_of_all_minilm_l6_v2_are_those_of_sentence_transformers",
    "every_word_is_heard_once_at_its_time",
    "noise_is_never_given_to_the_model",
    "model::ggml::tests::damaged_files_are_refused_or_read",
];

/// Random cases of each property, unless the test itself has fewer.
const RANDOM_CASES: &str = "2";

/// Debian's packages, also read by `.ci/run`.
const PACKAGES: &str = include_str!("../arm-packages.txt");

/// Runs the tests on each CPU, and counts what was skipped.
pub fn test(deny_skips: bool) -> Result<(), String> {
    need_packages("ARM", PACKAGES.split_whitespace())?;
    let started = Instant::now();
    run(cargo_for_arm("test").args(["--package", BINDINGS]).args(selection()).arg("--no-run"))?;
    let mut summary = vec![format!("built in {} s", started.elapsed().as_secs())];
    let runs: Vec<Run> = thread::scope(|scope| {
        let lists = CPUS.map(|cpus| scope.spawn(|| cpus.iter().map(test_on).collect::<Vec<_>>()));
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
fn test_on(cpu: &Cpu) -> Run {
    let started = Instant::now();
    let (mut wrong, mut said) = (Vec::new(), String::new());
    for mut tests in [tests_with_all_sets(), tests_with_new_sets(cpu)] {
        tests.env("QEMU_CPU", cpu.name).env("PROPTEST_CASES", RANDOM_CASES);
        tests.arg("--").args(LEFT_OUT.iter().flat_map(|test| ["--skip", test])).stdin(Stdio::null());
        match tests.output() {
            Ok(output) => {
                let (tests, this) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                print!("== tests on {}\n{this}{tests}", cpu.name);
                said.push_str(&this);
                if !output.status.success() {
                    wrong.push("a test failed".into());
                }
            }
            Err(error) => wrong.push(format!("cannot start cargo: {error}")),
        }
    }
    let lines = |mark: &str| said.lines().filter(|line| line.starts_with(mark)).map(str::to_owned).collect::<Vec<_>>();
    if wrong.is_empty() {
        wrong = differences(&expected(cpu), &lines(EXERCISED));
    }
    let wrong = wrong.into_iter().map(|what| format!("{}: {what}", cpu.name)).collect();
    let summary = format!("{} in {} s: {}", cpu.name, started.elapsed().as_secs(), cpu.sets.join(", "));
    Run { summary, wrong, skipped: lines(SKIPPED) }
}

/// A command that runs what is tested with each instruction set of every CPU.
fn tests_with_all_sets() -> Command {
    let mut command = cargo_for_arm("test");
    // The packages decide about features: they are those that everything was built with.
    command.args(packages()).args(["--package", BINDINGS]).args(programs(&OF_KERNELS)).arg("--no-fail-fast");
    command
}

/// A command that runs all other tests that are worth it on this CPU.
fn tests_with_new_sets(cpu: &Cpu) -> Command {
    let mut command = cargo_for_arm("test");
    command.args(packages()).args(["--package", BINDINGS]).args(programs(&BY_INSTRUCTION_SET)).arg("--no-fail-fast");
    if cpu.name == "max" {
        command.arg("--lib").args(programs(&ONCE));
    }
    if let Some(new) = cpu.new {
        command.env("SOTTO_KERNELS", new);
    }
    command
}

/// What must have been exercised: packages, and their instruction sets.
fn expected(cpu: &Cpu) -> Vec<(&'static str, &'static str)> {
    let [kernels, above @ ..] = COMPUTING;
    let new = cpu.sets.iter().filter(|set| cpu.new.is_none_or(|new| new == **set));
    let above = new.flat_map(|set| above.map(|package| (package, *set)));
    cpu.sets.iter().map(|set| (kernels, *set)).chain(above).collect()
}

fn packages() -> impl Iterator<Item = &'static str> {
    COMPUTING.into_iter().chain(WITH_ONE_SET).flat_map(|package| ["--package", package])
}

fn programs(tests: &[&'static str]) -> impl Iterator<Item = &'static str> {
    tests.iter().flat_map(|test| ["--test", test])
}

/// All that is tested anywhere, but for the bindings: unit tests, and those that are worth a run on an ARM CPU.
pub fn selection() -> Vec<&'static str> {
    let tests = programs(&OF_KERNELS).chain(programs(&BY_INSTRUCTION_SET)).chain(programs(&ONCE));
    packages().chain(["--lib"]).chain(tests).chain(["--no-fail-fast"]).collect()
}

/// What the tests said that they should not have, and the other way round.
pub fn differences(expected: &[(&str, &str)], said: &[String]) -> Vec<String> {
    let expected: BTreeSet<String> = expected.iter().map(|(package, set)| format!("{package} {set}")).collect();
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
        let expected = [("sotto", "neon"), ("sotto", "scalar")];
        let said = ["neon", "scalar"].map(|set| format!("{EXERCISED}sotto {set}"));
        assert!(differences(&expected, &said).is_empty());
        assert_eq!(differences(&expected, &said[1..]), ["not exercised: sotto neon"]);
        assert_eq!(differences(&expected[..1], &said).len(), 1);
    }

    #[test]
    fn each_package_is_tested_with_each_set() {
        let tested: BTreeSet<_> = CPUS.into_iter().flatten().flat_map(expected).collect();
        let sets: BTreeSet<_> = CPUS.into_iter().flatten().flat_map(|cpu| cpu.sets).collect();
        assert_eq!(tested.len(), sets.len() * COMPUTING.len());
    }

    #[test]
    fn no_test_program_is_forgotten() {
        for package in ["kernels", "engine", "text", "speech", "training", "sdk"] {
            let folder = root().join("core").join(package).join("tests");
            for entry in fs::read_dir(&folder).expect("a folder of tests") {
                let path = entry.expect("an entry").path();
                let name = path.file_stem().and_then(OsStr::to_str).expect("a name");
                let program =
                    path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists();
                let listed =
                    [&OF_KERNELS[..], &BY_INSTRUCTION_SET, &ONCE, &NEVER].iter().any(|list| list.contains(&name));
                assert!(!program || listed, "{name} is in no list of what runs on ARM");
            }
        }
    }
}
