//! Measuring: work that is made for it, us and others at the same work, and what came of it.

pub mod against;
pub mod budget;
mod calm;
mod engine;
mod floor;
pub mod generate;
mod lane;
mod markdown;
pub mod peers;
mod recorded;
pub mod report;
pub mod repository;
pub mod run;
pub mod scenario;
mod statistics;
mod table;
mod traffic;
pub mod verdict;
mod work;

pub use engine::is_gone;
pub use lane::{Contestant, Site};
pub use markdown::markdown;
pub use table::table;
