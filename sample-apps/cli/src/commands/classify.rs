use std::io::Write;

use sotto::{ClassifyOptions, LocalModel};

use super::{print_json, watch};
use crate::failure::Failure;
use crate::{input, screen};

pub fn run(model: &LocalModel, text: &str, labels: &[String], min_confidence: f64, json: bool) -> Result<(), Failure> {
    let labels = labels.iter().map(|label| label.trim());
    let options = ClassifyOptions { min_confidence, ..ClassifyOptions::new(labels) };
    let job = model.classify(&input::read_word(text)?, &options);
    let result = watch(job, |never| match never {})?;
    if json {
        return print_json(&result);
    }
    let mut out = std::io::stdout().lock();
    let abstained = if result.abstained { " (unsure)" } else { "" };
    writeln!(out, "{}{abstained}", screen::answer(&result.label))?;
    for (label, score) in &result.scores {
        writeln!(out, "  {:>5.1}%  {}", score * 100.0, screen::answer(label))?;
    }
    screen::metrics(&result.metrics);
    Ok(())
}
