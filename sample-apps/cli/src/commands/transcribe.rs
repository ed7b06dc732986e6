use std::io::Write;
use std::path::Path;
use std::time::Instant;

use sotto::{
    ModelFile, Progress, Speech, SpeechOptions, TranscribeOptions, Transcript, TranscriptPart, TranscriptSegment,
};

use super::{SECONDS_BAR, print_json, watch};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::timestamp::Timestamp;
use crate::{input, screen};

pub fn run(model: &ModelArguments, audio: &Path, options: &TranscribeOptions, json: bool) -> Result<(), Failure> {
    let whisper = model.model.as_deref().expect("the command line has refused to go without it");
    let speech = load(whisper, model.threads)?;
    if json {
        return print_json(&transcribe(&speech, audio, options, |_| Ok(()))?);
    }
    let mut out = std::io::stdout().lock();
    transcribe(&speech, audio, options, |part| {
        part.confirmed.iter().try_for_each(|segment| write_lines(&mut out, segment))?;
        Ok(out.flush()?)
    })?;
    Ok(())
}

/// Loads a speech model, and prints its memory use.
pub fn load(file: &Path, threads: Option<u16>) -> Result<Speech, Failure> {
    let started = Instant::now();
    let options = SpeechOptions { threads: threads.map(usize::from), ..SpeechOptions::default() };
    let speech = watch(Speech::start_loading(ModelFile::path(file), &options), |never| match never {})?;
    screen::figures(&format!(
        "loaded {} in {} · {} private",
        file.display(),
        screen::seconds(started.elapsed().as_secs_f64()),
        screen::bytes(speech.memory().weights)
    ));
    Ok(speech)
}

/// Transcribes a recording with a progress bar, and prints statistics.
pub fn transcribe(
    speech: &Speech,
    audio: &Path,
    options: &TranscribeOptions,
    mut on_part: impl FnMut(&TranscriptPart) -> Result<(), Failure>,
) -> Result<Transcript, Failure> {
    let bar = screen::bar(SECONDS_BAR);
    let transcript = watch(speech.transcribe(input::audio(audio)?, options), |part| {
        let heard = part.heard_seconds;
        let total = part.audio_seconds.unwrap_or(heard);
        screen::show(&bar, Progress { done: heard as usize, total: total.ceil() as usize });
        bar.suspend(|| on_part(&part))
    });
    bar.finish_and_clear();
    let transcript = transcript?;
    let metrics = &transcript.metrics;
    screen::figures(&format!(
        "{} in {}{} of sound · transcribed in {}, real-time factor {:.2} · {} private",
        screen::count(transcript.segments.len(), "segment"),
        transcript.language.as_ref().map_or(String::new(), |language| format!("{language}, ")),
        screen::seconds(metrics.audio_seconds),
        screen::seconds(metrics.seconds),
        metrics.real_time_factor,
        screen::bytes(metrics.private_bytes),
    ));
    Ok(transcript)
}

/// Writes a line for a segment or, if it has words, for each word. `sotto summarize` can read these lines.
fn write_lines(out: &mut impl Write, segment: &TranscriptSegment) -> std::io::Result<()> {
    match &segment.words {
        None => write_line(out, segment.start, segment.end, &segment.text),
        Some(words) => words.iter().try_for_each(|word| write_line(out, word.start, word.end, &word.text)),
    }
}

fn write_line(out: &mut impl Write, start: f64, end: f64, text: &str) -> std::io::Result<()> {
    writeln!(out, "[{} --> {}] {}", Timestamp::of(start), Timestamp::of(end), screen::answer(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto::{TranscriptWord, VoiceNote};

    fn segment(words: Option<Vec<TranscriptWord>>) -> TranscriptSegment {
        TranscriptSegment {
            id: 1,
            start: 3_661.25,
            end: 3_663.0,
            text: "Buy milk.".into(),
            words,
            no_speech: 0.0,
            mean_log_probability: 0.0,
        }
    }

    fn written(segment: &TranscriptSegment) -> String {
        let mut out = Vec::new();
        write_lines(&mut out, segment).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_read_as_it_was_meant() {
        let line = written(&segment(None));
        assert_eq!(line, "[01:01:01.250 --> 01:01:03.000] Buy milk.\n");
        let note = VoiceNote::transcript(&line);
        let read = &note.segments()[0];
        assert_eq!((read.start, read.end, read.text.as_str()), (Some(3_661.25), Some(3_663.0), "Buy milk."));
    }

    #[test]
    fn words_have_lines_of_their_own() {
        let word = |start, text: &str| TranscriptWord { start, end: start + 0.5, text: text.into(), probability: 1.0 };
        let lines = written(&segment(Some(vec![word(0.0, "Buy"), word(0.5, "milk.")])));
        assert_eq!(lines, "[00:00:00.000 --> 00:00:00.500] Buy\n[00:00:00.500 --> 00:00:01.000] milk.\n");
    }
}
