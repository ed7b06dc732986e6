//! Recordings of real speech, with a speech model of real weights: `SOTTO_REAL_MODELS` names their folder, and `cargo xtask real-models`
//! brings them.
#![cfg(feature = "speech")]

use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sotto::{
    Audio, Error, ListenOptions, ModelFile, PcmFormat, Samples, Speech, SpeechOptions, TranscribeOptions, Transcript,
    VoiceNote,
};

const SENTENCES: [&str; 5] =
    ["librivox-0870.wav", "librivox-0880.wav", "librivox-0890.wav", "librivox-0920.wav", "librivox-0930.wav"];

/// The folder of real models. Who has it is alone: a test measures the memory of the whole process.
struct RealModels {
    folder: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for RealModels {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.folder
    }
}

/// `None` where there are no real models; the test says then that it is skipped.
fn folder() -> Option<RealModels> {
    static TURN: Mutex<()> = Mutex::new(());
    let folder = std::env::var_os("SOTTO_REAL_MODELS").map(PathBuf::from);
    if folder.is_none() {
        writeln!(std::io::stderr(), "SKIPPED: speech: SOTTO_REAL_MODELS is not set (`cargo xtask real-models`)")
            .expect("stderr");
    }
    Some(RealModels { folder: folder?, _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner) })
}

fn load(folder: &Path) -> Speech {
    Speech::load(ModelFile::path(folder.join("ggml-base-q5_1.bin"))).expect("the speech model")
}

/// The samples of a 16-bit mono WAV file, and their rate.
fn recording(file: PathBuf) -> (Vec<i16>, PcmFormat) {
    let bytes = std::fs::read(file).expect("a recording");
    let sample_rate = u32::from_le_bytes(bytes[24..28].try_into().expect("four bytes"));
    let samples = bytes[44..].as_chunks::<2>().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect();
    (samples, PcmFormat { sample_rate, channels: 1 })
}

/// The sentences, with pauses of half a second and of three between them: 35 seconds.
fn sentences(folder: &Path) -> Vec<i16> {
    let mut samples = Vec::new();
    for (file, pause) in SENTENCES.iter().zip([8_000, 48_000, 8_000, 48_000, 0]) {
        samples.extend(recording(folder.join(file)).0);
        samples.resize(samples.len() + pause, 0);
    }
    samples
}

fn transcribe(speech: &Speech, samples: &[i16], format: PcmFormat) -> Transcript {
    let audio = Audio::samples(Samples::I16(samples), format).expect("sound");
    speech.transcribe(audio, &TranscribeOptions::default()).wait().expect("a transcript")
}

fn texts(transcript: &Transcript) -> String {
    transcript.segments.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// With too little silence around a sentence, the model hears "ill-sposed".
#[test]
fn what_surrounds_a_voice_is_enough_to_understand_it() {
    let Some(folder) = folder() else { return };
    let (samples, format) = recording(folder.join("librivox-0880.wav"));
    assert_eq!(texts(&transcribe(&load(&folder), &samples, format)), "He was not an ill-disposed young man.");
}

#[test]
fn what_is_listened_to_is_what_is_transcribed() {
    let Some(folder) = folder() else { return };
    let (speech, samples) = (load(&folder), sentences(&folder));
    let whole = transcribe(&speech, &samples, PcmFormat::default());
    println!("{}\n{:?}", texts(&whole), whole.metrics);
    assert!(texts(&whole).split_whitespace().count() > 60);
    assert_eq!(whole.language.as_deref(), Some("en"));
    assert!(whole.segments.is_sorted_by(|one, next| one.end <= next.start + 0.5 && one.id + 1 == next.id));

    let (input, mut job) = speech.listen(&ListenOptions::default()).expect("a format that is one");
    let mut confirmed = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            samples.chunks(4_801).try_for_each(|piece| input.push(Samples::I16(piece))).expect("somebody listens");
            input.finish().expect("an end");
        });
        job.by_ref().for_each(|part| confirmed.extend(part.confirmed));
    });
    let heard = job.wait().expect("a transcript");
    assert_eq!(heard.segments, whole.segments);
    assert_eq!(confirmed, whole.segments);

    let note = VoiceNote::from(&whole);
    for (segment, said) in whole.segments.iter().zip(note.segments()) {
        assert_eq!((said.id, said.start, said.end), (segment.id, Some(segment.start), Some(segment.end)));
    }
}

#[test]
fn a_meeting_at_another_rate_is_understood() {
    let Some(folder) = folder() else { return };
    let (samples, format) = recording(folder.join("meeting.wav"));
    let transcript = transcribe(&load(&folder), &samples, format);
    println!("{}\n{:?}", texts(&transcript), transcript.metrics);
    let seconds = samples.len() as f64 / f64::from(format.sample_rate);
    assert!((transcript.metrics.audio_seconds - seconds).abs() < 0.001);
    assert!(transcript.segments.iter().all(|segment| segment.end <= seconds + 0.1));
    assert!(texts(&transcript).split_whitespace().count() > 30);
}

#[test]
fn nothing_is_invented_on_ten_minutes_of_silence() {
    let Some(folder) = folder() else { return };
    let transcript = transcribe(&load(&folder), &vec![0; 600 * 16_000], PcmFormat::default());
    assert_eq!((transcript.segments.len(), transcript.language, transcript.metrics.windows), (0, None, 0));
}

#[test]
fn cancelling_stops_the_model_within_100_ms() {
    let Some(folder) = folder() else { return };
    // Four minutes: fast machines are done with one in a second.
    let (speech, samples) = (load(&folder), sentences(&folder).repeat(7));
    for wait in [1, 50, 300, 700, 1_200] {
        let audio = Audio::samples(Samples::I16(&samples), PcmFormat::default()).expect("sound");
        let job = speech.transcribe(audio, &TranscribeOptions::default());
        std::thread::sleep(Duration::from_millis(wait));
        let asked = Instant::now();
        job.cancel();
        let outcome = job.wait();
        assert!(outcome == Err(Error::Cancelled), "after {wait} ms");
        assert!(asked.elapsed() < Duration::from_millis(100), "after {wait} ms: {:?}", asked.elapsed());
    }
}

#[test]
fn trimmed_weights_are_loaded_again_when_they_are_needed() {
    let Some(folder) = folder() else { return };
    let file = || ModelFile::path(folder.join("ggml-base-q5_1.bin"));
    let before = Speech::memory_of(file(), &SpeechOptions::default()).wait().expect("a speech model");
    let speech = load(&folder);
    let loaded = speech.memory();
    assert_eq!((before.weights, before.recognizer), (loaded.weights, loaded.recognizer));
    let (samples, format) = recording(folder.join(SENTENCES[4]));
    let whole = transcribe(&speech, &samples, format);
    let held = private_bytes();
    speech.trim();
    let freed = held.saturating_sub(private_bytes());
    assert!(freed >= loaded.weights * 9 / 10, "{freed} of {}", loaded.weights);
    assert_eq!(transcribe(&speech, &samples, format).segments, whole.segments);
}

/// Of this process.
fn private_bytes() -> u64 {
    sotto_engine::process_memory().private_rss_bytes.expect("the system tells")
}
