//! How far tentative text is behind a speaker: plays a recording in real time, as a microphone would, and prints the delay of each word.
//!
//! `cargo run --release -p sotto-speech --example listen -- MODEL FILE.wav`, with two threads and the SDK's intervals.

#[path = "../tests/common/wav.rs"]
mod wav;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use sotto_speech::{CancelToken, SAMPLE_RATE, Segment, SpeechModel, SpeechOptions, TranscribeOptions, Transcriber};

/// Samples of 100 ms, and how many of them lie between two tentative transcripts.
const PIECE: usize = SAMPLE_RATE / 10;
const TENTATIVE_EVERY: usize = 10;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let [model, file] = [(); 2].map(|()| arguments.next().expect("a model and a recording"));
    let cancel = CancelToken::new();
    let options = SpeechOptions { threads: Some(2), ..SpeechOptions::default() };
    let model = SpeechModel::load(model, options, &cancel).expect("a model");
    let samples = wav::samples(Path::new(&file));

    let ends: Vec<f64> =
        whole(&model, &samples).iter().flat_map(|segment| &segment.words).map(|word| word.end).collect();
    let mut seen: Vec<f64> = Vec::new();
    let mut transcriber = Transcriber::new(model.recognizer().expect("memory"), TranscribeOptions::default());
    let (mut confirmed, mut last) = (0, 0);
    let start = Instant::now();
    for (piece, samples) in samples.chunks(PIECE).enumerate() {
        let spoken = Duration::from_millis(100 * (piece as u64 + 1));
        let is_late = start.elapsed() > spoken;
        thread::sleep(spoken.saturating_sub(start.elapsed()));
        transcriber.push(samples);
        while let Some(segments) = transcriber.next(&cancel).expect("a transcript") {
            confirmed += words(&segments);
        }
        let mut shown = confirmed;
        if piece + 1 >= last + TENTATIVE_EVERY && !is_late {
            last = piece + 1;
            shown += words(&transcriber.tentative(&cancel).expect("a transcript"));
        }
        let now = start.elapsed().as_secs_f64();
        seen.extend((seen.len()..shown).map(|_| now));
    }
    let mut delays: Vec<f64> = seen.iter().zip(&ends).map(|(seen, end)| seen - end).collect();
    delays.sort_by(f64::total_cmp);
    let (median, longest) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    let (words, figures) = (delays.len(), transcriber.figures());
    println!("{words} words while the recording plays, after {median:.2} s (median), {longest:.2} s (longest)");
    println!("{} windows, {:.2} s each", figures.windows, figures.recognizer_seconds / figures.windows as f64);
}

/// The transcript of the whole recording, with the times of words.
fn whole(model: &SpeechModel, samples: &[f32]) -> Vec<Segment> {
    let cancel = CancelToken::new();
    let options = TranscribeOptions { words: true, ..TranscribeOptions::default() };
    let mut transcriber = Transcriber::new(model.recognizer().expect("memory"), options);
    transcriber.push(samples);
    transcriber.end();
    let windows = std::iter::from_fn(|| transcriber.next(&cancel).expect("a transcript"));
    windows.flatten().collect()
}

fn words(segments: &[Segment]) -> usize {
    segments.iter().map(|segment| segment.text.split_whitespace().count()).sum()
}
