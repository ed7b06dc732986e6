use std::io::Write;
use std::path::Path;

use sotto::{ContextMemory, FileReport, Fit, ModelFile};

use super::{load_options, model_file, print_json, watch};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::screen::{answer, bytes, count};

pub fn run(arguments: &ModelArguments, file: Option<&Path>, json: bool) -> Result<(), Failure> {
    let file = file.map_or_else(|| model_file(arguments), ModelFile::path);
    let report = watch(sotto::inspect(file, &load_options(arguments)), |never| match never {});
    let report = report.map_err(|failure| failure.asked_by("--context"))?;
    if json { print_json(&report) } else { print(&report) }
}

fn print(report: &FileReport) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for (name, value) in lines(report) {
        writeln!(out, "{name:<16}{}", answer(&value))?;
    }
    Ok(())
}

/// Names and values, the most important first.
fn lines(report: &FileReport) -> Vec<(&'static str, String)> {
    let unknown = || "(unknown)".to_owned();
    let mut lines = vec![
        ("runs here", runs(report)),
        ("kind", report.kind.name().to_owned()),
        ("name", report.name.clone().unwrap_or_else(unknown)),
        ("architecture", report.architecture.clone().unwrap_or_else(unknown)),
        ("parameters", format!("{:.1} M", report.parameters as f64 / 1e6)),
        ("size", size(report)),
    ];
    lines.extend(report.adapter_rank.map(|rank| ("adapter", format!("LoRA of rank {rank}"))));
    lines.extend(weights(report));
    let tokens = report.vocab_size.map_or(String::new(), |tokens| format!(", {}", count(tokens, "token")));
    let tokenizer = if report.tokenizer.is_empty() { "none" } else { &report.tokenizer };
    lines.push(("tokenizer", format!("{tokenizer}{tokens}")));
    lines.push(("chat template", if report.has_chat_template { "in the file" } else { "none in the file" }.into()));
    if report.tuned {
        lines.push(("task formats", "trained on Sotto's own".into()));
    }
    lines.extend(report.warnings.iter().enumerate().map(|(index, warning)| {
        let label = if index == 0 { "warnings" } else { "" };
        (label, warning.clone())
    }));
    lines.push((
        "context",
        report.context_length.map_or_else(unknown, |tokens| format!("up to {}", count(tokens, "token"))),
    ));
    lines.extend(memory(report));
    lines
}

fn runs(report: &FileReport) -> String {
    match report.fit {
        Fit::Fits => "yes".into(),
        Fit::Tight => "slowly: not all of its weights stay in the free memory".into(),
        Fit::TooLarge => "no: there is not enough free memory for its context now".into(),
        Fit::Unsupported => format!("no: {}", report.why_not.as_deref().unwrap_or_default()),
    }
}

fn size(report: &FileReport) -> String {
    let size = bytes(report.file_bytes);
    match (report.files, report.packed) {
        (_, true) => format!("{size}, packed"),
        (1, false) => size,
        (files, false) => format!("{size} in {files} files"),
    }
}

/// A line for each format, with its share.
fn weights(report: &FileReport) -> Vec<(&'static str, String)> {
    let all = report.weights.values().map(|of| of.bytes).sum::<u64>().max(1) as f64;
    let mut formats: Vec<_> = report.weights.iter().collect();
    formats.sort_by_key(|(_, of)| std::cmp::Reverse(of.bytes));
    let line = |(index, (name, of)): (usize, (&String, &sotto::WeightsOfType))| {
        let share = 100.0 * of.bytes as f64 / all;
        let label = if index == 0 { "weights" } else { "" };
        let packed_as = of.packed_as.iter().map(|wider| format!(", packed as {wider}")).collect::<String>();
        (
            label,
            format!("{name:<8}{share:>5.1} %  {:>11}  in {}{packed_as}", bytes(of.bytes), count(of.tensors, "tensor")),
        )
    };
    formats.into_iter().enumerate().map(line).collect()
}

fn memory(report: &FileReport) -> Vec<(&'static str, String)> {
    if report.contexts.is_empty() {
        return Vec::new();
    }
    let available = report.available_bytes.map(|available| ("", format!("{} available now", bytes(available))));
    let weights = match report.copied_bytes {
        0 => format!("{} mapped for the weights", bytes(report.mapped_bytes)),
        copied => format!("{} private for the weights (mapped with --cache, or if packed)", bytes(copied)),
    };
    let context = |context: &ContextMemory| {
        let ContextMemory { context_length, cache_bytes, private_bytes, fits } = *context;
        let short = if fits { "" } else { ", more than is free now" };
        let (private, cache) = (bytes(private_bytes), bytes(cache_bytes));
        ("", format!("{private} private for a context of {context_length} (KV cache {cache}){short}"))
    };
    [("memory", weights)].into_iter().chain(report.contexts.iter().map(context)).chain(available).collect()
}
