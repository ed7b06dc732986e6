use std::io::Write;
use std::path::Path;

use sotto_synth::{Quantization, Shape, SynthOptions, Vocabulary, synthesize};

use super::print_json;
use crate::failure::Failure;
use crate::screen;

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
    let bar = screen::bar("{binary_bytes} of {binary_total_bytes} {wide_bar} {eta}");
    let report = synthesize(&options, output, |written, total| {
        bar.set_length(total);
        bar.set_position(written);
    })?;
    bar.finish_and_clear();
    if json {
        return print_json(&serde_json::json!({ "bytes": report.bytes, "file": output }));
    }
    writeln!(std::io::stdout(), "wrote {} of random weights to {}", screen::bytes(report.bytes), output.display())?;
    Ok(())
}
