//! Sound that is easy to make and to understand: each word is a square wave whose height says which word it is.

use super::transcriber::Recognize;
use super::voice::{FRAME, VoiceDetector};
use crate::{CancelToken, Language, SAMPLE_RATE, Segment, SpeechError, WindowOptions, WindowTranscript};

/// How many words there are.
pub(super) const WORDS: u32 = 30;

/// Words from this one on are German, the others are English.
pub(super) const GERMAN: u32 = 20;

/// Less of a word than this is not understood: windows begin at whole frames.
const LEAST: usize = FRAME;

/// The sound of a word, or silence.
pub(super) fn sound(word: Option<u32>, samples: usize) -> impl Iterator<Item = f32> {
    let height = word.map_or(0.0, |word| 0.7 + word as f32 * 0.01);
    (0..samples).map(move |i| if i / 8 % 2 == 0 { height } else { -height })
}

/// Hears voice where there is any sound.
pub(super) struct Loud;

impl VoiceDetector for Loud {
    fn voice(&mut self, frame: &[f32; FRAME]) -> f32 {
        if frame.iter().any(|sample| *sample != 0.0) { 1.0 } else { 0.0 }
    }
}

/// Understands words. As Whisper does, it leaves the last one to the next window where the end of the window cuts it, and does not
/// understand words of another language than the first one's: it leaves them out, or garbles them.
#[derive(Default)]
pub(super) struct Fake {
    /// What it was asked.
    pub asked: Vec<WindowOptions>,
    /// How often it was asked for the language.
    pub languages_asked: usize,
    /// Samples of each window.
    pub windows: Vec<usize>,
    /// Whether words of another language come out garbled.
    pub garbles: bool,
    /// How often it fails before it understands anything.
    pub failures: usize,
}

impl Recognize for &mut Fake {
    fn window(
        &mut self,
        samples: &[f32],
        options: &WindowOptions,
        cancel: &CancelToken,
    ) -> Result<WindowTranscript, SpeechError> {
        cancel.check()?;
        if self.failures > 0 {
            self.failures -= 1;
            return Err(SpeechError::Internal("on purpose".into()));
        }
        self.asked.push(options.clone());
        self.windows.push(samples.len());
        let mut segments = words(samples);
        let language = options.language.or(segments.first().map(language_of)).unwrap_or(Language::ENGLISH);
        self.misunderstand(&mut segments, language);
        let mut end = seconds(samples.len());
        let is_cut = segments.len() > 1 && samples.last().is_some_and(|last| *last != 0.0);
        let unfinished = if is_cut { segments.pop() } else { None };
        if let Some(cut) = &unfinished {
            end = cut.start;
        }
        Ok(WindowTranscript { language, segments, end, unfinished })
    }

    fn language(&mut self, samples: &[f32], _: &CancelToken) -> Result<(Language, f32), SpeechError> {
        self.languages_asked += 1;
        Ok((words(samples).first().map_or(Language::ENGLISH, language_of), 1.0))
    }
}

impl Fake {
    fn misunderstand(&self, segments: &mut Vec<Segment>, language: Language) {
        let understood = |segment: &Segment| language_of(segment) == language;
        if segments.iter().all(understood) {
            return;
        }
        if self.garbles {
            let unsure = |segment: &mut Segment| segment.mean_log_probability = -0.8;
            segments.iter_mut().for_each(unsure);
            segments.iter_mut().filter(|segment| !understood(segment)).for_each(|segment| segment.text = "?".into());
        } else {
            segments.retain(understood);
        }
    }
}

fn language_of(segment: &Segment) -> Language {
    let code = if segment.tokens[0] < GERMAN { "en" } else { "de" };
    Language::from_code(code).expect("a language")
}

fn words(samples: &[f32]) -> Vec<Segment> {
    let height = |at: usize| samples[at].abs();
    let starts = (0..samples.len()).filter(|&at| height(at) > 0.0 && (at == 0 || height(at - 1) != height(at)));
    let runs = starts.map(|start| {
        let len = samples[start..].iter().take_while(|sample| sample.abs() == height(start)).count();
        (start, len)
    });
    runs.filter(|(_, len)| *len >= LEAST)
        .map(|(start, len)| {
            let word = ((height(start) - 0.7) * 100.0).round() as u32;
            Segment {
                start: seconds(start),
                end: seconds(start + len),
                text: word.to_string(),
                words: Vec::new(),
                no_speech: 0.0,
                mean_log_probability: 0.0,
                tokens: vec![word],
            }
        })
        .collect()
}

fn seconds(samples: usize) -> f64 {
    samples as f64 / SAMPLE_RATE as f64
}
