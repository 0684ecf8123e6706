//! `verify`: proof that a skip is right. Images are built anew, twice, and compared with what is
//! published of their fingerprints.

mod builds;
mod subjects;

use super::Session;
use super::build_images::reading::{Reading, setup};
use super::build_images::second_look::{SecondLook, Seen};
use crate::cli::{BuildImages, Verify as Options};
use crate::docker::builder::{self, Wanted};
use crate::docker::image_files::{Layout, Published, Reader};
use crate::docker::registry::Patience;
use crate::docker::{Docker, connect};
use crate::plan::verify::{self, Comparison, Image};
use crate::report::stdout;
use crate::report::verify::{Verdict, Verified, json, text};
use anyhow::{Context as _, Result};
use builds::{Builds, Scratch};
use camino::Utf8Path;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use subjects::Subject;

/// Verifies.
pub fn run(session: &Session, options: &Options) -> Result<ExitCode> {
    let asked = as_built(options);
    let mut reading = Reading::new(session, &asked, |_, _| Patience::CHECK)?;
    subjects::check_tag(options.against.as_deref())?;
    reading.look(None)?;
    let mut found = subjects::find(&reading, options)?;
    if !found.subjects.is_empty() {
        let docker = connect::connect(&setup(session)?)?;
        let run = Run { session, options, docker, reading: &reading, subjects: &found.subjects };
        let verified = run.verify()?;
        found.verified.extend(verified);
    }
    let verified: Vec<Verified> = found.verified.into_values().collect();
    let shown = if options.json { format!("{:#}", json(&verified)) } else { text(&verified) };
    stdout(shown.trim_end())?;
    let is_well = verified.iter().all(Verified::is_well);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A run at a desk, in which all that is published is looked for.
fn as_built(options: &Options) -> BuildImages {
    BuildImages {
        names: options.names.clone(),
        event: Some("local".into()),
        registry: options.registry.clone(),
        builder: options.builder.clone(),
        pull: true,
        ..BuildImages::default()
    }
}

/// A run that builds.
struct Run<'a> {
    session: &'a Session,
    options: &'a Options,
    docker: Docker,
    reading: &'a Reading<'a>,
    subjects: &'a BTreeMap<String, Subject>,
}

impl Run<'_> {
    fn verify(&self) -> Result<BTreeMap<String, Verified>> {
        let services: BTreeSet<String> = self.subjects.keys().cloned().collect();
        self.check_builder(&services)?;
        let scratch = Scratch::make(&setup(self.session)?, &self.reading.world.root)?;
        let builds = Builds {
            session: self.session,
            builder: self.options.builder.as_deref(),
            docker: &self.docker,
            world: &self.reading.world,
            scratch: &scratch,
        };
        let failed = builds.twice(&services)?;
        let names: Vec<&str> = services.iter().map(String::as_str).collect();
        let look = SecondLook { session: self.session, world: &self.reading.world };
        let seen = look.at(&names)?;
        let reader = Reader::new(&self.session.processes);
        let mut verified = BTreeMap::new();
        for (service, subject) in self.subjects {
            let verdict = match (failed.get(service), seen.get(service)) {
                (Some(why), _) => Verdict::NotCompared(why.clone()),
                (None, Some(Seen::Touched(why))) => Verdict::NotCompared(why.clone()),
                (None, _) => self.compared(&reader, &scratch, service, subject)?,
            };
            verified.insert(service.clone(), subject.verified(service, verdict));
        }
        Ok(verified)
    }

    fn check_builder(&self, services: &BTreeSet<String>) -> Result<()> {
        let builder = self.options.builder.as_deref();
        if self.docker.private.is_some() && builder.is_none() {
            return Ok(());
        }
        let platforms =
            |name: &String| Some(self.reading.world.facts.service(name)?.platforms.len());
        let several_platforms = services.iter().filter_map(platforms).any(|count| count > 1);
        let wanted = Wanted { oci_layout: true, several_platforms, ..Wanted::default() };
        builder::check(&self.docker, &self.session.processes, builder, wanted)
    }

    /// What cannot be compared is told of its service; only an interrupt ends all.
    fn compared(
        &self,
        reader: &Reader,
        scratch: &Scratch,
        service: &str,
        subject: &Subject,
    ) -> Result<Verdict> {
        builds::say(self.session, &format!("comparing {service} …"));
        let compared = self.compare(reader, scratch, service, subject);
        reader.forget();
        match compared {
            Ok(platforms) => Ok(Verdict::Compared {
                digest: subject.index.digest.clone(),
                notes: subject.notes(),
                platforms,
            }),
            Err(error) => {
                self.session.processes.interrupt.check()?;
                Ok(Verdict::NotCompared(format!("{error:#}")))
            }
        }
    }

    fn compare(
        &self,
        reader: &Reader,
        scratch: &Scratch,
        service: &str,
        subject: &Subject,
    ) -> Result<BTreeMap<String, Comparison>> {
        let folders = [scratch.first(), scratch.second()];
        let layouts = folders.map(|folder| verify::layout(&folder, service));
        let near = [Layout(&layouts[0]), Layout(&layouts[1])];
        let [one, other] = [built(reader, near[0])?, built(reader, near[1])?];
        let folder = scratch.published()?;
        let published = self.published(reader, subject, &folder, &near)?;
        let mut compared = BTreeMap::new();
        for (platform, one) in &one {
            let lacks = |what: &str| format!("{what} has no image for {platform}");
            let other = other.get(platform).with_context(|| lacks("the second build"))?;
            let published =
                published.get(platform).with_context(|| lacks("the published index"))?;
            compared.insert(platform.clone(), verify::compare(one, other, published));
        }
        Ok(compared)
    }

    fn published(
        &self,
        reader: &Reader,
        subject: &Subject,
        folder: &Utf8Path,
        near: &[Layout],
    ) -> Result<BTreeMap<String, Image>> {
        let registry = &self.reading.registry.with_patience(Patience::PUBLISH);
        let (repository, index) = (&subject.against, &subject.index);
        let published = Published { registry, repository, index, folder, near };
        let images = reader.images(&published, &published.top());
        images.with_context(|| format!("cannot read the published image `{repository}`"))
    }
}

fn built(reader: &Reader, layout: Layout) -> Result<BTreeMap<String, Image>> {
    let mut images = BTreeMap::new();
    for top in layout.top()? {
        images.extend(reader.images(&layout, &top).context("cannot read a new image")?);
    }
    Ok(images)
}
