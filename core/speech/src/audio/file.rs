//! Audio files, decoded packet by packet.

use std::fs::File;
use std::io::{Cursor, ErrorKind};
use std::path::Path;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::packet::Packet;
use symphonia::default::{get_codecs, get_probe};

use super::pcm::PcmFormat;
use crate::SpeechError;

const FORMATS: &str = "convert it to WAV, FLAC, MP3, M4A with AAC or ALAC, or OGG with Vorbis";

/// A file while it is decoded.
pub(super) struct Decoded {
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    seconds: Option<f64>,
    format: PcmFormat,
    /// Of one packet, interleaved.
    samples: Vec<f32>,
    /// The samples of the first packet, which was decoded to determine the format.
    first: bool,
}

impl Decoded {
    pub(super) fn open(path: &Path) -> Result<Self, SpeechError> {
        let file = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
            true => Err(ErrorKind::IsADirectory.into()),
            false => Ok(file),
        });
        let file = file.map_err(|error| SpeechError::audio(format!("cannot read {}: {error}", path.display())))?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        Self::of(Box::new(file), extension)
    }

    pub(super) fn of_bytes(bytes: Vec<u8>) -> Result<Self, SpeechError> {
        Self::of(Box::new(Cursor::new(bytes)), None)
    }

    fn of(source: Box<dyn MediaSource>, extension: Option<&str>) -> Result<Self, SpeechError> {
        let mut hint = Hint::new();
        if let Some(extension) = extension {
            hint.with_extension(extension);
        }
        let stream = MediaSourceStream::new(source, Default::default());
        let reader = get_probe().probe(&hint, stream, Default::default(), Default::default()).map_err(not_audio)?;
        let track =
            reader.default_track(TrackType::Audio).ok_or_else(|| unsupported("there is no audio track in it"))?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.ok_or_else(|| unsupported("its audio track does not name its codec"))?;
        let decoder = get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| unsupported(&error.to_string()))?;
        let (track, seconds) = (track.id, seconds(track));
        let mut decoded =
            Self { reader, decoder, track, seconds, format: PcmFormat::default(), samples: Vec::new(), first: false };
        decoded.first = decoded.decode_next(None)?;
        match decoded.first {
            true => Ok(decoded),
            false => Err(SpeechError::audio("no sound can be decoded from the file")),
        }
    }

    pub(super) fn format(&self) -> PcmFormat {
        self.format
    }

    pub(super) fn seconds(&self) -> Option<f64> {
        self.seconds
    }

    /// The next samples, interleaved; `None` at the end.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] if the format changes partway.
    pub(super) fn next(&mut self) -> Result<Option<&[f32]>, SpeechError> {
        let some = std::mem::take(&mut self.first) || self.decode_next(Some(self.format))?;
        Ok(some.then_some(&self.samples))
    }

    /// Decodes the next packet with samples; `false` at the end. Damaged packets are skipped.
    fn decode_next(&mut self, format: Option<PcmFormat>) -> Result<bool, SpeechError> {
        while let Some(packet) = self.next_packet()? {
            let decoded = match self.decoder.decode(&packet) {
                Ok(decoded) => decoded,
                Err(error @ (Error::DecodeError(_) | Error::IoError(_))) => {
                    log::warn!("a damaged part of the recording was skipped: {error}");
                    continue;
                }
                Err(error) => return Err(SpeechError::audio(error.to_string())),
            };
            if decoded.is_empty() {
                continue;
            }
            let spec = decoded.spec();
            let channels = u16::try_from(spec.channels().count()).unwrap_or(u16::MAX);
            self.format = PcmFormat { sample_rate: spec.rate(), channels };
            if format.is_some_and(|format| format != self.format) {
                return Err(SpeechError::audio("its sample rate or channels change partway: convert it"));
            }
            decoded.copy_to_vec_interleaved(&mut self.samples);
            return Ok(true);
        }
        Ok(false)
    }

    /// The next packet of the audio track; `None` at the end, which may come too early.
    fn next_packet(&mut self) -> Result<Option<Packet>, SpeechError> {
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(Error::ResetRequired) => {
                    return Err(SpeechError::audio("it contains several recordings: split them into files"));
                }
                Err(error) => {
                    log::warn!("the recording ends too early: {error}");
                    return Ok(None);
                }
            }
        }
    }
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoded").field("format", &self.format).field("seconds", &self.seconds).finish_non_exhaustive()
    }
}

fn seconds(track: &Track) -> Option<f64> {
    Some(track.time_base?.calc_duration(track.duration?)?.as_secs_f64())
}

fn not_audio(error: Error) -> SpeechError {
    match error {
        Error::Unsupported(_) => unsupported("its format is unknown"),
        // The file ended before a known signature was found.
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            SpeechError::audio("it is not an audio file, or an unfinished one")
        }
        error => SpeechError::audio(error.to_string()),
    }
}

fn unsupported(why: &str) -> SpeechError {
    SpeechError::audio(format!("{why}: {FORMATS}"))
}
