//! One text, or a list of texts with a result for each.

use std::io::Write;

use serde_json::json;
use sotto::{Error, Job};

use super::{print_json, watch};
use crate::args::TextArguments;
use crate::failure::Failure;
use crate::{input, screen};

/// What to read.
pub enum Texts {
    One(String),
    Lines(Vec<String>),
}

impl Texts {
    pub fn read(arguments: &TextArguments) -> Result<Self, Failure> {
        match (&arguments.text, &arguments.lines) {
            (_, Some(file)) => Ok(Self::Lines(input::read_lines(file)?)),
            (text, None) => Ok(Self::One(input::read_word(text.as_deref().unwrap_or_default())?)),
        }
    }
}

/// Prints the result of each line as soon as it is there. A line without a result has an empty line, or `{"error": …}`; stderr says why,
/// and the command fails at the end as the first of them did.
pub fn print_each<Value>(
    job: Job<Result<Value, Error>, ()>,
    json: bool,
    print: impl Fn(&Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut line, mut failed) = (0, None);
    watch(job, |result| {
        line += 1;
        let error = match result {
            Ok(value) => return print(&value),
            Err(error) => error,
        };
        screen::figures(&format!("line {line}: {error}"));
        failed.get_or_insert_with(|| error.clone());
        match json {
            true => print_json(&json!({ "error": error.to_string() })),
            false => Ok(writeln!(std::io::stdout())?),
        }
    })?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}
