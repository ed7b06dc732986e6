//! How fast a classifier learns a person's labels: accuracy after so many corrections, beside the language model alone and the model with
//! examples in its prompt.
//!
//! ```sh
//! cargo run --release --package sotto-evaluate --bin learning-curve -- --embedder all-MiniLM-L6-v2 --model MODEL.gguf DATA.jsonl
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sotto::{
    ClassifyOptions, CompletionOptions, Embedder, LocalModel, ModelFile, OutputFormat, Prompt, SamplingOptions,
};
use sotto_personal::{Examples, Features, Personal, Timestamp};

/// Numbers of corrections after which accuracy is measured.
const CORRECTIONS: [usize; 4] = [0, 5, 20, 100];
/// As many examples as fit into the context of a small model.
const IN_PROMPT: [usize; 2] = [5, 20];
/// A text is held out when the first byte of its SHA-256 is below this, as in `tools/demo-model`.
const HELD_OUT_BELOW: u8 = 26;
/// Where fewer are held out by their hash, texts are held out at random.
const FEWEST_HELD_OUT: usize = 40;
const HELD_OUT: usize = 100;

/// Measures how fast a classifier learns a person's labels.
#[derive(Debug, Parser)]
struct Arguments {
    /// JSONL files of one data set: {"labels": […], "text": "…", "label": "…"}. Rows with other labels than the first are left out.
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// A folder with an embedding model.
    #[arg(long, value_name = "FOLDER")]
    embedder: PathBuf,
    /// A language model.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// An adapter of it.
    #[arg(long, value_name = "FILE")]
    adapter: Option<PathBuf>,
    /// How often to repeat with other corrections.
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: u64,
    /// Ask the model with examples in its prompt about so many texts.
    #[arg(long, value_name = "N", default_value_t = 50)]
    prompted: usize,
}

#[derive(Debug, Clone, Deserialize)]
struct Row {
    labels: Vec<String>,
    text: String,
    label: String,
}

/// A text with all that is known about it.
#[derive(Debug, Clone)]
struct Sample {
    text: String,
    label: String,
    features: Features,
}

/// What came of judging texts.
#[derive(Debug, Default)]
struct Counts {
    texts: usize,
    right: usize,
    sure: usize,
    right_of_sure: usize,
    /// Of texts by confidence: how many, how many right, and their confidences.
    bins: [(f64, f64, f64); 10],
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("learning-curve: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<(), String> {
    let rows = read(&arguments.data)?;
    let labels = rows.first().ok_or("there are no texts")?.labels.clone();
    let model = load(&arguments.model, arguments.adapter.as_deref())?;
    let samples = samples(&rows, &labels, &model, &arguments.embedder)?;
    println!("{} texts, labels: {}", samples.len(), labels.join(", "));
    let mut learnt: [Counts; CORRECTIONS.len()] = Default::default();
    let mut prompted: [Counts; IN_PROMPT.len()] = Default::default();
    let mut milliseconds = Vec::new();
    for round in 0..arguments.rounds {
        let (known, held_out) = split(&samples, round);
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let personal = Personal::open(folder.path().join("personal")).map_err(|error| error.to_string())?;
        let examples = personal.examples("texts", labels.clone()).map_err(|error| error.to_string())?;
        let mut taught = 0;
        for (corrections, counts) in CORRECTIONS.into_iter().zip(&mut learnt) {
            for sample in known.iter().take(corrections).skip(taught) {
                let started = Instant::now();
                learn(&examples, sample)?;
                milliseconds.push(1e3 * started.elapsed().as_secs_f64());
            }
            taught = corrections;
            for sample in &held_out {
                let judgement = examples.judge(&sample.text, &sample.features).map_err(|error| error.to_string())?;
                counts.add(&labels, &judgement.probabilities, &sample.label);
            }
        }
        if round == 0 {
            for (examples, counts) in IN_PROMPT.into_iter().zip(&mut prompted) {
                for sample in held_out.iter().take(arguments.prompted) {
                    let label = ask(&model, &labels, &known[..examples.min(known.len())], &sample.text)?;
                    counts.texts += 1;
                    counts.right += usize::from(label == sample.label);
                }
            }
        }
    }
    println!("{:>14} {:>8} {:>18} {:>12}", "corrections", "right", "right if sure", "calibration");
    for (corrections, counts) in CORRECTIONS.into_iter().zip(&learnt) {
        println!("{corrections:>14} {counts}");
    }
    for (examples, counts) in IN_PROMPT.into_iter().zip(&prompted) {
        println!("{examples:>4} in prompt {:>7.1}%", 100.0 * counts.right as f64 / counts.texts.max(1) as f64);
    }
    milliseconds.sort_by(f64::total_cmp);
    let median = milliseconds.get(milliseconds.len() / 2).copied().unwrap_or_default();
    println!("a correction takes {median:.1} ms (median), written to the store and learnt");
    Ok(())
}

fn read(files: &[PathBuf]) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let Ok(row) = serde_json::from_str::<Row>(line) else { continue };
            if rows.first().is_none_or(|first| first.labels == row.labels) {
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

fn load(file: &Path, adapter: Option<&Path>) -> Result<LocalModel, String> {
    let in_file = |file: &Path, error: sotto::Error| format!("{}: {error}", file.display());
    let model = LocalModel::load(ModelFile::path(file)).map_err(|error| in_file(file, error))?;
    let Some(adapter) = adapter else { return Ok(model) };
    let loaded = model.load_adapter(ModelFile::path(adapter));
    loaded.and_then(|loaded| model.with_adapters(&[(loaded, 1.0)])).map_err(|error| in_file(adapter, error))
}

/// Embeds all texts, and asks the model about each.
fn samples(rows: &[Row], labels: &[String], model: &LocalModel, embedder: &Path) -> Result<Vec<Sample>, String> {
    let embedder = Embedder::load(ModelFile::path(embedder)).map_err(|error| error.to_string())?;
    let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
    let embeddings = embedder.embed_all(texts.clone()).wait().map_err(|error| error.to_string())?;
    let answers: Result<Vec<_>, _> = model.classify_all(texts, &ClassifyOptions::new(labels)).collect();
    let answers = answers.map_err(|error| error.to_string())?;
    if answers.len() < rows.len() {
        return Err("the model did not answer for all texts".into());
    }
    let known = rows.iter().zip(embeddings).zip(answers);
    Ok(known
        .map(|((row, embedding), answer)| Sample {
            text: row.text.clone(),
            label: row.label.clone(),
            features: Features {
                models: "these".into(),
                vector: embedding.values,
                scores: Some(answer.scores.into_iter().map(|(label, score)| (label, score.max(1e-9).ln())).collect()),
            },
        })
        .collect())
}

/// Texts to learn from, in a random order, and texts to judge.
fn split(samples: &[Sample], round: u64) -> (Vec<Sample>, Vec<Sample>) {
    let hash = |text: &str, round: u64| Sha256::digest(format!("{round} {text}"));
    let mut shuffled = samples.to_vec();
    shuffled.sort_by_key(|sample| hash(&sample.text, round));
    let is_held_out = |sample: &Sample| Sha256::digest(&sample.text)[0] < HELD_OUT_BELOW;
    let (held_out, known): (Vec<Sample>, Vec<Sample>) = shuffled.iter().cloned().partition(is_held_out);
    match held_out.len() < FEWEST_HELD_OUT {
        false => (known, held_out),
        true => {
            let known = shuffled.split_off(HELD_OUT.min(shuffled.len()));
            (known, shuffled)
        }
    }
}

fn learn(examples: &Examples, sample: &Sample) -> Result<(), String> {
    let Sample { text, label, features } = sample;
    let _ = examples
        .learn(text, label, Some(features.clone()), "corrections", Timestamp::utc(0))
        .map_err(|error| error.to_string())?;
    // What was written is learnt when it is next needed.
    examples.judge("", features).map(drop).map_err(|error| error.to_string())
}

/// The label that the model writes after examples.
fn ask(model: &LocalModel, labels: &[String], examples: &[Sample], text: &str) -> Result<String, String> {
    let mut prompt = format!("Each text has one of the labels {}.\n\n", labels.join(", "));
    for Sample { text, label, .. } in examples {
        prompt.push_str(&format!("Text: {text}\nLabel: {label}\n\n"));
    }
    prompt.push_str(&format!("Text: {text}\nLabel:"));
    let choices = labels.iter().map(|label| format!(" {label}")).collect();
    let sampling = SamplingOptions { temperature: 0.0, ..SamplingOptions::default() };
    let options = CompletionOptions { sampling, max_tokens: 16, format: Some(OutputFormat::Choice(choices)) };
    let answer = model.complete(Prompt::Text(prompt), &options).wait().map_err(|error| error.to_string())?;
    Ok(answer.text.trim().to_owned())
}

impl Counts {
    fn add(&mut self, labels: &[String], probabilities: &[f64], expected: &str) {
        let best = labels.iter().zip(probabilities).max_by(|(_, a), (_, b)| a.total_cmp(b));
        let (label, confidence) = best.expect("there are labels");
        let right = usize::from(label == expected);
        self.texts += 1;
        self.right += right;
        if *confidence >= sotto::DEFAULT_MIN_CONFIDENCE {
            self.sure += 1;
            self.right_of_sure += right;
        }
        let bin = &mut self.bins[((confidence * 10.0) as usize).min(9)];
        *bin = (bin.0 + 1.0, bin.1 + right as f64, bin.2 + confidence);
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
        // Expected calibration error: how far confidences are from frequencies.
        let error: f64 = self.bins.iter().map(|(_, right, confidence)| (right - confidence).abs()).sum();
        let (sure, right) = (percent(self.sure, self.texts), percent(self.right_of_sure, self.sure));
        let right_of_all = percent(self.right, self.texts);
        write!(f, "{right_of_all:>7.1}% {right:>7.1}% of {sure:>5.1}% {:>12.3}", error / self.texts.max(1) as f64)
    }
}
