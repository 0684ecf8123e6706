//! `docker buildx bake` as one call: a definition in, a state of progress out.

use super::Docker;
use super::bake::{Definition, Target};
use super::progress::{Progress, Update};
use crate::process::{Command, Heard, Processes, Stream};
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use std::collections::BTreeSet;

/// Variables of buildx that would change a result behind the plan's back.
const NOT_INHERITED: [&str; 8] = [
    "SOURCE_DATE_EPOCH",
    "BUILDKIT_PROGRESS",
    "BUILDX_NO_DEFAULT_ATTESTATIONS",
    "BUILDX_GIT_CHECK_DIRTY",
    "BUILDX_GIT_INFO",
    "BUILDX_GIT_LABELS",
    "BUILDX_BAKE_FILE",
    "BUILDX_METADATA_PROVENANCE",
];

/// Where and how bakes are run.
#[derive(Clone, Copy, Debug)]
pub struct Buildx<'a> {
    /// The docker to call
    pub docker: &'a Docker,
    /// Starts it
    pub processes: &'a Processes,
    /// The repository's root, which contexts are relative to
    pub root: &'a Utf8Path,
    /// `--builder`
    pub builder: Option<&'a str>,
}

/// How a bake ended.
#[derive(Clone, Debug)]
pub struct Baked {
    /// Whether all targets were built
    pub success: bool,
    /// What is known of each
    pub progress: Progress,
}

impl Buildx<'_> {
    /// Builds the default group of a definition, and tells of each step as it goes.
    pub fn bake(
        &self,
        definition: &Definition,
        on_update: &mut dyn FnMut(Option<&Update>, &Progress),
    ) -> Result<Baked> {
        let targets = definition.default_targets();
        let mut progress = Progress::new(targets);
        let command = self.command(definition, &["--progress=rawjson"])?;
        let ended = self.processes.listen(&command, &mut |heard| {
            if let Heard::Line(Stream::Stderr, line) = heard {
                let updates = progress.line(line);
                updates.iter().for_each(|update| on_update(Some(update), &progress));
            }
            on_update(None, &progress);
        })?;
        progress.end(ended.code == 0);
        on_update(None, &progress);
        Ok(Baked { success: ended.code == 0, progress })
    }

    /// What `--print` makes of a definition: JSON, to be compared with what was given.
    pub fn print(&self, definition: &Definition) -> Result<String> {
        self.processes.read(&self.command(definition, &["--print"])?)
    }

    fn command(&self, definition: &Definition, options: &[&str]) -> Result<Command> {
        let count = definition.default_targets().len();
        let plural = if count == 1 { "" } else { "s" };
        let mut command = self
            .docker
            .buildx(format!("build {count} image{plural}"))
            .args(["bake", "-f", "-"])
            .args(options.to_vec())
            .dir(self.root)
            .stdin(definition.to_input().context("cannot write the bake definition")?.to_string());
        for name in NOT_INHERITED {
            command.env.insert(name.into(), None);
        }
        if let Some(builder) = self.builder {
            command = command.args(["--builder", builder]);
        }
        let allowed: BTreeSet<String> = definition.target.values().flat_map(entitlements).collect();
        Ok(command.args(allowed))
    }
}

/// What bake asks leave for: everything of these stands in the manifest, so it is given.
fn entitlements(target: &Target) -> Vec<String> {
    let mut allowed = Vec::new();
    for secret in &target.secret {
        if let Some(path) = secret.get("src").and_then(|path| path.as_str()) {
            allowed.push(format!("--allow=fs.read={path}"));
        }
    }
    for context in target.contexts.values() {
        if let Some(layout) = context.strip_prefix("oci-layout://") {
            let path = layout.rsplit_once('@').map_or(layout, |(path, _)| path);
            allowed.push(format!("--allow=fs.read={path}"));
        }
    }
    let folders = target.output.iter().filter_map(|output| output.get("dest")?.as_str());
    allowed.extend(folders.map(|folder| format!("--allow=fs.write={folder}")));
    if !target.ssh.is_empty() {
        allowed.push("--allow=ssh".into());
    }
    if target.network.as_deref() == Some("host") {
        allowed.push("--allow=network.host".into());
    }
    allowed
}
