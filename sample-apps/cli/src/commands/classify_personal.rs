use std::io::Write;
use std::path::Path;

use sotto::{Classifier, ClassifyOptions, ModelFile, Personal, PersonalClassification};

use super::personal::{brief, now};
use super::{embed, load, print_json, watch};
use crate::args::{ModelArguments, PersonalLabels};
use crate::failure::Failure;
use crate::screen;

/// Where texts that are learnt here come from.
const SOURCE: &str = "command line";

/// Classifies by the model and by the examples in a store, after learning one more.
pub fn run(
    model: &ModelArguments,
    text: &str,
    options: &ClassifyOptions,
    (store, name): (&Path, &str),
    personal: &PersonalLabels,
    json: bool,
) -> Result<(), Failure> {
    let classifier = Classifier::new(&Personal::open(store)?, name, options)?;
    if let Some(label) = &personal.learn
        && classifier.learn(text, label, SOURCE, now())?.paused
    {
        screen::figures("learning is paused: nothing was learnt");
    }
    let folder = personal.embedder.as_ref();
    let embedder = folder.map(|folder| embed::load_embedder(model, ModelFile::path(folder))).transpose()?;
    let job = classifier.classify(&load(model)?, embedder.as_ref(), text);
    let result = watch(job, |progress| {
        screen::figures(&format!("read {} of {} examples", progress.done, progress.total));
        Ok(())
    })?;
    match json {
        true => print_json(&result),
        false => print(&result),
    }
}

fn print(result: &PersonalClassification) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let abstained = if result.abstained { " (unsure)" } else { "" };
    writeln!(out, "{}{abstained}", screen::answer(&result.label))?;
    for (label, score) in &result.scores {
        writeln!(out, "  {:>5.1}%  {}", score * 100.0, screen::answer(label))?;
    }
    for near in &result.nearest {
        let line = format!("{}: {}", near.label, brief(&near.text));
        writeln!(out, "  like {:.2}  {}", near.similarity, screen::answer(&line))?;
    }
    match &result.metrics {
        Some(metrics) => screen::metrics(metrics),
        None => screen::figures("the text is too long for the model: only the examples count"),
    }
    Ok(())
}
