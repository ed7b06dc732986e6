//! Over caches of F32 and F16.

use half::f16;
use rand::rngs::StdRng;
use sotto_kernels::plain::Plain;
use sotto_kernels::{CacheElement, HeadCache, KEY_PANEL, Kernels, Output, Queries, value_width};

use super::{
    BOUND, Expected, LARGEST, Limits, NO_LIMITS, attend_to_all_but_head_0, check_all_but_head_0, check_tokens_alone,
    check_tokens_that_see_the_same, twin, with_limits,
};
use crate::common::{random_values, rng};
use crate::{assert_near, on_every_set};

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
    fn new(
        rng: &mut StdRng,
        positions: usize,
        head_dim: usize,
        number: impl Fn(f32) -> E,
        widen: impl Fn(E) -> f64,
    ) -> Self {
        let room = positions.next_multiple_of(KEY_PANEL);
        let mut random = |len| -> Vec<E> { random_values(rng, len, LARGEST).into_iter().map(&number).collect() };
        let (keys, values) = (random(room * head_dim), random(room * value_width(head_dim)));
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
        let attend = |queries: &Queries<'_>, out: &Output<'_>| self.attend_to(kernels, queries, out);
        attend_to_all_but_head_0(queries, heads, self.head_dim, first_position, self.limits, attend)
    }

    fn attend_to(&self, kernels: &Kernels, queries: &Queries<'_>, out: &Output<'_>) {
        // SAFETY: one thread.
        unsafe { kernels.attend(&HeadCache::new(&self.keys, &self.values, self.head_dim), queries, out) }
    }

    /// Checks what one head of a token got that sees the first `visible` positions.
    fn check(&self, query: &[f32], visible: usize, actual: &[f32]) {
        let scale = 1.0 / (self.head_dim as f64).sqrt();
        let wide: Vec<f64> = query.iter().map(|&q| f64::from(q)).collect();
        let expected = Expected::new(&wide, &self.plain_keys, &self.plain_values, scale, self.limits, visible);
        let (bound, what) = (f64::from(LARGEST) * BOUND, format!("{} wide, {:?}", self.head_dim, self.limits));
        for (actual, expected) in actual.iter().zip(expected.out) {
            assert_near(*actual, expected, bound, &what);
        }
        if let Some(twin) = twin(query, &self.plain_keys, &self.plain_values, scale as f32, self.limits, visible) {
            for (actual, twin) in actual.iter().zip(twin) {
                assert_near(*actual, twin, 2.0 * bound, &what);
            }
        }
    }
}

fn check_attention<E: CacheElement + Plain>(number: impl Fn(f32) -> E + Copy, widen: impl Fn(E) -> f64 + Copy) {
    let rng = &mut rng();
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
    for ((head_dim, heads, tokens, before), limits) in with_limits(&unlimited) {
        let cache = Cache { limits, ..Cache::new(rng, before + tokens, head_dim, number, widen) };
        let queries = random_values(rng, tokens * heads * head_dim, LARGEST);
        let out = on_every_set(|kernels| cache.attend(kernels, &queries, heads, before));
        check_all_but_head_0(&queries, &out, (head_dim, heads, tokens, before), |query, visible, out| {
            cache.check(query, visible, out);
        });
    }
}

#[test]
fn over_f16() {
    check_attention(f16::from_f32, |x| f64::from(x.to_f32()));
}

#[test]
fn over_f32() {
    check_attention(|x| x, f64::from);
}

#[test]
fn a_token_alone_reads_as_among_others() {
    let rng = &mut rng();
    for limits in [NO_LIMITS, Limits { cap: Some(2.0), window: Some(100) }] {
        let cache = Cache { limits, ..Cache::new(rng, 300, 64, f16::from_f32, |x| f64::from(x.to_f32())) };
        check_tokens_alone(rng, 300, |kernels, queries, heads, position| {
            cache.attend(kernels, queries, heads, position)
        });
    }
}

#[test]
fn tokens_that_see_the_same_positions() {
    let rng = &mut rng();
    let cache = Cache::<f32>::new(rng, 300, 64, |x| x, f64::from);
    check_tokens_that_see_the_same(rng, 300, |kernels, queries, out| cache.attend_to(kernels, queries, out));
}

#[test]
fn what_is_not_a_number_is_not_lost() {
    let rng = &mut rng();
    let head_dim = 64;
    let mut cache = |number: fn(f32) -> f32| Cache::new(rng, 40, head_dim, number, f64::from);
    let (broken, whole) = (cache(|_| f32::NAN), cache(|x| x));
    let queries = random_values(rng, 2 * head_dim, 1.0);
    for kernels in Kernels::available() {
        let out = broken.attend(kernels, &queries, 2, 39);
        assert!(out[head_dim..].iter().all(|x| x.is_nan()), "{}: keys", kernels.name());
        let out = whole.attend(kernels, &vec![f32::NAN; 2 * head_dim], 2, 39);
        assert!(out[head_dim..].iter().all(|x| x.is_nan()), "{}: queries", kernels.name());
    }
}
