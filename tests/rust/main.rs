//! The public Rust API by itself, without Python.
//!
//! One file for each idea: the helpers first, then the contract's clauses as random properties,
//! then equality of bits over everything that must not matter, then the edges.
#![allow(missing_docs)] // nothing here is for other crates

// Helpers.
mod entry_points;
mod model;
mod number;
mod oracle;

// Tests.
mod bits;
mod codes;
mod empty;
mod epsilon;
mod errors;
mod extremes;
mod gradients;
mod interrupt;
mod layouts;
mod levels;
mod messages;
mod mining;
mod outputs;
mod properties;
mod segments;
mod stored;
mod threads;
