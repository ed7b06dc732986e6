use std::io::IsTerminal;
use std::path::Path;

use sotto::{ChatOptions, Error, LocalModel, Session};

use super::{print_text, style, tools};
use crate::args::SamplingArguments;
use crate::failure::Failure;
use crate::{input, screen};

/// Advice for when earlier questions and answers fill the context.
const START_ANEW: &str = "the conversation is as long as the model can read: start a new one, or use a larger --context if the model allows it";

/// What a model is told to do, and how to write.
pub fn instructions(system: Option<&str>, style: Option<&Path>) -> Result<Option<String>, Failure> {
    let style = style.map(style::read).transpose()?.and_then(|style| style.instruction());
    let parts: Vec<&str> = system.into_iter().chain(style.as_deref()).collect();
    Ok((!parts.is_empty()).then(|| parts.join("\n\n")))
}

pub fn run(
    model: &LocalModel,
    instructions: Option<&str>,
    tools: Option<&Path>,
    sampling: &SamplingArguments,
    max_tokens: usize,
    json: bool,
) -> Result<(), Failure> {
    let tools = tools.map(tools::read).transpose()?.unwrap_or_default();
    let session = model.session(instructions)?.with_tools(tools)?;
    let base = ChatOptions::default();
    let options = ChatOptions { sampling: sampling.over(base.sampling.clone()), max_tokens, ..base };
    let interactive = std::io::stdin().is_terminal();
    let mut has_answered = false;
    loop {
        if interactive {
            screen::ask();
        }
        let outcome = exchange(&session, &options, json);
        match outcome.map_err(|failure| if has_answered { failure.where_too_long(START_ANEW) } else { failure }) {
            Ok(true) => has_answered = true,
            Ok(false) => return Ok(()),
            Err(Failure::Sotto(Error::Cancelled)) => screen::figures("\n(stopped)"),
            // The conversation is unchanged: an interactive one continues, a piped one fails.
            Err(failure @ (Failure::Sotto(_) | Failure::Advised { .. } | Failure::BadInput(_))) if interactive => {
                screen::error(&failure)
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Reads a line and answers it; `false` at the end of the input.
fn exchange(session: &Session, options: &ChatOptions, json: bool) -> Result<bool, Failure> {
    let Some(line) = input::read_line()? else { return Ok(false) };
    if !line.trim().is_empty() {
        print_text(session.respond(&line, options), |reply| (&reply.metrics, reply.finish_reason), json)?;
    }
    Ok(true)
}
