//! What the machine has, and what this process takes of it.

#[cfg(target_vendor = "apple")]
pub(crate) mod apple;
mod memory;
mod process_memory;

pub(crate) use memory::check_available;
pub use memory::{MemoryEstimate, available_memory, resize, zeros};
pub use process_memory::{ProcessMemory, process_memory};
