//! What a builder has recorded of a peer's builds: their steps, counted as ours are.

use super::report::Steps;
use crate::docker::Docker;
use crate::docker::progress::Progress;
use crate::process::Processes;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What a record's only target is called here: buildx does not name it.
const TARGET: &str = "image";

/// Build records of a builder, one a target.
pub struct Records<'a> {
    docker: &'a Docker,
    processes: &'a Processes,
    before: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Line {
    /// Builder, node and record: `default/default/mttl308nj2uqcwnhfag3ekrct`
    r#ref: String,
}

impl<'a> Records<'a> {
    /// Remembers which there are.
    pub fn begin(docker: &'a Docker, processes: &'a Processes) -> Result<Self> {
        let mut records = Self { docker, processes, before: BTreeSet::new() };
        records.before = records.all()?;
        Ok(records)
    }

    /// The steps of all that was built since. Nothing where there are fewer records than `builds`:
    /// BuildKit keeps the newest 50 (buildkitd.toml, `history.maxEntries`).
    pub fn steps(&self, builds: usize) -> Result<Option<Steps>> {
        let all = self.all()?;
        let new: Vec<&String> = all.difference(&self.before).collect();
        if new.len() < builds {
            return Ok(None);
        }
        let mut steps = Steps::default();
        for record in new {
            let of_record = self.progress(record)?.steps(TARGET);
            steps.total += of_record.total as u64;
            steps.cached += of_record.cached as u64;
        }
        Ok(Some(steps))
    }

    fn all(&self) -> Result<BTreeSet<String>> {
        let list = self.docker.buildx("list what was built").args(["history", "ls"]);
        let list = self.processes.read(&list.args(["--format", "json"]))?;
        let records = list.lines().map(|line| {
            let line: Line = serde_json::from_str(line).context("a build record is no JSON")?;
            Ok(line.r#ref.rsplit('/').next().unwrap_or_default().to_owned())
        });
        records.collect()
    }

    /// The progress of a build that has ended, as it was shown then.
    fn progress(&self, record: &str) -> Result<Progress> {
        let command = self.docker.buildx("read what was built");
        let command = command.args(["history", "logs", "--progress=rawjson", record]);
        let mut progress = Progress::new(&[TARGET.to_owned()]);
        let ended = self.processes.stream(&command, &mut |_, line| {
            progress.line(line);
        })?;
        if ended.code != 0 {
            bail!("`docker buildx history logs {record}` failed: {}", ended.stderr);
        }
        Ok(progress)
    }
}
