//! Measuring: work that is made for it, us and others at the same work, and what came of it.

mod engine;
mod floor;
pub mod generate;
mod lane;
pub mod peers;
mod report;
pub mod repository;
pub mod run;
pub mod scenario;
mod statistics;
mod table;
mod traffic;
mod work;

pub use engine::is_gone;
pub use lane::{Contestant, Site};
pub use report::{Report, Row};
pub use table::{markdown, table};
