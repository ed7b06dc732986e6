//! A model file becomes next-token logits.
