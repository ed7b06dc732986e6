//! The words of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use sotto::{Language, SummaryOptions};

/// Runs a language model on this machine: summarize voice notes, classify, extract, chat. Nothing leaves it.
#[derive(Debug, Parser)]
#[command(name = "sotto", version, propagate_version = true)]
pub struct Arguments {
    #[command(flatten)]
    pub model: ModelArguments,
    /// Print one JSON value on stdout; `chat` prints one for each answer.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// The words that the program was started with; it ends here if they make no sense.
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

/// `-1` is a value that an option refuses, not an option that there is not.
fn words() -> clap::Command {
    let with_negative_numbers = |command: clap::Command| {
        command.mut_args(|argument| {
            let takes_values = argument.get_action().takes_values();
            argument.allow_negative_numbers(takes_values)
        })
    };
    with_negative_numbers(Arguments::command()).mut_subcommands(with_negative_numbers)
}

#[derive(Debug, Args)]
pub struct ModelArguments {
    /// A GGUF or packed model file; the built-in demo model when left out.
    #[arg(short, long, global = true, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// An adapter (LoRA) of the model, a GGUF file, and what its change is multiplied with (1 when left out); may be given more
    /// than once.
    #[arg(long = "adapter", global = true, value_name = "FILE[=SCALE]")]
    pub adapters: Vec<AdapterArgument>,
    /// Threads to compute with; the performance cores when left out.
    #[arg(short, long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// A folder for packed copies of GGUF files: from the second time on, they load faster and take no private memory.
    #[arg(long, global = true, value_name = "FOLDER", env = "SOTTO_CACHE")]
    pub cache: Option<PathBuf>,
    /// The longest context, in tokens; 4096, or the model's own if less, when left out.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub context: Option<u32>,
    /// The numbers of the KV cache: q8_0 takes half the memory of f16, and is faster in long contexts.
    #[arg(long, global = true, value_enum, default_value_t = KvName::F16)]
    pub kv_cache: KvName,
    /// What computes.
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
        /// A text file: plain text, or lines like "[00:04] what was said". With --speech, a recording. `-` is standard input.
        note: PathBuf,
        /// A Whisper model that transcribes the recording first.
        #[arg(long, value_name = "WHISPER")]
        speech: Option<PathBuf>,
        /// The most points: those about the note's main topics are kept.
        #[arg(long, value_name = "N", default_value_t = SummaryOptions::default().max_points)]
        max_points: usize,
        /// The most actions, those with a due date or an owner first; all when left out.
        #[arg(long, value_name = "N")]
        max_actions: Option<usize>,
        /// The language of title and overview, by its English name; the note's own when left out. The demo model copies them
        /// from the note.
        #[arg(long, value_name = "NAME")]
        language: Option<String>,
    },
    /// Write down what is said in a recording, with times.
    Transcribe {
        /// A WAV, FLAC, MP3, M4A (AAC, ALAC) or OGG (Vorbis) file. `-` is standard input. `--model` names the Whisper model: a file
        /// of whisper.cpp (ggml-*.bin), or a folder with model.safetensors, config.json and tokenizer.json.
        audio: PathBuf,
        /// The language that is spoken, by its code, such as en; detected when left out.
        #[arg(long, value_name = "CODE", value_parser = language)]
        language: Option<Language>,
        /// Translate into English.
        #[arg(long)]
        translate: bool,
        /// Names and rare words that may be said, such as "Zoë, Kubernetes".
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        vocabulary: String,
        /// Give each word its time.
        #[arg(long)]
        words: bool,
    },
    /// Say which of some labels fits a text.
    Classify {
        /// The text; `-` is standard input.
        text: String,
        /// Labels, separated by commas; urgent,task,ignorable,attention when there are none.
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        labels: Vec<String>,
        /// A label, and when it fits: the model is told. May be given more than once, and beside --labels; its name may have commas.
        #[arg(long = "label", value_name = "NAME[=DESCRIPTION]")]
        described: Vec<String>,
        /// Below this probability the answer says that it abstains.
        #[arg(long, value_name = "P", default_value_t = sotto::DEFAULT_MIN_CONFIDENCE)]
        min_confidence: f64,
    },
    /// Read a JSON value out of a text.
    Extract {
        /// The text; `-` is standard input.
        text: String,
        /// A file with the JSON schema that the value fits.
        #[arg(long, value_name = "FILE")]
        schema: PathBuf,
    },
    /// Talk with the model. Ctrl-C stops an answer, Ctrl-D ends the conversation.
    Chat {
        /// How the model should behave.
        #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
        system: Option<String>,
        #[command(flatten)]
        sampling: SamplingArguments,
        /// The most tokens of one answer.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 512)]
        max_tokens: usize,
    },
    /// Continue a text, without a chat template.
    Generate {
        /// The text to continue; `-` is standard input.
        #[arg(short, long, required_unless_present = "ids", allow_hyphen_values = true)]
        prompt: Option<String>,
        /// Token ids to continue instead, separated by commas; control tokens can be among them.
        #[arg(long, value_name = "ID,…", value_delimiter = ',', conflicts_with = "prompt")]
        ids: Vec<u32>,
        /// The most tokens to write.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 64)]
        max_tokens: usize,
        #[command(flatten)]
        sampling: SamplingArguments,
    },
    /// Show the tokens of a text. Control tokens are never read from it.
    Tokenize {
        /// The text; `-` is standard input.
        text: String,
        /// Print the ids alone.
        #[arg(long)]
        ids: bool,
    },
    /// Show the exact prompt that a chat template makes of a conversation.
    Render {
        /// A JSON file: [{"role": "user", "content": "…"}, …]. `-` is standard input.
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
        /// A text file; `-` is standard input.
        text: PathBuf,
        /// Tokens of a window; as `--context`, or 512 if the model has so many, when left out.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
        window: Option<u32>,
    },
    /// Say what a model file is, whether it would run here, and in how much memory. Nothing is loaded.
    Inspect {
        /// The GGUF file, or any part of a split one; the model of `--model`, or the demo model, when left out.
        file: Option<PathBuf>,
    },
    /// Write a random-weight model file of a named shape, for benchmarks and tests.
    Synth {
        /// The shape.
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(sotto_synth::Shape::NAMES))]
        shape: String,
        /// The quantization.
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(sotto_synth::Quantization::NAMES))]
        quant: String,
        /// A GGUF file to take the vocabulary from; a made-up one when left out.
        #[arg(long, value_name = "FILE")]
        vocab: Option<PathBuf>,
        /// The same seed gives the same file.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Where to write it.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Pack a GGUF file for the engine: the result loads faster, takes no private memory, and runs on any machine.
    Pack {
        /// The GGUF file, or any part of a split one.
        file: PathBuf,
        /// Where to write the packed file; beside the GGUF file, with the ending .sotto, when left out.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Delete the GGUF file, of a split one all parts, when the packed one is whole.
        #[arg(long)]
        delete: bool,
    },
    /// Write a model with adapters added to its weights: for programs that know no adapters.
    #[cfg(feature = "candle")]
    Merge {
        /// The GGUF file, or any part of a split one.
        file: PathBuf,
        /// The adapters, each with what its change is multiplied with (1 when left out).
        #[arg(required = true, value_name = "ADAPTER[=SCALE]")]
        with: Vec<AdapterArgument>,
        /// Where to write the new model.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Measure speed and memory.
    Bench {
        /// Prompt lengths, separated by commas.
        #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "128,512")]
        prefill: Vec<usize>,
        /// Tokens to decode.
        #[arg(long, value_name = "N", default_value_t = 64)]
        decode: usize,
        /// Tokens in the context before prefill or decoding, separated by commas: each is measured at each.
        #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "0")]
        depth: Vec<usize>,
        /// How many sequences decode together, separated by commas: throughput of a batch.
        #[arg(long, value_name = "N,…", value_delimiter = ',')]
        sequences: Vec<usize>,
        /// How often each is measured; the median counts.
        #[arg(long, value_name = "N", default_value_t = 3)]
        repeat: usize,
        /// A llama-bench of llama.cpp, to be run in turns with the same GGUF file and threads.
        #[arg(long, value_name = "PROGRAM")]
        compare: Option<PathBuf>,
        /// The GGUF file for --compare, when --model is its packed copy.
        #[arg(long, value_name = "FILE", requires = "compare")]
        compare_model: Option<PathBuf>,
        /// Write a plot of the speeds to this file.
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
}

fn language(code: &str) -> Result<Language, String> {
    Language::from_code(code)
        .ok_or_else(|| "not the code of a language that Whisper knows: such as en, de or zh".into())
}

impl Command {
    /// Why the command cannot do without `--model`, where it cannot.
    fn needs_model(&self) -> Option<&'static str> {
        match self {
            Self::Transcribe { .. } => Some("transcribe needs a Whisper model: --model ggml-base.bin"),
            _ => None,
        }
    }

    /// Why `--model` means nothing here, where it does not.
    fn refuses_model(&self) -> Option<&'static str> {
        match self {
            Self::Inspect { file: Some(_) } => Some("the file is named already: leave --model out"),
            Self::Pack { .. } => Some("pack takes its GGUF file without --model: sotto pack FILE"),
            #[cfg(feature = "candle")]
            Self::Merge { .. } => Some("merge takes its GGUF file without --model: sotto merge FILE ADAPTER -o FILE"),
            Self::Synth { .. } => Some("synth takes no --model: --vocab names the file that lends its vocabulary"),
            Self::Render { template: Some(_), .. } => Some("--template takes the model's place: leave --model out"),
            _ => None,
        }
    }

    /// Why `--adapter` means nothing here, where it does not.
    fn refuses_adapters(&self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "candle")]
            Self::Merge { .. } => Some("merge takes its adapters without --adapter: sotto merge FILE ADAPTER -o FILE"),
            Self::Inspect { .. } => Some("inspect takes one file: sotto inspect ADAPTER.gguf"),
            Self::Transcribe { .. } => Some("a Whisper model takes no adapter: leave --adapter out"),
            Self::Tokenize { .. } | Self::Render { .. } | Self::Synth { .. } | Self::Pack { .. } => {
                Some("nothing is computed here that an adapter could change: leave --adapter out")
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct SamplingArguments {
    /// 0 always takes the most probable token.
    #[arg(long, value_name = "T")]
    pub temperature: Option<f32>,
    /// Only the K most probable tokens.
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Only the most probable tokens that together have this probability.
    #[arg(long, value_name = "P")]
    pub top_p: Option<f32>,
    /// Only tokens with at least this share of the most probable one's probability.
    #[arg(long, value_name = "P")]
    pub min_p: Option<f32>,
    /// Above 1, makes tokens that were written before less probable.
    #[arg(long, value_name = "X")]
    pub repetition_penalty: Option<f32>,
    /// The same seed gives the same answer.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl SamplingArguments {
    /// `base` with what was given changed in it.
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
