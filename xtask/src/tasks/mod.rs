//! One file a command.

pub mod engine;
