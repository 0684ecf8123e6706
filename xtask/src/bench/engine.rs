//! A contestant's private engine, which goes away with its value, whatever ends the run.

use crate::docker::Docker;
use crate::docker::connect::connect;
use crate::docker::engine::{self, Data, Engine, Instance, Setup};
use crate::process::Processes;
use anyhow::Result;
use camino::Utf8PathBuf;

/// Begins the names of engines that are measured on; the process's number follows.
const PREFIX: &str = "bench-";

/// A private engine, empty at first.
pub struct OwnEngine {
    /// The engine
    pub engine: Engine,
    /// How it is reached
    pub docker: Docker,
    _purge: Purge,
}

impl OwnEngine {
    /// Starts one. `suffix` tells it from others of this process.
    pub fn start(setup: &Setup, suffix: &str) -> Result<Self> {
        let instance = format!("{PREFIX}{}-{suffix}", std::process::id());
        let mut setup = Setup { instance, ..setup.clone() };
        let purge = Purge(setup.clone());
        let engine = engine::up(&setup)?;
        setup.vars.insert("DOCKER_HOST".into(), engine.instance.docker_host());
        let docker = connect(&setup)?;
        Ok(Self { engine, docker, _purge: purge })
    }
}

/// Takes an engine away, also one that did not come up.
struct Purge(Setup);

impl Drop for Purge {
    fn drop(&mut self) {
        purge(&self.0);
    }
}

fn purge(setup: &Setup) {
    // Also after an interrupt, which would end the taking down at once.
    let setup = Setup { processes: Processes::default(), ..setup.clone() };
    if let Err(error) = engine::down(&setup, Data::Purge) {
        crate::report::say!("cannot remove the engine `{}`: {error:#}", setup.instance);
    }
}

/// Takes away what runs that were killed have left.
pub fn purge_leftovers(setup: &Setup) {
    for instance in Instance::all(&setup.cache) {
        let number = instance.name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if number.is_some_and(is_gone) {
            purge(&Setup { instance: instance.name, ..setup.clone() });
        }
    }
}

/// Whether a text is the number of a process that has ended, also one that nobody has waited for.
pub fn is_gone(process: &str) -> bool {
    process.parse::<u32>().is_ok()
        && Utf8PathBuf::from(format!("/proc/{process}/exe")).read_link().is_err()
}
