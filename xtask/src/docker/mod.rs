//! Docker's side of the world: the engine, buildx, registries.

pub mod bake;
pub mod bases;
pub mod build;
pub mod builder;
pub mod buildx;
pub mod connect;
pub mod engine;
pub mod progress;
pub mod publish;
pub mod registry;

use crate::process::Command;
use std::collections::BTreeMap;

/// A docker that answers.
#[derive(Clone, Debug, Default)]
pub struct Docker {
    /// The docker command
    pub program: String,
    /// Variables for its children
    pub env: BTreeMap<String, Option<String>>,
    /// The engine behind it, where it is a private one
    pub private: Option<engine::Engine>,
}

impl Docker {
    /// A call of it, without arguments yet.
    pub fn command(&self, purpose: impl Into<String>) -> Command {
        Command::new(purpose, &self.program).envs(&self.env)
    }
}
