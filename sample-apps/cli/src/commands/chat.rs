use std::io::{BufRead, IsTerminal, Write};

use sotto::{ChatOptions, Error, LocalModel, Session};

use super::{print_json, watch};
use crate::args::SamplingArguments;
use crate::failure::Failure;
use crate::screen;

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
    let prompt = std::io::stdin().is_terminal();
    let mut lines = std::io::stdin().lock().lines();
    loop {
        if prompt {
            eprint!("> ");
        }
        let Some(line) = lines.next() else { return Ok(()) };
        let line = line.map_err(|source| Failure::Input { path: "-".into(), source })?;
        if line.trim().is_empty() {
            continue;
        }
        match answer(&session, &line, &options, json) {
            Err(Failure::Sotto(Error::Cancelled)) => screen::figures("\n(stopped)"),
            // The conversation stands as it was: an interactive one goes on, a piped one has failed.
            Err(Failure::Sotto(error)) if prompt => screen::error(&error.into()),
            outcome => outcome?,
        }
    }
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
