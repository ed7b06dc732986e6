//! Texts that are read together: one after the other, without anything between them.

use std::ops::Range;

use sotto_engine::compute::{LayerTurns, Rope};
use sotto_engine::{EngineError, ModelConfig};

/// A text as tokens, and which of them are to be learnt: those from `learn_from` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// All of them, in order.
    pub tokens: Vec<u32>,
    /// The first that is learnt. The very first of all has nothing before it that it could be predicted from.
    pub learn_from: usize,
}

impl Example {
    /// How many of its tokens are learnt.
    pub fn learnt(&self) -> usize {
        self.tokens.len() - self.first().min(self.tokens.len())
    }

    fn first(&self) -> usize {
        self.learn_from.max(1)
    }
}

/// Texts in the rows of a pass.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) tokens: Vec<u32>,
    /// The rows of each text.
    pub(crate) texts: Vec<Range<usize>>,
    pub(crate) predictions: Vec<Prediction>,
    /// RoPE's turns of each row.
    pub(crate) turns: LayerTurns,
}

/// A row that predicts a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prediction {
    pub(crate) row: usize,
    pub(crate) token: u32,
}

impl Batch {
    /// # Errors
    /// [`EngineError::UnknownToken`]; [`EngineError::OutOfMemory`].
    pub(crate) fn new(config: &ModelConfig, rope: &Rope, examples: &[&Example]) -> Result<Self, EngineError> {
        let (mut tokens, mut texts, mut predictions) = (Vec::new(), Vec::new(), Vec::new());
        for example in examples {
            let start = tokens.len();
            // The last token predicts nothing.
            tokens.extend_from_slice(&example.tokens[..example.tokens.len().saturating_sub(1)]);
            let learnt = example.tokens.iter().enumerate().skip(example.first());
            predictions.extend(learnt.map(|(place, &token)| Prediction { row: start + place - 1, token }));
            texts.push(start..tokens.len());
        }
        let mut ids = tokens.iter().copied().chain(predictions.iter().map(|prediction| prediction.token));
        if let Some(id) = ids.find(|&id| id as usize >= config.vocab_size) {
            return Err(EngineError::UnknownToken { id, vocab_size: config.vocab_size });
        }
        let mut turns = LayerTurns::new(config, tokens.len())?;
        texts.iter().for_each(|rows| rope.fill(0..rows.len(), rows.clone(), &mut turns));
        Ok(Self { tokens, texts, predictions, turns })
    }

    pub(crate) fn rows(&self) -> usize {
        self.tokens.len()
    }
}
