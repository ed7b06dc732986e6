//! The commands, each in a file.

mod bench;
mod chat;
mod classify;
mod classify_personal;
mod embed;
mod extract;
mod generate;
mod inspect;
#[cfg(feature = "candle")]
mod merge;
mod pack;
mod perplexity;
mod personal;
mod pull;
mod render;
mod rewrite;
mod style;
mod summarize;
mod synth;
mod texts;
mod tokenize;
mod tools;
mod transcribe;
mod tune;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::ser::Formatter;
use sotto::{
    Backend, BenchOptions, FinishReason, Job, KvType, LoadOptions, LocalModel, Metrics, ModelFile, Progress, Prompt,
    SummaryOptions, Task, TranscribeOptions,
};

use crate::args::{AdapterArgument, Arguments, BackendName, Command, KvName, ModelArguments};
use crate::demo::demo_model;
use crate::failure::Failure;
use crate::fallback::Fallback;
use crate::visible::is_command;
use crate::{input, interrupt, screen};
use texts::Texts;

/// Tokens of a window for `perplexity`.
const DEFAULT_WINDOW: usize = 512;
/// A model that loads within this time needs no progress bar.
const MOMENT: Duration = Duration::from_millis(500);

/// Progress in bytes, in tokens, in seconds of a recording, and in segments.
const BYTES_BAR: &str = "{binary_bytes} of {binary_total_bytes} {wide_bar} {eta}";
const TOKENS_BAR: &str = "{pos} of {len} tokens {wide_bar} {eta}";
const SECONDS_BAR: &str = "{pos} of {len} s transcribed {wide_bar} {eta}";
const SEGMENTS_BAR: &str = "{pos} of {len} segments read {wide_bar} {eta}";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    interrupt::install();
    let (model, json) = (&pull::with_pulled_model(&arguments.model)?, arguments.json);
    match &arguments.command {
        Command::Summarize { note, speech, max_points, max_actions, language, fallback } => {
            let options =
                SummaryOptions { language: language.clone(), max_points: *max_points, max_actions: *max_actions };
            let fallback = Fallback::of(fallback)?;
            match speech {
                Some(speech) => summarize::recording(model, speech, note, &options, fallback.as_ref(), json),
                None => summarize::run(model, note, &options, fallback.as_ref(), json),
            }
        }
        Command::Transcribe { audio, language, translate, vocabulary, words } => {
            let options = TranscribeOptions {
                language: *language,
                task: if *translate { Task::Translate } else { Task::Transcribe },
                vocabulary: vocabulary.clone(),
                words: *words,
            };
            transcribe::run(model, audio, &options, json)
        }
        Command::Classify { texts, labels, described, min_confidence, personal, fallback } => {
            let options = classify::options(labels, described, *min_confidence);
            match (Texts::read(texts)?, &personal.store, &personal.classifier) {
                (Texts::One(text), Some(store), Some(name)) => {
                    classify_personal::run(model, &text, &options, (store, name), personal, json)
                }
                (texts, ..) => classify::run(model, &texts, &options, Fallback::of(fallback)?.as_ref(), json),
            }
        }
        Command::Embed { text } => embed::run(model, text, json),
        Command::Extract { texts, schema, fallback } => {
            extract::run(model, &Texts::read(texts)?, schema, Fallback::of(fallback)?.as_ref(), json)
        }
        Command::Chat { system, style, tools, sampling, max_tokens, fallback } => {
            let instructions = chat::instructions(system.as_deref(), style.as_deref())?;
            let options = chat::options(sampling, *max_tokens);
            let fallback = Fallback::of(fallback)?;
            chat::run(model, instructions.as_deref(), tools.as_deref(), &options, fallback.as_ref(), json)
        }
        Command::Generate { prompt, ids, max_tokens, sampling } => {
            let prompt = match prompt {
                Some(text) => Prompt::Text(input::read_word(text)?),
                None => Prompt::Ids(ids.clone()),
            };
            generate::run(&load(model)?, prompt, *max_tokens, sampling, json)
        }
        Command::Tokenize { text, ids } => tokenize::run(model_file(model), text, *ids, json),
        Command::Render { messages, template, bos, eos } => match template {
            Some(template) => render::with_template(messages, template, bos, eos, json),
            None => render::with_model(&load(model)?, messages, json),
        },
        Command::Perplexity { text, window } => {
            let loaded = load(model)?;
            let default = if model.context.is_some() { usize::MAX } else { DEFAULT_WINDOW };
            let window = window.map_or(default.min(loaded.context_length()), |window| window as usize);
            perplexity::run(&loaded, text, window, json)
        }
        Command::Inspect { file } => inspect::run(model, file.as_deref(), json),
        Command::Synth { shape, quant, vocab, seed, output } => {
            synth::run(shape, quant, vocab.as_deref(), *seed, output, json)
        }
        Command::Pull { source, sha256 } => pull::run(model, source, sha256.as_deref(), json),
        Command::Pack { file, output, delete } => pack::run(file, output.as_deref(), *delete, json),
        #[cfg(feature = "candle")]
        Command::Merge { file, with, output } => merge::run(file, with, output, json),
        Command::Tune { texts, output, minutes, epochs, rank, learning_rate, checkpoint } => {
            let options = tune::options(*minutes, *epochs, usize::from(*rank), *learning_rate, checkpoint.clone());
            tune::run(&load(model)?, texts, output, &options, json)
        }
        Command::Personal { file, action } => personal::run(file, action, json),
        Command::Style { texts } => style::run(texts),
        Command::Rewrite { text, style, sampling, max_tokens } => {
            rewrite::run(&load(model)?, text, style, sampling, *max_tokens, json)
        }
        Command::Bench { prefill, decode, depth, sequences, repeat, compare, compare_model, svg } => {
            let options = BenchOptions {
                prefill: prefill.clone(),
                decode: *decode,
                depths: depth.clone(),
                sequences: sequences.clone(),
                repetitions: *repeat,
            };
            let peer = compare.as_ref().map(|program| (program.as_path(), compare_model.as_deref()));
            bench::run(model, options, peer, svg.as_deref(), json)
        }
    }
}

/// Loads the model of the command line, and prints its name.
fn load(arguments: &ModelArguments) -> Result<LocalModel, Failure> {
    let started = Instant::now();
    let model = load_quietly(arguments, model_file(arguments))?;
    let name = match &arguments.model {
        Some(path) => path.display().to_string(),
        None => "the built-in demo model (small and limited: use a real one with --model FILE)".to_owned(),
    };
    screen::figures(&format!("loaded {name} in {}", screen::seconds(started.elapsed().as_secs_f64())));
    Ok(model)
}

/// Loads `file` with the options of the command line, and shows a progress bar while a packed copy is being made.
fn load_quietly(arguments: &ModelArguments, file: ModelFile) -> Result<LocalModel, Failure> {
    let (started, bar) = (Instant::now(), screen::bar(BYTES_BAR));
    let loaded = watch(LocalModel::start_loading(file, &load_options(arguments)), |progress| {
        if started.elapsed() > MOMENT {
            screen::show(&bar, progress);
        }
        Ok(())
    });
    bar.finish_and_clear();
    with_adapters(loaded.map_err(|failure| failure.asked_by("--context"))?, &arguments.adapters)
}

/// The model with the adapters of the command line.
fn with_adapters(model: LocalModel, arguments: &[AdapterArgument]) -> Result<LocalModel, Failure> {
    let mut adapters = Vec::with_capacity(arguments.len());
    for AdapterArgument { file, scale } in arguments {
        let adapter = watch(model.start_loading_adapter(ModelFile::path(file)), |never| match never {})?;
        screen::figures(&format!("adapter {} of rank {}, scale {scale}", file.display(), adapter.rank()));
        adapters.push((adapter, *scale));
    }
    Ok(model.with_adapters(&adapters)?)
}

fn model_file(arguments: &ModelArguments) -> ModelFile {
    match &arguments.model {
        Some(path) => ModelFile::path(path),
        None => ModelFile::Embedded(demo_model()),
    }
}

fn load_options(arguments: &ModelArguments) -> LoadOptions {
    LoadOptions {
        backend: match arguments.backend {
            BackendName::Sotto => Backend::Sotto,
            BackendName::Candle => Backend::Candle,
        },
        threads: arguments.threads.map(usize::from),
        cache_folder: arguments.cache.clone(),
        delete_source_after_packing: arguments.delete_source_after_packing,
        context_length: arguments.context.map(|context| context as usize),
        kv_type: match arguments.kv_cache {
            KvName::F16 => KvType::F16,
            KvName::Q8_0 => KvType::Q8_0,
            KvName::F32 => KvType::F32,
        },
        ..LoadOptions::default()
    }
}

/// Watches a job until it ends. Each snapshot goes to `on_snapshot`, and Ctrl-C cancels the job.
fn watch<Snapshot, Value>(
    mut job: Job<Snapshot, Value>,
    mut on_snapshot: impl FnMut(Snapshot) -> Result<(), Failure>,
) -> Result<Value, Failure> {
    interrupt::cancels(job.cancel_token());
    for snapshot in job.by_ref() {
        on_snapshot(snapshot)?;
    }
    interrupt::nothing_runs();
    Ok(job.wait()?)
}

/// Watches a job until it ends, with a progress bar.
fn watch_with_bar<Value>(job: Job<Progress, Value>, bar: &str) -> Result<Value, Failure> {
    let bar = screen::bar(bar);
    let outcome = watch(job, |progress| {
        screen::show(&bar, progress);
        Ok(())
    });
    bar.finish_and_clear();
    outcome
}

/// Prints a text while it is written, then its metrics and whether it was cut off; or, as JSON, what the job ends with.
fn print_text<Value: Serialize>(
    job: Job<String, Value>,
    facts: impl Fn(&Value) -> (&Metrics, FinishReason),
    json: bool,
) -> Result<(), Failure> {
    if json {
        return print_json(&watch(job, |_| Ok(()))?);
    }
    let mut out = std::io::stdout().lock();
    let value = watch(job, |piece| {
        out.write_all(screen::answer(&piece).as_bytes())?;
        Ok(out.flush()?)
    })?;
    writeln!(out)?;
    let (metrics, reason) = facts(&value);
    screen::metrics(metrics);
    screen::cut_off(reason);
    Ok(())
}

/// Prints a value as one line of JSON.
fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Escaped))?;
    writeln!(out)?;
    Ok(())
}

/// Compact JSON in which everything that a terminal might interpret is escaped; plain JSON allows most of it.
struct Escaped;

impl Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        for part in fragment.split_inclusive(is_command) {
            let command = part.chars().next_back().filter(|last| is_command(*last));
            let plain = part.len() - command.map_or(0, char::len_utf8);
            out.write_all(&part.as_bytes()[..plain])?;
            command.map_or(Ok(()), |command| write!(out, "\\u{:04x}", u32::from(command)))?;
        }
        Ok(())
    }
}
