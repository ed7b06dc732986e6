//! How somebody writes: adapters that learn it, and requests that follow it.

mod lessons;
mod rewrite;
mod tune;
