//! How somebody writes: adapters that learn it, and requests that follow it.

mod lessons;
mod personal;
mod rewrite;
mod tune;
