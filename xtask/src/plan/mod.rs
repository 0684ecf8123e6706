//! Pure: from facts to the plan. Nothing here reads the environment, the clock, the disk or the net.

pub mod cache;
pub mod dockerfile;
pub mod dockerignore;
pub mod graph;
pub mod labels;
pub mod tags;
