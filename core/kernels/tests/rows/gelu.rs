use sotto_kernels::{Kernels, scalar};

use crate::common::{random_values, rng};
use crate::{assert_near, on_every_set};

/// Absolute error against the scalar twin, relative to the argument.
const GELU_BOUND: f64 = 3e-7;

#[test]
fn gelus() {
    let rng = &mut rng();
    for (len, scale) in [(1, 1.0), (7, 10.0), (16, 100.0), (33, 1000.0), (4099, 6.0)] {
        let x = random_values(rng, len, scale);
        let out = on_every_set(|kernels| {
            let mut out = x.clone();
            kernels.gelu(&mut out);
            out
        });
        for (x, out) in x.iter().zip(out) {
            assert_near(out, scalar::gelu(*x), GELU_BOUND * f64::from(x.abs()), "gelu and its twin");
        }
    }
}

#[test]
fn what_is_not_finite_does_not_look_like_a_number() {
    for kernels in Kernels::available() {
        let mut x = [f32::NAN, f32::INFINITY];
        kernels.gelu(&mut x);
        assert!(x.iter().all(|x| !x.is_finite()), "{}", kernels.name());
    }
}
