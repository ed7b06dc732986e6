//! The `sotto` command line program: answers on stdout, progress and figures on stderr.

// `println` and `eprintln` panic where nothing can be written: answers are written as files are, all else by `screen`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod commands;
mod demo;
mod failure;
mod input;
mod interrupt;
mod screen;
mod summary_text;
mod visible;

use std::process::ExitCode;

use crate::args::Arguments;
use crate::failure::Failure;

fn main() -> ExitCode {
    screen::init_log();
    match commands::run(&Arguments::of_command_line()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has gone: there is nobody to tell.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            screen::error(&failure);
            failure.exit_code()
        }
    }
}
