//! Norms, activations and attention of every instruction set: against the formula in `f64`, and against each other.

mod common;

use common::{random_values, say_exercised};
use half::f16;
use sotto_kernels::plain::Plain;
use sotto_kernels::scalar;
use sotto_kernels::{
    CacheElement, HeadCache, KEY_PANEL, Kernels, Output, QuantizedHeadCache, QuantizedHeadCacheMut, Queries, Visible,
    value_width,
};

/// Relative error of a normalized value.
const RMS_NORM_BOUND: f64 = 2e-6;
/// Relative error of a gated activation; below the smallest exponential that is computed, it is absolute.
const SWIGLU_BOUND: f64 = 1e-6;
const SWIGLU_FLOOR: f64 = 1e-36;
/// Absolute error of a gated activation, relative to gate times value: the exponential's argument is rounded.
const GEGLU_BOUND: f64 = 5e-7;
/// Absolute error of an activation against the scalar one, relative to its argument.
const GELU_BOUND: f32 = 3e-7;
/// Absolute error of a layer-normalized value against the scalar one, relative to the largest.
const LAYER_NORM_BOUND: f32 = 2e-6;
/// Relative error of a capped score.
const SOFT_CAP_BOUND: f64 = 5e-7;
/// Absolute error of an attention output, relative to the largest value.
const ATTENTION_BOUND: f64 = 1e-5;
/// What a number may be off after it was rounded to eight bits, relative to the largest that shares its scale.
const ROUNDING: f64 = 0.5 / 127.0;
/// Absolute error of attention over a quantized cache beside what rounding costs, relative to the largest value: that of softmax
/// weights before they are rounded.
const ROUNDED_SOFTMAX_BOUND: f64 = 1e-4;
/// Absolute error of attention over a quantized cache against the numbers before they were rounded, relative to the
/// largest value, for scores of a few units.
const QUANTIZED_ATTENTION_BOUND: f64 = 0.03;

fn on_every_set<T: PartialEq + std::fmt::Debug>(work: impl Fn(&Kernels) -> T) -> T {
    let expected = work(Kernels::named("scalar").expect("runs everywhere"));
    for kernels in Kernels::available() {
        assert_eq!(work(kernels), expected, "{}", kernels.name());
    }
    expected
}

#[test]
fn rms_norms() {
    for (len, scale) in [(1, 1.0), (5, 1e-3), (64, 1e4), (2047, 1.0), (3072, 30.0)] {
        let (x, weight) = (random_values(len, scale), random_values(len, 2.0));
        let out = on_every_set(|kernels| {
            let mut out = vec![f32::NAN; len];
            kernels.rms_norm(&x, &weight, 1e-5, &mut out);
            out
        });
        let mean_square = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / len as f64;
        for i in 0..len {
            let expected = f64::from(x[i]) / (mean_square + f64::from(1e-5f32)).sqrt() * f64::from(weight[i]);
            assert!((f64::from(out[i]) - expected).abs() <= RMS_NORM_BOUND * expected.abs().max(1e-20));
        }
    }
    Kernels::available().for_each(say_exercised);
}

#[test]
fn layer_norms() {
    for (len, scale) in [(1, 1.0), (5, 1e-3), (64, 1e4), (2047, 1.0), (384, 30.0)] {
        let [x, weight, bias] = [scale, 2.0, 2.0].map(|scale| random_values(len, scale));
        let out = on_every_set(|kernels| {
            let mut out = vec![f32::NAN; len];
            kernels.layer_norm(&x, &weight, &bias, 1e-5, &mut out);
            out
        });
        let mut expected = out.clone();
        scalar::layer_norm(&x, &weight, &bias, 1e-5, &mut expected);
        for (out, expected) in out.iter().zip(expected) {
            assert!((out - expected).abs() <= LAYER_NORM_BOUND * expected.abs().max(4.0), "{out} {expected}");
        }
    }
}

#[test]
fn gelus() {
    for (len, scale) in [(1, 1.0), (7, 10.0), (16, 100.0), (33, 1000.0), (4099, 6.0)] {
        let x = random_values(len, scale);
        let out = on_every_set(|kernels| {
            let mut out = x.clone();
            kernels.gelu(&mut out);
            out
        });
        for (x, out) in x.iter().zip(out) {
            assert!((out - scalar::gelu(*x)).abs() <= GELU_BOUND * x.abs(), "{x}: {out}");
        }
    }
    for kernels in Kernels::available() {
        let mut x = [f32::NAN, f32::INFINITY];
        kernels.gelu(&mut x);
        assert!(x.iter().all(|x| !x.is_finite()), "{}: an overflow must not look like a number", kernels.name());
    }
}

#[test]
fn gated_activations() {
    for (len, scale) in [(1, 1.0), (7, 10.0), (16, 100.0), (33, 1000.0), (4099, 20.0)] {
        let (gate, up) = (random_values(len, scale), random_values(len, 2.0));
        let out = on_every_set(|kernels| {
            let mut out = gate.clone();
            kernels.swiglu(&mut out, &up);
            out
        });
        for i in 0..len {
            let (gate, up) = (f64::from(gate[i]), f64::from(up[i]));
            let expected = gate / (1.0 + (-gate).exp()) * up;
            let error = (f64::from(out[i]) - expected).abs();
            assert!(error <= SWIGLU_BOUND * expected.abs() + SWIGLU_FLOOR * up.abs() * 100.0, "{gate} {up}: {error:e}");
        }
    }
}

#[test]
fn activations_gated_by_gelu() {
    for (len, scale) in [(1, 1.0), (7, 10.0), (16, 0.1), (33, 1000.0), (4099, 6.0)] {
        let (gate, up) = (random_values(len, scale), random_values(len, 2.0));
        let out = on_every_set(|kernels| {
            let mut out = gate.clone();
            kernels.geglu(&mut out, &up);
            out
        });
        for i in 0..len {
            let (gate, up) = (f64::from(gate[i]), f64::from(up[i]));
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (gate + 0.044715 * gate.powi(3));
            let expected = 0.5 * gate * (1.0 + inner.tanh()) * up;
            let error = (f64::from(out[i]) - expected).abs();
            assert!(error <= GEGLU_BOUND * (gate * up).abs(), "{gate} {up}: {error:e}");
        }
    }
}

#[test]
fn soft_caps() {
    for (len, scale, cap) in [(1, 1.0, 30.0), (15, 1e-6, 50.0), (17, 1e6, 30.0), (4099, 300.0, 30.0), (333, 50.0, 50.0)]
    {
        let x = random_values(len, scale);
        let out = on_every_set(|kernels| {
            let mut out = x.clone();
            kernels.soft_cap(&mut out, cap);
            out
        });
        for (x, out) in x.iter().zip(out) {
            let expected = f64::from(cap) * (f64::from(*x) / f64::from(cap)).tanh();
            let error = (f64::from(out) - expected).abs();
            assert!(error <= SOFT_CAP_BOUND * expected.abs(), "{x} of {cap}: {error:e}");
        }
    }
}

#[test]
fn additions() {
    let (x, update) = (random_values(1003, 5.0), random_values(1003, 5.0));
    let out = on_every_set(|kernels| {
        let mut out = x.clone();
        kernels.add(&mut out, &update);
        out
    });
    assert!(out.iter().zip(x.iter().zip(&update)).all(|(out, (x, update))| *out == x + update));
}

#[test]
fn multiples() {
    let x = random_values(1003, 5.0);
    let out = on_every_set(|kernels| {
        let mut out = x.clone();
        kernels.scale(&mut out, 0.3);
        out
    });
    assert!(out.iter().zip(&x).all(|(out, x)| *out == x * 0.3));
}

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

/// Widths of heads, heads, tokens and positions before them, around the borders of panels and blocks, and with more rows than are
/// computed together.
const LIMITED: [(usize, usize, usize, usize, Limits); 8] = [
    (64, 3, 1, 700, Limits { cap: Some(2.0), window: None }),
    (32, 2, 3, 30, Limits { cap: Some(0.5), window: Some(1) }),
    (96, 3, 40, 250, Limits { cap: None, window: Some(5) }),
    (64, 9, 70, 480, Limits { cap: Some(3.0), window: Some(33) }),
    (256, 2, 2, 770, Limits { cap: Some(1.0), window: Some(257) }),
    (128, 2, 1, 767, Limits { cap: None, window: Some(256) }),
    (64, 5, 30, 500, Limits { cap: None, window: Some(512) }),
    (256, 5, 3, 0, Limits { cap: None, window: Some(2) }),
];

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

#[test]
fn tokens_that_see_the_same_positions() {
    let (head_dim, heads, tokens, positions) = (64, 3, 40, 300);
    let queries = random_values(tokens * heads * head_dim, 2.0);
    let numbers = Cache::<f32>::new(positions, head_dim, |x| x, f64::from);
    let rounded = Quantized::new(positions, head_dim);
    let stride = heads * head_dim;
    let attend = |kernels: &Kernels, values: &[f32], visible, quantized: bool| {
        let mut result = vec![0.0; values.len()];
        let tokens = (0, values.len() / stride);
        let scale = 0.125;
        let queries = Queries { values, stride, heads: (0, heads), tokens, visible, scale, score_cap: None };
        let out = Output::new(&mut result, stride);
        // SAFETY: one thread.
        unsafe {
            match quantized {
                true => kernels.attend_quantized(
                    &QuantizedHeadCache::new(as_bytes(&rounded.bytes), head_dim),
                    &queries,
                    &out,
                ),
                false => kernels.attend(&HeadCache::new(&numbers.keys, &numbers.values, head_dim), &queries, &out),
            }
        }
        result
    };
    for (kernels, quantized) in Kernels::available().flat_map(|kernels| [(kernels, false), (kernels, true)]) {
        let together = attend(kernels, &queries, Visible::First(positions), quantized);
        let last = Visible::Past { first_position: positions - 1, window: None };
        let alone: Vec<f32> =
            queries.chunks(stride).flat_map(|query| attend(kernels, query, last, quantized)).collect();
        assert_eq!(together, alone, "{}", kernels.name());
    }
}

/// What a token reads does not depend on the tokens that are computed with it: `attend` takes queries, heads and the first
/// position, for a cache of heads 64 wide.
fn check_tokens_alone(tokens: usize, attend: impl Fn(&Kernels, &[f32], usize, usize) -> Vec<f32>) {
    let (head_dim, heads) = (64, 4);
    let queries = random_values(tokens * heads * head_dim, 2.0);
    for kernels in Kernels::available() {
        let together = attend(kernels, &queries, heads, 0);
        let alone: Vec<f32> = (0..tokens)
            .zip(queries.chunks(heads * head_dim))
            .flat_map(|(token, query)| attend(kernels, query, heads, token))
            .collect();
        assert_eq!(together, alone, "{}", kernels.name());
    }
}

/// A cache filled with random keys and values, and the same as plain rows.
struct Cache<E> {
    head_dim: usize,
    limits: Limits,
    keys: Vec<E>,
    values: Vec<E>,
    plain_keys: Vec<f64>,
    plain_values: Vec<f64>,
}

impl<E: CacheElement + Copy> Cache<E> {
    fn new(positions: usize, head_dim: usize, number: impl Fn(f32) -> E, widen: impl Fn(E) -> f64) -> Self {
        let room = positions.next_multiple_of(KEY_PANEL);
        let (keys, values) = (random_values(room * head_dim, 2.0), random_values(room * value_width(head_dim), 2.0));
        let (keys, values): (Vec<E>, Vec<E>) =
            (keys.into_iter().map(&number).collect(), values.into_iter().map(&number).collect());
        let key =
            |position: usize, d: usize| keys[(position / KEY_PANEL * head_dim + d) * KEY_PANEL + position % KEY_PANEL];
        let value = |position: usize, d: usize| values[position * value_width(head_dim) + d];
        let each = |at: &dyn Fn(usize, usize) -> E| {
            (0..positions).flat_map(|p| (0..head_dim).map(move |d| (p, d))).map(|(p, d)| widen(at(p, d))).collect()
        };
        let (plain_keys, plain_values) = (each(&key), each(&value));
        Self { head_dim, limits: NO_LIMITS, keys, values, plain_keys, plain_values }
    }

    fn attend(&self, kernels: &Kernels, queries: &[f32], heads: usize, first_position: usize) -> Vec<f32> {
        let cache = HeadCache::new(&self.keys, &self.values, self.head_dim);
        let attend = |queries: &Queries<'_>, out: &Output<'_>| {
            // SAFETY: one thread.
            unsafe { kernels.attend(&cache, queries, out) }
        };
        attend_to_all_but_head_0(queries, heads, self.head_dim, first_position, self.limits, attend)
    }

    fn expected(&self, query: &[f32], visible: usize) -> Vec<f64> {
        let row = |rows: &[f64], position: usize| rows[position * self.head_dim..][..self.head_dim].to_vec();
        let scale = 1.0 / (self.head_dim as f64).sqrt();
        let score = |position| {
            let product: f64 = row(&self.plain_keys, position).iter().zip(query).map(|(k, &q)| k * f64::from(q)).sum();
            self.limits.cap(product * scale)
        };
        let first = self.limits.first(visible);
        let scores: Vec<f64> = (first..visible).map(score).collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|score| (score - max).exp()).sum();
        let mut out = vec![0.0; self.head_dim];
        for (position, score) in scores.iter().enumerate() {
            let weight = (score - max).exp() / total;
            out.iter_mut()
                .zip(row(&self.plain_values, first + position))
                .for_each(|(out, value)| *out += weight * value);
        }
        out
    }
}

/// The cases without limits, then those of [`LIMITED`].
fn with_limits(
    unlimited: &[(usize, usize, usize, usize)],
) -> impl Iterator<Item = (usize, usize, usize, usize, Limits)> {
    unlimited
        .iter()
        .map(|&(head_dim, heads, tokens, before)| (head_dim, heads, tokens, before, NO_LIMITS))
        .chain(LIMITED)
}

fn check_attention<E: CacheElement + Plain>(number: impl Fn(f32) -> E + Copy, widen: impl Fn(E) -> f64 + Copy) {
    // As in `LIMITED`.
    let unlimited = [
        (64, 4, 1, 0),
        (64, 3, 1, 127),
        (64, 3, 2, 254),
        (64, 4, 3, 1100),
        (64, 5, 9, 31),
        (128, 2, 3, 300),
        (80, 8, 5, 125),
        (12, 2, 40, 0),
        (256, 2, 1, 95),
        (1, 2, 2, 3),
    ];
    for (head_dim, heads, tokens, before, limits) in with_limits(&unlimited) {
        let cache = Cache { limits, ..Cache::new(before + tokens, head_dim, number, widen) };
        let queries = random_values(tokens * heads * head_dim, 2.0);
        let out = on_every_set(|kernels| cache.attend(kernels, &queries, heads, before));
        for token in 0..tokens {
            let row = token * heads * head_dim..;
            assert!(out[row.clone()][..head_dim].iter().all(|&x| x == 0.0), "head 0 was not asked for");
            for head in 1..heads {
                let at = row.start + head * head_dim;
                let expected = cache.expected(&queries[at..][..head_dim], before + token + 1);
                for (actual, expected) in out[at..][..head_dim].iter().zip(expected) {
                    let error = (f64::from(*actual) - expected).abs();
                    assert!(
                        error <= 2.0 * ATTENTION_BOUND,
                        "{head_dim} wide, {limits:?}: {actual} is {error:e} from {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn attention_over_f16() {
    check_attention(f16::from_f32, |x| f64::from(x.to_f32()));
}

#[test]
fn attention_over_f32() {
    check_attention(|x| x, f64::from);
}

#[test]
fn attention_of_a_token_alone_is_the_same() {
    for limits in [NO_LIMITS, Limits { cap: Some(2.0), window: Some(100) }] {
        let cache = Cache { limits, ..Cache::new(300, 64, f16::from_f32, |x| f64::from(x.to_f32())) };
        check_tokens_alone(300, |kernels, queries, heads, position| cache.attend(kernels, queries, heads, position));
    }
}

/// A quantized cache with random keys and values, the numbers that it holds, and those that it was given.
struct Quantized {
    head_dim: usize,
    limits: Limits,
    /// As `f32`, for their alignment.
    bytes: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl Quantized {
    fn new(positions: usize, head_dim: usize) -> Self {
        let random = || random_values(positions * head_dim, 2.0);
        Self::of(random(), random(), head_dim)
    }

    /// `keys` and `values` are `[positions, head_dim]`.
    fn of(keys: Vec<f32>, values: Vec<f32>, head_dim: usize) -> Self {
        // Room for more than the positions: what lies beyond them must not matter.
        let room = (keys.len() / head_dim).next_multiple_of(KEY_PANEL) + KEY_PANEL;
        let len = QuantizedHeadCache::bytes(room, head_dim).expect("a multiple of 32");
        // Not a number either, and no byte of it is zero.
        let mut bytes = vec![f32::from_bits(0x7fff_ffff); len.div_ceil(4)];
        let mut cache = QuantizedHeadCacheMut::new(cast_slice_mut(&mut bytes), head_dim);
        for (position, (key, value)) in keys.chunks(head_dim).zip(values.chunks(head_dim)).enumerate() {
            cache.write(position, key, value);
        }
        Self { head_dim, limits: NO_LIMITS, bytes, keys, values }
    }

    fn attend(&self, kernels: &Kernels, queries: &[f32], heads: usize, first_position: usize) -> Vec<f32> {
        let cache = QuantizedHeadCache::new(as_bytes(&self.bytes), self.head_dim);
        let attend = |queries: &Queries<'_>, out: &Output<'_>| {
            // SAFETY: one thread.
            unsafe { kernels.attend_quantized(&cache, queries, out) }
        };
        attend_to_all_but_head_0(queries, heads, self.head_dim, first_position, self.limits, attend)
    }

    /// With everything rounded but the softmax weights: the output, and how far off their rounding may put it.
    fn expected(&self, query: &[f32], visible: usize) -> (Vec<f64>, Vec<f64>) {
        let d = self.head_dim;
        let scaled: Vec<f32> = query.iter().map(|q| q * (1.0 / (d as f32).sqrt())).collect();
        let query = rounded(&scaled, 32, f64::from);
        let keys = rounded(&self.keys[..visible * d], 32, |scale| f16::from_f32(scale).to_f64());
        let values = rounded(&self.values[..visible * d], d, f64::from);
        let score = |key: &[f64]| self.limits.cap(key.iter().zip(&query).map(|(k, q)| k * q).sum());
        let scores: Vec<f64> = keys.chunks(d).map(score).collect();
        let first = self.limits.first(visible);
        let max = scores[first..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut weights: Vec<f64> = scores.iter().map(|score| (score - max).exp()).collect();
        weights[..first].fill(0.0);
        let total: f64 = weights.iter().sum();
        let largest = |row: &[f64]| row.iter().fold(0.0f64, |a, b| a.max(b.abs()));
        let (mut out, mut bound) = (vec![0.0; d], vec![0.0; d]);
        for (group, weights) in weights.chunks(32).enumerate() {
            let rows = values[group * 32 * d..].chunks(d);
            // Weights are rounded together with the scales of the values, which the largest of each stands for.
            let most = rows.clone().zip(weights).map(|(row, weight)| largest(row) * weight).fold(0.0, f64::max);
            for (row, weight) in rows.zip(weights) {
                for i in (0..d).filter(|&i| row[i] != 0.0) {
                    out[i] += weight * row[i] / total;
                    bound[i] += ROUNDING * most * (row[i] / largest(row)).abs() / total;
                }
            }
        }
        (out, bound)
    }
}

/// Numbers after they were rounded to 1/127 of the largest of each `group`.
fn rounded(x: &[f32], group: usize, stored: impl Fn(f32) -> f64) -> Vec<f64> {
    let mut out = Vec::new();
    for x in x.chunks(group) {
        let scale = x.iter().fold(0.0f32, |a, b| a.max(b.abs())) / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        out.extend(x.iter().map(|x| f64::from((x * inverse).round_ties_even()) * stored(scale)));
    }
    out
}

fn as_bytes(numbers: &[f32]) -> &[u8] {
    // SAFETY: bytes have no alignment and no invalid values.
    unsafe { numbers.align_to().1 }
}

fn cast_slice_mut(numbers: &mut [f32]) -> &mut [u8] {
    // SAFETY: as above, and every four bytes are an `f32`.
    unsafe { numbers.align_to_mut().1 }
}

#[test]
fn attention_over_a_quantized_cache() {
    let unlimited = [
        (64, 5, 1, 0),
        (64, 3, 1, 127),
        (64, 3, 2, 254),
        (64, 4, 3, 1100),
        (32, 5, 40, 31),
        (128, 2, 3, 300),
        (96, 8, 5, 125),
        (256, 2, 1, 95),
    ];
    for (head_dim, heads, tokens, before, limits) in with_limits(&unlimited) {
        let cache = Quantized { limits, ..Quantized::new(before + tokens, head_dim) };
        let queries = random_values(tokens * heads * head_dim, 2.0);
        let out = on_every_set(|kernels| cache.attend(kernels, &queries, heads, before));
        for (token, row) in out.chunks(heads * head_dim).enumerate() {
            assert!(row[..head_dim].iter().all(|&x| x == 0.0), "head 0 was not asked for");
            for head in 1..heads {
                let query = &queries[(token * heads + head) * head_dim..][..head_dim];
                let (expected, bound) = cache.expected(query, before + token + 1);
                for (i, (expected, bound)) in expected.iter().zip(bound).enumerate() {
                    let error = (f64::from(row[head * head_dim + i]) - expected).abs();
                    assert!(
                        error <= bound + 2.0 * ROUNDED_SOFTMAX_BOUND,
                        "{head_dim} wide, {limits:?}: off by {error:e}, not {bound:e}"
                    );
                }
            }
        }
    }
}

#[test]
fn values_of_all_sizes_share_a_quantized_cache() {
    let (head_dim, positions) = (64, 300);
    for sizes in [&[0.0][..], &[0.0, 1e-30, 1e-3, 1.0, 1e20], &[1.0, 0.0, 1e-12], &[1e-25, 3e-26], &[1e30]] {
        let mut values = random_values(positions * head_dim, 2.0);
        for (value, size) in values.chunks_mut(head_dim).zip(sizes.iter().cycle()) {
            value.iter_mut().for_each(|value| *value *= size);
        }
        let largest = values.iter().fold(0.0f32, |a, b| a.max(b.abs()));
        let cache = Quantized::of(random_values(positions * head_dim, 2.0), values, head_dim);
        let queries = random_values(2 * head_dim, 2.0);
        let out = on_every_set(|kernels| cache.attend(kernels, &queries, 2, positions - 1));
        let (expected, bound) = cache.expected(&queries[head_dim..], positions);
        for (actual, (expected, bound)) in out[head_dim..].iter().zip(expected.iter().zip(bound)) {
            let error = (f64::from(*actual) - expected).abs();
            let bound = bound + ROUNDED_SOFTMAX_BOUND * f64::from(largest);
            assert!(error <= bound, "{sizes:?}: {actual} is {error:e}, not {bound:e} from {expected}");
        }
    }
}

#[test]
fn a_quantized_cache_is_near_the_numbers_it_was_given() {
    let (head_dim, positions) = (64, 400);
    let cache = Quantized::new(positions, head_dim);
    let widened = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect();
    let exact: Cache<f32> = Cache {
        head_dim,
        limits: NO_LIMITS,
        keys: Vec::new(),
        values: Vec::new(),
        plain_keys: widened(&cache.keys),
        plain_values: widened(&cache.values),
    };
    let query = random_values(2 * head_dim, 2.0);
    let out = cache.attend(Kernels::get(), &query, 2, positions - 1);
    for (actual, expected) in out[head_dim..].iter().zip(exact.expected(&query[head_dim..], positions)) {
        let error = (f64::from(*actual) - expected).abs();
        assert!(error <= 2.0 * QUANTIZED_ATTENTION_BOUND, "{actual} is {error:e} from {expected}");
    }
}

#[test]
fn a_token_alone_reads_a_quantized_cache_as_among_others() {
    for limits in [NO_LIMITS, Limits { cap: Some(2.0), window: Some(100) }] {
        let cache = Quantized { limits, ..Quantized::new(300, 64) };
        check_tokens_alone(300, |kernels, queries, heads, position| cache.attend(kernels, queries, heads, position));
    }
}

#[test]
fn what_is_not_a_number_is_not_lost() {
    let head_dim = 64;
    let cache = |poison_keys: bool| {
        let number = move |x: f32| if poison_keys { f32::NAN } else { x };
        Cache::new(40, head_dim, number, f64::from)
    };
    let queries = random_values(2 * head_dim, 1.0);
    for kernels in Kernels::available() {
        let out = cache(true).attend(kernels, &queries, 2, 39);
        assert!(out[head_dim..].iter().all(|x| x.is_nan()), "{}: keys", kernels.name());
        let out = cache(false).attend(kernels, &vec![f32::NAN; 2 * head_dim], 2, 39);
        assert!(out[head_dim..].iter().all(|x| x.is_nan()), "{}: queries", kernels.name());
        for (poison, in_keys) in [(f32::NAN, true), (f32::NAN, false), (f32::INFINITY, true), (f32::INFINITY, false)] {
            let (mut keys, mut values) = (random_values(40 * head_dim, 1.0), random_values(40 * head_dim, 1.0));
            let poisoned = if in_keys { &mut keys } else { &mut values };
            poisoned[35 * head_dim + 7] = poison;
            let cache = Quantized::of(keys, values, head_dim);
            let out = cache.attend(kernels, &random_values(12 * head_dim, 1.0), 2, 34);
            assert!(out[..2 * head_dim].iter().all(|x| x.is_finite()), "{}: before {poison}", kernels.name());
            let seen = out[2 * head_dim..].chunks(2 * head_dim).all(|row| row[head_dim..].iter().all(|x| x.is_nan()));
            assert!(seen, "{}: {poison} in keys: {in_keys}", kernels.name());
        }
        for gated in [Kernels::swiglu, Kernels::geglu] {
            let mut gate = vec![f32::NAN; 20];
            gated(kernels, &mut gate, &[1.0; 20]);
            assert!(gate.iter().all(|x| x.is_nan()), "{}: gate", kernels.name());
        }
        for lost in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut logits = vec![lost; 20];
            kernels.soft_cap(&mut logits, 30.0);
            assert!(logits.iter().all(|x| x.is_nan()), "{}: a capped {lost}", kernels.name());
        }
    }
}
