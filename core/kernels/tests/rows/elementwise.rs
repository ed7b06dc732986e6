use sotto_kernels::{Kernels, scalar};

use crate::common::{random_values, rng};
use crate::{assert_near, on_every_set};

/// Relative error of a gated activation, and twice that against the scalar twin, which has as much; below the smallest exponential that
/// is computed, it is absolute.
const SWIGLU_BOUND: f64 = 1e-6;
const SWIGLU_FLOOR: f64 = 1e-36;
/// Absolute error of a gated activation, relative to gate times value, as above: the exponential's argument is rounded.
const GEGLU_BOUND: f64 = 5e-7;
/// Relative error of a capped score, as above.
const SOFT_CAP_BOUND: f64 = 5e-7;

#[test]
fn swiglus() {
    let cases = [(1, 1.0), (7, 10.0), (16, 100.0), (33, 1000.0), (4099, 20.0)];
    check_gated("swiglu", Kernels::swiglu, scalar::swiglu, cases, |gate, up| {
        let expected = gate / (1.0 + (-gate).exp()) * up;
        (expected, SWIGLU_BOUND * expected.abs() + SWIGLU_FLOOR * up.abs() * 100.0)
    });
}

#[test]
fn geglus() {
    let cases = [(1, 1.0), (7, 10.0), (16, 0.1), (33, 1000.0), (4099, 6.0)];
    check_gated("geglu", Kernels::geglu, scalar::geglu, cases, |gate, up| {
        let inner = (2.0 / std::f64::consts::PI).sqrt() * (gate + 0.044715 * gate.powi(3));
        (0.5 * gate * (1.0 + inner.tanh()) * up, GEGLU_BOUND * (gate * up).abs())
    });
}

/// Checks a gated activation and its twin: `expected` has the value and its bound, of a gate and what it is multiplied with; `cases` are
/// lengths and the largest gates.
fn check_gated(
    name: &str,
    gated: fn(&Kernels, &mut [f32], &[f32]),
    twin: fn(&mut [f32], &[f32]),
    cases: [(usize, f32); 5],
    expected: impl Fn(f64, f64) -> (f64, f64),
) {
    let rng = &mut rng();
    for (len, scale) in cases {
        let (gate, up) = (random_values(rng, len, scale), random_values(rng, len, 2.0));
        let out = on_every_set(|kernels| {
            let mut out = gate.clone();
            gated(kernels, &mut out, &up);
            out
        });
        let mut by_twin = gate.clone();
        twin(&mut by_twin, &up);
        for i in 0..len {
            let (expected, bound) = expected(f64::from(gate[i]), f64::from(up[i]));
            assert_near(out[i], expected, bound, name);
            assert_near(out[i], by_twin[i], 2.0 * bound, &format!("{name} and its twin"));
        }
    }
}

#[test]
fn soft_caps() {
    let rng = &mut rng();
    for (len, scale, cap) in [(1, 1.0, 30.0), (15, 1e-6, 50.0), (17, 1e6, 30.0), (4099, 300.0, 30.0), (333, 50.0, 50.0)]
    {
        let x = random_values(rng, len, scale);
        let out = on_every_set(|kernels| {
            let mut out = x.clone();
            kernels.soft_cap(&mut out, cap);
            out
        });
        let mut twin = x.clone();
        scalar::soft_cap(&mut twin, cap);
        for i in 0..len {
            let expected = f64::from(cap) * (f64::from(x[i]) / f64::from(cap)).tanh();
            let bound = SOFT_CAP_BOUND * expected.abs();
            assert_near(out[i], expected, bound, "soft_cap");
            assert_near(out[i], twin[i], 2.0 * bound, "soft_cap and its twin");
        }
    }
}

#[test]
fn additions() {
    let rng = &mut rng();
    let (x, update) = (random_values(rng, 1003, 5.0), random_values(rng, 1003, 5.0));
    let out = on_every_set(|kernels| {
        let mut out = x.clone();
        kernels.add(&mut out, &update);
        out
    });
    assert!(out.iter().zip(x.iter().zip(&update)).all(|(out, (x, update))| *out == x + update));
}

#[test]
fn multiples() {
    let x = random_values(&mut rng(), 1003, 5.0);
    let out = on_every_set(|kernels| {
        let mut out = x.clone();
        kernels.scale(&mut out, 0.3);
        out
    });
    assert!(out.iter().zip(&x).all(|(out, x)| *out == x * 0.3));
}

#[test]
fn what_is_not_a_number_is_not_lost() {
    for kernels in Kernels::available() {
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
