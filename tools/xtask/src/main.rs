//! Build and test steps that are more than one command: `cargo xtask --help`.

mod steps;

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
        /// Fail if a check was skipped for want of something.
        #[arg(long)]
        deny_skips: bool,
    },
    /// Check the format and the lints.
    Check,
    /// Let each fuzz target run for a while (needs cargo-fuzz).
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 30)]
        seconds: u32,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().step {
        Step::Test { deny_skips } => steps::test(deny_skips),
        Step::Check => steps::check(),
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
