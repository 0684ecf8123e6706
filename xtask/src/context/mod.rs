//! The only readers of the world outside the manifest: environment, event, git.

pub mod environment;
pub mod event;
pub mod git;
