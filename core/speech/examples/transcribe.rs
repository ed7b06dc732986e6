//! Transcribes recordings of at most 30 seconds: 16 kHz, one channel, 16 bits.
//!
//! `cargo run --release -p sotto-speech --example transcribe -- MODEL [--threads N] [--rounds N] [--words] [--as-in-file] FILE.wav ...`

#[path = "../tests/common/wav.rs"]
mod wav;

use std::path::Path;
use std::time::Instant;

use sotto_speech::{CancelToken, Precision, SAMPLE_RATE, SpeechModel, SpeechOptions, WindowOptions};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().expect("a model");
    let (mut threads, mut rounds, mut files) = (None, 1, Vec::new());
    let mut options = WindowOptions::default();
    let mut precision = Precision::EightBits;
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse().ok()).expect("a number");
        match argument.as_str() {
            "--threads" => threads = Some(number()),
            "--rounds" => rounds = number(),
            "--words" => options.words = true,
            "--as-in-file" => precision = Precision::AsInFile,
            _ => files.push(argument),
        }
    }
    let cancel = CancelToken::new();
    let start = Instant::now();
    let model =
        SpeechModel::load(model, SpeechOptions { threads, kernels: None, precision }, &cancel).expect("a model");
    println!("loaded in {:.3} s, {:?}", start.elapsed().as_secs_f64(), model.memory());
    let mut recognizer = model.recognizer().expect("memory");
    for file in files {
        let samples = wav::samples(Path::new(&file));
        let mut times = Vec::new();
        let mut heard = None;
        for _ in 0..rounds {
            let start = Instant::now();
            heard = Some(recognizer.window(&samples, &options, &cancel).expect("a transcript"));
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let (seconds, time) = (samples.len() as f64 / SAMPLE_RATE as f64, times[times.len() / 2]);
        let heard = heard.expect("a round");
        println!("{file}: {seconds:.1} s in {time:.3} s ({:.3}), {}", time / seconds, heard.language);
        for segment in &heard.segments {
            println!(
                "  {:6.2} {:6.2} {:.2} {}",
                segment.start, segment.end, segment.mean_log_probability, segment.text
            );
            for word in &segment.words {
                println!("      {:6.2} {:6.2} {:.2} {}", word.start, word.end, word.probability, word.text);
            }
        }
        println!("  heard until {:.2}", heard.end);
    }
}
