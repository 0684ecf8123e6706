//! `docker compose` with the generated file, and the engine that images are built on.

use super::Docker;
use crate::process::Command;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// The file that `cargo xtask compose` writes.
pub const FILE: &str = "docker-compose.yml";

/// Calls of compose for one project.
#[derive(Clone, Debug)]
pub struct Compose<'a> {
    docker: &'a Docker,
    file: Utf8PathBuf,
    /// Variables that the file knows optional secrets by
    secrets: BTreeMap<String, String>,
}

impl<'a> Compose<'a> {
    /// For the repository at a root.
    pub fn new(docker: &'a Docker, root: &Utf8Path, secrets: BTreeMap<String, String>) -> Self {
        Self { docker, file: root.join(FILE), secrets }
    }

    /// Starts services in the background, on images that are there. Those of other images or settings
    /// than before are made anew; nothing else is touched.
    pub fn up(&self, services: &[String], reach: Reach) -> Command {
        let mut args = vec!["up", "--detach", "--no-build", "--quiet-pull"];
        if reach == Reach::TheseAlone {
            args.push("--no-deps");
        }
        self.command("start the services", &args).args(services.iter().map(String::as_str))
    }

    /// Stops and removes the containers and networks, and the volumes too where asked.
    pub fn down(&self, volumes: Volumes) -> Command {
        let command = self.command("stop the services", &["down"]);
        if volumes == Volumes::Remove { command.args(["--volumes"]) } else { command }
    }

    /// Prints what services have printed.
    pub fn logs(&self, services: &[String], args: &[&str]) -> Command {
        let command = self.command("read the logs", &["logs"]).args(args.to_vec());
        command.args(services.iter().map(String::as_str))
    }

    fn command(&self, purpose: &str, args: &[&str]) -> Command {
        let mut command = self.docker.command(purpose);
        for (name, path) in &self.secrets {
            command.env.insert(name.clone(), Some(path.clone()));
        }
        command.args(["compose", "--file", self.file.as_str()]).args(args.to_vec())
    }
}

/// Which services are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that are named, and what they depend on
    WithDependencies,
    /// Those that are named
    TheseAlone,
}

/// What becomes of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volumes {
    /// They stay
    Keep,
    /// They are removed, with what is in them
    Remove,
}
