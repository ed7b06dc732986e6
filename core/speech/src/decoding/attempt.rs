//! One attempt to transcribe a window.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::rules::{self, largest, log_sum_exp};
use super::{Decoding, loops};
use crate::SpeechError;

/// The limit for the compression ratio: ordinary text compresses to about half, repetitive text to less.
const MOST_COMPRESSIBLE: f32 = 2.4;
/// The minimum mean log probability per token for a good transcript.
const LEAST_MEAN_LOG_PROBABILITY: f32 = -1.0;
/// Above this probability, nobody speaks, unless the model is sure of the text.
const NO_SPEECH: f32 = 0.6;

/// A transcript at one temperature.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Text and timestamps, without the end token.
    pub(crate) tokens: Vec<u32>,
    /// The log probability of the tokens and the end, in nats.
    pub(crate) mean_log_probability: f32,
    /// The probability that nobody speaks.
    pub(crate) no_speech: f32,
    /// Whether it repeats itself.
    pub(crate) repeats: bool,
}

impl Attempt {
    /// Whether nobody speaks.
    pub(crate) fn is_silence(&self) -> bool {
        self.no_speech > NO_SPEECH && self.mean_log_probability < LEAST_MEAN_LOG_PROBABILITY
    }

    /// Whether it is good enough.
    pub(crate) fn is_good(&self) -> bool {
        self.is_silence() || (!self.repeats && self.mean_log_probability >= LEAST_MEAN_LOG_PROBABILITY)
    }
}

impl Decoding<'_> {
    /// Reads a prompt and the `prefix` except its last token. Returns the probability that nobody speaks, from the
    /// logits after the start of the transcript.
    pub(super) fn open(&mut self, prompt: &[u32], prefix: &[u32]) -> Result<f32, SpeechError> {
        let no_speech = self.model.vocabulary.no_speech() as usize;
        let (start, rest) = prefix.split_first().ok_or_else(|| SpeechError::Internal("an empty prefix".into()))?;
        self.decoder.truncate(0);
        let begin: Vec<u32> = prompt.iter().chain([start]).copied().collect();
        let logits = self.decoder.read(&self.compute, &self.model.weights, &begin)?;
        let no_speech = (logits[no_speech] - log_sum_exp(logits)).exp();
        match rest {
            // The start token itself is read again.
            [] => self.decoder.truncate(begin.len() - 1),
            [rest @ .., _] if !rest.is_empty() => {
                self.decoder.read(&self.compute, &self.model.weights, rest)?;
            }
            _ => {}
        }
        Ok(no_speech)
    }

    /// Continues after a prefix whose last token `last` has not been read yet.
    pub(super) fn attempt(&mut self, last: u32, no_speech: f32, temperature: f32) -> Result<Attempt, SpeechError> {
        let model = self.model;
        let begin = self.decoder.position();
        let room = model.config.text_positions - begin - 1;
        let limit = room.min(model.config.text_positions / 2);
        // The same window gives the same text.
        let mut random = Xoshiro256PlusPlus::seed_from_u64(u64::from(temperature.to_bits()));
        let (mut tokens, mut token, mut sum, mut loops) = (Vec::new(), last, 0.0, false);
        while tokens.len() < limit && !loops {
            let logits = self.decoder.read(&self.compute, &model.weights, &[token])?;
            rules::apply(&model.vocabulary, &tokens, logits);
            let (next, log_probability) = choose(logits, temperature, &mut random);
            sum += log_probability;
            token = next;
            if next == model.vocabulary.end() {
                break;
            }
            tokens.push(next);
            loops = loops::go_round(&self.text_of(&tokens));
        }
        self.decoder.truncate(begin);
        let text = self.text_of(&tokens);
        let mean_log_probability = sum / (tokens.len() + 1) as f32;
        if loops {
            self.keep_one_round(&mut tokens);
        }
        let repeats = loops || compression_ratio(&model.vocabulary.text(&text)) > MOST_COMPRESSIBLE;
        Ok(Attempt { tokens, mean_log_probability, no_speech, repeats })
    }

    /// The text among tokens.
    fn text_of(&self, tokens: &[u32]) -> Vec<u32> {
        tokens.iter().copied().filter(|&token| token < self.model.vocabulary.end()).collect()
    }

    /// Drops repetitions at the end.
    fn keep_one_round(&self, tokens: &mut Vec<u32>) {
        let mut text = self.text_of(tokens);
        let kept = loops::without_repetition(&text);
        while text.len() > kept {
            if tokens.pop().is_some_and(|token| token < self.model.vocabulary.end()) {
                text.pop();
            }
        }
    }
}

/// The next token and its log probability: the likeliest at a temperature of zero, else a random one.
fn choose(logits: &[f32], temperature: f32, random: &mut Xoshiro256PlusPlus) -> (u32, f32) {
    let all = log_sum_exp(logits);
    let likeliest = || {
        let largest = largest(logits);
        logits.iter().position(|&logit| logit == largest)
    };
    let place = match temperature > 0.0 {
        false => likeliest(),
        true => {
            let weight = |logit: &f32| ((logit - all) / temperature).exp();
            let mut left = random.random::<f32>() * logits.iter().map(weight).sum::<f32>();
            let chosen = logits.iter().position(|logit| {
                left -= weight(logit);
                left < 0.0
            });
            // Rounding may leave a rest.
            chosen.or_else(likeliest)
        }
    };
    let place = place.unwrap_or(0);
    (place as u32, logits[place] - all)
}

/// The compression ratio of a text.
fn compression_ratio(text: &str) -> f32 {
    /// As zlib's default.
    const LEVEL: u8 = 6;
    let compressed = miniz_oxide::deflate::compress_to_vec_zlib(text.as_bytes(), LEVEL);
    text.len() as f32 / compressed.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_repeats_itself_is_compressed_well() {
        let speech = "And so my fellow Americans, ask not what your country can do for you.";
        assert!(compression_ratio(speech) < 1.5);
        assert!(compression_ratio(&"Thank you. ".repeat(20)) > MOST_COMPRESSIBLE);
        assert!(compression_ratio("") < 1.0);
    }

    #[test]
    fn cold_choices_are_the_likeliest_and_warm_ones_are_spread() {
        let logits = [0.0, f32::NEG_INFINITY, 2.0, 1.0];
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let (token, log_probability) = choose(&logits, 0.0, &mut random);
        let all = (1.0f32 + 1f32.exp() + 2f32.exp()).ln();
        assert!(token == 2 && (log_probability - (2.0 - all)).abs() < 1e-6);
        let mut counts = [0; 4];
        for _ in 0..3000 {
            counts[choose(&logits, 1.0, &mut random).0 as usize] += 1;
        }
        // 270, 0, 1,995 and 735 are expected.
        assert!(counts[1] == 0 && (1850..2150).contains(&counts[2]) && (620..850).contains(&counts[3]), "{counts:?}");
    }
}
