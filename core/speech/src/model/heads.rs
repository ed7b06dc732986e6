use super::config::Config;
use crate::SpeechError;

/// A head of a layer of the decoder.
type Head = (usize, usize);

/// The cross-attention heads that follow the speech.
#[derive(Debug, PartialEq)]
pub(crate) struct AlignmentHeads(Vec<Vec<usize>>);

/// A model published by OpenAI: encoder and decoder layers, whether it is multilingual, and its heads.
struct Published {
    encoder_layers: usize,
    decoder_layers: usize,
    multilingual: bool,
    heads: &'static [Head],
}

/// As OpenAI's code has them.
#[rustfmt::skip]
const PUBLISHED: [Published; 10] = [
    Published { encoder_layers: 4, decoder_layers: 4, multilingual: false,
        heads: &[(1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)] },
    Published { encoder_layers: 4, decoder_layers: 4, multilingual: true,
        heads: &[(2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)] },
    Published { encoder_layers: 6, decoder_layers: 6, multilingual: false,
        heads: &[(3, 3), (4, 7), (5, 1), (5, 5), (5, 7)] },
    Published { encoder_layers: 6, decoder_layers: 6, multilingual: true,
        heads: &[(3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)] },
    Published { encoder_layers: 12, decoder_layers: 12, multilingual: false,
        heads: &[(6, 6), (7, 0), (7, 3), (7, 8), (8, 2), (8, 5), (8, 7), (9, 0), (9, 4), (9, 8), (9, 10), (10, 0), (10, 1), (10, 2),
            (10, 3), (10, 6), (10, 11), (11, 2), (11, 4)] },
    Published { encoder_layers: 12, decoder_layers: 12, multilingual: true,
        heads: &[(5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5)] },
    Published { encoder_layers: 24, decoder_layers: 24, multilingual: false,
        heads: &[(11, 4), (14, 1), (14, 12), (14, 14), (15, 4), (16, 0), (16, 4), (16, 9), (17, 12), (17, 14), (18, 7), (18, 10),
            (18, 15), (20, 0), (20, 3), (20, 9), (20, 14), (21, 12)] },
    Published { encoder_layers: 24, decoder_layers: 24, multilingual: true,
        heads: &[(13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)] },
    Published { encoder_layers: 32, decoder_layers: 32, multilingual: true,
        heads: &[(7, 0), (10, 17), (12, 18), (13, 12), (16, 1), (17, 14), (19, 11), (21, 4), (24, 1), (25, 6)] },
    Published { encoder_layers: 32, decoder_layers: 4, multilingual: true,
        heads: &[(2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)] },
];

impl AlignmentHeads {
    /// Those that a file names.
    ///
    /// # Errors
    /// [`SpeechError::ModelInvalid`] when the model has no such heads.
    pub(crate) fn given(config: &Config, heads: &[Head]) -> Result<Self, SpeechError> {
        let exists = |&(layer, head): &Head| layer < config.decoder_layers && head < config.decoder_heads;
        match heads.iter().all(exists) && !heads.is_empty() {
            true => Ok(Self::of_layers(config, heads)),
            false => Err(SpeechError::model_invalid("the alignment heads", "the model has no such heads")),
        }
    }

    /// The heads of a published model; for others, all heads in the upper half of the layers.
    pub(crate) fn known(config: &Config, multilingual: bool) -> Self {
        let published = PUBLISHED.iter().find(|model| {
            (model.encoder_layers, model.decoder_layers, model.multilingual)
                == (config.encoder_layers, config.decoder_layers, multilingual)
        });
        let exists = |&(_, head): &Head| head < config.decoder_heads;
        match published.filter(|model| model.heads.iter().all(exists)) {
            Some(model) => Self::of_layers(config, model.heads),
            None => {
                let upper = config.decoder_layers / 2..config.decoder_layers;
                let heads = upper.flat_map(|layer| (0..config.decoder_heads).map(move |head| (layer, head)));
                Self::of_layers(config, &heads.collect::<Vec<Head>>())
            }
        }
    }

    /// Those of a layer.
    pub(crate) fn of(&self, layer: usize) -> &[usize] {
        &self.0[layer]
    }

    fn of_layers(config: &Config, heads: &[Head]) -> Self {
        let mut layers = vec![Vec::new(); config.decoder_layers];
        heads.iter().for_each(|&(layer, head)| layers[layer].push(head));
        Self(layers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Config = Config {
        vocab_size: 51_865,
        width: 512,
        encoder_heads: 8,
        encoder_layers: 6,
        text_positions: 448,
        decoder_heads: 8,
        decoder_layers: 6,
        mel_bands: 80,
    };

    #[test]
    fn heads_are_those_of_the_model_or_of_the_upper_layers() {
        let base = AlignmentHeads::known(&BASE, true);
        assert_eq!((base.of(2), base.of(3), base.of(5)), (&[][..], &[1][..], &[1, 2, 4, 6][..]));
        let distilled = AlignmentHeads::known(&Config { decoder_layers: 2, ..BASE }, true);
        assert_eq!((distilled.of(0).len(), distilled.of(1).len()), (0, 8));
        let given = AlignmentHeads::given(&BASE, &[(5, 7), (0, 2)]).expect("heads that there are");
        assert_eq!((given.of(0), given.of(5)), (&[2][..], &[7][..]));
        assert!(AlignmentHeads::given(&BASE, &[(6, 0)]).is_err() && AlignmentHeads::given(&BASE, &[(0, 8)]).is_err());
        assert!(AlignmentHeads::given(&BASE, &[]).is_err());
    }
}
