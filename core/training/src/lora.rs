//! The numbers of an adapter while it is trained: all pairs of matrices in one vector.
//!
//! Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021.

use std::ops::Range;

use sotto_engine::AdapterTensor;
use sotto_engine::compute::{LayerWeights, Linear, RowOrder, Transformer};

use crate::random::Random;

/// The matrices of a layer, in the order of [`Lora::layer`].
pub(crate) const MATRICES: usize = 7;

/// Which numbers are which.
#[derive(Debug, Clone)]
pub(crate) struct Lora {
    pub(crate) rank: usize,
    pub(crate) alpha: f32,
    /// Layer by layer.
    pairs: Vec<Pair>,
}

/// The change of one matrix: `scale · x · aᵀ · b`.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// `[rank, inputs]`.
    pub(crate) a: Range<usize>,
    /// `[rank, outputs]`: the transpose of what files have, in the order of the pass.
    pub(crate) b: Range<usize>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// The name of the matrix.
    name: String,
    order: RowOrder,
}

/// The matrices of a layer: queries, keys, values, output of attention, gate, up, down.
pub(crate) fn linears(layer: &LayerWeights) -> [&Linear; MATRICES] {
    let LayerWeights { query, key, value, attention_output, gate, up, down, .. } = layer;
    [query, key, value, attention_output, gate, up, down]
}

impl Lora {
    pub(crate) fn new(model: &Transformer, rank: usize, alpha: f32) -> Self {
        let (mut pairs, mut end) = (Vec::new(), 0);
        let mut place = |len: usize| {
            end += len;
            end - len..end
        };
        for linear in model.weights.layers.iter().flat_map(linears) {
            let ([outputs, inputs], name) = (linear.weight.shape(), linear.weight.name().to_owned());
            let (a, b) = (place(rank * inputs), place(rank * outputs));
            pairs.push(Pair { a, b, inputs, outputs, name, order: linear.order });
        }
        Self { rank, alpha, pairs }
    }

    /// How many numbers it has.
    pub(crate) fn len(&self) -> usize {
        self.pairs.last().map_or(0, |pair| pair.b.end)
    }

    /// What changes are multiplied with.
    pub(crate) fn scale(&self) -> f32 {
        self.alpha / self.rank as f32
    }

    pub(crate) fn layer(&self, layer: usize) -> &[Pair] {
        &self.pairs[layer * MATRICES..][..MATRICES]
    }

    /// An adapter that changes nothing yet: `b` is zero, and `a` random.
    pub(crate) fn initial(&self, seed: u64) -> Vec<f32> {
        let (mut numbers, mut random) = (vec![0.0; self.len()], Random::new(seed));
        for pair in &self.pairs {
            let bound = (3.0 / pair.inputs as f32).sqrt();
            numbers[pair.a.clone()].fill_with(|| bound * random.symmetric());
        }
        numbers
    }

    /// Multiplies what the adapter changes with `strength`.
    pub(crate) fn scale_by(&self, numbers: &mut [f32], strength: f32) {
        for pair in &self.pairs {
            numbers[pair.b.clone()].iter_mut().for_each(|number| *number *= strength);
        }
    }

    /// The numbers (or their gradients) as a file has them.
    pub(crate) fn tensors(&self, numbers: &[f32]) -> Vec<AdapterTensor> {
        self.pairs.iter().flat_map(|pair| pair.tensors(numbers, self.rank)).collect()
    }

    /// Sets the numbers of the tensors that a file has.
    ///
    /// # Panics
    /// When one is missing, or has another shape.
    pub(crate) fn set(&self, numbers: &mut [f32], tensors: &[AdapterTensor]) {
        for pair in &self.pairs {
            let [a, b] = pair.tensors(numbers, self.rank).map(|own| {
                let given = tensors.iter().find(|given| given.name == own.name).expect("a tensor for each matrix");
                assert_eq!(given.shape, own.shape, "{}", own.name);
                &given.values
            });
            numbers[pair.a.clone()].copy_from_slice(a);
            for row in 0..pair.outputs {
                let given = &b[pair.order.place(row) * self.rank..][..self.rank];
                let own = numbers[pair.b.clone()][row..].iter_mut().step_by(pair.outputs);
                own.zip(given).for_each(|(own, given)| *own = *given);
            }
        }
    }
}

impl Pair {
    fn tensors(&self, numbers: &[f32], rank: usize) -> [AdapterTensor; 2] {
        let (a, b) = (&numbers[self.a.clone()], &numbers[self.b.clone()]);
        let mut rows = vec![0.0; b.len()];
        for row in 0..self.outputs {
            let out = &mut rows[self.order.place(row) * rank..][..rank];
            out.iter_mut().zip(b[row..].iter().step_by(self.outputs)).for_each(|(out, number)| *out = *number);
        }
        let tensor = |half: &str, shape, values| AdapterTensor { name: format!("{}.{half}", self.name), shape, values };
        [tensor("lora_a", [rank, self.inputs], a.to_vec()), tensor("lora_b", [self.outputs, rank], rows)]
    }
}
