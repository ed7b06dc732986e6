//! `sdot`: its tile, and the assembly of the largest.

mod asm;
mod gemm;
