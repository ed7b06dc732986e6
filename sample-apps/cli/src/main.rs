//! The `sotto` command line program: results go to stdout, progress and statistics to stderr.

// `println` and `eprintln` panic if writing fails: results are written with error handling, all else goes through `screen`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod commands;
mod demo;
mod failure;
mod fallback;
mod input;
mod interrupt;
mod screen;
mod summary_text;
mod timestamp;
mod visible;

use std::process::ExitCode;

use crate::args::Arguments;
use crate::failure::Failure;

fn main() -> ExitCode {
    screen::init_log();
    match commands::run(&Arguments::of_command_line()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the output is gone: there is nobody to tell.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            screen::error(&failure);
            failure.exit_code()
        }
    }
}
