use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use sotto_speech::{FRAME, Language, Segment, SpeechError, VoiceDetector, WindowOptions, WindowTranscript};

use super::*;
use crate::demo_model::demo;
use crate::{SummaryOptions, VoiceNote};

const SECOND: usize = SAMPLE_RATE;

/// Hears voice where there is any sound.
struct Loud;

impl VoiceDetector for Loud {
    fn voice(&mut self, frame: &[f32; FRAME]) -> f32 {
        if frame.iter().any(|sample| *sample != 0.0) { 1.0 } else { 0.0 }
    }
}

/// Understands how many samples are loud.
#[derive(Clone, Default)]
struct Counter {
    /// How long each window takes.
    takes: Duration,
    windows: Arc<AtomicUsize>,
}

impl Recognize for Counter {
    fn window(
        &mut self,
        samples: &[f32],
        _: &WindowOptions,
        cancel: &CancelToken,
    ) -> Result<WindowTranscript, SpeechError> {
        let (begin, end) = (Instant::now(), samples.len() as f64 / SAMPLE_RATE as f64);
        while begin.elapsed() < self.takes {
            cancel.check()?;
            thread::sleep(Duration::from_millis(1));
        }
        self.windows.fetch_add(1, Ordering::Relaxed);
        let loud = samples.iter().filter(|sample| **sample != 0.0).count();
        let segment = Segment {
            start: 0.0,
            end,
            text: loud.to_string(),
            words: Vec::new(),
            no_speech: 0.0,
            mean_log_probability: 0.0,
            tokens: Vec::new(),
        };
        Ok(WindowTranscript { language: Language::ENGLISH, segments: vec![segment], end, unfinished: None })
    }

    fn language(&mut self, _: &[f32], _: &CancelToken) -> Result<(Language, f32), SpeechError> {
        Ok((Language::ENGLISH, 1.0))
    }
}

type Listening = (AudioInput, Job<TranscriptPart, Transcript>);

fn listening(counter: Counter, tentative: bool) -> Listening {
    listening_to(counter, tentative, |_| Ok(()))
}

fn listening_to(
    counter: Counter,
    tentative: bool,
    on_confirmed: impl FnMut(&TranscriptSegment) -> Result<(), Error> + Send + 'static,
) -> Listening {
    let (input, pieces) = input(PcmFormat::default()).unwrap();
    let job = Job::start("test", move |reporter, cancel| {
        let transcriber = Transcriber::with_detector(counter, TranscribeOptions::default(), Box::new(Loud));
        let (transcript, tentative) = (Growing::default(), tentative.then(Vec::new));
        let memory = SpeechMemory { weights: 5, recognizer: 7, available: None };
        Listener { transcriber, transcript, tentative, on_confirmed, reporter, cancel }.listen(&pieces, memory)
    });
    (input, job)
}

fn loud(samples: usize) -> Vec<f32> {
    vec![0.75; samples]
}

fn silence(samples: usize) -> Vec<f32> {
    vec![0.0; samples]
}

fn push(input: &AudioInput, samples: &[f32]) {
    input.push(Samples::F32(samples)).unwrap();
}

fn counted(segments: &[TranscriptSegment]) -> usize {
    segments.iter().map(|segment| segment.text.parse::<usize>().unwrap()).sum()
}

#[test]
fn no_sample_is_lost_when_the_model_is_slow_and_what_waits_is_bounded() {
    let (input, job) = listening(Counter { takes: Duration::from_millis(20), ..Counter::default() }, true);
    let mut pushed = 0;
    let mut most_waiting = 0;
    // Multiples of a frame, so that each is understood whole: 200 seconds of speech.
    while pushed < 200 * SECOND {
        let len = FRAME * (1 + pushed % 17);
        push(&input, &loud(len));
        pushed += len;
        most_waiting = most_waiting.max(input.pieces.len());
    }
    assert!(most_waiting <= MOST_WAITING + 17 * FRAME / PIECE + 1, "{most_waiting}");
    input.finish().unwrap();
    let transcript = job.wait().unwrap();
    assert_eq!(counted(&transcript.segments), pushed);
    assert!(transcript.segments.iter().map(|segment| segment.id).eq(1..=transcript.segments.len() as u32));
    assert_eq!(transcript.language.as_deref(), Some("en"));
    assert_eq!(transcript.metrics.audio_seconds, pushed as f64 / SAMPLE_RATE as f64);
    assert_eq!(transcript.metrics.private_bytes, 12);
    assert!(transcript.metrics.real_time_factor > 0.0);
}

#[test]
fn what_is_said_is_tentative_first_and_confirmed_at_a_pause() {
    let counter = Counter::default();
    let (input, mut job) = listening(counter.clone(), true);
    push(&input, &loud(SECOND));
    let part = job.next().unwrap();
    assert_eq!((part.confirmed.len(), part.tentative[0].id), (0, 1));
    push(&input, &silence(3 * SECOND));
    let confirmed = job.by_ref().find(|part| !part.confirmed.is_empty()).unwrap();
    assert_eq!(counted(&confirmed.confirmed), SECOND);
    assert_eq!(confirmed.tentative, []);
    assert!(confirmed.heard_seconds > 1.0 && confirmed.heard_seconds < 4.1, "{}", confirmed.heard_seconds);
    let windows = counter.windows.load(Ordering::Relaxed);
    drop(input);
    assert_eq!(job.wait().unwrap().segments, confirmed.confirmed);
    assert_eq!(counter.windows.load(Ordering::Relaxed), windows, "nothing was left to be heard");
}

#[test]
fn without_tentative_parts_each_window_is_heard_once() {
    let counter = Counter::default();
    let (input, mut job) = listening(counter.clone(), false);
    for _ in 0..4 {
        push(&input, &loud(5 * SECOND));
        push(&input, &silence(3 * SECOND));
    }
    input.finish().unwrap();
    assert!(job.by_ref().all(|part| part.tentative.is_empty()));
    assert_eq!(job.wait().unwrap().segments.len(), 4);
    assert_eq!(counter.windows.load(Ordering::Relaxed), 4);
}

#[test]
fn a_pause_confirms_what_was_said_and_loses_nothing() {
    let (input, mut job) = listening(Counter::default(), false);
    push(&input, &loud(FRAME * 70));
    input.pause();
    assert_eq!(counted(&job.next().unwrap().confirmed), FRAME * 70);
    push(&input, &loud(FRAME * 700));
    thread::sleep(Duration::from_millis(100));
    assert!(!input.pieces.is_empty(), "it waits");
    input.resume();
    input.pause();
    assert_eq!(counted(&job.next().unwrap().confirmed), FRAME * 700);
    push(&input, &loud(FRAME * 50));
    input.finish().unwrap();
    let transcript = job.wait().unwrap();
    assert_eq!(counted(&transcript.segments), FRAME * 820);
    assert_eq!(transcript.segments.len(), 3);
}

#[test]
fn cancelling_takes_less_than_100_ms_whatever_it_does() {
    let slow = Counter { takes: Duration::from_secs(60), ..Counter::default() };
    type Before = fn(&AudioInput);
    let idle: Before = |_| ();
    let resting: Before = |input| input.pause();
    let hearing: Before = |input| push(input, &loud(40 * SECOND));
    for before in [idle, resting, hearing] {
        let (input, job) = listening(slow.clone(), true);
        before(&input);
        thread::sleep(Duration::from_millis(50));
        let asked = Instant::now();
        job.cancel();
        assert_eq!(job.wait(), Err(Error::Cancelled));
        assert!(asked.elapsed() < Duration::from_millis(100), "{:?}", asked.elapsed());
        assert_eq!(input.push(Samples::I16(&[0])), Err(Error::Cancelled));
    }
}

#[test]
fn whoever_waits_for_room_is_told_when_nobody_listens_any_more() {
    let (input, job) = listening(Counter { takes: Duration::from_secs(60), ..Counter::default() }, true);
    thread::scope(|scope| {
        let pushes = scope.spawn(|| (0..100).find_map(|_| input.push(Samples::F32(&loud(2 * SECOND))).err()));
        thread::sleep(Duration::from_millis(100));
        assert!(!pushes.is_finished());
        drop(job);
        assert_eq!(pushes.join().unwrap(), Some(Error::Cancelled));
    });
}

#[test]
fn an_asynchronous_push_takes_all_or_nothing() {
    let (input, pieces) = input(PcmFormat::default()).unwrap();
    let samples = loud(PIECE * MOST_WAITING);
    let mut context = Context::from_waker(Waker::noop());
    let mut poll = |samples: &[f32]| std::pin::pin!(input.push_async(Samples::F32(samples))).poll(&mut context);
    assert_eq!(poll(&samples), Poll::Ready(Ok(())));
    assert!(poll(&samples).is_pending());
    assert_eq!(input.pieces.len(), MOST_WAITING);
    assert!(matches!(pieces.next(&CancelToken::new()), Ok(Some(Piece::Sound(piece))) if piece.len() == PIECE));
    assert_eq!(poll(&samples[..PIECE]), Poll::Ready(Ok(())));
    assert_eq!(input.pieces.len(), MOST_WAITING);
}

#[test]
fn the_listener_is_woken_and_need_not_look_by_itself() {
    let (bell, ready, patience) = (Bell::new(Duration::from_secs(60)), AtomicBool::new(false), Duration::from_secs(30));
    let begin = Instant::now();
    thread::scope(|scope| {
        let waits =
            scope.spawn(|| bell.when(&CancelToken::new(), || ready.load(Ordering::Relaxed).then_some("it is there")));
        thread::sleep(Duration::from_millis(20));
        bell.ring();
        ready.store(true, Ordering::Relaxed);
        bell.ring();
        assert_eq!(waits.join().unwrap(), Ok("it is there"));
    });
    assert!(begin.elapsed() < patience, "{:?}", begin.elapsed());
}

#[test]
fn samples_that_are_none_are_refused_and_the_rest_is_heard() {
    let (input, job) = listening(Counter::default(), false);
    push(&input, &loud(FRAME * 70));
    assert!(matches!(input.push(Samples::F32(&[0.5, f32::NAN])), Err(Error::InvalidInput { .. })));
    push(&input, &loud(FRAME * 70));
    input.finish().unwrap();
    input.finish().unwrap();
    assert!(matches!(input.push(Samples::F32(&[0.5])), Err(Error::InvalidInput { .. })));
    assert_eq!(counted(&job.wait().unwrap().segments), FRAME * 140);
}

#[test]
fn an_input_that_is_finished_at_once_has_an_empty_transcript() {
    let (input, job) = listening(Counter::default(), true);
    input.finish().unwrap();
    let transcript = job.wait().unwrap();
    assert_eq!((transcript.segments.len(), transcript.language), (0, None));
    assert_eq!(transcript.metrics.real_time_factor, 0.0);
}

#[test]
fn confirmed_segments_go_into_a_note_with_their_times() {
    let note = Arc::new(demo().note_session(&SummaryOptions::default()));
    let told = Arc::clone(&note);
    let (input, job) = listening_to(Counter::default(), true, move |segment| told.append(segment.into()));
    for _ in 0..3 {
        push(&input, &silence(3 * SECOND));
        push(&input, &loud(2 * SECOND));
    }
    input.finish().unwrap();
    let transcript = job.wait().unwrap();
    assert_eq!(note.note(), VoiceNote::from(&transcript));
    let starts: Vec<_> = note.note().segments().iter().filter_map(|segment| segment.start).collect();
    // Voices begin after 3, 8 and 13 seconds; half a second before each belongs to them.
    assert!(starts.len() == 3 && starts[0] > 2.4 && starts[2] > 12.4, "{starts:?}");

    note.finish().wait().unwrap();
    let (input, job) = listening_to(Counter::default(), true, move |segment| note.append(segment.into()));
    push(&input, &loud(2 * SECOND));
    input.finish().unwrap();
    assert!(matches!(job.wait(), Err(Error::InvalidInput { .. })), "the note is finished");
}
