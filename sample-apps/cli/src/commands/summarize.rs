use std::path::Path;

use serde::Serialize;
use sotto::{NoteSummary, Progress, Segment, ServerCall, SummaryOptions, TranscribeOptions, VoiceNote};

use super::{SEGMENTS_BAR, load, print_json, transcribe, watch};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::fallback::{Fallback, or_server};
use crate::summary_text::SummaryPrinter;
use crate::{input, screen};

/// The output of `--json`, with segments, so that a program can play the evidence.
#[derive(Serialize)]
struct WithSegments<'a> {
    #[serde(flatten)]
    summary: NoteSummary,
    segments: &'a [Segment],
}

/// Advice for a note that is too long.
const SPLIT_IT: &str = "split the note and summarize its parts, or use a larger --context if the model allows it";

pub fn run(
    model: &ModelArguments,
    note: &Path,
    options: &SummaryOptions,
    fallback: Option<&Fallback>,
    json: bool,
) -> Result<(), Failure> {
    summarize(model, &VoiceNote::transcript(&input::read_file(note)?), options, fallback, json)
}

/// Transcribes a recording and summarizes the transcript. The speech model is released before the language model is
/// loaded, so only one is in memory.
pub fn recording(
    model: &ModelArguments,
    speech: &Path,
    audio: &Path,
    options: &SummaryOptions,
    fallback: Option<&Fallback>,
    json: bool,
) -> Result<(), Failure> {
    let speech = transcribe::load(speech, model.threads)?;
    let transcript = transcribe::transcribe(&speech, audio, &TranscribeOptions::default(), |_| Ok(()))?;
    drop(speech);
    if transcript.segments.is_empty() {
        return Err(Failure::BadInput("there is no speech in the recording".into()));
    }
    summarize(model, &VoiceNote::from(&transcript), options, fallback, json)
}

fn summarize(
    model: &ModelArguments,
    note: &VoiceNote,
    options: &SummaryOptions,
    fallback: Option<&Fallback>,
    json: bool,
) -> Result<(), Failure> {
    let summarized = |on_snapshot: &mut dyn FnMut(NoteSummary) -> Result<(), Failure>| {
        let found = load(model).and_then(|model| watch(model.summarize(note, options), &mut *on_snapshot));
        let summary = or_server(fallback, found, |server, reason| {
            server.ask(ServerCall::summarize(note, options, &server.model, reason)?, on_snapshot)
        });
        summary.map_err(|failure| failure.where_too_long(SPLIT_IT))
    };
    if json {
        let summary = summarized(&mut |_| Ok(()))?;
        return print_json(&WithSegments { summary, segments: note.segments() });
    }
    let mut out = std::io::stdout().lock();
    let mut printer = SummaryPrinter::new(note.segments());
    let bar = screen::bar(SEGMENTS_BAR);
    let summary = summarized(&mut |snapshot| {
        let coverage = &snapshot.coverage;
        // The title of a long note is written last.
        if coverage.windows > 1 {
            screen::show(&bar, Progress { done: coverage.segments_read.len(), total: coverage.segments });
        } else {
            printer.print(&mut out, &snapshot, false)?;
        }
        Ok(())
    });
    bar.finish_and_clear();
    let summary = summary?;
    printer.print(&mut out, &summary, true)?;
    let coverage = &summary.coverage;
    screen::figures(&format!(
        "\nread {} of {}{}",
        coverage.segments_read.len(),
        screen::count(coverage.segments, "segment"),
        if coverage.windows > 1 { format!(", in {} windows", coverage.windows) } else { String::new() }
    ));
    if let Some(metrics) = &summary.metrics {
        screen::metrics(metrics);
    }
    Ok(())
}
