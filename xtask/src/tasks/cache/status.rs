//! `cache status`: what the builder's cache costs, and what each image and cache in the registry costs
//! and shares.

use super::super::Session;
use super::super::build_images::reading::setup;
use super::Project;
use crate::cli::CacheStatus;
use crate::docker::{connect, holdings};
use crate::plan::prune::{Held, Sort, brief};
use crate::report::outcome::short;
use crate::report::{count, size, stdout};
use crate::time::age;
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

/// Tells it. A registry that cannot be read is told too, with exit code 1.
pub fn run(session: &Session, options: &CacheStatus) -> Result<ExitCode> {
    let project = Project::read(session, options.registry.as_deref(), &options.names)?;
    let local = local(session, options.builder.as_deref())?;
    let mut held = BTreeMap::new();
    let mut unread = BTreeMap::new();
    for (service, repository) in &project.repositories {
        session.processes.interrupt.check()?;
        match holdings::read(&project.client, repository) {
            Ok(holds) => drop(held.insert(service.as_str(), holds)),
            Err(reason) => drop(unread.insert(service.as_str(), reason.to_string())),
        }
    }
    let now = session.env.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let told = Told { place: &project.place, local, held, unread, now };
    let shown = if options.json { format!("{:#}", told.json()) } else { told.text() };
    stdout(shown.trim_end())?;
    Ok(if told.unread.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The last lines of `docker buildx du`: `Total: 1.2GB` and the like. Nothing where no engine runs.
fn local(session: &Session, builder: Option<&str>) -> Result<Option<BTreeMap<String, String>>> {
    let Some(docker) = connect::find(&setup(session)?)? else { return Ok(None) };
    let named: Vec<&str> = builder.map_or_else(Vec::new, |name| vec!["--builder", name]);
    let du = docker.buildx("ask what the builder's cache costs").args(named).args(["du"]);
    let printed = session.processes.read(&du)?;
    let sums = printed.lines().filter_map(|line| line.split_once(':'));
    let known = |name: &str| ["Shared", "Private", "Reclaimable", "Total"].contains(&name);
    Ok(Some(
        sums.filter(|(name, _)| known(name))
            .map(|(name, sum)| (name.to_lowercase(), sum.trim().to_owned()))
            .collect(),
    ))
}

struct Told<'a> {
    place: &'a str,
    local: Option<BTreeMap<String, String>>,
    held: BTreeMap<&'a str, Held>,
    unread: BTreeMap<&'a str, String>,
    now: u64,
}

impl Told<'_> {
    /// All bytes of all repositories, each once: registries keep a blob once however many name it.
    fn total(&self) -> u64 {
        let all = self.held.values().flat_map(everything);
        all.collect::<BTreeMap<&str, u64>>().values().sum()
    }

    fn text(&self) -> String {
        let mut lines = vec![match &self.local {
            None => "builder: no engine runs here".to_owned(),
            Some(sums) => {
                let sum = |name: &str| sums.get(name).map_or("0B", String::as_str);
                format!(
                    "builder: {} in its cache, {} of it can go",
                    sum("total"),
                    sum("reclaimable")
                )
            }
        }];
        lines.push(format!("{}: {}", self.place, size(self.total())));
        for (service, held) in &self.held {
            let own: u64 = everything(held).collect::<BTreeMap<_, _>>().values().sum();
            let digests = held.tags_by_digest();
            let (tags, images) = (count(held.tags.len(), "tag"), count(digests.len(), "digest"));
            lines.push(format!("{service}: {} behind {tags} on {images}", size(own)));
            let costs = held.costs();
            let mut rows: Vec<_> = digests.into_iter().collect();
            rows.sort_by_key(|(digest, _)| std::cmp::Reverse(self.created(held, digest)));
            for (digest, tags) in rows {
                let cost = costs.get(digest).copied().unwrap_or_default();
                let (whole, alone) = (size(cost.whole), size(cost.own));
                let old = self.created(held, digest).map(|date| age(self.now.saturating_sub(date)));
                let old = old.map(|old| format!(", {old} old")).unwrap_or_default();
                let (digest, tags) = (short(digest), briefly(tags));
                lines.push(format!("  {digest}  {whole}, {alone} of it alone{old}  {tags}"));
            }
        }
        for (service, why) in &self.unread {
            lines.push(format!("{service}: it is unknown what there is: {why}"));
        }
        lines.join("\n")
    }

    fn created(&self, held: &Held, digest: &str) -> Option<u64> {
        held.manifests.get(digest)?.created
    }

    fn json(&self) -> Value {
        let services = self.held.iter().map(|(service, held)| {
            let costs = held.costs();
            let digests = held.tags_by_digest().into_iter().map(|(digest, tags)| {
                let cost = costs.get(digest).copied().unwrap_or_default();
                json!({
                    "digest": digest,
                    "tags": tags,
                    "bytes": cost.whole,
                    "bytes-alone": cost.own,
                    "created": self.created(held, digest),
                })
            });
            let bytes: u64 = everything(held).collect::<BTreeMap<_, _>>().values().sum();
            let digests = digests.collect::<Vec<_>>();
            json!({ "service": service, "bytes": bytes, "digests": digests })
        });
        json!({
            "schema": 1,
            "registry": self.place,
            "builder": self.local,
            "bytes": self.total(),
            "services": services.collect::<Vec<_>>(),
            "unknown": self.unread,
        })
    }
}

/// Those that stand come first: they are what a person looks for.
fn briefly(mut tags: Vec<&str>) -> String {
    tags.sort_by_key(|tag| Sort::of(tag) != Sort::Standing);
    tags.into_iter().map(brief).collect::<Vec<_>>().join(" ")
}

fn everything(held: &Held) -> impl Iterator<Item = (&str, u64)> {
    held.bytes(held.manifests.keys().map(String::as_str)).into_iter()
}
