use std::io::{IsTerminal, Write};

use sotto::{ChatOptions, Error, LocalModel, Session};

use super::{print_json, watch};
use crate::args::SamplingArguments;
use crate::failure::Failure;
use crate::{input, screen};

pub fn run(
    model: &LocalModel,
    system: Option<&str>,
    sampling: &SamplingArguments,
    max_tokens: usize,
    json: bool,
) -> Result<(), Failure> {
    let session = model.session(system)?;
    let base = ChatOptions::default();
    let options = ChatOptions { sampling: sampling.over(base.sampling.clone()), max_tokens, ..base };
    let interactive = std::io::stdin().is_terminal();
    loop {
        if interactive {
            screen::ask();
        }
        match exchange(&session, &options, json) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(Failure::Sotto(Error::Cancelled)) => screen::figures("\n(stopped)"),
            // The conversation stands as it was: an interactive one goes on, a piped one has failed.
            Err(failure @ (Failure::Sotto(_) | Failure::BadInput(_))) if interactive => screen::error(&failure),
            Err(failure) => return Err(failure),
        }
    }
}

/// Reads a line and answers it; `false` where there is none any more.
fn exchange(session: &Session, options: &ChatOptions, json: bool) -> Result<bool, Failure> {
    let Some(line) = input::read_line()? else { return Ok(false) };
    if !line.trim().is_empty() {
        answer(session, &line, options, json)?;
    }
    Ok(true)
}

fn answer(session: &Session, line: &str, options: &ChatOptions, json: bool) -> Result<(), Failure> {
    let job = session.respond(line, options);
    if json {
        return print_json(&watch(job, |_| Ok(()))?);
    }
    let mut out = std::io::stdout().lock();
    let reply = watch(job, |piece| {
        out.write_all(piece.as_bytes())?;
        Ok(out.flush()?)
    })?;
    writeln!(out)?;
    screen::metrics(&reply.metrics);
    Ok(())
}
