//! What a file says about its model: its shape, and what its family does differently.

mod config;

pub use config::{ModelConfig, RopeScaling};
