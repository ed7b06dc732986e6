use crate::SpeechError;

/// Positions that the encoder makes of 30 seconds: one for every 20 ms.
pub(crate) const AUDIO_POSITIONS: usize = 1500;
/// Widths, layers and heads of a model, at most: four times those of the largest that there is.
const LARGEST: usize = 5120;
/// Positions of text, at most; the models have 448.
const MOST_TEXT_POSITIONS: usize = 4096;
/// Tokens of the largest vocabulary: that of `large-v3`.
const LARGEST_VOCABULARY: usize = 51_866;
/// Tokens of the smallest: each byte, and the special tokens of 99 languages.
const SMALLEST_VOCABULARY: usize = 256 + 1509 + 99;

/// A Whisper model's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    /// Width of the residual stream, in the encoder and the decoder.
    pub(crate) width: usize,
    pub(crate) encoder_heads: usize,
    pub(crate) encoder_layers: usize,
    pub(crate) text_positions: usize,
    pub(crate) decoder_heads: usize,
    pub(crate) decoder_layers: usize,
    /// Bands of the mel spectrogram: 80, or 128.
    pub(crate) mel_bands: usize,
}

impl Config {
    /// Width of a feed-forward layer.
    pub(crate) fn inner_width(&self) -> usize {
        4 * self.width
    }

    /// Checks that this is the shape of a Whisper model that can be run.
    ///
    /// # Errors
    /// [`SpeechError::ModelInvalid`].
    pub(crate) fn check(&self) -> Result<(), SpeechError> {
        let between = |what: &str, number: usize, least: usize, most: usize| match (least..=most).contains(&number) {
            true => Ok(()),
            false => Err(SpeechError::model_invalid(what, format!("{number} is not between {least} and {most}"))),
        };
        between("the width", self.width, 32, LARGEST)?;
        between("the encoder's layers", self.encoder_layers, 1, LARGEST)?;
        between("the decoder's layers", self.decoder_layers, 1, LARGEST)?;
        between("the positions of text", self.text_positions, 16, MOST_TEXT_POSITIONS)?;
        between("the size of the vocabulary", self.vocab_size, SMALLEST_VOCABULARY, LARGEST_VOCABULARY)?;
        between("the bands of the mel spectrogram", self.mel_bands, 80, 128)?;
        for heads in [self.encoder_heads, self.decoder_heads] {
            between("the number of heads", heads, 1, self.width / 32)?;
            // What attention takes: heads as wide as a multiple of 32, and not wider than 256.
            let head_dim = self.width / heads;
            if head_dim * heads != self.width || !head_dim.is_multiple_of(32) || head_dim > 256 {
                let why = format!("{heads} heads do not share a width of {}", self.width);
                return Err(SpeechError::model_invalid("the number of heads", why));
            }
        }
        Ok(())
    }
}
