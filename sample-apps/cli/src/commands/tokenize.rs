use std::io::{BufWriter, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sotto::{LocalModel, Token};

use super::print_json;
use crate::failure::Failure;
use crate::input;

/// `{"ids": […], "tokens": […]}`, without a copy of the tokens: they can be millions.
struct Columns<'a>(&'a [Token]);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("ids", &Column(self.0, |token| token.id))?;
        map.serialize_entry("tokens", &Column(self.0, |token| token.text.as_str()))?;
        map.end()
    }
}

struct Column<'a, Value>(&'a [Token], fn(&'a Token) -> Value);

impl<Value: Serialize> Serialize for Column<'_, Value> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

pub fn run(model: &LocalModel, text: &str, ids_only: bool, json: bool) -> Result<(), Failure> {
    let tokens = model.tokenize(&input::read_word(text)?)?;
    if json {
        return print_json(&Columns(&tokens));
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for (index, token) in tokens.iter().enumerate() {
        match (ids_only, index) {
            (true, 0) => write!(out, "{}", token.id)?,
            (true, _) => write!(out, " {}", token.id)?,
            (false, _) => writeln!(out, "{:>7}  {:?}", token.id, token.text)?,
        }
    }
    if ids_only {
        writeln!(out)?;
    }
    Ok(out.flush()?)
}
