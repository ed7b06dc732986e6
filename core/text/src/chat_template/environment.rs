//! minijinja, set up as `transformers` sets up Jinja for chat templates, and bounded.

use std::io;

use jiff::Zoned;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value};

use super::json::to_json;
use super::{budget, python};
use crate::TextError;

/// Name of the one template in the environment. It has no extension, so nothing is escaped.
const NAME: &str = "chat";
/// Templates in the wild are a few kilobytes.
const MAX_SOURCE: usize = 1 << 20;
/// Instructions in one rendering; a real template spends some fifty on each message.
const FUEL: u64 = 5_000_000;
/// Nesting of macros and includes.
const MAX_RECURSION: usize = 100;
/// The maximum rendered text in addition to the messages.
const MAX_OVERHEAD: usize = 16 << 20;
/// The maximum intermediate text that a template may build, in addition to a multiple of the messages, in bytes.
const MAX_BUILT: usize = 16 << 20;
const MAX_BUILT_OF_MESSAGES: usize = 64;

/// The clock for `strftime_now`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock {
    System,
    Fixed { unix_seconds: i64 },
}

/// Rejects a template that is too long.
pub(super) fn check_length(source: &str) -> Result<(), TextError> {
    match source.len() {
        ..=MAX_SOURCE => Ok(()),
        _ => Err(TextError::Template { why: format!("it is longer than {MAX_SOURCE} bytes") }),
    }
}

/// The environment with its one template.
pub(super) fn environment(source: String, clock: Clock) -> Result<Environment<'static>, TextError> {
    let mut environment = Environment::new();
    environment.set_syntax(transformers_syntax()?);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(MAX_RECURSION);
    environment.set_debug(false);
    python::add_to(&mut environment);
    budget::add_to(&mut environment);
    environment.add_filter("tojson", to_json);
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", move |format: &str| strftime(clock, format));
    environment
        .add_template_owned(NAME, source)
        .map_err(|error| TextError::Template { why: format!("syntax error in line {}", error.line().unwrap_or(0)) })?;
    Ok(environment)
}

fn transformers_syntax() -> Result<SyntaxConfig, TextError> {
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    syntax.map_err(|_| TextError::Internal("the template syntax is refused".to_owned()))
}

/// Renders the template, up to a length in proportion to the messages.
pub(super) fn render(
    environment: &Environment<'static>,
    context: Value,
    messages_length: usize,
) -> Result<String, TextError> {
    // Templates repeat a message a few times at most.
    let mut output = Bounded { text: Vec::new(), limit: MAX_OVERHEAD + 4 * messages_length };
    let template = environment.get_template(NAME).map_err(|error| failed(&error))?;
    budget::grant(MAX_BUILT + MAX_BUILT_OF_MESSAGES * messages_length);
    template.render_captured_to(context, &mut output).map_err(|error| failed(&error))?;
    String::from_utf8(output.text)
        .map_err(|_| TextError::Internal("a template produced text that is not UTF-8".to_owned()))
}

/// The cause of an error, without the engine's message, which can quote a user's text.
fn failed(error: &Error) -> TextError {
    let line = error.line().unwrap_or(0);
    let why = match error.kind() {
        ErrorKind::OutOfFuel => "it does not end, or builds too much text in memory".to_owned(),
        ErrorKind::WriteFailure => "its output is too long".to_owned(),
        kind => format!("{kind} in line {line}"),
    };
    TextError::Template { why }
}

fn raise_exception(_message: &str) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, "raised by the template"))
}

fn strftime(clock: Clock, format: &str) -> Result<String, Error> {
    let now = match clock {
        Clock::System => Some(Zoned::now()),
        Clock::Fixed { unix_seconds } => {
            jiff::Timestamp::from_second(unix_seconds).ok().map(|time| time.to_zoned(jiff::tz::TimeZone::UTC))
        }
    };
    now.and_then(|now| jiff::fmt::strtime::format(format, &now).ok())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "strftime_now does not know this format"))
}

/// A buffer that refuses to grow beyond its limit.
struct Bounded {
    text: Vec<u8>,
    limit: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > self.limit {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
