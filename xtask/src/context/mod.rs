//! The only readers of the world outside the manifest: environment, event, git, Dockerfiles.

pub mod bases;
pub mod dockerfiles;
pub mod environment;
pub mod event;
pub mod facts;
pub mod git;
pub mod inputs;
pub mod published;
pub mod secrets;
pub mod stored;
pub mod tree;
