use std::io::Write;

use serde::Serialize;
use sotto::LocalModel;

use super::print_json;
use crate::failure::Failure;
use crate::input;

#[derive(Serialize)]
struct Tokens {
    ids: Vec<u32>,
    tokens: Vec<String>,
}

pub fn run(model: &LocalModel, text: &str, ids_only: bool, json: bool) -> Result<(), Failure> {
    let (ids, tokens) =
        model.tokenize(&input::read_word(text)?)?.into_iter().map(|token| (token.id, token.text)).unzip();
    let tokens = Tokens { ids, tokens };
    if json {
        return print_json(&tokens);
    }
    let mut out = std::io::stdout().lock();
    if ids_only {
        let ids = tokens.ids.iter().map(u32::to_string).collect::<Vec<_>>();
        writeln!(out, "{}", ids.join(" "))?;
    } else {
        for (id, text) in tokens.ids.iter().zip(&tokens.tokens) {
            writeln!(out, "{id:>7}  {text:?}")?;
        }
    }
    Ok(())
}
