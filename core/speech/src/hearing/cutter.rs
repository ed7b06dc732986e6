//! Cuts sound into windows at pauses, and leaves out parts without speech.

use std::ops::Range;

use super::voice::{FRAME, Voice, VoiceDetector, VoicedFrames, frames};
use crate::{SAMPLE_RATE, WINDOW_SAMPLES};

/// The longest window.
const WINDOW: usize = WINDOW_SAMPLES / FRAME;
/// A pause that ends a window of any length.
const LONG_PAUSE: usize = frames(2.0);
/// The shortest pause at which a full window is cut.
const SHORT_PAUSE: usize = frames(0.2);
/// The earliest cut in a full window: an earlier one would make windows too short.
const CUT_FROM: usize = WINDOW * 2 / 3;
/// The sound that belongs to speech before and after a detected voice: soft consonants. With less, a model gets words
/// at the edges wrong.
const AROUND_VOICE: usize = frames(0.5);
/// Less voice than this is only a click or a cough.
const LEAST_VOICE: usize = frames(0.1);
/// The most parts in which the language of a window is looked for, and the least voice that says which one it is.
const PARTS: usize = 4;
const VOICE_OF_A_PART: usize = frames(1.5);
/// How far the time of a word may be from the pause after it.
const NEAR: usize = frames(0.7);
/// The smallest step from one window to the next, so that transcription always ends.
const LEAST_STEP: usize = frames(0.2);

/// Turns incoming sound into windows. They depend only on the sound, not on the chunks in which it arrives.
pub(super) struct Cutter {
    detector: VoicedFrames,
    /// The samples that are still needed, from frame `start` on.
    samples: Vec<f32>,
    /// For each whole frame of `samples`.
    voices: Vec<Voice>,
    /// In frames from the beginning of the sound.
    start: usize,
    ended: bool,
}

/// Sound in which somebody speaks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    /// In frames from the beginning of the sound.
    pub frames: Range<usize>,
}

impl Window {
    /// Seconds from the beginning of the sound.
    pub(super) fn start(&self) -> f64 {
        seconds(self.frames.start)
    }

    /// How long it is.
    pub(super) fn seconds(&self) -> f64 {
        seconds(self.frames.len())
    }
}

fn seconds(frames: usize) -> f64 {
    (frames * FRAME) as f64 / SAMPLE_RATE as f64
}

impl Cutter {
    pub(super) fn new(detector: Box<dyn VoiceDetector>) -> Self {
        let detector = VoicedFrames::new(detector);
        Self { detector, samples: Vec::new(), voices: Vec::new(), start: 0, ended: false }
    }

    /// Takes the next samples.
    pub(super) fn push(&mut self, samples: &[f32]) {
        self.samples.extend_from_slice(samples);
        let (whole, _) = self.samples[self.voices.len() * FRAME..].as_chunks::<FRAME>();
        for frame in whole {
            self.voices.push(self.detector.next(frame));
        }
        self.leave_silence();
    }

    /// Ends the last window here, because no more samples come, at least for a while.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// The next window, if its end is known: at a pause of two seconds, at the best pause before it gets too long, or
    /// at the end. It stays the same until it is left behind.
    pub(super) fn window(&mut self) -> Option<Window> {
        loop {
            self.leave_silence();
            match self.end_of_window() {
                None => {
                    self.ended = false;
                    return None;
                }
                Some(end) if self.has_voice(end) => return Some(Window { frames: self.start..self.start + end }),
                Some(end) => self.leave(end),
            }
        }
    }

    /// The next window as it would be if the sound ended here.
    pub(super) fn window_so_far(&mut self) -> Option<Window> {
        self.leave_silence();
        let end = self.end_of_voice()?;
        self.has_voice(end).then(|| Window { frames: self.start..self.start + end })
    }

    /// The samples of a window.
    pub(super) fn samples(&self, window: &Window) -> &[f32] {
        &self.samples[(window.frames.start - self.start) * FRAME..(window.frames.end - self.start) * FRAME]
    }

    /// The amount of voice in a window, in seconds.
    pub(super) fn voice_seconds(&self, window: &Window) -> f64 {
        seconds(self.voiced_frames(window))
    }

    /// A window in parts: cut in the middle of its longest pauses, so that there is enough voice in each to tell its language.
    pub(super) fn parts(&self, window: &Window) -> Vec<Window> {
        let Window { frames } = window;
        let mut pauses: Vec<_> = self.inner_pauses(window).filter(|pause| pause.len() >= SHORT_PAUSE).collect();
        pauses.sort_by_key(|pause| std::cmp::Reverse(pause.len()));
        let mut cuts = vec![frames.start, frames.end];
        for cut in pauses.iter().map(middle) {
            let place = cuts.partition_point(|earlier| *earlier < cut);
            let enough = |part: Range<usize>| self.voiced_frames(&Window { frames: part }) >= VOICE_OF_A_PART;
            if cuts.len() <= PARTS && enough(cuts[place - 1]..cut) && enough(cut..cuts[place]) {
                cuts.insert(place, cut);
            }
        }
        cuts.windows(2).map(|pair| Window { frames: pair[0]..pair[1] }).collect()
    }

    /// The part of a window between two times, in seconds from its start, or between the longest pauses near them.
    pub(super) fn part(&self, window: &Window, from: f64, to: f64) -> Window {
        let cut = |seconds: f64| {
            let at = (window.frames.start + frames(seconds.max(0.0))).min(window.frames.end);
            let near = self.inner_pauses(window).filter(|pause| pause.start < at + NEAR && pause.end + NEAR > at);
            near.max_by_key(|pause| pause.len()).map_or(at, |pause| middle(&pause))
        };
        let start = cut(from);
        Window { frames: start..cut(to).max(start) }
    }

    /// The pauses between voices, in frames from the beginning of the sound.
    fn inner_pauses(&self, window: &Window) -> impl Iterator<Item = Range<usize>> {
        let begin = window.frames.start;
        let inner = pauses(self.voices_of(window)).map(move |pause| begin + pause.start..begin + pause.end);
        inner.filter(|pause| pause.end < window.frames.end)
    }

    fn voices_of(&self, window: &Window) -> &[Voice] {
        &self.voices[window.frames.start - self.start..window.frames.end - self.start]
    }

    fn voiced_frames(&self, window: &Window) -> usize {
        self.voices_of(window).iter().filter(|voice| **voice != Voice::No).count()
    }

    /// Leaves a window behind as far as it was heard, in seconds from its start: the next one begins at the frame that this returns, or
    /// after it.
    pub(super) fn leave_window(&mut self, window: &Window, heard: f64) -> usize {
        let heard = (heard.max(0.0) * SAMPLE_RATE as f64 / FRAME as f64).round() as usize;
        self.leave(heard.max(LEAST_STEP).min(window.frames.len()));
        self.start
    }

    /// Where the next window begins at the earliest, in seconds from its beginning.
    pub(super) fn position(&self) -> f64 {
        seconds(self.start)
    }

    fn leave(&mut self, frames: usize) {
        self.samples.drain(..frames * FRAME);
        self.voices.drain(..frames);
        self.start += frames;
    }

    /// Leaves silence behind up to where a voice begins.
    fn leave_silence(&mut self) {
        match self.voices.iter().position(|voice| *voice != Voice::No) {
            Some(voice) => self.leave(voice.saturating_sub(AROUND_VOICE)),
            None if self.ended => self.leave(self.voices.len()),
            None => self.leave(self.voices.len().saturating_sub(AROUND_VOICE)),
        }
    }

    fn end_of_window(&self) -> Option<usize> {
        let most = &self.voices[..self.voices.len().min(WINDOW)];
        if let Some(pause) = pauses(most).find(|pause| pause.len() >= LONG_PAUSE) {
            return Some(pause.start + AROUND_VOICE);
        }
        if most.len() == WINDOW {
            let cuts = pauses(most).filter(|pause| pause.start >= CUT_FROM && pause.len() >= SHORT_PAUSE);
            let longest = cuts.max_by_key(|pause| pause.len());
            return Some(longest.map_or(WINDOW, |pause| pause.start + AROUND_VOICE.min(pause.len() / 2)));
        }
        if self.ended { self.end_of_voice() } else { None }
    }

    /// Where the last voice has died away.
    fn end_of_voice(&self) -> Option<usize> {
        let most = &self.voices[..self.voices.len().min(WINDOW)];
        let last = most.iter().rposition(|voice| *voice != Voice::No)?;
        Some((last + 1 + AROUND_VOICE).min(most.len()))
    }

    fn has_voice(&self, end: usize) -> bool {
        self.voices[..end].iter().filter(|voice| **voice == Voice::Surely).count() >= LEAST_VOICE
    }
}

fn middle(pause: &Range<usize>) -> usize {
    pause.start + pause.len() / 2
}

/// The pauses after the first voice, the last one as long as it is so far.
fn pauses(voices: &[Voice]) -> impl Iterator<Item = Range<usize>> {
    let next_with = |from: usize, voice: bool| {
        let found = voices[from..].iter().position(move |frame| (*frame != Voice::No) == voice);
        found.map(|frames| from + frames)
    };
    let mut at = next_with(0, true).unwrap_or(voices.len());
    std::iter::from_fn(move || {
        let start = next_with(at, false)?;
        at = next_with(start, true).unwrap_or(voices.len());
        Some(start..at)
    })
}
