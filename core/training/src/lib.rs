//! Texts become an adapter (LoRA): back-propagation on the device.
//!
//! Base weights stay packed and quantized. A pass goes forward as the engine's does, with the same rounding of activations; on the way back,
//! one matrix at a time is expanded to `f32`. What goes into each layer is kept, and the rest computed again (Chen et al., "Training Deep
//! Nets with Sublinear Memory Cost", 2016). Only the adapter's numbers have gradients.
#![forbid(unsafe_code)]

mod attention;
mod batch;
mod checkpoint;
mod error;
mod held_out;
mod layer;
mod linear;
mod lora;
mod loss;
mod optimizer;
mod plan;
mod random;
mod rows;
mod trainer;
mod tune;

pub use batch::Example;
pub use error::TrainingError;
pub use held_out::{Split, split};
pub use loss::Loss;
pub use trainer::Trainer;
pub use tune::{TuneOptions, TuneProgress, TuneReport, TuneTexts, tune};

/// Text of no particular style or subject: what a person's texts have taught must not make it much less likely. Paragraphs, and of two lines,
/// a question and its answer.
pub const GENERAL_TEXT: &str = include_str!("general.txt");

/// Other text of the same kind, by which the strength of an adapter is chosen.
pub const CALIBRATION_TEXT: &str = include_str!("calibration.txt");
