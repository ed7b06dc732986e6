//! The substitute for audio files in a build without them.

use std::convert::Infallible;
use std::path::Path;

use super::pcm::PcmFormat;
use crate::SpeechError;

/// There is none.
#[derive(Debug)]
pub(super) struct Decoded(Infallible);

impl Decoded {
    pub(super) fn open(_: &Path) -> Result<Self, SpeechError> {
        Err(left_out())
    }

    pub(super) fn of_bytes(_: Vec<u8>) -> Result<Self, SpeechError> {
        Err(left_out())
    }

    pub(super) fn format(&self) -> PcmFormat {
        match self.0 {}
    }

    pub(super) fn seconds(&self) -> Option<f64> {
        match self.0 {}
    }

    pub(super) fn next(&mut self) -> Result<Option<&[f32]>, SpeechError> {
        match self.0 {}
    }
}

fn left_out() -> SpeechError {
    SpeechError::unsupported(
        "audio files in this build: decode the file with the platform's decoder, and pass the samples",
    )
}
