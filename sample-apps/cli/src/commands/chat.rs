use std::io::{self, IsTerminal, Write};
use std::path::Path;

use sotto::{ChatOptions, Error, HandoverReason, LocalModel, Reply, ServerCall, Session, Tool, Turn};

use super::{load, print_json, style, tools, watch};
use crate::args::{ModelArguments, SamplingArguments};
use crate::failure::Failure;
use crate::fallback::{Fallback, or_server};
use crate::{input, screen};

/// Advice for when earlier questions and answers fill the context.
const START_ANEW: &str = "the conversation is as long as the model can read: start a new one, or use a larger --context if the model allows it";

/// What a model is told to do, and how to write.
pub fn instructions(system: Option<&str>, style: Option<&Path>) -> Result<Option<String>, Failure> {
    let style = style.map(style::read).transpose()?.and_then(|style| style.instruction());
    let parts: Vec<&str> = system.into_iter().chain(style.as_deref()).collect();
    Ok((!parts.is_empty()).then(|| parts.join("\n\n")))
}

pub fn options(sampling: &SamplingArguments, max_tokens: usize) -> ChatOptions {
    let base = ChatOptions::default();
    ChatOptions { sampling: sampling.over(base.sampling.clone()), max_tokens, ..base }
}

pub fn run(
    model: &ModelArguments,
    instructions: Option<&str>,
    tools: Option<&Path>,
    options: &ChatOptions,
    fallback: Option<&Fallback>,
    json: bool,
) -> Result<(), Failure> {
    let tools = tools.map(tools::read).transpose()?.unwrap_or_default();
    let mut chat = Chat::begin(model, instructions, tools, options, fallback)?;
    let interactive = io::stdin().is_terminal();
    let mut has_answered = false;
    loop {
        if interactive {
            screen::ask();
        }
        let outcome = exchange(&mut chat, json);
        match outcome.map_err(|failure| if has_answered { failure.where_too_long(START_ANEW) } else { failure }) {
            Ok(true) => has_answered = true,
            Ok(false) => return Ok(()),
            Err(Failure::Sotto(Error::Cancelled)) => screen::figures("\n(stopped)"),
            // The conversation is unchanged: an interactive one continues, a piped one fails.
            Err(
                failure @ (Failure::Sotto(_) | Failure::Advised { .. } | Failure::BadInput(_) | Failure::Server(_)),
            ) if interactive => screen::error(&failure),
            Err(failure) => return Err(failure),
        }
    }
}

/// Reads a line and answers it; `false` at the end of the input.
fn exchange(chat: &mut Chat<'_>, json: bool) -> Result<bool, Failure> {
    let Some(line) = input::read_line()? else { return Ok(false) };
    if line.trim().is_empty() {
        return Ok(true);
    }
    if json {
        print_json(&chat.ask(&line, |_| Ok(()))?)?;
        return Ok(true);
    }
    let mut out = io::stdout().lock();
    let reply = chat.ask(&line, |piece| {
        out.write_all(screen::answer(&piece).as_bytes())?;
        Ok(out.flush()?)
    })?;
    writeln!(out)?;
    screen::metrics(&reply.metrics);
    screen::cut_off(reply.finish_reason);
    Ok(true)
}

/// A conversation, whose answers may come from a server.
struct Chat<'a> {
    options: &'a ChatOptions,
    instructions: Option<&'a str>,
    tools: Vec<Tool>,
    fallback: Option<&'a Fallback>,
    /// None if the model could not be loaded.
    model: Option<LocalModel>,
    /// Where this machine goes on; none after an answer of the server, which it has not read.
    session: Option<Session>,
    /// All that was said, whoever answered.
    history: Vec<Turn>,
}

impl<'a> Chat<'a> {
    fn begin(
        model: &ModelArguments,
        instructions: Option<&'a str>,
        tools: Vec<Tool>,
        options: &'a ChatOptions,
        fallback: Option<&'a Fallback>,
    ) -> Result<Self, Failure> {
        let model = or_server(fallback, load(model).map(Some), |_, _| Ok(None))?;
        Ok(Self { options, instructions, tools, fallback, model, session: None, history: Vec::new() })
    }

    /// Answers a question; each piece of the answer goes to `on_piece`.
    fn ask(
        &mut self,
        question: &str,
        mut on_piece: impl FnMut(String) -> Result<(), Failure>,
    ) -> Result<Reply, Failure> {
        let Some(model) = self.model.clone() else {
            let server = self.fallback.ok_or_else(|| Error::Internal { why: "no model and no server".into() })?;
            return self.ask_server(server, HandoverReason::ModelMissing, question, on_piece);
        };
        let found = self.ask_here(&model, question, &mut on_piece);
        or_server(self.fallback, found, |server, reason| self.ask_server(server, reason, question, on_piece))
    }

    fn ask_here(
        &mut self,
        model: &LocalModel,
        question: &str,
        on_piece: impl FnMut(String) -> Result<(), Failure>,
    ) -> Result<Reply, Failure> {
        let session = match &self.session {
            Some(session) => session.clone(),
            None => model.resume(self.instructions, &self.history)?.with_tools(self.tools.clone())?,
        };
        self.session = Some(session.clone());
        let reply = watch(session.respond(question, self.options), on_piece);
        // Of a stopped answer, the session keeps what was written.
        self.history = session.history();
        reply
    }

    fn ask_server(
        &mut self,
        server: &Fallback,
        reason: HandoverReason,
        question: &str,
        on_piece: impl FnMut(String) -> Result<(), Failure>,
    ) -> Result<Reply, Failure> {
        let call = ServerCall::chat(self.instructions, &self.history, question, self.options, &server.model, reason)?;
        let reply = server.ask(call, on_piece)?;
        self.history.push(Turn { question: question.to_owned(), calls: Vec::new(), answer: reply.text.clone() });
        self.session = None;
        Ok(reply)
    }
}
