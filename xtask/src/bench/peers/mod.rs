//! The ways that others build all services, with the caches and tags that DESIGN 4.3 gives a run.
//! Pure: from work to commands.

mod bake;
mod compose;
mod imagetools;
mod one_by_one;

use super::scenario::{Event, Scenario};
use super::work::{Service, Work};
use crate::docker::Docker;
use crate::docker::bake::{Attributes, attributes};
use crate::process::Command;
use anyhow::Result;
use clap::ValueEnum;
use serde_json::Value;

/// Another way to build all services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Peer {
    /// One `docker buildx bake`
    Bake,
    /// One `docker compose build`, with --push where images are pushed
    Compose,
    /// One `docker buildx build` after the other
    Loop,
    /// Releases only: one `docker buildx imagetools create` after the other, of what one bake published
    Imagetools,
}

impl Peer {
    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bake => "bake",
            Self::Compose => "compose",
            Self::Loop => "loop",
            Self::Imagetools => "imagetools",
        }
    }

    /// Whether it has a way of its own for what is measured.
    pub fn does(self, scenario: Scenario) -> bool {
        self != Self::Imagetools || scenario == Scenario::Release
    }

    /// What is run, one after the other, to build a commit or to release it under `tags`.
    pub fn commands(
        self,
        work: &Work,
        event: Event,
        tags: &[String],
        docker: &Docker,
    ) -> Result<Vec<Command>> {
        let build = Build { work, event, tags };
        match self {
            Self::Imagetools if event == Event::Release => Ok(imagetools::commands(&build, docker)),
            Self::Bake | Self::Imagetools => Ok(vec![bake::command(&build, docker)?]),
            Self::Compose => Ok(vec![compose::command(&build, docker)?]),
            Self::Loop => Ok(one_by_one::commands(&build, docker)),
        }
    }
}

/// What is built, and what for.
struct Build<'a> {
    work: &'a Work,
    event: Event,
    /// What is pushed of each image
    tags: &'a [String],
}

impl Build<'_> {
    fn pushes(&self) -> bool {
        self.event != Event::Pr
    }
}

fn cache_from(service: &Service) -> Attributes {
    attributes([("type", "registry"), ("ref", &service.cache())])
}

fn cache_to(service: &Service) -> [Attributes; 2] {
    let registry = attributes([
        ("type", "registry"),
        ("ref", &service.cache()),
        ("mode", "max"),
        ("image-manifest", "true"),
        ("oci-mediatypes", "true"),
        ("ignore-error", "true"),
    ]);
    [registry, attributes([("type", "inline")])]
}

/// As one text: `type=registry,ref=…`
fn as_text(attributes: &Attributes) -> String {
    // As people write it, and as `docker buildx` prints it.
    let first = attributes.get_key_value("type");
    let rest = attributes.iter().filter(|(key, _)| *key != "type");
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs: Vec<String> = first
        .into_iter()
        .chain(rest)
        .map(|(key, value)| format!("{key}={}", text(value)))
        .collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests;
