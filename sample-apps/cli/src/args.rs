//! The arguments of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use sotto::{Language, SummaryOptions, TuneOptions};

use crate::fallback::Condition;

/// Runs language models on this machine: summarize voice notes, transcribe, classify, extract, chat. Nothing leaves the machine,
/// except what `--fallback` sends, and only that and `pull` use the network.
#[derive(Debug, Parser)]
#[command(name = "sotto", version, propagate_version = true)]
pub struct Arguments {
    #[command(flatten)]
    pub model: ModelArguments,
    /// Print one JSON value to stdout; `chat` prints one per answer.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Parses the command line; exits with an error if it is invalid.
    pub fn of_command_line() -> Self {
        let arguments =
            Self::from_arg_matches(&words().get_matches()).unwrap_or_else(|error| error.format(&mut words()).exit());
        let refused = arguments.command.refuses_model().filter(|_| arguments.model.model.is_some());
        let refused = refused.or(arguments.command.refuses_adapters().filter(|_| !arguments.model.adapters.is_empty()));
        let lacking = arguments.command.needs_model().filter(|_| arguments.model.model.is_none());
        match (refused, lacking) {
            (Some(why), _) => words().error(ErrorKind::ArgumentConflict, why).exit(),
            (_, Some(why)) => words().error(ErrorKind::MissingRequiredArgument, why).exit(),
            (None, None) => arguments,
        }
    }
}

/// Lets options see `-1` as a value that they refuse, not as an unknown option.
fn words() -> clap::Command {
    let with_negative_numbers = |command: clap::Command| {
        command.mut_args(|argument| {
            let takes_values = argument.get_action().takes_values();
            argument.allow_negative_numbers(takes_values)
        })
    };
    with_negative_numbers(Arguments::command()).mut_subcommands(with_negative_numbers)
}

#[derive(Debug, Clone, Args)]
pub struct ModelArguments {
    /// A GGUF or packed model file, or the name of one that was pulled: owner/repo:file [default: the built-in demo model].
    #[arg(short, long, global = true, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// A LoRA adapter for the model (a GGUF file), with an optional scale (1 by default). Can be repeated.
    #[arg(long = "adapter", global = true, value_name = "FILE[=SCALE]")]
    pub adapters: Vec<AdapterArgument>,
    /// Number of threads [default: one per performance core].
    #[arg(short, long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// A folder for packed copies of GGUF files. From the second run on, they load faster and use no private memory.
    #[arg(long, global = true, value_name = "FOLDER", env = "SOTTO_CACHE")]
    pub cache: Option<PathBuf>,
    /// Delete the model file as soon as its packed copy in the cache folder is complete. It is still named by its path, or by the name
    /// that it was pulled with.
    #[arg(long, global = true, requires = "cache")]
    pub delete_source_after_packing: bool,
    /// The folder for models that are pulled [default: sotto/models in the user's cache folder].
    #[arg(long, global = true, value_name = "FOLDER", env = "SOTTO_MODELS")]
    pub models: Option<PathBuf>,
    /// The context length in tokens [default: 4096, or the model's own if that is shorter].
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub context: Option<u32>,
    /// The number format of the KV cache: q8_0 uses half the memory of f16 and is faster in long contexts.
    #[arg(long, global = true, value_enum, default_value_t = KvName::F16)]
    pub kv_cache: KvName,
    /// The inference backend.
    #[arg(long, global = true, value_enum, default_value_t = BackendName::Sotto)]
    pub backend: BackendName,
}

/// A file, and a number after the last `=` in it.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterArgument {
    pub file: PathBuf,
    pub scale: f32,
}

impl From<OsString> for AdapterArgument {
    fn from(argument: OsString) -> Self {
        let scaled = argument.to_str().and_then(|text| text.rsplit_once('='));
        match scaled.and_then(|(file, scale)| Some((file, scale.parse().ok()?))) {
            Some((file, scale)) => Self { file: file.into(), scale },
            None => Self { file: argument.into(), scale: 1.0 },
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum KvName {
    F16,
    #[value(name = "q8_0")]
    Q8_0,
    F32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum BackendName {
    /// Sotto's own engine.
    Sotto,
    /// The models of candle-transformers.
    Candle,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Summarize a voice note: title, overview, points and action items.
    Summarize {
        /// A text file: plain text, or a transcript with lines like "[00:04] what was said". With --speech, a recording. `-` reads
        /// standard input.
        note: PathBuf,
        /// A Whisper model, to transcribe the recording first.
        #[arg(long, value_name = "WHISPER")]
        speech: Option<PathBuf>,
        /// The maximum number of points. Points about the note's main topics are kept.
        #[arg(long, value_name = "N", default_value_t = SummaryOptions::default().max_points)]
        max_points: usize,
        /// The maximum number of actions. Actions with a due date or an owner are kept first [default: all].
        #[arg(long, value_name = "N")]
        max_actions: Option<usize>,
        /// The language of title and overview, by its English name [default: the note's]. The demo model copies both from
        /// the note and ignores this.
        #[arg(long, value_name = "NAME")]
        language: Option<String>,
        #[command(flatten)]
        fallback: FallbackArguments,
    },
    /// Transcribe a recording, with times.
    Transcribe {
        /// A WAV, FLAC, MP3, M4A (AAC, ALAC) or OGG (Vorbis) file. `-` reads standard input. `--model` names the Whisper model:
        /// a whisper.cpp file (ggml-*.bin), or a folder with model.safetensors, config.json and tokenizer.json.
        audio: PathBuf,
        /// The spoken language as a code, such as en [default: detected].
        #[arg(long, value_name = "CODE", value_parser = language)]
        language: Option<Language>,
        /// Translate into English.
        #[arg(long)]
        translate: bool,
        /// Names and rare words that may occur, such as "Zoë, Kubernetes".
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        vocabulary: String,
        /// Print a time for each word.
        #[arg(long)]
        words: bool,
    },
    /// Choose the label that fits a text best.
    Classify {
        #[command(flatten)]
        texts: TextArguments,
        /// Labels, separated by commas [default: urgent,task,ignorable,attention].
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        labels: Vec<String>,
        /// A label with a description that tells the model when it fits. Can be repeated and combined with --labels; the name
        /// may contain commas.
        #[arg(long = "label", value_name = "NAME[=DESCRIPTION]")]
        described: Vec<String>,
        /// Below this probability the result is marked as unsure.
        #[arg(long, value_name = "P", default_value_t = sotto::DEFAULT_MIN_CONFIDENCE)]
        min_confidence: f64,
        #[command(flatten)]
        personal: PersonalLabels,
        #[command(flatten)]
        fallback: FallbackArguments,
    },
    /// Print a text's embedding: a vector that is the more like another text's, the more the two have in common.
    Embed {
        /// The text. `-` reads standard input. `--model` names an embedding model, a folder with model.safetensors, config.json and
        /// tokenizer.json, or a language model.
        text: String,
    },
    /// Extract a JSON value from a text.
    Extract {
        #[command(flatten)]
        texts: TextArguments,
        /// A file with the JSON schema for the value.
        #[arg(long, value_name = "FILE")]
        schema: PathBuf,
        #[command(flatten)]
        fallback: FallbackArguments,
    },
    /// Chat with the model. Ctrl-C stops an answer, Ctrl-D ends the conversation.
    Chat {
        /// A system message: how the model should behave.
        #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
        system: Option<String>,
        /// Write as somebody does: what `sotto style` printed. Best with an --adapter from tune.
        #[arg(long, value_name = "FILE")]
        style: Option<PathBuf>,
        /// Programs that the model may call: a JSON list of {"name", "description", "parameters", "command"}, with parameters as a JSON schema
        /// and command as a list. A program gets its arguments as JSON on standard input, and the model gets what it prints.
        #[arg(long, value_name = "FILE", conflicts_with = "fallback")]
        tools: Option<PathBuf>,
        #[command(flatten)]
        sampling: SamplingArguments,
        /// The maximum number of tokens per answer.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 512)]
        max_tokens: usize,
        #[command(flatten)]
        fallback: FallbackArguments,
    },
    /// Continue a text, without a chat template.
    Generate {
        /// The text to continue. `-` reads standard input.
        #[arg(short, long, required_unless_present = "ids", allow_hyphen_values = true)]
        prompt: Option<String>,
        /// Token ids to continue instead, separated by commas. They may include control tokens.
        #[arg(long, value_name = "ID,…", value_delimiter = ',', conflicts_with = "prompt")]
        ids: Vec<u32>,
        /// The maximum number of tokens to write.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 64)]
        max_tokens: usize,
        #[command(flatten)]
        sampling: SamplingArguments,
    },
    /// Show the tokens of a text. Text is never read as control tokens.
    Tokenize {
        /// The text. `-` reads standard input.
        text: String,
        /// Print only the ids.
        #[arg(long)]
        ids: bool,
    },
    /// Show the exact prompt that the chat template produces for a conversation.
    Render {
        /// A JSON file: [{"role": "user", "content": "…"}, …]. `-` reads standard input.
        messages: PathBuf,
        /// A Jinja template to use instead of the model's.
        #[arg(long, value_name = "FILE")]
        template: Option<PathBuf>,
        /// The beginning-of-text token for that template.
        #[arg(long, value_name = "S", requires = "template", default_value = "")]
        bos: String,
        /// The end token for that template.
        #[arg(long, value_name = "S", requires = "template", default_value = "")]
        eos: String,
    },
    /// Measure how well the model predicts a text.
    Perplexity {
        /// A text file. `-` reads standard input.
        text: PathBuf,
        /// Tokens per window [default: --context, or else 512, or the model's context if that is shorter].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
        window: Option<u32>,
    },
    /// Show what a model file is, whether it runs here, and how much memory it needs, without loading it.
    Inspect {
        /// The GGUF file, or any part of a split one [default: --model, or the demo model].
        file: Option<PathBuf>,
    },
    /// Download a model, unless it is there, and print its path. An interrupted download goes on where it was.
    Pull {
        /// owner/repo:file.gguf on Hugging Face, also owner/repo@revision:file.gguf, or a web address. HF_ENDPOINT names a mirror,
        /// HF_TOKEN is sent for models that not everybody may read.
        source: String,
        /// The SHA-256 that the file must have. Hugging Face says it itself.
        #[arg(long, value_name = "HEX")]
        sha256: Option<String>,
    },
    /// Write a random-weight model file of a named shape, for benchmarks and tests.
    Synth {
        /// The shape.
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(sotto_synth::Shape::NAMES))]
        shape: String,
        /// The quantization.
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(sotto_synth::Quantization::NAMES))]
        quant: String,
        /// A GGUF file to take the vocabulary from [default: a synthetic vocabulary].
        #[arg(long, value_name = "FILE")]
        vocab: Option<PathBuf>,
        /// The same seed gives the same file.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Where to write it.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Pack a GGUF file for the engine. The packed file loads faster, uses no private memory, and runs on any machine.
    Pack {
        /// The GGUF file, or any part of a split one.
        file: PathBuf,
        /// Where to write the packed file [default: next to the GGUF file, with the extension .sotto].
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Delete the GGUF file (all parts of a split one) once the packed file is complete.
        #[arg(long)]
        delete: bool,
    },
    /// Merge adapters into a model's weights, for programs without adapter support.
    #[cfg(feature = "candle")]
    Merge {
        /// The GGUF file, or any part of a split one.
        file: PathBuf,
        /// The adapters, each with an optional scale (1 by default).
        #[arg(required = true, value_name = "ADAPTER[=SCALE]")]
        with: Vec<AdapterArgument>,
        /// Where to write the new model.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Learn how somebody writes: train an adapter on texts, here, and write it if it is of use. For chat and rewrite.
    Tune {
        /// A text file, a text to a line: at least eight. `-` is standard input.
        texts: PathBuf,
        /// Where to write the adapter, for --adapter.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// The most minutes to train.
        #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = minutes)]
        minutes: f64,
        /// How often each text is read, if there is time.
        #[arg(long, value_name = "N", default_value_t = TuneOptions::default().epochs)]
        epochs: usize,
        /// How many numbers each change goes through.
        #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
        rank: u16,
        /// The highest learning rate.
        #[arg(long, value_name = "X", default_value_t = TuneOptions::default().learning_rate)]
        learning_rate: f32,
        /// A file to go on from when the training was stopped; it is removed in the end.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Show, take along and delete what an app has learnt about its user.
    Personal {
        /// The personal store.
        file: PathBuf,
        #[command(subcommand)]
        action: PersonalAction,
    },
    /// Find out how somebody writes: greeting, sign-off, length of sentences, capitals, emoji, favourite phrases. Prints JSON that a
    /// person can edit, for rewrite. No model is used.
    Style {
        /// A text file, a text to a line. `-` is standard input.
        texts: PathBuf,
    },
    /// Say a text the way somebody writes, best with an adapter from tune.
    Rewrite {
        /// The text. `-` reads standard input.
        text: String,
        /// What `sotto style` printed.
        #[arg(long, value_name = "FILE")]
        style: PathBuf,
        #[command(flatten)]
        sampling: SamplingArguments,
        /// The maximum number of tokens to write.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 512)]
        max_tokens: usize,
    },
    /// Measure speed and memory.
    Bench {
        /// Prompt lengths, separated by commas.
        #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "128,512")]
        prefill: Vec<usize>,
        /// Tokens to decode.
        #[arg(long, value_name = "N", default_value_t = 64)]
        decode: usize,
        /// Tokens already in the context, separated by commas. Everything is measured at each depth.
        #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "0")]
        depth: Vec<usize>,
        /// Batch sizes to measure decoding throughput with, separated by commas.
        #[arg(long, value_name = "N,…", value_delimiter = ',')]
        sequences: Vec<usize>,
        /// How often to repeat each measurement. The median is reported.
        #[arg(long, value_name = "N", default_value_t = 3)]
        repeat: usize,
        /// llama.cpp's llama-bench, run alternately with the same GGUF file and number of threads.
        #[arg(long, value_name = "PROGRAM")]
        compare: Option<PathBuf>,
        /// The GGUF file for --compare, if --model is its packed copy.
        #[arg(long, value_name = "FILE", requires = "compare")]
        compare_model: Option<PathBuf>,
        /// Write a plot of the speeds to this file.
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.0..=1e6).contains(minutes));
    minutes.ok_or_else(|| "a number of minutes, such as 10 or 0.5".into())
}

/// A server that answers what this machine cannot.
#[derive(Debug, Clone, Args)]
pub struct FallbackArguments {
    /// An OpenAI-compatible server (llama.cpp's, vLLM, ollama) that answers what this machine cannot. The text is then sent there.
    /// SOTTO_FALLBACK_KEY is sent as its key.
    #[arg(long, value_name = "URL", requires = "fallback_model")]
    pub fallback: Option<String>,
    /// What the server calls its model.
    #[arg(long, value_name = "NAME", requires = "fallback")]
    pub fallback_model: Option<String>,
    /// When the server answers: context (the text is too long), model (the model is not there, or cannot be loaded), confidence=P (the
    /// probability of the label is below P).
    #[arg(long, value_name = "WHEN,…", requires = "fallback", value_delimiter = ',', default_value = "context,model")]
    pub fallback_when: Vec<Condition>,
    /// The most seconds of silence before the server is given up.
    #[arg(long, value_name = "N", requires = "fallback", default_value_t = 120.0, value_parser = seconds)]
    pub fallback_timeout: f64,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.01..=1e6).contains(seconds));
    seconds.ok_or_else(|| "a number of seconds, such as 120 or 0.5".into())
}

/// What a person has taught about labels.
#[derive(Debug, Args)]
pub struct PersonalLabels {
    /// A personal store, whose examples count beside what the model says. It is made if it is not there.
    #[arg(long, value_name = "FILE", requires = "classifier", conflicts_with_all = ["lines", "fallback"])]
    pub store: Option<PathBuf>,
    /// The name of the classifier in the store: it learns from the examples of this collection.
    #[arg(long, value_name = "NAME", requires = "store")]
    pub classifier: Option<String>,
    /// Learn first that this is the text's label.
    #[arg(long, value_name = "LABEL", requires = "store")]
    pub learn: Option<String>,
    /// An embedding model (a folder) that finds similar examples [default: the language model].
    #[arg(long, value_name = "FOLDER", requires = "store")]
    pub embedder: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum PersonalAction {
    /// List all records, with source and time.
    Records,
    /// Write all records to a JSON file.
    Export {
        /// Where to write it.
        output: PathBuf,
    },
    /// Add the records of an exported file. The store is made if it is not there.
    Import {
        /// The exported file.
        export: PathBuf,
    },
    /// Delete records.
    Delete {
        /// Their ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<u64>,
    },
    /// Delete all records of a source.
    Forget {
        /// The source, as `records` names it.
        source: String,
    },
    /// Delete all records, and all that was learnt from them.
    DeleteAll,
    /// Stop learning; what was learnt stays.
    Pause,
    /// Learn again.
    Resume,
    /// Recommend items of a collection for now, each with the reason.
    Recommend {
        /// The collection.
        collection: String,
        /// A text that they should be similar to.
        #[arg(long, value_name = "TEXT")]
        near: Option<String>,
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 5)]
        limit: usize,
    },
}

fn language(code: &str) -> Result<Language, String> {
    Language::from_code(code)
        .ok_or_else(|| "this is not a language code that Whisper knows, such as en, de or zh".into())
}

impl Command {
    /// Why the command needs `--model`, if it does.
    fn needs_model(&self) -> Option<&'static str> {
        match self {
            Self::Transcribe { .. } => Some("transcribe needs a Whisper model: --model ggml-base.bin"),
            _ => None,
        }
    }

    /// Why the command does not take `--model`, if it does not.
    fn refuses_model(&self) -> Option<&'static str> {
        match self {
            Self::Inspect { file: Some(_) } => Some("the file is already given: leave --model out"),
            Self::Personal { .. } => Some("a personal store needs no model: leave --model out"),
            Self::Pack { .. } => Some("pack takes its GGUF file without --model: sotto pack FILE"),
            #[cfg(feature = "candle")]
            Self::Merge { .. } => Some("merge takes its GGUF file without --model: sotto merge FILE ADAPTER -o FILE"),
            Self::Pull { .. } => Some("pull takes the model's name without --model: sotto pull owner/repo:file.gguf"),
            Self::Style { .. } => Some("style uses no model: leave --model out"),
            Self::Synth { .. } => Some("synth takes no --model: --vocab names the file to take the vocabulary from"),
            Self::Render { template: Some(_), .. } => Some("--template replaces the model: leave --model out"),
            _ => None,
        }
    }

    /// Why the command does not take `--adapter`, if it does not.
    fn refuses_adapters(&self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "candle")]
            Self::Merge { .. } => Some("merge takes its adapters without --adapter: sotto merge FILE ADAPTER -o FILE"),
            Self::Inspect { .. } => Some("inspect takes one file: sotto inspect ADAPTER.gguf"),
            Self::Tune { .. } => Some("tune trains an adapter of the model itself: leave --adapter out"),
            Self::Transcribe { .. } => Some("a Whisper model takes no adapter: leave --adapter out"),
            Self::Tokenize { .. }
            | Self::Render { .. }
            | Self::Synth { .. }
            | Self::Pack { .. }
            | Self::Pull { .. }
            | Self::Personal { .. }
            | Self::Style { .. } => Some("an adapter has no effect here: leave --adapter out"),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct TextArguments {
    /// The text. `-` reads standard input.
    pub text: Option<String>,
    /// A file with a text in each line; `-` reads standard input. There is a result for each line, in the same order: with `--json`, a
    /// line of JSON.
    #[arg(long, value_name = "FILE", conflicts_with = "fallback")]
    pub lines: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct SamplingArguments {
    /// 0 always chooses the most probable token.
    #[arg(long, value_name = "T")]
    pub temperature: Option<f32>,
    /// Sample only from the K most probable tokens.
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Sample only from the most probable tokens whose probabilities add up to P.
    #[arg(long, value_name = "P")]
    pub top_p: Option<f32>,
    /// Sample only from tokens with at least P times the probability of the most probable one.
    #[arg(long, value_name = "P")]
    pub min_p: Option<f32>,
    /// Values above 1 make tokens that already occurred less probable.
    #[arg(long, value_name = "X")]
    pub repetition_penalty: Option<f32>,
    /// The same seed gives the same answer.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl SamplingArguments {
    /// `base` with the given settings.
    pub fn over(&self, base: sotto::SamplingOptions) -> sotto::SamplingOptions {
        sotto::SamplingOptions {
            temperature: self.temperature.unwrap_or(base.temperature),
            top_k: self.top_k.or(base.top_k),
            top_p: self.top_p.or(base.top_p),
            min_p: self.min_p.or(base.min_p),
            repetition_penalty: self.repetition_penalty.unwrap_or(base.repetition_penalty),
            seed: self.seed,
            ..base
        }
    }
}
