//! The only readers of the world outside the manifest: environment, event, git, Dockerfiles.

pub mod bases;
pub mod commit;
pub mod dockerfiles;
pub mod environment;
pub mod event;
pub mod facts;
pub mod git;
pub mod inputs;
pub mod lock;
pub mod past;
pub mod published;
pub mod recorded;
pub mod refs;
pub mod released;
pub mod secrets;
pub mod since;
pub mod stored;
pub mod tree;
pub mod version_tag;
pub mod whole;
