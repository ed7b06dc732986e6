//! What attention over each cache is tested with: limits, the formula, and queries of several heads.

mod float;
mod quantized;

use rand::rngs::StdRng;
use sotto_kernels::{Kernels, Output, Queries, Visible, scalar};

use crate::common::random_values;

/// Absolute error of an output, relative to the largest value, and twice that against the scalar twin, which has as much.
const BOUND: f64 = 1e-5;
/// The largest of the random values.
const LARGEST: f32 = 2.0;

/// What attention may be limited by.
#[derive(Debug, Clone, Copy)]
struct Limits {
    cap: Option<f32>,
    window: Option<usize>,
}

const NO_LIMITS: Limits = Limits { cap: None, window: None };

impl Limits {
    fn cap(&self, score: f64) -> f64 {
        self.cap.map_or(score, |cap| f64::from(cap) * (score / f64::from(cap)).tanh())
    }

    /// The first position that is seen with `visible` positions up to a token.
    fn first(&self, visible: usize) -> usize {
        self.window.map_or(0, |window| visible.saturating_sub(window))
    }
}

/// The width of a head, heads, tokens, and positions before them.
type Shape = (usize, usize, usize, usize);

/// Shapes around the borders of panels and blocks, and with more rows than are computed together.
const LIMITED: [(Shape, Limits); 8] = [
    ((64, 3, 1, 700), Limits { cap: Some(2.0), window: None }),
    ((32, 2, 3, 30), Limits { cap: Some(0.5), window: Some(1) }),
    ((96, 3, 40, 250), Limits { cap: None, window: Some(5) }),
    ((64, 9, 70, 480), Limits { cap: Some(3.0), window: Some(33) }),
    ((256, 2, 2, 770), Limits { cap: Some(1.0), window: Some(257) }),
    ((128, 2, 1, 767), Limits { cap: None, window: Some(256) }),
    ((64, 5, 30, 500), Limits { cap: None, window: Some(512) }),
    ((256, 5, 3, 0), Limits { cap: None, window: Some(2) }),
];

/// The shapes without limits, then those of [`LIMITED`].
fn with_limits(unlimited: &[Shape]) -> impl Iterator<Item = (Shape, Limits)> {
    unlimited.iter().map(|&shape| (shape, NO_LIMITS)).chain(LIMITED)
}

/// Attention of the heads from 1 on, of tokens that follow each other; zeros for head 0.
fn attend_to_all_but_head_0(
    queries: &[f32],
    heads: usize,
    head_dim: usize,
    first_position: usize,
    limits: Limits,
    attend: impl Fn(&Queries<'_>, &Output<'_>),
) -> Vec<f32> {
    let stride = heads * head_dim;
    let mut result = vec![0.0; queries.len()];
    let queries = Queries {
        values: queries,
        stride,
        heads: (1, heads),
        tokens: (0, queries.len() / stride),
        visible: Visible::Past { first_position, window: limits.window },
        scale: 1.0 / (head_dim as f32).sqrt(),
        score_cap: limits.cap,
    };
    attend(&queries, &Output::new(&mut result, stride));
    result
}

/// Checks what [`attend_to_all_but_head_0`] gave: `check` takes a head's query, how many positions it sees, and its output.
fn check_all_but_head_0(
    queries: &[f32],
    out: &[f32],
    (head_dim, heads, tokens, before): Shape,
    check: impl Fn(&[f32], usize, &[f32]),
) {
    let stride = heads * head_dim;
    assert_eq!((queries.len(), out.len()), (tokens * stride, tokens * stride), "a row for each token");
    for (token, (query, out)) in queries.chunks(stride).zip(out.chunks(stride)).enumerate() {
        assert!(out[..head_dim].iter().all(|&x| x == 0.0), "head 0 was not asked for");
        for (query, out) in query.chunks(head_dim).zip(out.chunks(head_dim)).skip(1) {
            check(query, before + token + 1, out);
        }
    }
}

/// Softmax weights and the output of one head in `f64`, over the first `visible` rows of keys and values, `[positions,
/// head_dim]`.
struct Expected {
    /// Before they are divided by `total`.
    weights: Vec<f64>,
    total: f64,
    out: Vec<f64>,
}

impl Expected {
    fn new(query: &[f64], keys: &[f64], values: &[f64], scale: f64, limits: Limits, visible: usize) -> Self {
        let head_dim = query.len();
        let first = limits.first(visible);
        let score = |key: &[f64]| limits.cap(scale * key.iter().zip(query).map(|(k, q)| k * q).sum::<f64>());
        let scores: Vec<f64> = keys.chunks(head_dim).take(visible).map(score).collect();
        let max = scores[first..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut weights: Vec<f64> = scores.iter().map(|score| (score - max).exp()).collect();
        weights[..first].fill(0.0);
        let total: f64 = weights.iter().sum();
        let mut out = vec![0.0; head_dim];
        for (weight, value) in weights.iter().zip(values.chunks(head_dim)) {
            out.iter_mut().zip(value).for_each(|(out, value)| *out += weight * value / total);
        }
        Self { weights, total, out }
    }
}

/// The same by the scalar twin, which knows no caps.
fn twin(query: &[f32], keys: &[f64], values: &[f64], scale: f32, limits: Limits, visible: usize) -> Option<Vec<f32>> {
    let head_dim = query.len();
    let seen = limits.first(visible) * head_dim..visible * head_dim;
    let narrow = |x: &[f64]| -> Vec<f32> { x[seen.clone()].iter().map(|&x| x as f32).collect() };
    let mut out = vec![f32::NAN; head_dim];
    scalar::attention(query, &narrow(keys), &narrow(values), scale, &mut out);
    limits.cap.is_none().then_some(out)
}

/// What a token reads does not depend on the tokens that are computed with it: `attend` takes queries, heads and the first
/// position, for a cache of heads 64 wide.
fn check_tokens_alone(rng: &mut StdRng, tokens: usize, attend: impl Fn(&Kernels, &[f32], usize, usize) -> Vec<f32>) {
    let (head_dim, heads) = (64, 4);
    let queries = random_values(rng, tokens * heads * head_dim, LARGEST);
    for kernels in Kernels::available() {
        let together = attend(kernels, &queries, heads, 0);
        let alone: Vec<f32> = (0..tokens)
            .zip(queries.chunks(heads * head_dim))
            .flat_map(|(token, query)| attend(kernels, query, heads, token))
            .collect();
        assert_eq!(together, alone, "{}", kernels.name());
    }
}

/// Tokens that all see the first `positions` get what each gets alone.
fn check_tokens_that_see_the_same(
    rng: &mut StdRng,
    positions: usize,
    attend: impl Fn(&Kernels, &Queries<'_>, &Output<'_>),
) {
    let (head_dim, heads, tokens) = (64, 3, 40);
    let stride = heads * head_dim;
    let queries = random_values(rng, tokens * stride, LARGEST);
    let attend = |kernels: &Kernels, values: &[f32], visible| {
        let mut result = vec![0.0; values.len()];
        let tokens = (0, values.len() / stride);
        let queries = Queries { values, stride, heads: (0, heads), tokens, visible, scale: 0.125, score_cap: None };
        attend(kernels, &queries, &Output::new(&mut result, stride));
        result
    };
    for kernels in Kernels::available() {
        let together = attend(kernels, &queries, Visible::First(positions));
        let last = Visible::Past { first_position: positions - 1, window: None };
        let alone: Vec<f32> = queries.chunks(stride).flat_map(|query| attend(kernels, query, last)).collect();
        assert_eq!(together, alone, "{}", kernels.name());
    }
}
