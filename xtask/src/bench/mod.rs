//! Measuring: work that is made for it, so far.

pub mod generate;
