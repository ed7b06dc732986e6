use sotto_kernels::{Kernels, scalar};

use crate::common::{random_values, rng, say_exercised};
use crate::{assert_near, on_every_set};

/// Relative error of a value normalized by its root mean square, and twice that against the scalar twin, which has as much.
const RMS_NORM_BOUND: f64 = 2e-6;
/// Absolute error of a layer-normalized value against the scalar twin, relative to the largest.
const LAYER_NORM_BOUND: f64 = 2e-6;

/// Lengths around those of vectors, and how large values are.
const ROWS: [(usize, f32); 7] = [(1, 1.0), (5, 1e-3), (17, 3.0), (64, 1e4), (2047, 1.0), (384, 30.0), (3072, 30.0)];

#[test]
fn rms_norms() {
    let rng = &mut rng();
    for (len, scale) in ROWS {
        let (x, weight) = (random_values(rng, len, scale), random_values(rng, len, 2.0));
        let out = on_every_set(|kernels| {
            let mut out = vec![f32::NAN; len];
            kernels.rms_norm(&x, &weight, 1e-5, &mut out);
            out
        });
        let mut twin = vec![f32::NAN; len];
        scalar::rms_norm(&x, &weight, 1e-5, &mut twin);
        let mean_square = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / len as f64;
        for i in 0..len {
            let expected = f64::from(x[i]) / (mean_square + f64::from(1e-5f32)).sqrt() * f64::from(weight[i]);
            let bound = RMS_NORM_BOUND * expected.abs().max(1e-20);
            assert_near(out[i], expected, bound, "rms_norm");
            assert_near(out[i], twin[i], 2.0 * bound, "rms_norm and its twin");
        }
    }
    Kernels::available().for_each(say_exercised);
}

#[test]
fn layer_norms() {
    let rng = &mut rng();
    for (len, scale) in ROWS {
        let [x, weight, bias] = [scale, 2.0, 2.0].map(|scale| random_values(rng, len, scale));
        let out = on_every_set(|kernels| {
            let mut out = vec![f32::NAN; len];
            kernels.layer_norm(&x, &weight, &bias, 1e-5, &mut out);
            out
        });
        let mut twin = vec![f32::NAN; len];
        scalar::layer_norm(&x, &weight, &bias, 1e-5, &mut twin);
        for (out, twin) in out.into_iter().zip(twin) {
            let bound = LAYER_NORM_BOUND * f64::from(twin.abs().max(4.0));
            assert_near(out, twin, bound, "layer_norm and its twin");
        }
    }
}
