use crate::SAMPLE_RATE;

/// Samples of a frame, 16 ms.
pub const FRAME: usize = 256;

/// Says where somebody speaks.
pub trait VoiceDetector: Send {
    /// How likely it is that somebody speaks in the next frame of 16 kHz sound, from 0 to 1. Samples are from -1 to 1.
    fn voice(&mut self, frame: &[f32; FRAME]) -> f32;
}

/// The detector of the `earshot` crate: a small recurrent network, which takes a three-thousandth of the time that the sound takes.
pub struct Earshot(Box<earshot::Detector>);

impl Default for Earshot {
    fn default() -> Self {
        Self(earshot::Detector::default_boxed())
    }
}

impl VoiceDetector for Earshot {
    fn voice(&mut self, frame: &[f32; FRAME]) -> f32 {
        self.0.predict_f32(frame)
    }
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

/// Frames, each with voice or without.
pub(super) struct VoicedFrames {
    detector: Box<dyn VoiceDetector>,
    speaking: bool,
}

/// A voice begins where its probability is at least this,
const BEGINS: f32 = 0.5;
/// and ends where it is less than this.
const ENDS: f32 = 0.3;
/// The mean square of a frame that nobody could hear, -70 dB of full scale.
const INAUDIBLE: f32 = 1e-7;

impl VoicedFrames {
    pub(super) fn new(detector: Box<dyn VoiceDetector>) -> Self {
        Self { detector, speaking: false }
    }

    /// Whether somebody speaks in the next frame.
    pub(super) fn voiced(&mut self, frame: &[f32; FRAME]) -> bool {
        let loudness = frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32;
        let voice = self.detector.voice(frame);
        self.speaking = loudness > INAUDIBLE && voice >= if self.speaking { ENDS } else { BEGINS };
        self.speaking
    }
}
