//! What the person sees besides the answer: progress, figures and errors, all on stderr.

use std::time::Duration;

use console::{Term, style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sotto::Metrics;

use crate::failure::Failure;

/// Prints an error, and what would help.
pub fn error(failure: &Failure) {
    eprintln!("{} {failure}", style("error:").for_stderr().red().bold());
    if let Some(advice) = failure.advice() {
        eprintln!("       {advice}");
    }
}

/// Prints a quiet line of figures.
pub fn figures(line: &str) {
    eprintln!("{}", style(line).for_stderr().dim());
}

/// What a request cost, in a line.
pub fn metrics(metrics: &Metrics) {
    figures(&format!(
        "first token after {} · read {} tokens at {:.0}/s{} · wrote {} at {:.0}/s · {} private · {}, {} thread{}",
        seconds(metrics.time_to_first_token),
        metrics.prefill_tokens,
        metrics.prefill_tokens_per_second(),
        if metrics.reused_tokens > 0 { format!(" (and {} from before)", metrics.reused_tokens) } else { String::new() },
        metrics.decode_tokens,
        metrics.decode_tokens_per_second(),
        bytes(metrics.private_bytes),
        metrics.kernels,
        metrics.threads,
        if metrics.threads == 1 { "" } else { "s" },
    ));
}

/// A duration as a person reads it.
pub fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}

/// A size as a person reads it.
pub fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// A spinner with a word of what is being done; nothing where stderr is no terminal.
pub fn spinner(message: String) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, target());
    spinner.set_message(message);
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// A bar of bytes or tokens; nothing where stderr is no terminal.
pub fn bar(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(0), target()).with_style(style)
}

fn target() -> ProgressDrawTarget {
    if Term::stderr().is_term() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
