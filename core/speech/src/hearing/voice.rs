use crate::SAMPLE_RATE;

/// Samples of a frame, 16 ms.
pub const FRAME: usize = 256;

/// Says where somebody speaks.
pub trait VoiceDetector: Send {
    /// How likely it is that somebody speaks in the next frame of 16 kHz sound, from 0 to 1. Samples are from -1 to 1.
    fn voice(&mut self, frame: &[f32; FRAME]) -> f32;
}

/// The detector of the `earshot` crate: a small recurrent network, which takes a three-thousandth of the time that the sound takes.
///
/// It takes loud noise for voice, but no quiet noise: so what is loud is made quieter first.
pub struct Earshot {
    detector: Box<earshot::Detector>,
    /// The mean square of the last second or so.
    level: f32,
}

/// The mean square of sound that is loud enough, -34 dB of full scale.
const LOUD_ENOUGH: f32 = 4e-4;
/// Frames in which the level follows the sound: a second.
const LEVEL_FRAMES: f32 = 62.0;

impl Default for Earshot {
    fn default() -> Self {
        Self { detector: earshot::Detector::default_boxed(), level: 0.0 }
    }
}

impl VoiceDetector for Earshot {
    fn voice(&mut self, frame: &[f32; FRAME]) -> f32 {
        self.level += (mean_square(frame) - self.level) / LEVEL_FRAMES;
        let gain = (LOUD_ENOUGH / self.level.max(LOUD_ENOUGH)).sqrt();
        self.detector.predict_f32(&frame.map(|sample| sample * gain))
    }
}

fn mean_square(frame: &[f32; FRAME]) -> f32 {
    frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32
}

impl std::fmt::Debug for Earshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Earshot")
    }
}

/// How many frames some seconds have.
pub(super) const fn frames(seconds: f64) -> usize {
    (seconds * SAMPLE_RATE as f64) as usize / FRAME
}

/// What a frame has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    No,
    /// It belongs to speech, if there is some around it.
    Maybe,
    Surely,
}

/// Decides about frames, one after the other.
pub(super) struct VoicedFrames {
    detector: Box<dyn VoiceDetector>,
    speaking: bool,
}

/// Voice begins where its probability is at least this,
const BEGINS: f32 = 0.5;
/// and ends where it is less than this.
const ENDS: f32 = 0.3;
/// No noise without any voice in it comes to this.
const SURE: f32 = 0.7;
/// The mean square of a frame that nobody could hear, -70 dB of full scale.
const INAUDIBLE: f32 = 1e-7;

impl VoicedFrames {
    pub(super) fn new(detector: Box<dyn VoiceDetector>) -> Self {
        Self { detector, speaking: false }
    }

    /// What the next frame has.
    pub(super) fn next(&mut self, frame: &[f32; FRAME]) -> Voice {
        let voice = self.detector.voice(frame);
        self.speaking = mean_square(frame) > INAUDIBLE && voice >= if self.speaking { ENDS } else { BEGINS };
        match self.speaking {
            true if voice >= SURE => Voice::Surely,
            true => Voice::Maybe,
            false => Voice::No,
        }
    }
}
