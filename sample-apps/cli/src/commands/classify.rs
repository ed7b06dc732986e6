use std::io::Write;

use sotto::{Classification, ClassifyOptions, Label, LocalModel};

use super::texts::{Texts, print_each};
use super::{print_json, watch};
use crate::failure::Failure;
use crate::screen;

/// The default labels.
const LABELS: [&str; 4] = ["urgent", "task", "ignorable", "attention"];

/// The labels of `--labels`, then those of `--label`.
pub fn options(labels: &[String], described: &[String], min_confidence: f64) -> ClassifyOptions {
    let described = described.iter().map(|label| match label.split_once('=') {
        Some((name, description)) => Label::described(name.trim(), description.trim()),
        None => label.trim().into(),
    });
    let mut labels: Vec<Label> = labels.iter().map(|label| label.trim().into()).chain(described).collect();
    if labels.is_empty() {
        labels = LABELS.map(Label::from).into();
    }
    ClassifyOptions { min_confidence, ..ClassifyOptions::new(labels) }
}

pub fn run(model: &LocalModel, texts: &Texts, options: &ClassifyOptions, json: bool) -> Result<(), Failure> {
    match texts {
        Texts::One(text) => one(model, text, options, json),
        Texts::Lines(lines) => print_each(model.classify_all(lines.clone(), options), json, |result| match json {
            true => print_json(result),
            false => Ok(writeln!(std::io::stdout(), "{}", in_one_line(result))?),
        }),
    }
}

fn one(model: &LocalModel, text: &str, options: &ClassifyOptions, json: bool) -> Result<(), Failure> {
    let result = watch(model.classify(text, options), |never| match never {})?;
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

fn in_one_line(result: &Classification) -> String {
    let abstained = if result.abstained { " (unsure)" } else { "" };
    format!("{}{abstained}\t{:.1}%", screen::answer(&result.label), result.confidence * 100.0)
}
