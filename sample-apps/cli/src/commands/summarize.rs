use std::path::Path;

use sotto::{LocalModel, VoiceNote};

use super::{print_json, watch};
use crate::failure::Failure;
use crate::summary_text::SummaryPrinter;
use crate::{input, screen};

pub fn run(model: &LocalModel, note: &Path, json: bool) -> Result<(), Failure> {
    let note = VoiceNote::transcript(&input::read_file(note)?);
    let job = model.summarize(&note);
    if json {
        return print_json(&watch(job, |_| Ok(()))?);
    }
    let mut out = std::io::stdout().lock();
    let mut printer = SummaryPrinter::default();
    let summary = watch(job, |snapshot| Ok(printer.print(&mut out, &snapshot, false)?))?;
    printer.print(&mut out, &summary, true)?;
    let coverage = &summary.coverage;
    screen::figures(&format!(
        "\nread {} of {} segments{}",
        coverage.segments_read.len(),
        coverage.segments,
        if coverage.windows > 1 { format!(", in {} windows", coverage.windows) } else { String::new() }
    ));
    if let Some(metrics) = &summary.metrics {
        screen::metrics(metrics);
    }
    Ok(())
}
