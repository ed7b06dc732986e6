//! A window is transcribed in one language, and models leave out or garble what is said in another one. So a window whose text is
//! in doubt ends where the language changes, and what was left out begins the next window.

use std::time::Instant;

use super::cutter::Window;
use super::transcriber::{Recognize, Transcriber};
use crate::{CancelToken, Language, SpeechError, WindowTranscript};

/// More voice than this after a window's last words, in seconds, says something that was left out.
const VOICE_LEFT_OUT: f64 = 1.0;
/// A text with a lower mean log probability per token may be in two languages: in one, clear speech has -0.1 to -0.4, in two -0.5 to -1.
const SURE_OF_THE_LANGUAGE: f32 = -0.5;
/// The least probability with which a part of a window says which language is spoken in it.
const SURE_OF_A_PART: f32 = 0.7;

/// A window, or its part before the language changes.
pub(super) struct OneLanguage {
    pub(super) window: Window,
    pub(super) transcript: WindowTranscript,
    pub(super) left_out: Option<LeftOut>,
    /// The language after it, if it changes there.
    pub(super) then: Option<Language>,
}

/// Something that is said in a window but not in its text.
#[derive(Clone, Copy)]
pub(super) struct LeftOut {
    /// In seconds from the window's start.
    pub(super) begins: f64,
    pub(super) segments_before: usize,
}

/// A part of a window before the language changes.
struct Change {
    before: Window,
    language: Language,
    then: Language,
}

impl<R: Recognize> Transcriber<R> {
    /// Hears a window, or only its part in one language, if that is understood better than the whole.
    pub(super) fn in_one_language(&mut self, window: Window, cancel: &CancelToken) -> Result<OneLanguage, SpeechError> {
        let whole = self.hear(&window, cancel)?;
        let left_out = self.left_out(&window, &whole);
        let unsure = mean_log_probability(&whole).is_some_and(|mean| mean < SURE_OF_THE_LANGUAGE);
        if self.options.language.is_none()
            && (unsure || left_out.is_some())
            && let Some(Change { before, language, then }) = self.change(&window, cancel)?
        {
            let transcript = self.hear_as(&before, Some(language), cancel)?;
            if is_better(&transcript, &whole) || left_out.is_some() {
                let left_out = self.left_out(&before, &transcript);
                return Ok(OneLanguage { window: before, transcript, left_out, then: Some(then) });
            }
        }
        Ok(OneLanguage { window, transcript: whole, left_out, then: None })
    }

    /// Where voice in a window begins that no segment covers, between two of them or after the last one.
    fn left_out(&self, window: &Window, transcript: &WindowTranscript) -> Option<LeftOut> {
        let segments = &transcript.segments;
        let end = |next: usize| segments.get(next).map_or(transcript.end, |segment| segment.start);
        segments.iter().enumerate().find_map(|(place, segment)| {
            let gap = self.cutter.part(window, segment.end, end(place + 1));
            let begins = gap.start() - window.start();
            (self.cutter.voice_seconds(&gap) > VOICE_LEFT_OUT).then_some(LeftOut { begins, segments_before: place + 1 })
        })
    }

    /// Looks for the first part of a window that is in another language than the one before it.
    fn change(&mut self, window: &Window, cancel: &CancelToken) -> Result<Option<Change>, SpeechError> {
        let parts = self.cutter.parts(window);
        if parts.len() < 2 {
            return Ok(None);
        }
        let mut first = None;
        for part in parts {
            let begin = Instant::now();
            let detected = self.recognizer.language(self.cutter.samples(&part), cancel);
            self.worked += begin.elapsed();
            let (language, probability) = detected?;
            match first {
                _ if probability < SURE_OF_A_PART => {}
                None => first = Some(language),
                Some(before) if before == language => {}
                Some(before) => {
                    let frames = window.frames.start..part.frames.start;
                    return Ok(Some(Change { before: Window { frames }, language: before, then: language }));
                }
            }
        }
        Ok(None)
    }
}

fn is_better(transcript: &WindowTranscript, other: &WindowTranscript) -> bool {
    mean_log_probability(transcript) > mean_log_probability(other)
}

/// That of all tokens of a window; `None` if there are none.
fn mean_log_probability(transcript: &WindowTranscript) -> Option<f32> {
    transcript.segments.first().map(|segment| segment.mean_log_probability)
}
