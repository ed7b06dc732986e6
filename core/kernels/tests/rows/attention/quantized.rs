//! Over a Q8_0 cache.

use half::f16;
use rand::rngs::StdRng;
use sotto_kernels::{KEY_PANEL, Kernels, Output, QuantizedHeadCache, QuantizedHeadCacheMut, Queries};

use super::{
    BOUND, Expected, LARGEST, Limits, NO_LIMITS, attend_to_all_but_head_0, check_all_but_head_0, check_tokens_alone,
    check_tokens_that_see_the_same, twin, with_limits,
};
use crate::common::{random_values, rng};
use crate::{assert_near, on_every_set};

/// What a number may be off after it was rounded to eight bits, relative to the largest that shares its scale.
const ROUNDING: f64 = 0.5 / 127.0;
/// Absolute error of an output beside what rounding costs, relative to the largest value: that of softmax weights before they are
/// rounded.
const ROUNDED_SOFTMAX_BOUND: f64 = 1e-4;
/// Absolute error against the numbers before they were rounded, relative to the largest value, for scores of a few units.
const ROUNDED_CACHE_BOUND: f64 = 0.03;

/// A cache with random keys and values, and the numbers that it was given.
struct Cache {
    head_dim: usize,
    limits: Limits,
    /// As `f32`, for their alignment.
    bytes: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl Cache {
    fn new(rng: &mut StdRng, positions: usize, head_dim: usize) -> Self {
        let mut random = || random_values(rng, positions * head_dim, LARGEST);
        Self::of(random(), random(), head_dim)
    }

    /// `keys` and `values` are `[positions, head_dim]`.
    fn of(keys: Vec<f32>, values: Vec<f32>, head_dim: usize) -> Self {
        // Room for more than the positions: what lies beyond them must not matter.
        let room = (keys.len() / head_dim).next_multiple_of(KEY_PANEL) + KEY_PANEL;
        let len = QuantizedHeadCache::bytes(room, head_dim).expect("a multiple of 32");
        // Not a number either, and no byte of it is zero.
        let mut bytes = vec![f32::from_bits(0x7fff_ffff); len.div_ceil(4)];
        let mut cache = QuantizedHeadCacheMut::new(as_bytes_mut(&mut bytes), head_dim);
        for (position, (key, value)) in keys.chunks(head_dim).zip(values.chunks(head_dim)).enumerate() {
            cache.write(position, key, value);
        }
        Self { head_dim, limits: NO_LIMITS, bytes, keys, values }
    }

    fn attend(&self, kernels: &Kernels, queries: &[f32], heads: usize, first_position: usize) -> Vec<f32> {
        let attend = |queries: &Queries<'_>, out: &Output<'_>| self.attend_to(kernels, queries, out);
        attend_to_all_but_head_0(queries, heads, self.head_dim, first_position, self.limits, attend)
    }

    fn attend_to(&self, kernels: &Kernels, queries: &Queries<'_>, out: &Output<'_>) {
        let cache = QuantizedHeadCache::new(as_bytes(&self.bytes), self.head_dim);
        // SAFETY: one thread.
        unsafe { kernels.attend_quantized(&cache, queries, out) }
    }

    /// Checks what one head of a token got that sees the first `visible` positions, against attention to what was rounded: off by as much
    /// as the rounding of softmax weights may put it, which neither the formula nor the twin does.
    fn check(&self, query: &[f32], visible: usize, actual: &[f32]) {
        let d = self.head_dim;
        let scaled: Vec<f32> = query.iter().map(|q| q * (1.0 / (d as f32).sqrt())).collect();
        let query = rounded(&scaled, 32, f64::from);
        let keys = rounded(&self.keys, 32, |scale| f16::from_f32(scale).to_f64());
        let values = rounded(&self.values, d, f64::from);
        let expected = Expected::new(&query, &keys, &values, 1.0, self.limits, visible);
        let bounds = rounding_bounds(&expected, &values);
        let largest = f64::from(self.values.iter().fold(0.0f32, |largest, value| largest.max(value.abs())));
        let what = format!("{d} wide, {:?}", self.limits);
        for ((actual, expected), bound) in actual.iter().zip(&expected.out).zip(&bounds) {
            assert_near(*actual, *expected, bound + largest * ROUNDED_SOFTMAX_BOUND, &what);
        }
        let query: Vec<f32> = query.iter().map(|&q| q as f32).collect();
        if let Some(twin) = twin(&query, &keys, &values, 1.0, self.limits, visible) {
            for ((actual, twin), bound) in actual.iter().zip(twin).zip(bounds) {
                assert_near(*actual, twin, bound + largest * (ROUNDED_SOFTMAX_BOUND + BOUND), &what);
            }
        }
    }
}

/// How far off each number of an output may be because softmax weights are rounded, by groups of 32 positions: together with the scales of
/// the values, which the largest of each stands for.
fn rounding_bounds(expected: &Expected, values: &[f64]) -> Vec<f64> {
    let d = expected.out.len();
    let largest = |row: &[f64]| row.iter().fold(0.0f64, |a, b| a.max(b.abs()));
    let mut bounds = vec![0.0; d];
    for (weights, values) in expected.weights.chunks(32).zip(values.chunks(32 * d)) {
        let rows = values.chunks(d).zip(weights);
        let most = rows.clone().map(|(row, weight)| largest(row) * weight).fold(0.0, f64::max);
        for (row, _) in rows {
            for (bound, value) in bounds.iter_mut().zip(row).filter(|(_, value)| **value != 0.0) {
                *bound += ROUNDING * most * (value / largest(row)).abs() / expected.total;
            }
        }
    }
    bounds
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

fn as_bytes_mut(numbers: &mut [f32]) -> &mut [u8] {
    // SAFETY: as above, and every four bytes are an `f32`.
    unsafe { numbers.align_to_mut().1 }
}

#[test]
fn over_q8_0() {
    let rng = &mut rng();
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
    for ((head_dim, heads, tokens, before), limits) in with_limits(&unlimited) {
        let cache = Cache { limits, ..Cache::new(rng, before + tokens, head_dim) };
        let queries = random_values(rng, tokens * heads * head_dim, LARGEST);
        let out = on_every_set(|kernels| cache.attend(kernels, &queries, heads, before));
        check_all_but_head_0(&queries, &out, (head_dim, heads, tokens, before), |query, visible, out| {
            cache.check(query, visible, out);
        });
    }
}

#[test]
fn values_of_all_sizes_share_a_cache() {
    let rng = &mut rng();
    let (head_dim, positions) = (64, 300);
    for sizes in [&[0.0][..], &[0.0, 1e-30, 1e-3, 1.0, 1e20], &[1.0, 0.0, 1e-12], &[1e-25, 3e-26], &[1e30]] {
        let mut values = random_values(rng, positions * head_dim, LARGEST);
        for (value, size) in values.chunks_mut(head_dim).zip(sizes.iter().cycle()) {
            value.iter_mut().for_each(|value| *value *= size);
        }
        let cache = Cache::of(random_values(rng, positions * head_dim, LARGEST), values, head_dim);
        let queries = random_values(rng, 2 * head_dim, LARGEST);
        let out = on_every_set(|kernels| cache.attend(kernels, &queries, 2, positions - 1));
        cache.check(&queries[head_dim..], positions, &out[head_dim..]);
    }
}

#[test]
fn a_cache_is_near_the_numbers_it_was_given() {
    let rng = &mut rng();
    let (head_dim, positions) = (64, 400);
    let cache = Cache::new(rng, positions, head_dim);
    let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| f64::from(x)).collect() };
    let query = random_values(rng, 2 * head_dim, LARGEST);
    let out = cache.attend(Kernels::get(), &query, 2, positions - 1);
    let (query, keys, values) = (wide(&query[head_dim..]), wide(&cache.keys), wide(&cache.values));
    let expected = Expected::new(&query, &keys, &values, 1.0 / (head_dim as f64).sqrt(), NO_LIMITS, positions);
    for (actual, expected) in out[head_dim..].iter().zip(expected.out) {
        assert_near(*actual, expected, f64::from(LARGEST) * ROUNDED_CACHE_BOUND, "what was not rounded");
    }
}

#[test]
fn a_token_alone_reads_as_among_others() {
    let rng = &mut rng();
    for limits in [NO_LIMITS, Limits { cap: Some(2.0), window: Some(100) }] {
        let cache = Cache { limits, ..Cache::new(rng, 300, 64) };
        check_tokens_alone(rng, 300, |kernels, queries, heads, position| {
            cache.attend(kernels, queries, heads, position)
        });
    }
}

#[test]
fn tokens_that_see_the_same_positions() {
    let rng = &mut rng();
    let cache = Cache::new(rng, 300, 64);
    check_tokens_that_see_the_same(rng, 300, |kernels, queries, out| cache.attend_to(kernels, queries, out));
}

#[test]
fn what_is_not_a_number_is_not_lost() {
    let rng = &mut rng();
    let head_dim = 64;
    for (poison, in_keys) in [(f32::NAN, true), (f32::NAN, false), (f32::INFINITY, true), (f32::INFINITY, false)] {
        let (mut keys, mut values) = (random_values(rng, 40 * head_dim, 1.0), random_values(rng, 40 * head_dim, 1.0));
        let poisoned = if in_keys { &mut keys } else { &mut values };
        poisoned[35 * head_dim + 7] = poison;
        let cache = Cache::of(keys, values, head_dim);
        let queries = random_values(rng, 12 * head_dim, 1.0);
        for kernels in Kernels::available() {
            let out = cache.attend(kernels, &queries, 2, 34);
            assert!(out[..2 * head_dim].iter().all(|x| x.is_finite()), "{}: before {poison}", kernels.name());
            let seen = out[2 * head_dim..].chunks(2 * head_dim).all(|row| row[head_dim..].iter().all(|x| x.is_nan()));
            assert!(seen, "{}: {poison} in keys: {in_keys}", kernels.name());
        }
    }
}
