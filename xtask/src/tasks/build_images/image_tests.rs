//! `--test`: what the manifest says is run in each image that is in the engine's store.

use super::Run;
use crate::context::event::Kind;
use crate::docker::Docker;
use crate::docker::build::{Failed, Outcome};
use crate::process::Heard;
use crate::report::alive::Alive;
use crate::report::say;
use anyhow::Result;
use std::collections::BTreeMap;

/// So many lines of a test's output are kept for the error.
const LAST_LINES: usize = 30;
/// So many characters of a test are shown.
const SHOWN: usize = 72;

impl Run<'_> {
    /// Runs the tests of images that were loaded; one that fails makes its service a failed one.
    ///
    /// A container has no network: what it tests is the image, not the world.
    pub fn test_images(
        &self,
        docker: &Docker,
        outcomes: &mut BTreeMap<String, Outcome>,
    ) -> Result<()> {
        if !self.options.test {
            return Ok(());
        }
        let facts = &self.reading.world.facts;
        for service in facts.manifest.services.values().filter(|service| !service.test.is_empty()) {
            let is_there = match outcomes.get(&service.name) {
                Some(Outcome::Built(_)) => true,
                Some(Outcome::Skipped(_)) => facts.event.kind == Kind::Local,
                _ => false,
            };
            if !is_there {
                continue;
            }
            let image = facts.local_names(&service.name).swap_remove(0);
            if let Some(last_words) = self.test_image(docker, &image, &service.test)? {
                let failed = Failed { step: None, last_words };
                outcomes.insert(service.name.clone(), Outcome::Failed(Box::new(failed)));
            }
        }
        Ok(())
    }

    /// What went wrong, if anything did.
    fn test_image(&self, docker: &Docker, image: &str, test: &[String]) -> Result<Option<String>> {
        let command = docker
            .command(format!("test `{image}`"))
            .args(["run", "--rm", "--network", "none", "--pull", "never", image])
            .args(test.iter().map(String::as_str));
        let mut lines: Vec<String> = Vec::new();
        let mut alive = Alive::begin();
        let ended = self.session.processes.listen(&command, &mut |heard| {
            alive.look(|| command.purpose.clone());
            let Heard::Line(_, line) = heard else { return };
            if lines.len() == LAST_LINES {
                lines.remove(0);
            }
            lines.push(line.to_owned());
        })?;
        let said = shortened(&test.join(" "));
        if ended.code == 0 {
            if !self.session.common.quiet {
                say!("tested `{image}`: {said}");
            }
            return Ok(None);
        }
        let code = ended.code;
        lines.insert(0, format!("its test `{said}` ended with exit code {code}"));
        Ok(Some(lines.join("\n")))
    }
}

/// One line of at most so many characters.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
