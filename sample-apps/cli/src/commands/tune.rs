use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sotto::{LocalModel, TuneOptions, TuneProgress, TuneReport};

use super::{print_json, watch};
use crate::failure::Failure;
use crate::{input, screen};

/// Steps, and what was learnt in the last.
const STEPS_BAR: &str = "{pos} of {len} steps {wide_bar} {msg}";

pub fn run(model: &LocalModel, texts: &Path, output: &Path, options: &TuneOptions, json: bool) -> Result<(), Failure> {
    let texts = input::read_lines(texts)?;
    let bar = screen::bar(STEPS_BAR);
    let outcome = watch(model.tune(&texts, output, options), |progress: TuneProgress| {
        bar.set_length(progress.steps as u64);
        bar.set_position(progress.step as u64);
        bar.set_message(format!("{:.3} nats, {:.0} s left", progress.loss, progress.seconds_left));
        Ok(())
    });
    bar.finish_and_clear();
    let report = outcome?;
    screen::figures(&format!(
        "{} steps, {} tokens in {}, {:.0} tokens/s",
        report.steps,
        report.tokens,
        screen::seconds(report.seconds),
        report.tokens as f64 / report.seconds.max(1e-9),
    ));
    match json {
        true => print_json(&values(&report, output))?,
        false => print(&report, output)?,
    }
    match report.kept {
        true => Ok(()),
        false => Err(Failure::NotKept(output.to_owned())),
    }
}

fn print(report: &TuneReport, output: &Path) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let [[held_out, learnt], [general, after]] =
        [report.held_out, report.general].map(|losses| losses.map(|loss| loss.mean()));
    writeln!(out, "held-out texts: {held_out:.3} nats per token before, {learnt:.3} after")?;
    writeln!(out, "general text:   {general:.3} nats per token before, {after:.3} after")?;
    if report.kept {
        let file = output.display().to_string();
        let weaker =
            if report.strength < 1.0 { format!(", at {} of its strength", report.strength) } else { String::new() };
        writeln!(out, "wrote {}{weaker}", screen::answer(&file))?;
    }
    Ok(())
}

fn values(report: &TuneReport, output: &Path) -> serde_json::Value {
    let [held_out, general] = [report.held_out, report.general].map(|losses| losses.map(|loss| loss.mean()));
    serde_json::json!({
        "kept": report.kept,
        "strength": report.strength,
        "file": report.kept.then(|| output.to_string_lossy()),
        "held_out_nll": held_out,
        "general_nll": general,
        "steps": report.steps,
        "tokens": report.tokens,
        "seconds": report.seconds,
    })
}

/// What the command line says.
pub fn options(
    minutes: f64,
    epochs: usize,
    rank: usize,
    learning_rate: f32,
    checkpoint: Option<PathBuf>,
) -> TuneOptions {
    let time = Some(Duration::from_secs_f64(60.0 * minutes));
    TuneOptions { time, epochs, rank, learning_rate, checkpoint, ..TuneOptions::default() }
}
