use std::io::Write;
use std::time::Instant;

use sotto::{Embedder, Embedding, EmbeddingOptions, ModelFile};

use super::{load, print_json, watch};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::{input, screen};

/// A folder is an embedding model, a file a language model.
pub fn run(model: &ModelArguments, text: &str, json: bool) -> Result<(), Failure> {
    let text = input::read_word(text)?;
    let embedding = match &model.model {
        Some(folder) if folder.is_dir() => by_embedder(model, ModelFile::path(folder), &text)?,
        _ => watch(load(model)?.embed(&text), |never| match never {})?,
    };
    if embedding.truncated {
        screen::figures(&format!("only the first {} of the text were read", screen::count(embedding.tokens, "token")));
    }
    if json {
        return print_json(&embedding);
    }
    let numbers: Vec<String> = embedding.values.iter().map(f32::to_string).collect();
    writeln!(std::io::stdout().lock(), "{}", numbers.join(" "))?;
    Ok(())
}

fn by_embedder(model: &ModelArguments, folder: ModelFile, text: &str) -> Result<Embedding, Failure> {
    if !model.adapters.is_empty() {
        return Err(Failure::BadInput("an embedding model takes no adapter: leave --adapter out".into()));
    }
    watch(load_embedder(model, folder)?.embed(text), |never| match never {})
}

/// Loads an embedding model, and prints what it takes.
pub fn load_embedder(model: &ModelArguments, folder: ModelFile) -> Result<Embedder, Failure> {
    let started = Instant::now();
    let options = EmbeddingOptions { threads: model.threads.map(usize::from), ..EmbeddingOptions::default() };
    let embedder = watch(Embedder::start_loading(folder, &options), |never| match never {})?;
    screen::figures(&format!(
        "loaded in {} · {} private",
        screen::seconds(started.elapsed().as_secs_f64()),
        screen::bytes(embedder.memory().weights)
    ));
    Ok(embedder)
}
