//! A small Dockerfile reader: what a build reads from outside, and where each instruction stands.

mod types;

pub use types::{Dockerfile, Instruction, Reference, ReferenceKind, Stage, Unclear};
