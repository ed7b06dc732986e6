//! Writes random-weight GGUF files of an exact shape, for benchmarks and tests.
