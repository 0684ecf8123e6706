//! The manifest `services/services.toml`: its types, how it is parsed, what is checked.

mod types;

pub use types::{Base, Bootstrap, Manifest, Project, Secret, SecretSource, Service};
