use std::io::Write;
use std::path::Path;

use sotto::LocalModel;

use super::{print_json, watch};
use crate::failure::Failure;
use crate::{input, screen};

pub fn run(model: &LocalModel, text: &Path, window: usize, json: bool) -> Result<(), Failure> {
    let text = input::read_file(text)?;
    let bar = screen::bar("{pos} of {len} tokens {wide_bar} {eta}");
    let result = watch(model.perplexity(&text, window), |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        Ok(())
    })?;
    bar.finish_and_clear();
    if json {
        return print_json(&result);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "perplexity {:.4} ({:.4} nats per token, {} tokens)", result.perplexity, result.nll, result.tokens)?;
    Ok(())
}
