use std::io::Write;
use std::path::Path;

use sotto::{ModelFile, ModelReport};

use super::{load_quietly, model_file, print_json};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::screen::bytes;

pub fn run(arguments: &ModelArguments, file: Option<&Path>, json: bool) -> Result<(), Failure> {
    let file = file.map_or_else(|| model_file(arguments), ModelFile::path);
    let model = load_quietly(arguments, file)?;
    let report = model.inspect(model.context_length())?;
    if json { print_json(&report) } else { print(&report) }
}

fn print(report: &ModelReport) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let mut line = |name: &str, value: String| writeln!(out, "{name:<16}{value}");
    line("name", report.name.clone().unwrap_or_else(|| "(none)".into()))?;
    line("architecture", report.architecture.clone())?;
    line("parameters", format!("{:.1} M", report.parameters as f64 / 1e6))?;
    line(
        "shape",
        format!(
            "{} layers, {} wide, feed-forward {}, {} query and {} KV heads of {}",
            report.layers,
            report.hidden_size,
            report.feed_forward_size,
            report.heads,
            report.kv_heads,
            report.head_size
        ),
    )?;
    let weights =
        report.weights.iter().map(|(name, of)| format!("{name}: {} in {} tensors", bytes(of.bytes), of.tensors));
    line("weights", weights.collect::<Vec<_>>().join(", "))?;
    line("file", bytes(report.file_bytes))?;
    line("tokenizer", format!("{}, {} tokens", report.tokenizer, report.vocab_size))?;
    line("chat template", if report.has_chat_template { "in the file" } else { "built in, by family" }.into())?;
    line("task formats", if report.tuned { "tuned on Sotto's" } else { "general instruct model" }.into())?;
    line("kernels", format!("{}, {} threads", report.kernels, report.threads))?;
    line(
        "context",
        format!("{} tokens, of {} that the model has", report.context_length, report.model_context_length),
    )?;
    let available = report.available_bytes.map(|available| format!(", {} available now", bytes(available)));
    line(
        "memory",
        format!(
            "{} private for the context, {} private for weights, {} mapped{}",
            bytes(report.private_bytes),
            bytes(report.copied_bytes),
            bytes(report.mapped_bytes),
            available.unwrap_or_default()
        ),
    )?;
    line("runs here", if report.fits { "yes" } else { "no: too little memory for this context" }.into())?;
    Ok(())
}
