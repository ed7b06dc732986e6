//! Measures a model on notes, texts and answers written by hand: `cargo xtask evaluate --help`.

mod gold;
mod score;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use serde::Serialize;
use sotto::{ClassifyOptions, LocalModel, ModelFile, NoteSummary, SummaryOptions, VoiceNote};

use gold::{Extraction, Gold, Labelled, Note};
use score::{ExtractionCounts, LabelCounts, NoteCounts};

/// Measures a model on notes, texts and answers written by hand, and prints one table.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask evaluate")]
struct Arguments {
    /// A GGUF or packed model file; the demo model when left out.
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// An adapter of the model, a GGUF file.
    #[arg(long, value_name = "FILE")]
    adapter: Option<PathBuf>,
    /// A JSONL file, or a folder of them; tools/demo-model/gold when left out.
    #[arg(long, value_name = "PATH")]
    gold: Option<PathBuf>,
    /// Measure all texts, and not only the tenth that no model is trained on.
    #[arg(long)]
    all: bool,
    /// At most so many notes.
    #[arg(long, value_name = "N")]
    notes: Option<usize>,
    /// Measure this alone. May be given more than once.
    #[arg(long = "only", value_enum, value_name = "TASK")]
    tasks: Vec<Task>,
    /// Print each answer beside the one expected, to stderr.
    #[arg(long)]
    show: bool,
    /// Print the counts as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Task {
    Notes,
    Labels,
    Extractions,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The names of the model file and of the adapter.
    model: String,
    notes: Option<NoteCounts>,
    labels: Option<LabelCounts>,
    extractions: Option<ExtractionCounts>,
}

fn main() -> ExitCode {
    match evaluate(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("evaluate: {why}");
            ExitCode::FAILURE
        }
    }
}

fn evaluate(arguments: &Arguments) -> Result<(), String> {
    let file = arguments.model.clone().unwrap_or_else(|| in_repository("sample-apps/demo-model/sotto-demo.gguf"));
    let gold = arguments.gold.clone().unwrap_or_else(|| in_repository("tools/demo-model/gold"));
    let mut gold = Gold::read(&gold, arguments.all)?;
    gold.notes.truncate(arguments.notes.unwrap_or(usize::MAX));
    if gold.left_out > 0 {
        eprintln!("{} rows are of no task that is measured", gold.left_out);
    }
    let model = load(&file, arguments.adapter.as_deref())?;
    let bench = Bench { model, show: arguments.show };
    let wanted = |task| arguments.tasks.is_empty() || arguments.tasks.contains(&task);
    let report = Report {
        model: arguments.adapter.iter().fold(name(&file), |model, adapter| format!("{model} with {}", name(adapter))),
        notes: wanted(Task::Notes).then(|| bench.notes(&gold.notes)),
        labels: wanted(Task::Labels).then(|| bench.labels(&gold.labels)),
        extractions: wanted(Task::Extractions).then(|| bench.extractions(&gold.extractions)),
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&report).map_err(|error| error.to_string())?);
    } else {
        print!("{report}");
    }
    Ok(())
}

fn load(file: &Path, adapter: Option<&Path>) -> Result<LocalModel, String> {
    let in_file = |file: &Path, error: sotto::Error| format!("{}: {error}", file.display());
    let model = LocalModel::load(ModelFile::path(file)).map_err(|error| in_file(file, error))?;
    let Some(adapter) = adapter else { return Ok(model) };
    let loaded = model.load_adapter(ModelFile::path(adapter));
    loaded.and_then(|loaded| model.with_adapters(&[(loaded, 1.0)])).map_err(|error| in_file(adapter, error))
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn in_repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders below the root");
    root.join(path)
}

/// A model that is measured.
struct Bench {
    model: LocalModel,
    show: bool,
}

impl Bench {
    fn notes(&self, notes: &[Note]) -> NoteCounts {
        let mut counts = NoteCounts::default();
        let started = Instant::now();
        for note in notes {
            let answer = self.model.summarize(&VoiceNote::transcript(&note.text), &SummaryOptions::default()).wait();
            self.show(&note.text, note, &answer);
            counts.failed += usize::from(answer.is_err());
            counts.add(note, &answer.unwrap_or_else(|_| NoteSummary::default()));
        }
        counts.seconds = started.elapsed().as_secs_f64();
        counts
    }

    fn labels(&self, texts: &[Labelled]) -> LabelCounts {
        let mut counts = LabelCounts { texts: texts.len(), ..LabelCounts::default() };
        let started = Instant::now();
        for Labelled { text, labels, label } in texts {
            let answer = self.model.classify(text, &ClassifyOptions::new(labels)).wait();
            self.show(text, label, &answer);
            let Ok(answer) = answer else {
                counts.failed += 1;
                continue;
            };
            let right = usize::from(answer.label == *label);
            counts.right += right;
            if !answer.abstained {
                counts.sure += 1;
                counts.right_of_sure += right;
            }
        }
        counts.seconds = started.elapsed().as_secs_f64();
        counts
    }

    fn extractions(&self, texts: &[Extraction]) -> ExtractionCounts {
        let mut counts = ExtractionCounts::default();
        let started = Instant::now();
        for Extraction { text, schema, answer: expected } in texts {
            let answer = self.model.extract(text, schema).wait();
            self.show(text, expected, &answer);
            counts.add(expected, answer.ok().map(|answer| answer.value).as_ref());
        }
        counts.seconds = started.elapsed().as_secs_f64();
        counts
    }

    fn show(&self, text: &str, expected: &impl std::fmt::Debug, answer: &impl std::fmt::Debug) {
        if self.show {
            eprintln!("{text}\nexpected: {expected:?}\nanswer: {answer:?}\n");
        }
    }
}
