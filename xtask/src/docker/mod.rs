//! Docker's side of the world: the engine, buildx, registries.

pub mod again;
pub mod artifacts;
pub mod bake;
pub mod bases;
pub mod build;
pub mod builder;
pub mod buildx;
pub mod cache_manifest;
pub mod compose;
pub mod connect;
pub mod engine;
pub mod holdings;
pub mod image_files;
pub mod lanes;
pub mod links;
pub mod progress;
pub mod prune;
pub mod publish;
pub mod pushed_bytes;
pub mod registry;
pub mod release;
pub mod same_image;
pub mod store;

use crate::process::Command;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;

/// A docker that answers.
#[derive(Clone, Debug)]
pub struct Docker {
    /// The docker command
    pub program: String,
    /// How buildx is called
    pub buildx: Buildx,
    /// Variables for its children
    pub env: BTreeMap<String, Option<String>>,
    /// The engine behind it, where it is a private one
    pub private: Option<engine::Engine>,
}

/// How buildx is called. The plugin called by itself does the same as `docker buildx` (buildx's
/// "standalone" mode), and saves the docker command's own start of some 80 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Buildx {
    /// The plugin's path
    Plugin(Utf8PathBuf),
    /// `docker buildx`
    OfDocker,
}

impl Docker {
    /// The user's own.
    pub fn new(program: impl Into<String>, buildx: Buildx) -> Self {
        Self { program: program.into(), buildx, env: BTreeMap::new(), private: None }
    }

    /// A call of it, without arguments yet.
    pub fn command(&self, purpose: impl Into<String>) -> Command {
        Command::new(purpose, &self.program).envs(&self.env)
    }

    /// A call of buildx, without arguments yet.
    pub fn buildx(&self, purpose: impl Into<String>) -> Command {
        match &self.buildx {
            Buildx::Plugin(path) => Command::new(purpose, path.as_str()).envs(&self.env),
            Buildx::OfDocker => self.command(purpose).args(["buildx"]),
        }
    }
}
