//! The machine's resources, and this process's share of them.

#[cfg(target_vendor = "apple")]
pub(crate) mod apple;
mod memory;
mod process_memory;

pub(crate) use memory::check_available;
pub use memory::{MemoryEstimate, available_memory, resize, zeros};
pub use process_memory::{ProcessMemory, process_memory};
