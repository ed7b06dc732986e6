//! The demo model that is built into the program.

/// Aligned like the tensors inside, so that the weights are used in place.
#[repr(align(64))]
struct Aligned<Bytes: ?Sized>(Bytes);

static DEMO_MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../../demo-model/sotto-demo.gguf"));

/// The GGUF file of the demo model.
pub fn demo_model() -> &'static [u8] {
    &DEMO_MODEL.0
}
