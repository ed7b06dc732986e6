//! Products with weights and their changes, and back.

use sotto_engine::EngineError;
use sotto_engine::compute::{Compute, FloatPanels, Input, InputRoom, Linear, resize};

use crate::lora::{Lora, Pair};
use crate::rows::transpose;

/// Room for products.
#[derive(Debug, Default)]
pub(crate) struct LinearRoom {
    input: InputRoom,
    /// A matrix on its way into a product.
    panels: FloatPanels,
    /// The input of several products, as columns.
    columns: FloatPanels,
    /// Gradients between the halves of a change, `[rows, rank]`, and their transpose.
    between: Vec<f32>,
    transposed: Vec<f32>,
}

/// The change of a matrix, as it is now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) pair: &'a Pair,
    /// `[rank, inputs]`.
    pub(crate) a: &'a [f32],
    /// `[rank, outputs]`.
    pub(crate) b: &'a [f32],
    pub(crate) scale: f32,
}

/// A product to be done: where its results go, and what comes between the halves of its change, `scale · x · aᵀ`.
pub(crate) struct Forward<'a> {
    pub(crate) linear: &'a Linear,
    pub(crate) change: Change<'a>,
    pub(crate) out: &'a mut Vec<f32>,
    pub(crate) between: &'a mut Vec<f32>,
}

/// A product whose gradients are wanted, with that of its result, and what [`Forward::between`] was.
pub(crate) struct Backward<'a> {
    pub(crate) linear: &'a Linear,
    pub(crate) change: Change<'a>,
    pub(crate) between: &'a [f32],
    pub(crate) dy: &'a [f32],
}

impl<'a> Forward<'a> {
    pub(crate) fn of(linear: &'a Linear, change: Change<'a>, out: &'a mut Vec<f32>, between: &'a mut Vec<f32>) -> Self {
        Self { linear, change, out, between }
    }
}

impl<'a> Change<'a> {
    pub(crate) fn new(lora: &Lora, pair: &'a Pair, numbers: &'a [f32]) -> Self {
        Self { pair, a: &numbers[pair.a.clone()], b: &numbers[pair.b.clone()], scale: lora.scale() }
    }
}

impl LinearRoom {
    /// `out = x · weight + bias + scale · x · aᵀ · b`, for several products of the same `x`.
    pub(crate) fn forward<const N: usize>(
        &mut self,
        compute: &Compute,
        x: &[f32],
        mut products: [Forward<'_>; N],
    ) -> Result<(), EngineError> {
        let cols = products[0].change.pair.inputs;
        let rows = x.len() / cols;
        for product in &mut products {
            resize(product.out, rows * product.change.pair.outputs)?;
        }
        let input = Input { values: x, cols, room: &mut self.input };
        compute.multiply(input, products.each_mut().map(|product| (&product.linear.weight, &mut product.out[..])));
        for Forward { linear, change, out, between } in products {
            linear.bias.iter().for_each(|bias| compute.add_bias(out, bias));
            resize(between, rows * (change.a.len() / cols))?;
            self.panels.set_rows(change.a, cols)?;
            compute.multiply_floats(x, &self.panels, between);
            compute.kernels.scale(between, change.scale);
            self.panels.set_columns(change.b, change.pair.outputs)?;
            compute.add_floats(between, &self.panels, out);
        }
        Ok(())
    }

    /// Adds the gradients of several products of the same `x` to `dx` and to those of all changes' numbers.
    pub(crate) fn backward<const N: usize>(
        &mut self,
        compute: &Compute,
        x: &[f32],
        products: [Backward<'_>; N],
        dx: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), EngineError> {
        let inputs = products[0].change.pair.inputs;
        compute.set_columns(&mut self.columns, x, inputs)?;
        for Backward { linear, change, between, dy } in products {
            let outputs = change.pair.outputs;
            let rank = change.a.len() / inputs;
            compute.set_transposed(&mut self.panels, &linear.weight, 0..outputs)?;
            compute.add_floats(dy, &self.panels, dx);

            resize(&mut self.transposed, between.len())?;
            compute.set_columns(&mut self.panels, dy, outputs)?;
            transpose(between, rank, &mut self.transposed);
            compute.add_floats(&self.transposed, &self.panels, &mut gradients[change.pair.b.clone()]);

            resize(&mut self.between, between.len())?;
            self.panels.set_rows(change.b, outputs)?;
            compute.multiply_floats(dy, &self.panels, &mut self.between);
            compute.kernels.scale(&mut self.between, change.scale);
            transpose(&self.between, rank, &mut self.transposed);
            compute.add_floats(&self.transposed, &self.columns, &mut gradients[change.pair.a.clone()]);
            self.panels.set_columns(change.a, inputs)?;
            compute.add_floats(&self.between, &self.panels, dx);
        }
        Ok(())
    }
}
