//! minijinja, set up as `transformers` sets up Jinja for chat templates, and bounded.

use std::io;

use jiff::Zoned;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::TextError;

/// Name of the one template in the environment. It has no extension, so nothing is escaped.
const NAME: &str = "chat";
/// Templates in the wild are a few kilobytes.
const MAX_SOURCE: usize = 1 << 20;
/// Instructions in one rendering; a real template spends some fifty on each message.
const FUEL: u64 = 5_000_000;
/// Nesting of macros and includes.
const MAX_RECURSION: usize = 100;
/// Rendered text beyond the messages themselves.
const MAX_OVERHEAD: usize = 16 << 20;

/// Where `strftime_now` takes the time from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock {
    System,
    Fixed { unix_seconds: i64 },
}

/// The environment with its one template.
pub(super) fn environment(source: &str, clock: Clock) -> Result<Environment<'static>, TextError> {
    if source.len() > MAX_SOURCE {
        return Err(TextError::Template { why: format!("it is longer than {MAX_SOURCE} bytes") });
    }
    let mut environment = Environment::new();
    environment.set_syntax(transformers_syntax()?);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(MAX_RECURSION);
    environment.set_debug(false);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", to_json);
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", move |format: &str| strftime(clock, format));
    environment
        .add_template_owned(NAME, without_generation_tags(source))
        .map_err(|error| TextError::Template { why: format!("syntax error in line {}", error.line().unwrap_or(0)) })?;
    Ok(environment)
}

fn transformers_syntax() -> Result<SyntaxConfig, TextError> {
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    syntax.map_err(|_| TextError::Internal("the template syntax is refused".to_owned()))
}

/// Renders the template, up to a length that the messages explain.
pub(super) fn render(
    environment: &Environment<'static>,
    context: Value,
    messages_length: usize,
) -> Result<String, TextError> {
    // Templates repeat a message a few times at most.
    let mut output = Bounded { text: Vec::new(), limit: MAX_OVERHEAD + 4 * messages_length };
    let template = environment.get_template(NAME).map_err(|error| failed(&error))?;
    template.render_captured_to(context, &mut output).map_err(|error| failed(&error))?;
    String::from_utf8(output.text).map_err(|_| TextError::Internal("a template gave text that is not UTF-8".to_owned()))
}

/// What went wrong, without the engine's own words: they can quote a message.
fn failed(error: &Error) -> TextError {
    let line = error.line().unwrap_or(0);
    let why = match error.kind() {
        ErrorKind::OutOfFuel => "it does not come to an end".to_owned(),
        ErrorKind::WriteFailure => "its output is too long".to_owned(),
        kind => format!("{kind} in line {line}"),
    };
    TextError::Template { why }
}

/// `{% generation %}` marks what a model is trained on; for rendering it means nothing. As `if true` it leaves the
/// white space around it to the same rules.
fn without_generation_tags(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let Some(length) = rest[start..].find("%}") else { break };
        let tag = &rest[start..start + length];
        let tag = match tag.trim_start_matches(['{', '%', '-', '+']).trim_end_matches('-').trim() {
            "generation" => tag.replace("generation", "if true"),
            "endgeneration" => tag.replace("endgeneration", "endif"),
            _ => tag.to_owned(),
        };
        result.push_str(&rest[..start]);
        result.push_str(&tag);
        rest = &rest[start + length..];
    }
    result + rest
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

/// Python's `json.dumps(ensure_ascii=False)`: no HTML escapes, `", "` and `": "` between things.
fn to_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    // Templates pass these too; they are how it is done anyway.
    let _: Option<bool> = options.get("ensure_ascii")?;
    let indent: Option<usize> = options.get("indent")?;
    options.assert_all_used()?;
    let json = match indent {
        Some(width) => json_with(value, PrettyFormatter::with_indent(" ".repeat(width.min(32)).as_bytes())),
        None => json_with(value, Spaced),
    };
    json.ok_or_else(|| Error::new(ErrorKind::BadSerialization, "tojson"))
}

fn json_with(value: &Value, formatter: impl Formatter) -> Option<String> {
    let mut json = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, formatter)).ok()?;
    String::from_utf8(json).ok()
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
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
