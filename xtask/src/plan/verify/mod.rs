//! Whether a skip was right: two builds of now against the published image. Pure.
//!
//! What differs between the two builds is unstable. What is equal in both but different in the
//! published image is explained by packages that have moved, or it is a wrong skip.

mod anew;
mod compare;
mod config;
mod derived;
mod difference;
mod explain;
mod image;
mod packages;
#[cfg(test)]
mod tests;

pub use anew::{VolatileArgs, definition, layout, plan};
pub use compare::{Comparison, Explained, compare};
pub use config::config;
pub use difference::{Aspect, Difference, Place};
pub use image::{File, Files, Image, Kind, Path, shown};
pub use packages::{Moved, is_database};
