//! Norms, activations, attention and rounding of every instruction set: against their scalar twins, against the formula in `f64`, and
//! against each other.

#[path = "../common/mod.rs"]
mod common;

mod attention;
mod elementwise;
mod gelu;
mod norms;
mod rounding;

use sotto_kernels::Kernels;

/// What `work` gives with every instruction set of this CPU, which must be the same to the last bit.
fn on_every_set<T: PartialEq + std::fmt::Debug>(work: impl Fn(&Kernels) -> T) -> T {
    let expected = work(Kernels::named("scalar").expect("runs everywhere"));
    for kernels in Kernels::available() {
        assert_eq!(work(kernels), expected, "{}", kernels.name());
    }
    expected
}

/// Checks that `actual` is at most `bound` from `expected`.
#[track_caller]
fn assert_near(actual: f32, expected: impl Into<f64>, bound: f64, what: &str) {
    let expected = expected.into();
    let error = (f64::from(actual) - expected).abs();
    assert!(error <= bound, "{what}: {actual} is {error:e} from {expected}, bound {bound:e}");
}
