//! `tojson` as `transformers` has it: Python's `json.dumps`, without HTML escapes.

use std::io;

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;
use serde_json::ser::Formatter;

/// The widest indent, in characters.
const MAX_INDENT: usize = 32;

/// `json.dumps(value, ensure_ascii=False)`, with the same options.
pub(super) fn to_json(value: &Value, ensure_ascii: Option<bool>, options: Kwargs) -> Result<String, Error> {
    let ensure_ascii = ensure_ascii.or(options.get("ensure_ascii")?).unwrap_or(false);
    let indent = indent(options.get("indent")?)?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    let sort_keys: Option<bool> = options.get("sort_keys")?;
    options.assert_all_used()?;
    if value.is_undefined() {
        return Err(not_json());
    }
    let mut value = serde_json::to_value(value).map_err(|_| not_json())?;
    if sort_keys == Some(true) {
        value.sort_all_objects();
    }
    let between_items = if indent.is_some() { "," } else { ", " };
    let separators = separators.unwrap_or_else(|| vec![between_items.to_owned(), ": ".to_owned()]);
    let [item, key] = separators.try_into().map_err(|_| not_json())?;
    written(&value, Dumps { ensure_ascii, indent, item, key, depth: 0, is_empty: true }).ok_or_else(not_json)
}

/// `json.dumps(value, ensure_ascii=False)`.
pub(super) fn dumps(value: &serde_json::Value) -> Option<String> {
    let [item, key] = [", ", ": "].map(str::to_owned);
    written(value, Dumps { ensure_ascii: false, indent: None, item, key, depth: 0, is_empty: true })
}

fn written(value: &serde_json::Value, dumps: Dumps) -> Option<String> {
    let mut json = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, dumps)).ok()?;
    String::from_utf8(json).ok()
}

fn not_json() -> Error {
    Error::new(ErrorKind::BadSerialization, "tojson")
}

/// What each level is indented by: a text, or so many spaces.
fn indent(given: Option<Value>) -> Result<Option<String>, Error> {
    match given.filter(|given| !given.is_none()) {
        None => Ok(None),
        Some(given) => match given.as_str() {
            Some(text) => Ok(Some(text.chars().take(MAX_INDENT).collect())),
            None => Ok(Some(" ".repeat(usize::try_from(given)?.min(MAX_INDENT)))),
        },
    }
}

/// Python's way to set out JSON.
struct Dumps {
    ensure_ascii: bool,
    indent: Option<String>,
    item: String,
    key: String,
    depth: usize,
    /// Whether nothing has been written since the last bracket was opened.
    is_empty: bool,
}

impl Dumps {
    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !self.is_empty {
            self.break_line(writer)?;
        }
        self.is_empty = false;
        writer.write_all(bracket)
    }

    fn begin_item<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.is_empty = false;
        if !first {
            writer.write_all(self.item.as_bytes())?;
        }
        self.break_line(writer)
    }

    fn break_line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        let Some(indent) = &self.indent else { return Ok(()) };
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(indent.as_bytes()))
    }
}

impl Formatter for Dumps {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_item(writer, first)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_item(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.key.as_bytes())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if !self.ensure_ascii {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            match character {
                ' '..='~' => writer.write_all(&[character as u8])?,
                _ => character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?,
            }
        }
        Ok(())
    }
}
