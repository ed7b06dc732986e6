//! Measures how many texts a second a model embeds: `embed FOLDER TEXTS [THREADS]`, with a text on each line.

use std::error::Error;
use std::time::Instant;

use sotto_embedding::{EmbeddingModel, EmbeddingOptions};
use sotto_engine::CancelToken;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, texts, threads @ ..] = arguments.as_slice() else {
        return Err("usage: embed FOLDER TEXTS [THREADS]".into());
    };
    let threads = threads.first().map(|threads| threads.parse()).transpose()?;
    let texts = std::fs::read_to_string(texts)?;
    let texts: Vec<&str> = texts.lines().filter(|line| !line.trim().is_empty()).collect();
    let cancel = CancelToken::new();
    let started = Instant::now();
    let model = EmbeddingModel::load(folder, EmbeddingOptions { threads, kernels: None }, &cancel)?;
    println!("loaded in {:.2} s, {} MB private", started.elapsed().as_secs_f64(), model.memory().weights / 1_000_000);
    for (how, at_a_time) in [("together", texts.len()), ("one by one", 1)] {
        let started = Instant::now();
        let mut tokens = 0;
        for texts in texts.chunks(at_a_time.max(1)) {
            tokens += model.embed(texts, &cancel)?.iter().map(|embedding| embedding.tokens).sum::<usize>();
        }
        let seconds = started.elapsed().as_secs_f64();
        let each = tokens as f64 / texts.len() as f64;
        println!("{how}: {:.0} texts a second, {each:.1} tokens each", texts.len() as f64 / seconds);
    }
    Ok(())
}
