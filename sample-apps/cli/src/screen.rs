//! Everything on stderr: progress, statistics and errors.

use std::borrow::Cow;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::LazyLock;
use std::time::Duration;

use console::{Term, style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sotto::{FinishReason, HandoverReason, Metrics, Progress};

use crate::failure::Failure;
use crate::visible::visible;

/// Whether the output goes to a terminal.
static STDOUT_IS_TERMINAL: LazyLock<bool> = LazyLock::new(|| std::io::stdout().is_terminal());

/// A text for stdout: a terminal gets it without control characters, a file gets it unchanged.
pub fn answer(text: &str) -> Cow<'_, str> {
    if *STDOUT_IS_TERMINAL { visible(text) } else { Cow::Borrowed(text) }
}

/// Writes the log to stderr, warnings unless the environment asks for more. Messages of the audio decoder are off,
/// because they are already reported as errors.
pub fn init_log() {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn,symphonia=off"))
        .format(|out, record| {
            let text = format!("{}] {}", record.target(), record.args());
            writeln!(out, "[{} {}", record.level(), visible(&text))
        })
        .init();
}

/// Prints an error with advice.
pub fn error(failure: &Failure) {
    let (word, what) = (style("error:").for_stderr().red().bold(), failure.to_string());
    print(format_args!("{word} {}\n", visible(&what)));
    if let Some(advice) = failure.advice() {
        print(format_args!("       {advice}\n"));
    }
}

/// Prints a line of statistics in a dim style.
pub fn figures(line: &str) {
    print(format_args!("{}\n", style(visible(line)).for_stderr().dim()));
}

/// Prints the prompt of a conversation.
pub fn ask() {
    print(format_args!("> "));
}

/// If stderr cannot be written, there is nobody to tell, but the answer must still appear. `eprint` would panic.
fn print(text: fmt::Arguments<'_>) {
    let _ = std::io::stderr().write_fmt(text);
}

/// The statistics of a request in one line.
pub fn metrics(metrics: &Metrics) {
    if let Some(reason) = metrics.handed_over {
        return handed_over(reason, metrics);
    }
    figures(&format!(
        "first token after {} · read {} at {:.0}/s{} · wrote {} at {:.0}/s · {} private · {}, {}",
        seconds(metrics.time_to_first_token),
        count(metrics.prefill_tokens, "token"),
        metrics.prefill_tokens_per_second(),
        if metrics.reused_tokens > 0 {
            format!(" ({} more were cached)", metrics.reused_tokens)
        } else {
            String::new()
        },
        metrics.decode_tokens,
        metrics.decode_tokens_per_second(),
        bytes(metrics.private_bytes),
        metrics.kernels,
        count(metrics.threads, "thread"),
    ));
}

/// Says that a server answered, and why.
fn handed_over(reason: HandoverReason, metrics: &Metrics) {
    let why = match reason {
        HandoverReason::ContextTooLong => "the text is too long for the context",
        HandoverReason::LowConfidence => "the model was not sure enough",
        HandoverReason::ModelMissing => "the model is not there, or cannot be loaded",
    };
    let tokens = match (metrics.prefill_tokens, metrics.decode_tokens) {
        // Not every server tells.
        (0, 0) => String::new(),
        (read, wrote) => format!(" · read {} and wrote {wrote}", count(read, "token")),
    };
    let first = seconds(metrics.time_to_first_token);
    figures(&format!("answered by the fallback server, because {why} · first token after {first}{tokens}"));
}

/// Says that an answer was cut off, if it was, and how to get more of it.
pub fn cut_off(reason: FinishReason) {
    let how = match reason {
        FinishReason::Complete => return,
        FinishReason::MaxTokens => "at its limit of tokens: -n allows more",
        FinishReason::TooManyToolCalls => "as the model wanted to call tools again and again",
        FinishReason::ContextFull => "at the end of the context: --context allows more, if the model does",
    };
    print(format_args!("{} the answer was cut off {how}\n", style("note:").for_stderr().yellow().bold()));
}

/// A number with a noun: "1 thread", "2 threads".
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A duration in readable form.
pub fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}

/// A size in readable form.
pub fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// A spinner with a message; hidden if stderr is not a terminal.
pub fn spinner(message: String) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, target()).with_style(ProgressStyle::default_spinner());
    spinner.set_message(message);
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// A progress bar; hidden if stderr is not a terminal.
pub fn bar(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(0), target()).with_style(style)
}

/// Updates a progress bar.
pub fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}

fn target() -> ProgressDrawTarget {
    if Term::stderr().is_term() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
