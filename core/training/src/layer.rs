//! A layer, and back: what a family does differently is a line that its values switch on, as in the engine's forward pass.

use std::sync::{Mutex, PoisonError};

use sotto_engine::EngineError;
use sotto_engine::compute::{Chunks, Compute, Linear, Pieces, Transformer, Turns, resize};
use sotto_kernels::scalar::rope_interleaved;

use crate::attention::{Attention, AttentionRoom, Head, HeadGradients};
use crate::batch::Batch;
use crate::linear::{Backward, Change, Forward, LinearRoom};
use crate::lora::{Lora, MATRICES, linears};
use crate::rows::{add_norm_gradient, add_norm_gradient_of_row, gate, gate_gradients, norm};

/// What a pass goes through: a batch, and an adapter as it is now.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) model: &'a Transformer,
    pub(crate) batch: &'a Batch,
    pub(crate) lora: &'a Lora,
    pub(crate) numbers: &'a [f32],
}

/// What a layer computes on its way, which the way back needs: rows of the batch, unless they say otherwise.
#[derive(Debug, Default)]
pub(crate) struct LayerState {
    normed: Vec<f32>,
    /// Before norms of heads and RoPE.
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    /// After them, `[heads, rows, head_dim]`, as the two others.
    query_heads: Vec<f32>,
    key_heads: Vec<f32>,
    value_heads: Vec<f32>,
    attended: Vec<f32>,
    /// What attention gives, before the norm after it.
    attention_update: Vec<f32>,
    /// The residual stream between attention and feed-forward.
    middle: Vec<f32>,
    normed_middle: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    gated: Vec<f32>,
    /// What the feed-forward network gives, before the norm after it.
    feed_forward_update: Vec<f32>,
    /// What comes between the halves of each change.
    between: [Vec<f32>; MATRICES],
    room: LayerRoom,
}

/// Room that a layer needs on its way, and gradients on the way back.
#[derive(Debug, Default)]
struct LayerRoom {
    linear: LinearRoom,
    attention: Mutex<Vec<AttentionRoom>>,
    /// Of each head, `[heads, rows, head_dim]`.
    heads: Vec<f32>,
    query_heads: Vec<f32>,
    key_heads: Vec<f32>,
    value_heads: Vec<f32>,
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    attended: Vec<f32>,
    update: Vec<f32>,
    normed: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    gated: Vec<f32>,
}

impl Pass<'_> {
    fn attention(&self, layer: usize) -> Attention {
        let config = &self.model.config;
        Attention {
            head_dim: config.head_dim,
            scale: config.architecture.score_scale,
            cap: config.architecture.score_cap,
            window: config.architecture.window_of(layer),
        }
    }

    fn turns(&self, layer: usize) -> &Turns {
        self.batch.turns.of(self.model.config.architecture.window_of(layer).is_some())
    }

    /// Where each head of each text ends in numbers that lie `[heads, rows, head_dim]`.
    fn head_ends(&self) -> Vec<usize> {
        let (rows, head_dim) = (self.batch.rows(), self.model.config.head_dim);
        let heads = 0..self.model.config.num_heads;
        heads.flat_map(|head| self.batch.texts.iter().map(move |text| (head * rows + text.end) * head_dim)).collect()
    }

    /// The changes of a layer's matrices.
    fn changes(&self, layer: usize) -> [Change<'_>; MATRICES] {
        let pairs = self.lora.layer(layer);
        std::array::from_fn(|matrix| Change::new(self.lora, &pairs[matrix], self.numbers))
    }
}

impl LayerState {
    /// `out = layer(x)`.
    pub(crate) fn forward(
        &mut self,
        pass: &Pass,
        compute: &Compute,
        index: usize,
        x: &[f32],
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        let (config, layer) = (&pass.model.config, &pass.model.weights.layers[index]);
        let epsilon = config.rms_norm_eps;
        let [query, key, value, output, gate_change, up, down] = pass.changes(index);
        let [low_query, low_key, low_value, low_output, low_gate, low_up, low_down] = &mut self.between;
        let linear = &mut self.room.linear;

        resize(&mut self.normed, x.len())?;
        norm(compute, x, &layer.attention_norm, epsilon, &mut self.normed);
        let products = [
            Forward::of(&layer.query, query, &mut self.queries, low_query),
            Forward::of(&layer.key, key, &mut self.keys, low_key),
            Forward::of(&layer.value, value, &mut self.values, low_value),
        ];
        linear.forward(compute, &self.normed, products)?;
        let turns = Some(pass.turns(index));
        to_heads(pass, compute, &self.queries, layer.query_norm.as_deref(), turns, &mut self.query_heads)?;
        to_heads(pass, compute, &self.keys, layer.key_norm.as_deref(), turns, &mut self.key_heads)?;
        to_heads(pass, compute, &self.values, None, None, &mut self.value_heads)?;
        resize(&mut self.room.heads, self.query_heads.len())?;
        attend(pass, compute, index, [&self.query_heads, &self.key_heads, &self.value_heads], &mut self.room)?;
        resize(&mut self.attended, self.queries.len())?;
        from_heads(pass, compute, &self.room.heads, &mut self.attended);
        let products = [Forward::of(&layer.attention_output, output, &mut self.attention_update, low_output)];
        self.room.linear.forward(compute, &self.attended, products)?;
        resize(&mut self.middle, x.len())?;
        resize(&mut self.room.update, x.len())?;
        let post_norm = layer.post_attention_norm.as_deref();
        add_update(pass, compute, x, &self.attention_update, post_norm, &mut self.room.update, &mut self.middle);

        resize(&mut self.normed_middle, x.len())?;
        norm(compute, &self.middle, &layer.feed_forward_norm, epsilon, &mut self.normed_middle);
        let products = [
            Forward::of(&layer.gate, gate_change, &mut self.gate, low_gate),
            Forward::of(&layer.up, up, &mut self.up, low_up),
        ];
        self.room.linear.forward(compute, &self.normed_middle, products)?;
        resize(&mut self.gated, self.gate.len())?;
        let width = config.intermediate_size;
        gate(compute, config.architecture.activation, &self.gate, &self.up, width, &mut self.gated);
        let products = [Forward::of(&layer.down, down, &mut self.feed_forward_update, low_down)];
        self.room.linear.forward(compute, &self.gated, products)?;
        let post_norm = layer.post_feed_forward_norm.as_deref();
        add_update(pass, compute, &self.middle, &self.feed_forward_update, post_norm, &mut self.room.update, out);
        Ok(())
    }

    /// The gradient of what came out becomes, in place, that of `x`; those of the changes' numbers are added to `gradients`. The
    /// last that went forward was this layer, with the same `x`.
    pub(crate) fn backward(
        &mut self,
        pass: &Pass,
        compute: &Compute,
        index: usize,
        x: &[f32],
        gradient: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), EngineError> {
        let (config, layer) = (&pass.model.config, &pass.model.weights.layers[index]);
        let epsilon = config.rms_norm_eps;
        let products = Products { linears: linears(layer), changes: pass.changes(index), between: &self.between };
        let room = &mut self.room;

        // Feed-forward.
        let post_norm = layer.post_feed_forward_norm.as_deref();
        let update = update_gradient(pass, compute, &self.feed_forward_update, post_norm, gradient, &mut room.update)?;
        cleared(&mut room.gated, self.gated.len())?;
        room.linear.backward(compute, &self.gated, [products.of(6, update)], &mut room.gated, gradients)?;
        resize(&mut room.gate, self.gate.len())?;
        resize(&mut room.up, self.up.len())?;
        let inputs = [&self.gate[..], &self.up, &room.gated];
        let outputs = [&mut room.gate[..], &mut room.up];
        gate_gradients(compute, config.architecture.activation, inputs, config.intermediate_size, outputs);
        cleared(&mut room.normed, x.len())?;
        let both = [products.of(4, &room.gate), products.of(5, &room.up)];
        room.linear.backward(compute, &self.normed_middle, both, &mut room.normed, gradients)?;
        add_norm_gradient(compute, &self.middle, &layer.feed_forward_norm, epsilon, &room.normed, gradient);

        // Attention.
        let post_norm = layer.post_attention_norm.as_deref();
        let update = update_gradient(pass, compute, &self.attention_update, post_norm, gradient, &mut room.update)?;
        cleared(&mut room.attended, self.attended.len())?;
        room.linear.backward(compute, &self.attended, [products.of(3, update)], &mut room.attended, gradients)?;
        to_heads(pass, compute, &room.attended, None, None, &mut room.heads)?;
        attend_back(pass, compute, index, [&self.query_heads, &self.key_heads, &self.value_heads], room)?;
        let turns = Some(pass.turns(index));
        let back = |gradient: &[f32], x: &[f32], weight: &Option<Vec<f32>>, turns, out: &mut Vec<f32>| {
            back_from_heads(pass, compute, gradient, x, weight.as_deref(), turns, out)
        };
        back(&room.query_heads, &self.queries, &layer.query_norm, turns, &mut room.queries)?;
        back(&room.key_heads, &self.keys, &layer.key_norm, turns, &mut room.keys)?;
        back(&room.value_heads, &self.values, &None, None, &mut room.values)?;
        cleared(&mut room.normed, x.len())?;
        let three = [products.of(0, &room.queries), products.of(1, &room.keys), products.of(2, &room.values)];
        room.linear.backward(compute, &self.normed, three, &mut room.normed, gradients)?;
        add_norm_gradient(compute, x, &layer.attention_norm, epsilon, &room.normed, gradient);
        Ok(())
    }
}

/// The products of a layer, on the way back.
struct Products<'a> {
    linears: [&'a Linear; MATRICES],
    changes: [Change<'a>; MATRICES],
    between: &'a [Vec<f32>; MATRICES],
}

impl<'a> Products<'a> {
    /// One of them, and the gradient of its result.
    fn of(&self, matrix: usize, dy: &'a [f32]) -> Backward<'a> {
        Backward { linear: self.linears[matrix], change: self.changes[matrix], between: &self.between[matrix], dy }
    }
}

/// So many zeros.
fn cleared(numbers: &mut Vec<f32>, len: usize) -> Result<(), EngineError> {
    numbers.clear();
    resize(numbers, len)
}

/// `out = x + update`, the update normed where the family norms it.
fn add_update(
    pass: &Pass,
    compute: &Compute,
    x: &[f32],
    update: &[f32],
    post_norm: Option<&[f32]>,
    room: &mut [f32],
    out: &mut [f32],
) {
    let config = &pass.model.config;
    out.copy_from_slice(x);
    match post_norm {
        None => compute.add(out, update, config.hidden_size),
        Some(weight) => {
            norm(compute, update, weight, config.rms_norm_eps, room);
            compute.add(out, room, config.hidden_size);
        }
    }
}

/// The gradient of an update before the norm after it, where the family norms it.
fn update_gradient<'a>(
    pass: &Pass,
    compute: &Compute,
    update: &[f32],
    post_norm: Option<&[f32]>,
    gradient: &'a [f32],
    room: &'a mut Vec<f32>,
) -> Result<&'a [f32], EngineError> {
    let Some(weight) = post_norm else { return Ok(gradient) };
    cleared(room, gradient.len())?;
    add_norm_gradient(compute, update, weight, pass.model.config.rms_norm_eps, gradient, room);
    Ok(room)
}

/// Rows of heads become heads of rows, each normed and turned where that is asked.
fn to_heads(
    pass: &Pass,
    compute: &Compute,
    x: &[f32],
    norm: Option<&[f32]>,
    turns: Option<&Turns>,
    out: &mut Vec<f32>,
) -> Result<(), EngineError> {
    let config = &pass.model.config;
    let (rows, head_dim) = (pass.batch.rows(), config.head_dim);
    let width = x.len() / rows;
    resize(out, x.len())?;
    compute.team.run_parts(Chunks::new(out, rows * head_dim), |head, out| {
        for (row, out) in out.chunks_exact_mut(head_dim).enumerate() {
            let x = &x[row * width + head * head_dim..][..head_dim];
            match norm {
                Some(weight) => compute.kernels.rms_norm(x, weight, config.rms_norm_eps, out),
                None => out.copy_from_slice(x),
            }
            if let Some(turns) = turns {
                let (cos, sin) = turns.row(row, config.rope_dim / 2);
                rope_interleaved(out, cos, sin);
            }
        }
    });
    Ok(())
}

/// Heads of rows become rows of heads.
fn from_heads(pass: &Pass, compute: &Compute, heads: &[f32], out: &mut [f32]) {
    let (rows, head_dim) = (pass.batch.rows(), pass.model.config.head_dim);
    let width = heads.len() / rows;
    compute.team.run_parts(Chunks::new(out, width), |row, out| {
        for (head, out) in out.chunks_exact_mut(head_dim).enumerate() {
            out.copy_from_slice(&heads[(head * rows + row) * head_dim..][..head_dim]);
        }
    });
}

/// The gradient of what went into [`to_heads`], `x`. Where several query heads share a head, their gradients are added.
fn back_from_heads(
    pass: &Pass,
    compute: &Compute,
    gradient: &[f32],
    x: &[f32],
    norm: Option<&[f32]>,
    turns: Option<&Turns>,
    out: &mut Vec<f32>,
) -> Result<(), EngineError> {
    let config = &pass.model.config;
    let (rows, head_dim) = (pass.batch.rows(), config.head_dim);
    let width = x.len() / rows;
    let sharing = gradient.len() / x.len();
    cleared(out, x.len())?;
    compute.team.run_parts(Chunks::new(out, width), |row, out| {
        let mut sum = vec![0.0; head_dim];
        for (head, out) in out.chunks_exact_mut(head_dim).enumerate() {
            let of = |query_head: usize| &gradient[(query_head * rows + row) * head_dim..][..head_dim];
            sum.copy_from_slice(of(head * sharing));
            (1..sharing).for_each(|other| compute.kernels.add(&mut sum, of(head * sharing + other)));
            if let Some(turns) = turns {
                let (cos, sin) = turns.row(row, config.rope_dim / 2);
                turn_back(&mut sum, cos, sin);
            }
            match norm {
                Some(weight) => {
                    let x = &x[row * width + head * head_dim..][..head_dim];
                    add_norm_gradient_of_row(x, weight, config.rms_norm_eps, &sum, out);
                }
                None => out.copy_from_slice(&sum),
            }
        }
    });
    Ok(())
}

/// The gradient of what RoPE turned: the transpose of its matrix.
fn turn_back(gradient: &mut [f32], cos: &[f32], sin: &[f32]) {
    for ((pair, cos), sin) in gradient.chunks_exact_mut(2).zip(cos).zip(sin) {
        let (a, b) = (pair[0], pair[1]);
        (pair[0], pair[1]) = (a * cos + b * sin, b * cos - a * sin);
    }
}

/// What each head reads of each text, in `room.heads`.
fn attend(
    pass: &Pass,
    compute: &Compute,
    index: usize,
    heads: [&[f32]; 3],
    room: &mut LayerRoom,
) -> Result<(), EngineError> {
    let (attention, ends) = (pass.attention(index), pass.head_ends());
    let failure = Mutex::new(Ok(()));
    let rooms = &room.attention;
    compute.team.run_parts(Pieces::new(&mut room.heads, &ends), |task, out| {
        if compute.cancel.is_cancelled() || out.is_empty() {
            return;
        }
        with_room(rooms, &failure, |room| attention.forward(compute.kernels, head_of(pass, task, heads), room, out));
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The gradients of each query head's queries, keys and values, from those of what it read, `room.heads`.
fn attend_back(
    pass: &Pass,
    compute: &Compute,
    index: usize,
    heads: [&[f32]; 3],
    room: &mut LayerRoom,
) -> Result<(), EngineError> {
    let (attention, ends) = (pass.attention(index), pass.head_ends());
    let LayerRoom { attention: rooms, heads: gradient, query_heads, key_heads, value_heads, .. } = room;
    for out in [&mut *query_heads, &mut *key_heads, &mut *value_heads] {
        resize(out, gradient.len())?;
    }
    let failure = Mutex::new(Ok(()));
    let parts = ((Pieces::new(query_heads, &ends), Pieces::new(key_heads, &ends)), Pieces::new(value_heads, &ends));
    compute.team.run_parts(parts, |task, ((queries, keys), values)| {
        if compute.cancel.is_cancelled() || queries.is_empty() {
            return;
        }
        let start = if task == 0 { 0 } else { ends[task - 1] };
        with_room(rooms, &failure, |room| {
            let gradients = HeadGradients { queries, keys, values };
            attention.backward(
                compute.kernels,
                head_of(pass, task, heads),
                &gradient[start..ends[task]],
                room,
                gradients,
            )
        });
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Queries, keys and values of a query head of a text.
fn head_of<'a>(pass: &Pass, task: usize, [queries, keys, values]: [&'a [f32]; 3]) -> Head<'a> {
    let (config, texts, rows) = (&pass.model.config, &pass.batch.texts, pass.batch.rows());
    let (head, text) = (task / texts.len(), &texts[task % texts.len()]);
    let shared = head / (config.num_heads / config.num_kv_heads);
    let of = |numbers: &'a [f32], head: usize| {
        &numbers[(head * rows + text.start) * config.head_dim..(head * rows + text.end) * config.head_dim]
    };
    Head { queries: of(queries, head), keys: of(keys, shared), values: of(values, shared) }
}

/// Does something in a room that no other task is in, and keeps the first failure.
fn with_room(
    rooms: &Mutex<Vec<AttentionRoom>>,
    failure: &Mutex<Result<(), EngineError>>,
    work: impl FnOnce(&mut AttentionRoom) -> Result<(), EngineError>,
) {
    let lock = || rooms.lock().unwrap_or_else(PoisonError::into_inner);
    let mut room = lock().pop().unwrap_or_default();
    let outcome = work(&mut room);
    lock().push(room);
    if outcome.is_err() {
        *failure.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
    }
}
