use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use sotto::CancelToken;
use sotto_synth::{Quantization, Shape, SynthOptions, Vocabulary, synthesize_while};

use super::{BYTES_BAR, print_json};
use crate::failure::Failure;
use crate::{interrupt, screen};

pub fn run(
    shape: &str,
    quant: &str,
    vocab: Option<&Path>,
    seed: u64,
    output: &Path,
    json: bool,
) -> Result<(), Failure> {
    let options = SynthOptions {
        shape: Shape::named(shape).ok_or_else(|| Failure::BadInput(format!("there is no shape {shape}")))?,
        quantization: Quantization::named(quant)
            .ok_or_else(|| Failure::BadInput(format!("there is no quantization {quant}")))?,
        vocabulary: vocab.map_or(Vocabulary::Synthetic, |path| Vocabulary::FromGguf(path.to_owned())),
        seed,
    };
    let bar = screen::bar(BYTES_BAR);
    let cancel = CancelToken::new();
    interrupt::cancels(cancel.clone());
    let report = synthesize_while(&options, output, |written, total| {
        bar.set_length(total);
        bar.set_position(written);
        if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    interrupt::nothing_runs();
    bar.finish_and_clear();
    let report = report?;
    if json {
        return print_json(&serde_json::json!({ "bytes": report.bytes, "file": output.to_string_lossy() }));
    }
    let file = output.display().to_string();
    writeln!(
        std::io::stdout(),
        "wrote {} of random weights to {}",
        screen::bytes(report.bytes),
        screen::answer(&file)
    )?;
    Ok(())
}
