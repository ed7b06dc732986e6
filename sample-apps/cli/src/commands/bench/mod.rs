//! `sotto bench`: measures the model, the machine, and optionally another program.

mod peer;
mod plot;

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use sotto::{BenchOptions, BenchReport, LocalModel};

use self::peer::{Comparison, Peer};
use super::{load_quietly, model_file, print_json, watch};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::screen;

#[derive(Serialize)]
struct Report {
    load_seconds: f64,
    #[serde(flatten)]
    bench: BenchReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
}

/// Runs the benchmark, alternating with `peer` (a program, and its model file if it differs) if there is one.
pub fn run(
    arguments: &ModelArguments,
    options: BenchOptions,
    peer: Option<(&Path, Option<&Path>)>,
    svg: Option<&Path>,
    json: bool,
) -> Result<(), Failure> {
    let peer = peer.map(|(program, model)| Peer::new(program, model.or(arguments.model.as_deref()))).transpose()?;
    let started = Instant::now();
    let model = load_quietly(arguments, model_file(arguments))?;
    let load_seconds = started.elapsed().as_secs_f64();
    let (bench, comparison) = match peer {
        None => (measure(&model, &options)?, None),
        Some(peer) => {
            let (bench, comparison) = in_turns(&model, &options, &peer)?;
            (bench, Some(comparison))
        }
    };
    let report = Report { load_seconds, bench, comparison };
    if json {
        print_json(&report)?
    } else {
        print(&report)?
    }
    svg.map_or(Ok(()), |path| plot::write(path, &report.bench, report.comparison.as_ref()))
}

fn measure(model: &LocalModel, options: &BenchOptions) -> Result<BenchReport, Failure> {
    let spinner = screen::spinner("starting".into());
    let report = watch(model.bench(options), |step| {
        spinner.set_message(step);
        Ok(())
    });
    spinner.finish_and_clear();
    report.map_err(|failure| failure.asked_by("--depth with --prefill or --decode"))
}

/// Alternates between both programs, so that disturbances affect both. Returns medians of all turns.
fn in_turns(model: &LocalModel, options: &BenchOptions, peer: &Peer) -> Result<(BenchReport, Comparison), Failure> {
    let once = BenchOptions { repetitions: 1, ..options.clone() };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 1..=options.repetitions.max(1) {
        ours.push(measure(model, &once)?);
        let spinner = screen::spinner(format!("{}, turn {turn}", peer.name()));
        theirs.push(peer.measure(&once, ours[0].threads)?);
        spinner.finish_and_clear();
    }
    let bench = BenchReport::median(&ours);
    let comparison = peer.compare(&bench, &theirs);
    Ok((bench, comparison))
}

fn print(Report { load_seconds, bench, comparison }: &Report) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "load      {}", screen::seconds(*load_seconds))?;
    let share = |share: Option<f64>, of: &str| share.map_or(String::new(), |s| format!(", {:.0} % of {of}", 100.0 * s));
    for (index, speed) in bench.prefill.iter().enumerate() {
        writeln!(
            out,
            "prefill   {:>8.1} tokens/s  ({}, {} before; first token after {}{}){}",
            speed.tokens_per_second,
            screen::count(speed.tokens, "token"),
            speed.depth,
            screen::seconds(speed.first_token_seconds),
            share(speed.share_of_ceiling, "int8"),
            comparison.as_ref().map_or(String::new(), |peer| peer.prefill[index].to_string()),
        )?;
    }
    for (index, speed) in bench.decode.iter().enumerate() {
        writeln!(
            out,
            "decode    {:>8.1} tokens/s  ({}, {} before{}){}",
            speed.tokens_per_second,
            screen::count(speed.tokens, "token"),
            speed.depth,
            share(speed.share_of_ceiling, "bandwidth"),
            comparison.as_ref().map_or(String::new(), |peer| peer.decode[index].to_string()),
        )?;
    }
    for speed in &bench.batches {
        writeln!(
            out,
            "together  {:>8.1} tokens/s  (of {})",
            speed.tokens_per_second,
            screen::count(speed.sequences, "sequence")
        )?;
    }
    if let Some(ceilings) = &bench.ceilings {
        writeln!(
            out,
            "ceilings  {:.0} billion int8 multiply-accumulates/s, {:.1} GB/s of weights",
            ceilings.int8_multiply_accumulates_per_second / 1e9,
            ceilings.bytes_per_second / 1e9
        )?;
    }
    let memory = &bench.memory;
    let resident =
        |what: &str, bytes: Option<u64>| bytes.map_or(String::new(), |b| format!(", {what} {}", screen::bytes(b)));
    writeln!(
        out,
        "memory    {} for the context, {} mapped{}{}",
        screen::bytes(memory.private_bytes),
        screen::bytes(memory.mapped_bytes),
        resident("resident and private", memory.private_rss_bytes),
        resident("resident at most", memory.peak_rss_bytes),
    )?;
    writeln!(out, "kernels   {}, {}", bench.kernels, screen::count(bench.threads, "thread"))?;
    Ok(())
}
