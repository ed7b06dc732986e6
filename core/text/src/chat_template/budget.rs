//! Limits the memory of a template. The engine counts instructions, but a few of them can double a text. So texts that
//! are joined by operators, printed, or assembled by filters are charged by their length.

use std::cell::Cell;
use std::fmt::{self, Write as _};

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value, escape_formatter};

/// The filter behind each operand of `~` and `+`, as [`super::source::rewritten`] puts it there.
pub(super) const JOINED: &str = "joined";
/// The filter before each other filter.
pub(super) const LIMITED: &str = "limited";
/// The filter that gets the length of the text that a tag repeats, each time.
pub(super) const REPEATED: &str = "repeated";

thread_local! {
    /// The remaining budget of the rendering on this thread, in bytes.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter(JOINED, |value: Value| spend_text(&value).map(|()| value));
    environment.add_filter(LIMITED, |value: Value| limit(&value).map(|()| value));
    environment.add_filter(REPEATED, |bytes: usize| spend(bytes).map(|()| false));
    environment.add_filter("join", join);
    environment.set_formatter(|out, state, value| {
        spend_text(value)?;
        escape_formatter(out, state, value)
    });
}

/// Sets the budget for this thread, in bytes.
pub(super) fn grant(bytes: usize) {
    LEFT.set(bytes);
}

/// Charges a number of bytes.
///
/// # Errors
/// `OutOfFuel` if the budget is exhausted.
pub(super) fn spend(bytes: usize) -> Result<(), Error> {
    let left = LEFT.get().checked_sub(bytes);
    LEFT.set(left.unwrap_or(0));
    left.map(drop).ok_or_else(|| Error::from(ErrorKind::OutOfFuel))
}

/// Charges a value as text. A value that repeats a long text is small until it is written, so it is first written to a
/// sink.
pub(super) fn spend_text(value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) => spend(text.len()),
        None => write!(Measure, "{value}").map_err(|_| Error::from(ErrorKind::OutOfFuel)),
    }
}

/// Rejects a value whose text would exceed the budget; nothing is charged.
pub(super) fn limit(value: &Value) -> Result<(), Error> {
    let left = LEFT.get();
    spend_text(value)?;
    grant(left);
    Ok(())
}

/// Charges the result of `join`.
pub(super) fn spend_joined(items: &Value, between: &str) -> Result<(), Error> {
    for item in items.try_iter()? {
        spend(between.len())?;
        spend_text(&item)?;
    }
    Ok(())
}

fn join(items: &Value, between: Option<&str>, attribute: Option<&str>, named: Kwargs) -> Result<String, Error> {
    let between = between.or(named.get("d")?).unwrap_or_default();
    let attribute = attribute.or(named.get("attribute")?);
    named.assert_all_used()?;
    let of = |item: Value| attribute.map_or(Ok(item.clone()), |name| item.get_attr(name));
    let items: Value = items.try_iter()?.map(of).collect::<Result<Vec<_>, _>>()?.into();
    spend_joined(&items, between)?;
    Ok(items.try_iter()?.map(|item| item.to_string()).collect::<Vec<_>>().join(between))
}

/// Charges everything that is written, and discards it.
struct Measure;

impl fmt::Write for Measure {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        spend(text.len()).map_err(|_| fmt::Error)
    }
}
