use std::time::{Duration, Instant};

use super::cutter::{Cutter, Window};
use super::one_language::{LeftOut, OneLanguage};
use super::voice::{Earshot, VoiceDetector};
use crate::{CancelToken, Language, Recognizer, Segment, SpeechError, Task, WindowOptions, WindowTranscript};

/// A window with less voice, in seconds, does not say which language is spoken: it goes on in that of the one before it.
const VOICE_WITH_A_LANGUAGE: f64 = 3.0;

/// Turns windows into text: a [`Recognizer`], or what takes its place in tests.
pub trait Recognize: Send {
    /// As [`Recognizer::window`].
    ///
    /// # Errors
    /// As for [`Recognizer::window`].
    fn window(
        &mut self,
        samples: &[f32],
        options: &WindowOptions,
        cancel: &CancelToken,
    ) -> Result<WindowTranscript, SpeechError>;

    /// As [`Recognizer::language`].
    ///
    /// # Errors
    /// As for [`Recognizer::language`].
    fn language(&mut self, samples: &[f32], cancel: &CancelToken) -> Result<(Language, f32), SpeechError>;
}

impl Recognize for Recognizer {
    fn window(
        &mut self,
        samples: &[f32],
        options: &WindowOptions,
        cancel: &CancelToken,
    ) -> Result<WindowTranscript, SpeechError> {
        Recognizer::window(self, samples, options, cancel)
    }

    fn language(&mut self, samples: &[f32], cancel: &CancelToken) -> Result<(Language, f32), SpeechError> {
        Recognizer::language(self, samples, cancel)
    }
}

/// How a recording is to be transcribed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TranscribeOptions {
    /// The language that is spoken; detected, window by window, where it is not given.
    pub language: Option<Language>,
    /// What language the text is in.
    pub task: Task,
    /// Names and rare words that may be said: the model spells what it hears as it reads it here.
    pub vocabulary: String,
    /// Whether segments come with their words' times.
    pub words: bool,
}

/// What transcribing has cost so far, and of what.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// How long the sound is that has come, in seconds.
    pub audio_seconds: f64,
    /// How much of it the model was given: all but silence. What it was given twice counts twice.
    pub window_seconds: f64,
    /// How many windows the model was given.
    pub windows: usize,
    /// How long the model has worked, in seconds.
    pub recognizer_seconds: f64,
}

/// Sound of any length, as it comes, becomes segments. They depend on the sound alone, not on the pieces in which it comes.
pub struct Transcriber<R: Recognize = Recognizer> {
    pub(super) recognizer: R,
    pub(super) options: TranscribeOptions,
    pub(super) cutter: Cutter,
    /// The last window that was transcribed, until the next one begins.
    heard: Option<(Window, WindowTranscript)>,
    /// The language of the window before.
    language: Option<Language>,
    /// How many seconds of windows are in which language.
    languages: Vec<(Language, f64)>,
    /// The tokens of the segments before, and where the next window begins if there is no pause between.
    context: Vec<u32>,
    context_end: usize,
    samples: u64,
    window_seconds: f64,
    windows: usize,
    pub(super) worked: Duration,
}

impl<R: Recognize> Transcriber<R> {
    /// Nothing is heard yet.
    pub fn new(recognizer: R, options: TranscribeOptions) -> Self {
        Self::with_detector(recognizer, options, Box::new(Earshot::default()))
    }

    /// The same with another voice detector.
    pub fn with_detector(recognizer: R, options: TranscribeOptions, detector: Box<dyn VoiceDetector>) -> Self {
        Self {
            recognizer,
            options,
            cutter: Cutter::new(detector),
            heard: None,
            language: None,
            languages: Vec::new(),
            context: Vec::new(),
            context_end: 0,
            samples: 0,
            window_seconds: 0.0,
            windows: 0,
            worked: Duration::ZERO,
        }
    }

    /// Takes the next samples, 16 kHz mono from -1 to 1. [`Transcriber::next`] says what became of them.
    pub fn push(&mut self, samples: &[f32]) {
        self.samples += samples.len() as u64;
        self.cutter.push(samples);
    }

    /// Says that no more samples come, or not for a while: what there is becomes a window.
    pub fn end(&mut self) {
        self.cutter.end();
    }

    /// The segments of the next window, with times from the beginning of the sound, once it is known where that ends; `None` when
    /// more samples are needed. They are certain: they will never change.
    ///
    /// # Errors
    /// As for [`Recognizer::window`]. The window is still there then, and can be asked for again.
    pub fn next(&mut self, cancel: &CancelToken) -> Result<Option<Vec<Segment>>, SpeechError> {
        let Some(window) = self.cutter.window() else { return Ok(None) };
        let OneLanguage { window, mut transcript, left_out, then } = self.in_one_language(window, cancel)?;
        self.heard = None;
        if let Some(LeftOut { begins, segments_before }) = left_out {
            transcript.segments.truncate(segments_before);
            transcript.end = begins;
        }
        self.context_end = self.cutter.leave_window(&window, transcript.end);
        if !transcript.segments.is_empty() {
            self.note_language(transcript.language, window.seconds());
        }
        if left_out.is_some() || then.is_some() {
            self.language = then;
            self.context.clear();
        } else {
            self.context = transcript.segments.iter().flat_map(|segment| &segment.tokens).copied().collect();
        }
        Ok(Some(placed(&window, transcript.segments)))
    }

    /// What has been said since the last window, as far as it can be understood by now: later samples may change it.
    ///
    /// # Errors
    /// As for [`Recognizer::window`].
    pub fn tentative(&mut self, cancel: &CancelToken) -> Result<Vec<Segment>, SpeechError> {
        let Some(window) = self.cutter.window_so_far() else { return Ok(Vec::new()) };
        let WindowTranscript { mut segments, unfinished, .. } = self.hear(&window, cancel)?;
        segments.extend(unfinished);
        Ok(placed(&window, segments))
    }

    /// Where the sound ends whose segments are certain, in seconds from its beginning.
    pub fn position(&self) -> f64 {
        self.cutter.position()
    }

    /// The language that was given, or the one that most of the sound so far is in; `None` before anything is heard.
    pub fn language(&self) -> Option<Language> {
        let most = self.languages.iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
        self.options.language.or(most.map(|(language, _)| *language))
    }

    /// What it has cost so far.
    pub fn figures(&self) -> Figures {
        Figures {
            audio_seconds: self.samples as f64 / crate::SAMPLE_RATE as f64,
            window_seconds: self.window_seconds,
            windows: self.windows,
            recognizer_seconds: self.worked.as_secs_f64(),
        }
    }

    /// Hears a window, unless it is the one that was heard last.
    pub(super) fn hear(&mut self, window: &Window, cancel: &CancelToken) -> Result<WindowTranscript, SpeechError> {
        self.hear_as(window, self.options.language.or(self.known_language(window)), cancel)
    }

    /// The same in a language, which is detected if it is not given.
    pub(super) fn hear_as(
        &mut self,
        window: &Window,
        language: Option<Language>,
        cancel: &CancelToken,
    ) -> Result<WindowTranscript, SpeechError> {
        if let Some((_, transcript)) = self.heard.as_ref().filter(|(heard, _)| heard == window) {
            return Ok(transcript.clone());
        }
        let options = WindowOptions {
            language,
            task: self.options.task,
            vocabulary: self.options.vocabulary.clone(),
            context: self.context_of(window),
            words: self.options.words,
        };
        let begin = Instant::now();
        let transcript = self.recognizer.window(self.cutter.samples(window), &options, cancel);
        self.worked += begin.elapsed();
        let transcript = transcript?;
        self.windows += 1;
        self.window_seconds += window.seconds();
        self.heard = Some((window.clone(), transcript.clone()));
        Ok(transcript)
    }

    /// The words before a window that begins within a sentence. After a pause there are none: a model that is told what was said
    /// before gives fewer times, and says it again where it is unsure.
    fn context_of(&self, window: &Window) -> Vec<u32> {
        if window.frames.start == self.context_end { self.context.clone() } else { Vec::new() }
    }

    fn note_language(&mut self, language: Language, seconds: f64) {
        self.language = Some(language);
        match self.languages.iter_mut().find(|(known, _)| *known == language) {
            Some((_, so_far)) => *so_far += seconds,
            None => self.languages.push((language, seconds)),
        }
    }

    fn known_language(&self, window: &Window) -> Option<Language> {
        self.language.filter(|_| self.cutter.voice_seconds(window) < VOICE_WITH_A_LANGUAGE)
    }
}

impl<R: Recognize> std::fmt::Debug for Transcriber<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcriber").field("options", &self.options).field("figures", &self.figures()).finish()
    }
}

/// Segments of a window with times from the beginning of the sound, to a thousandth of a second.
fn placed(window: &Window, mut segments: Vec<Segment>) -> Vec<Segment> {
    let start = window.start();
    let place = |time: &mut f64| *time = ((start + *time) * 1000.0).round() / 1000.0;
    for segment in &mut segments {
        place(&mut segment.start);
        place(&mut segment.end);
        for word in &mut segment.words {
            place(&mut word.start);
            place(&mut word.end);
        }
    }
    segments
}
