//! A small Dockerfile reader: what a build reads from outside, and where each instruction stands.
//!
//! Pure: text in, data out. It follows what BuildKit's frontend does
//! (<https://github.com/moby/buildkit/tree/master/frontend/dockerfile>), quirks included, and never
//! guesses: what it does not understand becomes an [`Unclear`], and the image is then always built.

mod args;
mod directives;
mod fields;
mod flags;
mod heredoc;
mod image_name;
mod instruction;
mod lex;
mod links;
mod parse;
mod reads;
mod remote;
mod stages;
mod types;
mod variable;
mod vertex;

pub use args::declared_args;
pub use image_name::context_key;
pub use parse::parse;
pub use reads::{Question, Reads, reads};
pub use types::{
    Dockerfile, Instruction, Reference, ReferenceKind, Source, Stage, Trouble, Unclear,
};
pub use vertex::lines_of_vertex;

#[cfg(test)]
mod tests;
