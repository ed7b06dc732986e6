//! Every scalar kernel against the same formula in `f64`, on fresh random inputs of ragged sizes.

mod common;

use common::{random_values, rng};
use half::f16;
use sotto_kernels::scalar::*;

/// Rounding of a sum of `f32` products: a few units in the last place of the sum of absolute products.
const DOT_BOUND: f64 = 1e-6;
/// Relative error of a normalized value.
const RMS_NORM_BOUND: f64 = 2e-6;
/// Absolute error of a turned pair, relative to its length.
const ROPE_BOUND: f64 = 3e-7;
/// Absolute error of a probability.
const SOFTMAX_BOUND: f64 = 1e-6;
/// Relative error of a gated activation.
const SWIGLU_BOUND: f64 = 1e-6;
/// Absolute error of a gated activation, relative to gate times value.
const GEGLU_BOUND: f64 = 5e-7;
/// Absolute error of an activation, relative to its argument: that of the error function.
const GELU_BOUND: f64 = 3e-7;
/// Absolute error of a layer-normalized value, relative to the largest.
const LAYER_NORM_BOUND: f64 = 2e-6;
/// Relative error of a capped score.
const SOFT_CAP_BOUND: f64 = 5e-7;
/// Absolute error of an attention output, relative to the largest value.
const ATTENTION_BOUND: f64 = 1e-5;

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

fn assert_close(actual: f32, expected: f64, bound: f64, what: &str) {
    let error = (f64::from(actual) - expected).abs();
    assert!(error <= bound, "{what}: {actual} is {error:e} from {expected}, bound {bound:e}");
}

#[test]
fn dot_products() {
    let rng = &mut rng();
    for len in [0, 1, 7, 15, 16, 17, 33, 255, 2048, 8191] {
        let (a, b) = (random_values(rng, len, 2.0), random_values(rng, len, 2.0));
        let products: Vec<f64> = wide(&a).iter().zip(wide(&b)).map(|(a, b)| a * b).collect();
        let magnitude: f64 = products.iter().map(|p| p.abs()).sum();
        assert_close(dot(&a, &b), products.iter().sum(), DOT_BOUND * magnitude, "dot");
    }
}

#[test]
fn rms_norms() {
    let rng = &mut rng();
    for (len, scale) in [(1, 1.0), (5, 1e-3), (64, 1e4), (2047, 1.0), (3072, 30.0)] {
        let (x, weight) = (random_values(rng, len, scale), random_values(rng, len, 2.0));
        let mut out = vec![f32::NAN; len];
        rms_norm(&x, &weight, 1e-5, &mut out);
        let mean_square = wide(&x).iter().map(|x| x * x).sum::<f64>() / len as f64;
        for i in 0..len {
            let expected = f64::from(x[i]) / (mean_square + f64::from(1e-5f32)).sqrt() * f64::from(weight[i]);
            assert_close(out[i], expected, RMS_NORM_BOUND * expected.abs().max(1e-20), "rms_norm");
        }
    }
}

#[test]
fn rope_turns_pairs_and_leaves_the_rest() {
    let rng = &mut rng();
    for (head_dim, pairs) in [(2, 1), (64, 32), (128, 64), (66, 20), (7, 3)] {
        let angles = random_values(rng, pairs, 50.0);
        let cos: Vec<f32> = angles.iter().map(|a| a.cos()).collect();
        let sin: Vec<f32> = angles.iter().map(|a| a.sin()).collect();
        let x = random_values(rng, head_dim, 3.0);
        let (mut interleaved, mut halves) = (x.clone(), x.clone());
        rope_interleaved(&mut interleaved, &cos, &sin);
        rope_half_split(&mut halves, &cos, &sin);
        for i in 0..pairs {
            let turned = |a: f32, b: f32| {
                let (a, b, angle) = (f64::from(a), f64::from(b), f64::from(angles[i]));
                (a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos())
            };
            let bound = ROPE_BOUND * 6.0;
            let (a, b) = turned(x[2 * i], x[2 * i + 1]);
            assert_close(interleaved[2 * i], a, bound, "interleaved");
            assert_close(interleaved[2 * i + 1], b, bound, "interleaved");
            let (a, b) = turned(x[i], x[i + pairs]);
            assert_close(halves[i], a, bound, "half split");
            assert_close(halves[i + pairs], b, bound, "half split");
        }
        assert_eq!(interleaved[2 * pairs..], x[2 * pairs..]);
        assert_eq!(halves[2 * pairs..], x[2 * pairs..]);
    }
}

#[test]
fn softmaxes() {
    let rng = &mut rng();
    for (len, scale) in [(0, 1.0), (1, 5.0), (3, 1e4), (1000, 10.0), (4097, 0.1)] {
        let x = random_values(rng, len, scale);
        let mut out = x.clone();
        softmax(&mut out);
        let expected = softmax_f64(&wide(&x));
        for (out, expected) in out.iter().zip(expected) {
            assert_close(*out, expected, SOFTMAX_BOUND, "softmax");
        }
    }
}

#[test]
fn swiglus() {
    let rng = &mut rng();
    for (len, scale) in [(1, 1.0), (31, 80.0), (8193, 8.0)] {
        let (gate, up) = (random_values(rng, len, scale), random_values(rng, len, 3.0));
        let mut out = gate.clone();
        swiglu(&mut out, &up);
        for i in 0..len {
            let g = f64::from(gate[i]);
            let expected = g / (1.0 + (-g).exp()) * f64::from(up[i]);
            assert_close(out[i], expected, SWIGLU_BOUND * expected.abs().max(1e-30), "swiglu");
        }
    }
    assert_eq!(silu(-1e4), 0.0);
    assert_eq!(silu(1e4), 1e4);
}

#[test]
fn geglus() {
    let rng = &mut rng();
    for (len, scale) in [(1, 1.0), (31, 80.0), (8193, 6.0)] {
        let (gate, up) = (random_values(rng, len, scale), random_values(rng, len, 3.0));
        let mut out = gate.clone();
        geglu(&mut out, &up);
        for i in 0..len {
            let (g, up) = (f64::from(gate[i]), f64::from(up[i]));
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (g + 0.044715 * g.powi(3));
            let expected = 0.5 * g * (1.0 + inner.tanh()) * up;
            assert_close(out[i], expected, GEGLU_BOUND * (g * up).abs(), "geglu");
        }
    }
}

/// The error function by its Taylor series, to 1e-11 up to 4.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..120 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

#[test]
fn gelus() {
    let rng = &mut rng();
    for x in random_values(rng, 9999, 5.5) {
        let wide = f64::from(x);
        let expected = 0.5 * wide * (1.0 + erf(wide * std::f64::consts::FRAC_1_SQRT_2));
        assert_close(gelu(x), expected, GELU_BOUND * wide.abs(), "gelu");
    }
    assert_eq!((gelu(-1e4), gelu(0.0), gelu(1e4)), (0.0, 0.0, 1e4));
}

#[test]
fn layer_norms() {
    let rng = &mut rng();
    for (len, scale) in [(1, 1.0), (5, 1e-3), (64, 1e4), (2047, 1.0), (384, 30.0)] {
        let (x, weight, bias) =
            (random_values(rng, len, scale), random_values(rng, len, 2.0), random_values(rng, len, 2.0));
        let mut out = vec![f32::NAN; len];
        layer_norm(&x, &weight, &bias, 1e-5, &mut out);
        let mean = wide(&x).iter().sum::<f64>() / len as f64;
        let variance = wide(&x).iter().map(|x| (x - mean).powi(2)).sum::<f64>() / len as f64;
        for i in 0..len {
            let normal = (f64::from(x[i]) - mean) / (variance + f64::from(1e-5f32)).sqrt();
            let expected = normal * f64::from(weight[i]) + f64::from(bias[i]);
            assert_close(out[i], expected, LAYER_NORM_BOUND * expected.abs().max(4.0), "layer_norm");
        }
    }
}

#[test]
fn soft_caps() {
    let rng = &mut rng();
    for (len, scale, cap) in [(1, 1.0, 30.0), (4099, 300.0, 30.0), (333, 1e-6, 50.0)] {
        let x = random_values(rng, len, scale);
        let mut out = x.clone();
        soft_cap(&mut out, cap);
        for (x, out) in x.iter().zip(out) {
            let expected = f64::from(cap) * (f64::from(*x) / f64::from(cap)).tanh();
            assert_close(out, expected, SOFT_CAP_BOUND * expected.abs(), "soft_cap");
        }
    }
}

fn softmax_f64(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = x.iter().map(|x| (x - max).exp()).sum();
    x.iter().map(|x| (x - max).exp() / sum).collect()
}

fn attention_f64(query: &[f32], keys: &[f32], values: &[f32], scale: f32) -> Vec<f64> {
    let head_dim = query.len();
    let score = |key: &[f32]| {
        let product: f64 = wide(query).iter().zip(wide(key)).map(|(q, k)| q * k).sum();
        product * f64::from(scale)
    };
    let scores: Vec<f64> = keys.chunks(head_dim).map(score).collect();
    let weights = softmax_f64(&scores);
    let weighted = |i: usize| weights.iter().enumerate().map(|(p, w)| w * f64::from(values[p * head_dim + i])).sum();
    (0..head_dim).map(weighted).collect()
}

#[test]
fn attention_over_f32_and_f16() {
    let rng = &mut rng();
    for (head_dim, positions, scale) in
        [(1, 1, 1.0), (64, 31, 0.125), (128, 32, 0.088), (32, 333, 2.0), (256, 65, 0.06)]
    {
        let query = random_values(rng, head_dim, 2.0);
        let mut halves = |len| -> Vec<f16> { random_values(rng, len, 2.0).into_iter().map(f16::from_f32).collect() };
        let (keys16, values16) = (halves(head_dim * positions), halves(head_dim * positions));
        let keys: Vec<f32> = keys16.iter().map(|k| k.to_f32()).collect();
        let values: Vec<f32> = values16.iter().map(|v| v.to_f32()).collect();
        let expected = attention_f64(&query, &keys, &values, scale);

        let (mut from_f32, mut from_f16) = (vec![f32::NAN; head_dim], vec![f32::NAN; head_dim]);
        attention(&query, &keys, &values, scale, &mut from_f32);
        attention(&query, &keys16, &values16, scale, &mut from_f16);
        assert_eq!(from_f32, from_f16, "widening f16 is exact");
        for (out, expected) in from_f32.iter().zip(expected) {
            assert_close(*out, expected, ATTENTION_BOUND * 2.0, "attention");
        }
    }
}

#[test]
fn attention_survives_extreme_scores_and_shows_nan() {
    // Scores rise by block, up to 1e6: a softmax that does not shift by the running maximum overflows.
    let keys: Vec<f32> = (0..200).map(|p| p as f32 * 5e3).collect();
    let values: Vec<f32> = (0..200).map(|p| p as f32).collect();
    let mut out = [0.0];
    attention(&[1.0], &keys, &values, 1.0, &mut out);
    assert_eq!(out, [199.0]);

    let mut broken = keys.clone();
    broken[77] = f32::NAN;
    attention(&[1.0], &broken, &values, 1.0, &mut out);
    assert!(out[0].is_nan(), "a NaN must not vanish");
}
