use std::io::{BufWriter, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sotto::{ModelFile, Tokenizer};

use super::{print_json, watch};
use crate::failure::Failure;
use crate::input;

/// `{"ids": […], "tokens": […]}`, without a copy of the tokens: they can be millions.
struct Columns<'a>(&'a Tokenizer, &'a [u32]);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("ids", self.1)?;
        map.serialize_entry("tokens", &Texts(self.0, self.1))?;
        map.end()
    }
}

struct Texts<'a>(&'a Tokenizer, &'a [u32]);

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|&id| self.0.token_text(id)))
    }
}

/// Reads only the vocabulary of the file.
pub fn run(file: ModelFile, text: &str, ids_only: bool, json: bool) -> Result<(), Failure> {
    let tokenizer = watch(Tokenizer::start_loading(file), |never| match never {})?;
    let ids = tokenizer.encode(&input::read_word(text)?)?;
    if json {
        return print_json(&Columns(&tokenizer, &ids));
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for (index, &id) in ids.iter().enumerate() {
        match (ids_only, index) {
            (true, 0) => write!(out, "{id}")?,
            (true, _) => write!(out, " {id}")?,
            (false, _) => writeln!(out, "{id:>7}  {:?}", tokenizer.token_text(id))?,
        }
    }
    if ids_only {
        writeln!(out)?;
    }
    Ok(out.flush()?)
}
