use std::io::Write;
use std::path::Path;

use sotto::LocalModel;

use super::{TOKENS_BAR, print_json, watch_with_bar};
use crate::failure::Failure;
use crate::input;
use crate::screen::count;

pub fn run(model: &LocalModel, text: &Path, window: usize, json: bool) -> Result<(), Failure> {
    let text = input::read_file(text)?;
    let job = model.perplexity(&text, window);
    let result = watch_with_bar(job, TOKENS_BAR).map_err(|failure| failure.asked_by("--window"))?;
    if json {
        return print_json(&result);
    }
    let mut out = std::io::stdout().lock();
    let tokens = count(result.tokens, "token");
    writeln!(out, "perplexity {:.4} ({:.4} nats per token, {tokens})", result.perplexity, result.nll)?;
    Ok(())
}
