use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::fake::{Fake, GERMAN, Loud, WORDS, sound};
use super::{Earshot, TranscribeOptions, Transcriber, VoiceDetector};
use crate::{CancelToken, Language, SAMPLE_RATE, Segment, SpeechError, WINDOW_SAMPLES};

/// Words and pauses, in samples.
type Script = Vec<(Option<u32>, usize)>;

/// Something is said, with pauses of all lengths. No word is too long for a window, and none is the one before it.
fn random_script(random: &mut StdRng) -> Script {
    let (mut script, mut word) = (Script::new(), 0);
    for _ in 0..random.random_range(1..60) {
        word = (word + random.random_range(1..GERMAN)) % GERMAN;
        script.push((Some(word), random.random_range(4_000..200_000)));
        let longest_pause = [1, 4_000, 20_000, 80_000, 1_000_000][random.random_range(0..5)];
        script.push((None, random.random_range(0..longest_pause)));
    }
    script
}

fn played(script: &Script) -> Vec<f32> {
    script.iter().flat_map(|(word, samples)| sound(*word, *samples)).collect()
}

/// The segments of sound that comes in such pieces. Between them, what is tentative is asked for.
fn heard(fake: &mut Fake, samples: &[f32], piece: usize, tentative: bool) -> Vec<Segment> {
    heard_by(Box::new(Loud), fake, samples, piece, tentative)
}

fn heard_by(
    detector: Box<dyn VoiceDetector>,
    fake: &mut Fake,
    samples: &[f32],
    piece: usize,
    tentative: bool,
) -> Vec<Segment> {
    let cancel = CancelToken::new();
    let mut transcriber = Transcriber::with_detector(fake, TranscribeOptions::default(), detector);
    let mut segments = Vec::new();
    let mut take = |transcriber: &mut Transcriber<&mut Fake>| {
        while let Some(more) = transcriber.next(&cancel).unwrap() {
            segments.extend(more);
        }
    };
    for piece in samples.chunks(piece) {
        transcriber.push(piece);
        take(&mut transcriber);
        if tentative {
            transcriber.tentative(&cancel).unwrap();
        }
    }
    transcriber.end();
    take(&mut transcriber);
    segments
}

fn texts(segments: &[Segment]) -> Vec<&str> {
    segments.iter().map(|segment| segment.text.as_str()).collect()
}

#[test]
fn every_word_is_heard_once_at_its_time_in_windows_of_30_seconds_whatever_the_pieces() {
    for _ in 0..20 {
        let seed: u64 = rand::random();
        let mut random = StdRng::seed_from_u64(seed);
        let script = random_script(&mut random);
        let samples = played(&script);
        let mut fake = Fake::default();
        let whole = heard(&mut fake, &samples, usize::MAX, false);
        assert!(fake.windows.iter().all(|window| *window <= WINDOW_SAMPLES), "seed {seed}");

        let mut at = 0;
        let mut said = Vec::new();
        for (word, samples) in &script {
            said.extend(word.map(|word| (word.to_string(), at as f64 / SAMPLE_RATE as f64)));
            at += samples;
        }
        assert_eq!(texts(&whole), said.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>(), "seed {seed}");
        for (segment, (_, start)) in whole.iter().zip(&said) {
            assert!((segment.start - start).abs() < 0.017, "seed {seed}: {} for {start}", segment.start);
        }

        let piece = random.random_range(100..50_000);
        assert_eq!(heard(&mut Fake::default(), &samples, piece, true), whole, "seed {seed}, pieces of {piece}");
    }
}

#[test]
fn silence_and_clicks_are_never_given_to_the_model() {
    let mut fake = Fake::default();
    let mut script: Script = vec![(None, 600 * SAMPLE_RATE)];
    script.extend((0..20).flat_map(|_| [(Some(7), 400), (None, 50_000)]));
    assert_eq!(heard(&mut fake, &played(&script), 1_600, true), []);
    assert_eq!(heard(&mut fake, &[], 1_600, true), []);
    assert!(fake.windows.is_empty());
}

/// White noise, and pink noise as Paul Kellet's filter makes it, of this root mean square.
fn noises(random: &mut StdRng, samples: usize, loudness: f32) -> [Vec<f32>; 2] {
    let white: Vec<f32> = (0..samples).map(|_| random.random_range(-1.0..1.0)).collect();
    let mut state = [0.0_f32; 3];
    let pink = white.iter().map(|white| {
        for (part, (keep, take)) in state.iter_mut().zip([(0.99765, 0.0990460), (0.963, 0.2965164), (0.57, 1.0526913)])
        {
            *part = keep * *part + take * white;
        }
        state.iter().sum::<f32>() + 0.1848 * white
    });
    [pink.collect(), white].map(|noise: Vec<f32>| {
        let square = noise.iter().map(|sample| sample * sample).sum::<f32>() / samples as f32;
        noise.iter().map(|sample| (sample * loudness / square.sqrt()).clamp(-1.0, 1.0)).collect()
    })
}

#[test]
fn noise_is_never_given_to_the_model_however_loud() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for loudness in [0.5, 0.1, 0.01, 0.001] {
        for noise in noises(&mut random, 120 * SAMPLE_RATE, loudness) {
            let mut fake = Fake::default();
            heard_by(Box::new(Earshot::default()), &mut fake, &noise, 1_600, false);
            assert!(fake.windows.is_empty(), "loudness {loudness}");
        }
    }
}

#[test]
fn what_is_said_in_another_language_after_a_short_pause_is_heard_in_that_language() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    // Of what is garbled, a change of language is found in one of four parts of a window.
    for (garbles, turns) in [(false, 40_000..140_000), (true, 128_000..160_000)] {
        let (mut script, mut said) = (Script::new(), Vec::new());
        for turn in 0..12 {
            let word = if turn % 2 == 0 { turn % GERMAN } else { GERMAN + turn % (WORDS - GERMAN) };
            script.push((Some(word), random.random_range(turns.clone())));
            script.push((None, random.random_range(5_000..20_000)));
            said.push(word.to_string());
        }
        let mut fake = Fake { garbles, ..Fake::default() };
        let segments = heard(&mut fake, &played(&script), 1_600, false);
        assert_eq!(texts(&segments), said, "garbles: {garbles}");
    }
}

#[test]
fn the_language_of_parts_is_asked_only_where_a_text_is_in_doubt_and_none_is_given() {
    let (one, two) = ([1, 2, 3], [1, 21, 3]);
    let script = |words: [u32; 3]| words.into_iter().flat_map(|word| [(Some(word), 64_000), (None, 8_000)]).collect();
    let mut fake = Fake { garbles: true, ..Fake::default() };
    heard(&mut fake, &played(&script(one)), usize::MAX, false);
    assert_eq!(fake.languages_asked, 0);

    let options = TranscribeOptions { language: Some(Language::ENGLISH), ..TranscribeOptions::default() };
    let mut transcriber = Transcriber::with_detector(&mut fake, options, Box::new(Loud));
    transcriber.push(&played(&script(two)));
    transcriber.end();
    let segments = transcriber.next(&CancelToken::new()).unwrap().expect("a window");
    assert_eq!(texts(&segments), ["1", "?", "3"]);
    assert_eq!(fake.languages_asked, 0);
}

#[test]
fn a_sentence_that_is_still_spoken_is_tentative() {
    let (mut fake, cancel) = (Fake::default(), CancelToken::new());
    let mut transcriber = Transcriber::with_detector(&mut fake, TranscribeOptions::default(), Box::new(Loud));
    transcriber.push(&played(&vec![(Some(1), 16_000), (None, 4_800), (Some(2), 8_000)]));
    assert_eq!(texts(&transcriber.tentative(&cancel).unwrap()), ["1", "2"]);
    transcriber.push(&played(&vec![(Some(2), 8_000), (None, 48_000)]));
    assert_eq!(texts(&transcriber.next(&cancel).unwrap().unwrap()), ["1", "2"]);
}

#[test]
fn what_was_tentative_is_not_heard_again_when_it_becomes_certain() {
    let mut fake = Fake::default();
    let script = vec![(Some(7), 32_000), (None, 160_000), (Some(8), 32_000), (None, 8_000)];
    assert_eq!(texts(&heard(&mut fake, &played(&script), 8_000, true)), ["7", "8"]);
    assert!(fake.windows.windows(2).all(|pair| pair[0] != pair[1]), "{:?}", fake.windows);
}

#[test]
fn a_short_window_is_in_the_language_of_the_one_before_and_none_knows_words_before_a_pause() {
    let mut fake = Fake::default();
    let script = vec![(Some(1), 64_000), (None, 40_000), (Some(2), 32_000), (None, 40_000), (Some(3), 64_000)];
    heard(&mut fake, &played(&script), usize::MAX, false);
    let asked: Vec<_> = fake.asked.iter().map(|options| (options.context.clone(), options.language)).collect();
    assert_eq!(asked, [(vec![], None), (vec![], Some(Language::ENGLISH)), (vec![], None)]);
}

#[test]
fn a_window_that_begins_within_a_sentence_knows_the_words_before_it() {
    let mut fake = Fake::default();
    let script = (0..5).map(|word| (Some(word), 128_000)).chain([(None, 8_000)]).collect();
    assert_eq!(texts(&heard(&mut fake, &played(&script), usize::MAX, false)), ["0", "1", "2", "3", "4"]);
    let asked: Vec<_> = fake.asked.iter().map(|options| options.context.clone()).collect();
    assert_eq!(asked, [vec![], vec![0, 1, 2]]);
}

#[test]
fn a_window_that_failed_or_was_cancelled_can_be_asked_for_again() {
    let mut fake = Fake { failures: 1, ..Fake::default() };
    let samples = played(&vec![(Some(7), 32_000)]);
    let mut transcriber = Transcriber::with_detector(&mut fake, TranscribeOptions::default(), Box::new(Loud));
    transcriber.push(&samples);
    transcriber.end();
    let cancelled = CancelToken::new();
    cancelled.cancel();
    assert!(matches!(transcriber.next(&cancelled), Err(SpeechError::Cancelled)));
    assert!(matches!(transcriber.next(&CancelToken::new()), Err(SpeechError::Internal(_))));
    let segments = transcriber.next(&CancelToken::new()).unwrap().expect("the window is still there");
    assert_eq!(texts(&segments), ["7"]);
    assert!(transcriber.next(&CancelToken::new()).unwrap().is_none());
}
