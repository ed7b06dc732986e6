//! Activations are rounded by every instruction set as a loop over numbers rounds them.

use sotto_kernels::ActivationRows;

use crate::common::{random_values, rng};
use crate::on_every_set;

/// The largest magnitude of a rounded value.
const STEPS: f32 = 127.0;

#[derive(Debug, PartialEq)]
struct Rounded {
    values: Vec<i8>,
    scales: Vec<f32>,
    corrections: Vec<i32>,
    sums: Vec<i16>,
}

impl Rounded {
    fn with(group: usize, len: usize, write: impl FnOnce(&mut ActivationRows<'_>)) -> Self {
        let mut rounded = Self {
            values: vec![-1; len],
            scales: vec![f32::MIN; len / 32],
            corrections: vec![i32::MIN; len / 8],
            sums: vec![0; len / 32],
        };
        let Self { values, scales, corrections, sums } = &mut rounded;
        write(&mut ActivationRows { group, cols: len, values, scales, corrections, sums, interleaved: &mut [] });
        rounded
    }
}

#[test]
fn activations() {
    let rng = &mut rng();
    for (group, groups) in [(32, 1), (32, 7), (32, 64), (256, 1), (256, 3)] {
        for magnitude in [1e-42, 1e-30, 1.0, 300.0, 1e30] {
            let x = random_values(rng, group * groups, magnitude);
            let rounded = on_every_set(|kernels| Rounded::with(group, x.len(), |rows| kernels.quantize(&x, rows)));
            for (index, x) in x.chunks_exact(group).enumerate() {
                let largest = x.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
                // Where the reciprocal would overflow, all are zero.
                let inverse = if largest < f32::MIN_POSITIVE * STEPS { 0.0 } else { STEPS / largest };
                for (at, x) in (index * group / 32..).zip(x.chunks_exact(32)) {
                    let twin: Vec<i8> = x.iter().map(|x| (x * inverse).round_ties_even() as i8).collect();
                    assert_eq!(rounded.values[32 * at..][..32], twin, "of {magnitude:e}");
                    assert_eq!(rounded.scales[at], largest * (1.0 / STEPS));
                    let sum = |values: &[i8]| values.iter().map(|&value| i32::from(value)).sum::<i32>();
                    assert_eq!(rounded.corrections[4 * at..][..2], [-128 * sum(&twin), -128 * sum(&twin[16..])]);
                }
            }
        }
    }
}
