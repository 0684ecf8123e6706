//! One engine's names and folders, and what it remembers.

use super::blocks::Block;
use super::setup::Setup;
use super::{files, sys};
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// The longest path of a socket that the kernel takes.
const LONGEST_SOCKET: usize = 107;
/// The longest of the sockets that dockerd and containerd make below the run folder.
const DEEPEST_SOCKET: &str = "exec/containerd/containerd-debug.sock.ttrpc";

/// Where an engine lives. Everything follows from the cache folder and the engine's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name
    pub name: String,
    /// What it keeps
    pub folder: Utf8PathBuf,
    /// Sockets, and what is worthless after a reboot
    pub run: Utf8PathBuf,
    /// The bridge's name; also the name of its control group and its table of rules
    pub bridge: String,
    /// Where dockerd records its networks
    pub networks: Utf8PathBuf,
}

/// What an engine remembers from run to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The port of its registry
    pub registry_port: u16,
    /// Its addresses
    pub block: String,
    /// The folder of the packages that it was started from
    pub root: Utf8PathBuf,
}

impl Instance {
    /// The engine that the setup means.
    pub fn of(setup: &Setup) -> Self {
        Self::named(&setup.cache, &setup.instance)
    }

    /// The engine of a name.
    pub fn named(cache: &Utf8Path, name: &str) -> Self {
        let folder = cache.join("engine").join(name);
        // Two chroots may hold the same path.
        let root = sys::identity(Utf8Path::new("/")).unwrap_or_default();
        let hash = super::short_hash(&format!("{folder} {} {}", root.0, root.1));
        let near = folder.join("run");
        let fits = near.join(DEEPEST_SOCKET).as_str().len() <= LONGEST_SOCKET;
        let run = if fits { near } else { format!("/run/xtask-{hash}").into() };
        let bridge = format!("xt-{}", &hash[..10]);
        let networks = folder.join("data/network/files/local-kv.db");
        Self { name: name.to_owned(), folder, run, bridge, networks }
    }

    /// All engines that have a folder.
    pub fn all(cache: &Utf8Path) -> Vec<Self> {
        let names = files::list(&cache.join("engine")).into_iter().filter(|n| !n.starts_with('.'));
        names.map(|name| Self::named(cache, &name)).collect()
    }

    /// dockerd's socket.
    pub fn socket(&self) -> Utf8PathBuf {
        self.run.join("docker.sock")
    }

    /// What DOCKER_HOST is for it.
    pub fn docker_host(&self) -> String {
        format!("unix://{}", self.socket())
    }

    /// What DOCKER_CONFIG is for it.
    pub fn docker_config(&self) -> Utf8PathBuf {
        self.folder.join("docker")
    }

    /// What it remembers; nothing if it was never up.
    pub fn state(&self) -> Result<Option<State>> {
        let text = files::read(&self.folder.join("state.json"))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Remembers.
    pub fn remember(&self, state: &State) -> Result<()> {
        files::write(&self.folder.join("state.json"), serde_json::to_string_pretty(state)? + "\n")
    }
}

impl State {
    /// Its addresses.
    pub fn block(&self) -> Option<Block> {
        Block::parse(&self.block)
    }

    /// The registry as it stands in front of an image's name.
    pub fn registry(&self) -> String {
        format!("127.0.0.1:{}", self.registry_port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_kernel() {
        let near = Instance::named(Utf8Path::new("/c"), "default");
        assert_eq!(near.run, "/c/engine/default/run");
        assert!(near.bridge.len() <= 15);
        let deep = Utf8PathBuf::from(format!("/{}", "d".repeat(90)));
        let far = Instance::named(&deep, "default");
        assert!(far.run.starts_with("/run/"), "{}", far.run);
        assert!(far.run.join(DEEPEST_SOCKET).as_str().len() <= LONGEST_SOCKET);
        assert_ne!(far.bridge, Instance::named(&deep, "other").bridge);
    }
}
