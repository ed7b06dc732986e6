//! Labels that are learnt from examples: a regression on their vectors, blended with what a language model says.

mod blend;
mod regression;

use blend::{Blend, HeldOut};
use regression::{Regression, dot, softmax};

/// Examples that are learnt from, at most: the last ones.
pub(super) const MOST_EXAMPLES: usize = 2000;
/// Parts of the examples, each of which is judged by a regression on the others.
const PARTS: usize = 5;
/// Nearest examples that explain a judgement.
const NEAREST: usize = 3;
/// What stands for how frequent a label is, beside a vector of length 1: little, because the frequencies of a few examples are chance.
const FREQUENCY: f32 = 0.1;
/// A label that the model finds less likely than its favourite by more than this, in nats, counts as this unlikely.
const LEAST_SCORE: f64 = -20.0;

/// A text that a person has labelled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LabelledVector {
    /// The id of its record.
    pub(crate) id: u64,
    /// Its embedding, with a length of 1.
    pub(crate) vector: Vec<f32>,
    /// The index of its label.
    pub(crate) label: usize,
    /// The log-probability that a language model gives to each label, if it was asked.
    pub(crate) model_scores: Option<Vec<f64>>,
}

/// How likely each label is for a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    /// The probability of each label. They add up to 1.
    pub(crate) probabilities: Vec<f64>,
    /// The most similar examples, the nearest first.
    pub(crate) nearest: Vec<Neighbour>,
}

/// An example that is similar to a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbour {
    /// The id of its record.
    pub(crate) id: u64,
    /// The index of its label.
    pub(crate) label: usize,
    /// The cosine of the angle between the two vectors: 1 for the same text.
    pub(crate) similarity: f32,
}

/// What was learnt from examples of some labels.
///
/// Without examples, it says what the language model says. Every example is learnt by a multinomial logistic regression on the vectors. How
/// much the model and the regression count, and how sure they are, follows from how right each was about examples that the regression had not
/// learnt. Until there are examples of two labels, only the model counts, because nothing tells the labels apart.
#[derive(Debug, Clone)]
pub(crate) struct LabelModel {
    labels: usize,
    examples: Vec<LabelledVector>,
    centre: Centre,
    regression: Regression,
    /// Each has not learnt one part of the examples.
    held_out: Vec<Regression>,
    blend: Blend,
}

impl LabelModel {
    /// Says what the language model says, until it learns. Vectors have so many dimensions.
    pub(crate) fn new(labels: usize, dimensions: usize) -> Self {
        let regression = Regression::new(labels, dimensions + 1);
        let held_out = vec![regression.clone(); PARTS];
        Self { labels, examples: Vec::new(), centre: Centre::default(), regression, held_out, blend: Blend::default() }
    }

    /// Learns more examples, each in place of one with the same id, and goes on from what was learnt before.
    pub(crate) fn learn(&mut self, examples: Vec<LabelledVector>) {
        for example in examples {
            match self.examples.binary_search_by_key(&example.id, |known| known.id) {
                Ok(place) => self.examples[place] = example,
                Err(place) => self.examples.insert(place, example),
            }
        }
        let surplus = self.examples.len().saturating_sub(MOST_EXAMPLES);
        self.examples.drain(..surplus);
        self.fit();
    }

    /// How likely each label is for a text with this vector, of which a language model has said this.
    pub(crate) fn judge(&self, vector: &[f32], model_scores: Option<&[f64]>) -> Judgement {
        let nearest = self.nearest(vector);
        let probabilities =
            softmax(&self.blend.scores(&floored(model_scores, self.labels), &self.example_scores(vector)));
        Judgement { probabilities, nearest }
    }

    fn example_scores(&self, vector: &[f32]) -> Vec<f64> {
        match self.tells_labels_apart() {
            true => self.regression.scores(&self.centre.seen_from(vector)),
            false => vec![0.0; self.labels],
        }
    }

    /// The most similar examples, the nearest first; of those that are equally near, the last one learnt.
    fn nearest(&self, vector: &[f32]) -> Vec<Neighbour> {
        let mut nearest: Vec<Neighbour> = self
            .examples
            .iter()
            .map(|known| Neighbour { id: known.id, label: known.label, similarity: dot(&known.vector, vector) })
            .collect();
        nearest.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(b.id.cmp(&a.id)));
        nearest.truncate(NEAREST);
        nearest
    }

    fn tells_labels_apart(&self) -> bool {
        self.examples.iter().any(|example| example.label != self.examples[0].label)
    }

    fn fit(&mut self) {
        if !self.tells_labels_apart() {
            self.blend = Blend::default();
            return;
        }
        self.centre = Centre::of(&self.examples);
        let rows: Vec<Vec<f32>> = self.examples.iter().map(|example| self.centre.seen_from(&example.vector)).collect();
        let all: Vec<(&[f32], usize)> =
            rows.iter().zip(&self.examples).map(|(row, example)| (row.as_slice(), example.label)).collect();
        self.regression.fit(&all);
        let mut said = Vec::with_capacity(all.len());
        for (part, regression) in self.held_out.iter_mut().enumerate() {
            let is_in_part = |index: usize| self.examples[index].id % PARTS as u64 == part as u64;
            let others: Vec<_> = (0..all.len()).filter(|index| !is_in_part(*index)).map(|index| all[index]).collect();
            regression.fit(&others);
            said.extend((0..all.len()).filter(|index| is_in_part(*index)).map(|index| HeldOut {
                model: floored(self.examples[index].model_scores.as_deref(), self.labels),
                examples: regression.scores(all[index].0),
                label: all[index].1,
            }));
        }
        self.blend = Blend::fit(&said);
    }
}

/// A language model's scores, none of them infinite; zeros if it was not asked.
fn floored(scores: Option<&[f64]>, labels: usize) -> Vec<f64> {
    let Some(scores) = scores else { return vec![0.0; labels] };
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match highest.is_finite() {
        true => scores.iter().map(|score| (score - highest).max(LEAST_SCORE)).collect(),
        false => vec![0.0; labels],
    }
}

/// Where the examples' vectors lie. Those of language models all point in nearly the same direction: what tells texts apart is how they differ
/// from their mean.
#[derive(Debug, Clone, Default)]
struct Centre {
    mean: Vec<f32>,
    scale: f32,
}

impl Centre {
    fn of(examples: &[LabelledVector]) -> Self {
        let count = examples.len() as f32;
        let mut mean = vec![0.0; examples[0].vector.len()];
        for example in examples {
            mean.iter_mut().zip(&example.vector).for_each(|(mean, x)| *mean += x / count);
        }
        let squares = examples
            .iter()
            .map(|example| example.vector.iter().zip(&mean).map(|(x, mean)| (x - mean) * (x - mean)).sum::<f32>());
        let spread = (squares.sum::<f32>() / count).sqrt();
        Self { mean, scale: if spread > 0.0 { 1.0 / spread } else { 1.0 } }
    }

    /// How a vector differs from the mean, with a length of about 1; and a number whose weight says how frequent a label is.
    fn seen_from(&self, vector: &[f32]) -> Vec<f32> {
        let differences = vector.iter().zip(&self.mean).map(|(x, mean)| (x - mean) * self.scale);
        differences.chain([FREQUENCY]).collect()
    }
}

#[cfg(test)]
mod tests;
