//! The weights of a Whisper model.
//!
//! Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022.

use sotto_engine::compute::{LayerNorm, Linear, WeightMatrix};
use sotto_engine::tensors::{Tensors, write_halves};
use sotto_engine::{CancelToken, DType};

use super::Precision;
use super::config::{AUDIO_POSITIONS, Config};
use crate::SpeechError;

/// Added to variances.
const EPSILON: f32 = 1e-5;

/// All weights.
#[derive(Debug)]
pub(crate) struct Weights {
    /// Over three frames of the spectrogram, each frame.
    pub(crate) first_convolution: Linear,
    /// Over three frames of what the first one makes, each second frame.
    pub(crate) second_convolution: Linear,
    /// `[AUDIO_POSITIONS, width]`.
    pub(crate) audio_positions: Vec<f32>,
    pub(crate) encoder: Vec<EncoderLayer>,
    pub(crate) encoder_norm: LayerNorm,
    /// `[vocab_size, width]`: the output matrix, too.
    pub(crate) embedding: WeightMatrix,
    /// `[text_positions, width]`.
    pub(crate) text_positions: Vec<f32>,
    pub(crate) decoder: Vec<DecoderLayer>,
    pub(crate) decoder_norm: LayerNorm,
}

#[derive(Debug)]
pub(crate) struct EncoderLayer {
    pub(crate) attention: Attention,
    pub(crate) feed_forward: FeedForward,
}

#[derive(Debug)]
pub(crate) struct DecoderLayer {
    pub(crate) attention: Attention,
    /// To what the encoder made.
    pub(crate) cross_attention: Attention,
    pub(crate) feed_forward: FeedForward,
}

#[derive(Debug)]
pub(crate) struct Attention {
    pub(crate) norm: LayerNorm,
    pub(crate) query: Linear,
    /// Without a bias.
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
}

#[derive(Debug)]
pub(crate) struct FeedForward {
    pub(crate) norm: LayerNorm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

impl Weights {
    /// Reads, checks and packs all tensors.
    ///
    /// # Errors
    /// [`SpeechError::ModelInvalid`] for missing tensors and wrong shapes, [`SpeechError::Unsupported`],
    /// [`SpeechError::OutOfMemory`], [`SpeechError::Cancelled`].
    pub(crate) fn read(
        tensors: &mut Tensors,
        config: &Config,
        precision: Precision,
        cancel: &CancelToken,
    ) -> Result<Self, SpeechError> {
        let mut reader = Reader { tensors, config, precision, cancel };
        let width = config.width;
        Ok(Self {
            first_convolution: reader.convolution("encoder.conv1", config.mel_bands)?,
            second_convolution: reader.convolution("encoder.conv2", width)?,
            audio_positions: reader.tensors.numbers("encoder.positional_embedding", &[AUDIO_POSITIONS, width])?,
            encoder: reader.layers("encoder", config.encoder_layers, Reader::encoder_layer)?,
            encoder_norm: reader.norm("encoder.ln_post")?,
            embedding: reader.matrix("decoder.token_embedding.weight", [config.vocab_size, width])?,
            text_positions: reader.tensors.numbers("decoder.positional_embedding", &[config.text_positions, width])?,
            decoder: reader.layers("decoder", config.decoder_layers, Reader::decoder_layer)?,
            decoder_norm: reader.norm("decoder.ln")?,
        })
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> u64 {
        let mut bytes = self.embedding.packed_len() + 4 * (self.audio_positions.len() + self.text_positions.len());
        let encoder = self
            .encoder
            .iter()
            .flat_map(|layer| layer.attention.linears().into_iter().chain(layer.feed_forward.linears()));
        let decoder = self.decoder.iter().flat_map(|layer| {
            let attention = layer.attention.linears().into_iter().chain(layer.cross_attention.linears());
            attention.chain(layer.feed_forward.linears())
        });
        let all = encoder.chain(decoder).chain([&self.first_convolution, &self.second_convolution]);
        bytes += all.map(|linear| linear.weight.packed_len()).sum::<usize>();
        bytes as u64
    }
}

impl Attention {
    fn linears(&self) -> [&Linear; 4] {
        [&self.query, &self.key, &self.value, &self.output]
    }
}

impl FeedForward {
    fn linears(&self) -> [&Linear; 2] {
        [&self.up, &self.down]
    }
}

struct Reader<'a> {
    tensors: &'a mut Tensors,
    config: &'a Config,
    precision: Precision,
    cancel: &'a CancelToken,
}

impl Reader<'_> {
    fn layers<T>(
        &mut self,
        part: &str,
        count: usize,
        read: impl Fn(&mut Self, &str) -> Result<T, SpeechError>,
    ) -> Result<Vec<T>, SpeechError> {
        (0..count).map(|layer| read(self, &format!("{part}.blocks.{layer}"))).collect()
    }

    fn encoder_layer(&mut self, name: &str) -> Result<EncoderLayer, SpeechError> {
        Ok(EncoderLayer {
            attention: self.attention(&format!("{name}.attn"))?,
            feed_forward: self.feed_forward(&format!("{name}.mlp"))?,
        })
    }

    fn decoder_layer(&mut self, name: &str) -> Result<DecoderLayer, SpeechError> {
        Ok(DecoderLayer {
            attention: self.attention(&format!("{name}.attn"))?,
            cross_attention: self.attention(&format!("{name}.cross_attn"))?,
            feed_forward: self.feed_forward(&format!("{name}.mlp"))?,
        })
    }

    fn attention(&mut self, name: &str) -> Result<Attention, SpeechError> {
        let width = self.config.width;
        Ok(Attention {
            norm: self.norm(&format!("{name}_ln"))?,
            query: self.linear(&format!("{name}.query"), [width, width])?,
            key: Linear::new(self.matrix(&format!("{name}.key.weight"), [width, width])?, None),
            value: self.linear(&format!("{name}.value"), [width, width])?,
            output: self.linear(&format!("{name}.out"), [width, width])?,
        })
    }

    fn feed_forward(&mut self, name: &str) -> Result<FeedForward, SpeechError> {
        let (width, inner) = (self.config.width, self.config.inner_width());
        Ok(FeedForward {
            norm: self.norm(&format!("{name}_ln"))?,
            up: self.linear(&format!("{name}.0"), [inner, width])?,
            down: self.linear(&format!("{name}.2"), [width, inner])?,
        })
    }

    fn linear(&mut self, name: &str, shape: [usize; 2]) -> Result<Linear, SpeechError> {
        let weight = self.matrix(&format!("{name}.weight"), shape)?;
        Ok(Linear::new(weight, Some(self.tensors.vector(&format!("{name}.bias"), shape[0])?)))
    }

    fn matrix(&mut self, name: &str, shape: [usize; 2]) -> Result<WeightMatrix, SpeechError> {
        Ok(self.tensors.matrix(name, shape, |dtype| self.precision.of_matrix(dtype), self.cancel)?)
    }

    /// A convolution over three frames. Its kernel, `[outputs, inputs, 3]` in the file, becomes a matrix `[outputs, 3 * inputs]` of F16:
    /// the inputs of a frame follow each other, as they do in rows of frames.
    fn convolution(&mut self, name: &str, inputs: usize) -> Result<Linear, SpeechError> {
        let (width, kernel_name) = (self.config.width, format!("{name}.weight"));
        let kernel = self.tensors.numbers(&kernel_name, &[width, inputs, 3])?;
        let reordered = kernel
            .chunks_exact(3 * inputs)
            .flat_map(|kernel| (0..3).flat_map(move |frame| kernel.iter().skip(frame).step_by(3).copied()));
        let (mut reordered, shape) = (reordered.fuse(), [width, 3 * inputs]);
        let weight = WeightMatrix::pack_rows_of(&kernel_name, DType::F16, shape, self.cancel, |halves| {
            write_halves(reordered.by_ref().take(halves.len() / 2), halves);
            Ok(())
        })?;
        Ok(Linear::new(weight, Some(self.tensors.vector(&format!("{name}.bias"), width)?)))
    }

    fn norm(&mut self, name: &str) -> Result<LayerNorm, SpeechError> {
        let width = self.config.width;
        Ok(LayerNorm {
            weight: self.tensors.vector(&format!("{name}.weight"), width)?,
            bias: self.tensors.vector(&format!("{name}.bias"), width)?,
            epsilon: EPSILON,
        })
    }
}
