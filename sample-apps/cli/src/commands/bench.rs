use std::io::Write;
use std::time::Instant;

use serde::Serialize;
use sotto::{BenchOptions, BenchReport};

use super::{load_quietly, model_file, print_json, watch};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::screen;

#[derive(Serialize)]
struct TimedReport {
    load_seconds: f64,
    #[serde(flatten)]
    report: BenchReport,
}

pub fn run(
    arguments: &ModelArguments,
    prefill: &[usize],
    decode: usize,
    depths: &[usize],
    repetitions: usize,
    json: bool,
) -> Result<(), Failure> {
    let started = Instant::now();
    let model = load_quietly(arguments, model_file(arguments))?;
    let load_seconds = started.elapsed().as_secs_f64();
    let options = BenchOptions { prefill: prefill.to_vec(), decode, depths: depths.to_vec(), repetitions };
    let spinner = screen::spinner("starting".into());
    let report = watch(model.bench(&options), |step| {
        spinner.set_message(step);
        Ok(())
    })?;
    spinner.finish_and_clear();
    let timed = TimedReport { load_seconds, report };
    if json { print_json(&timed) } else { print(&timed) }
}

fn print(TimedReport { load_seconds, report }: &TimedReport) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "load      {}", screen::seconds(*load_seconds))?;
    for speed in &report.prefill {
        writeln!(
            out,
            "prefill   {:>8.1} tokens/s  ({} tokens, {} before them)",
            speed.tokens_per_second, speed.tokens, speed.depth
        )?;
    }
    for speed in &report.decode {
        writeln!(
            out,
            "decode    {:>8.1} tokens/s  ({} tokens, {} before them)",
            speed.tokens_per_second, speed.tokens, speed.depth
        )?;
    }
    let memory = &report.memory;
    let peak = memory.peak_rss_bytes.map(|peak| format!(", peak resident {}", screen::bytes(peak)));
    writeln!(
        out,
        "memory    {} private, {} mapped{}",
        screen::bytes(memory.private_bytes),
        screen::bytes(memory.mapped_bytes),
        peak.unwrap_or_default()
    )?;
    writeln!(out, "kernels   {}, {} threads", report.kernels, report.threads)?;
    Ok(())
}
