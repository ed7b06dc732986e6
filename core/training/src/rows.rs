//! What is done to rows of numbers, and back.

use sotto_engine::compute::{Activation, Chunks, Compute};
use sotto_kernels::scalar::dot;

/// √(2/π).
const GELU_LINEAR: f32 = 0.797_884_6;
const GELU_CUBIC: f32 = 0.044_715;

/// `out = norm(x)`, row by row.
pub(crate) fn norm(compute: &Compute, x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let cols = weight.len();
    compute.team.run_parts(Chunks::new(out, cols), |row, out| {
        compute.kernels.rms_norm(&x[row * cols..][..cols], weight, epsilon, out);
    });
}

/// Adds to `dx` the gradient of what went into [`norm`], from that of what came out.
pub(crate) fn add_norm_gradient(
    compute: &Compute,
    x: &[f32],
    weight: &[f32],
    epsilon: f32,
    dy: &[f32],
    dx: &mut [f32],
) {
    let cols = weight.len();
    compute.team.run_parts(Chunks::new(dx, cols), |row, dx| {
        let row = row * cols..(row + 1) * cols;
        add_norm_gradient_of_row(&x[row.clone()], weight, epsilon, &dy[row], dx);
    });
}

/// As [`add_norm_gradient`], of one row: `y = x r w` with `r = 1 / √(mean(x²) + ε)`, so `dx = r (w dy) − x r³ mean(w dy x)`.
pub(crate) fn add_norm_gradient_of_row(x: &[f32], weight: &[f32], epsilon: f32, dy: &[f32], dx: &mut [f32]) {
    let len = x.len() as f32;
    let inverse = 1.0 / (dot(x, x) / len + epsilon).sqrt();
    let along: f32 = x.iter().zip(weight).zip(dy).map(|((x, weight), dy)| x * weight * dy).sum();
    let less = inverse * inverse * inverse * along / len;
    for (((dx, x), weight), dy) in dx.iter_mut().zip(x).zip(weight).zip(dy) {
        *dx += inverse * weight * dy - less * x;
    }
}

/// `gated = activation(gate) * up`.
pub(crate) fn gate(
    compute: &Compute,
    activation: Activation,
    gate: &[f32],
    up: &[f32],
    cols: usize,
    gated: &mut [f32],
) {
    compute.team.run_parts(Chunks::new(gated, cols), |row, gated| {
        let row = row * cols..(row + 1) * cols;
        gated.copy_from_slice(&gate[row.clone()]);
        match activation {
            Activation::Silu => compute.kernels.swiglu(gated, &up[row]),
            Activation::GeluTanh => compute.kernels.geglu(gated, &up[row]),
        }
    });
}

/// The gradients of gate and up, from that of what [`gate`] gave.
pub(crate) fn gate_gradients(
    compute: &Compute,
    activation: Activation,
    [gate, up, dgated]: [&[f32]; 3],
    cols: usize,
    [dgate, dup]: [&mut [f32]; 2],
) {
    let value_and_slope = match activation {
        Activation::Silu => silu,
        Activation::GeluTanh => gelu_tanh,
    };
    let parts = (Chunks::new(dgate, cols), Chunks::new(dup, cols));
    compute.team.run_parts(parts, |row, (dgate, dup)| {
        let row = row * cols..(row + 1) * cols;
        let inputs = gate[row.clone()].iter().zip(&up[row.clone()]).zip(&dgated[row]);
        for (((gate, up), dgated), (dgate, dup)) in inputs.zip(dgate.iter_mut().zip(dup)) {
            let (value, slope) = value_and_slope(*gate);
            (*dgate, *dup) = (dgated * up * slope, dgated * value);
        }
    });
}

fn silu(x: f32) -> (f32, f32) {
    let sigmoid = 1.0 / (1.0 + (-x).exp());
    (x * sigmoid, sigmoid * (1.0 + x * (1.0 - sigmoid)))
}

fn gelu_tanh(x: f32) -> (f32, f32) {
    let tanh = (GELU_LINEAR * (x + GELU_CUBIC * x * x * x)).tanh();
    let inner_slope = GELU_LINEAR * (1.0 + 3.0 * GELU_CUBIC * x * x);
    (0.5 * x * (1.0 + tanh), 0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner_slope)
}

/// Rows of `cols` numbers become columns.
pub(crate) fn transpose(source: &[f32], cols: usize, out: &mut [f32]) {
    let rows = source.len() / cols;
    for (col, out) in out.chunks_exact_mut(rows).enumerate().take(cols) {
        out.iter_mut().zip(source[col..].iter().step_by(cols)).for_each(|(out, number)| *out = *number);
    }
}
