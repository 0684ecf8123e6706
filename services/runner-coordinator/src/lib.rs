//! A queue of jobs for runners: push events come in, each becomes a job, and a runner holds a job by a lease.
//!
//! ```text
//! main ── settings (environment) ── server ── api (HTTP, JSON) ── store (SQLite)
//! ```
//! Time, the lease's length and the token are values that are passed in.

pub mod api;
pub mod clock;
pub mod event;
pub mod health;
pub mod job;
pub mod log;
pub mod server;
pub mod settings;
pub mod store;
