use std::io::Write;

use sotto::{Classification, ClassifyOptions, HandoverReason, Label, ServerCall};

use super::texts::{Texts, print_each};
use super::{load, print_json, watch};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::fallback::{Fallback, or_server};
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

pub fn run(
    model: &ModelArguments,
    texts: &Texts,
    options: &ClassifyOptions,
    fallback: Option<&Fallback>,
    json: bool,
) -> Result<(), Failure> {
    match texts {
        Texts::One(text) => one(model, text, options, fallback, json),
        Texts::Lines(lines) => {
            print_each(load(model)?.classify_all(lines.clone(), options), json, |result| match json {
                true => print_json(result),
                false => Ok(writeln!(std::io::stdout(), "{}", in_one_line(result))?),
            })
        }
    }
}

fn one(
    model: &ModelArguments,
    text: &str,
    options: &ClassifyOptions,
    fallback: Option<&Fallback>,
    json: bool,
) -> Result<(), Failure> {
    let ask = |server: &Fallback, reason| {
        server.ask(ServerCall::classify(text, options, &server.model, reason)?, |never| match never {})
    };
    let found = load(model).and_then(|model| watch(model.classify(text, options), |never| match never {}));
    let result = match (or_server(fallback, found, ask)?, fallback) {
        (found, Some(server)) if found.metrics.handed_over.is_none() && server.is_for(&found) => {
            ask(server, HandoverReason::LowConfidence)?
        }
        (found, _) => found,
    };
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
