//! Which images a tag stands for: by the record of a release, or by each service's own tag.

use super::super::Session;
use super::super::build_images::reading;
use crate::cli::Pull;
use crate::context::{dockerfiles, facts, git};
use crate::docker::publish::CONNECTIONS;
use crate::docker::registry::{Fetched, Patience, Reference, Registry};
use crate::docker::release::Shelf;
use crate::parallel;
use crate::plan::claim::{CREATED, REVISION};
use crate::plan::facts::select;
use crate::plan::graph::Needs;
use crate::plan::pull::{Source, Wanted};
use crate::plan::release::{Record, Releases};
use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use semver::Version;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked for, and where to look.
pub struct Project<'a> {
    session: &'a Session,
    root: Utf8PathBuf,
    path: Utf8PathBuf,
    place: String,
    registry: Registry,
    wanted: Wanted,
    /// All services, and those that were named one by one
    services: BTreeSet<String>,
    named: BTreeSet<String>,
    /// What services build on; read only where a file for compose is to be written
    pub needs: BTreeMap<String, Needs>,
}

/// An image.
pub struct Image {
    pub service: String,
    /// Without tag and digest
    pub image: String,
    pub digest: String,
}

/// The images of a tag.
#[derive(Default)]
pub struct Found {
    pub tag: String,
    /// The release, where there is a record of it
    pub version: Option<Version>,
    /// The commit, where it is one
    pub revision: Option<String>,
    pub images: Vec<Image>,
    /// Services that have no such image but should
    pub missing: Vec<String>,
    pub notes: Vec<String>,
}

impl<'a> Project<'a> {
    /// Reads what is asked for. No network is used.
    pub fn read(session: &'a Session, options: &Pull) -> Result<Self> {
        let wanted = Wanted::parse(&options.tag)?;
        let named = session.common.manifest.as_deref();
        let (root, path, loaded) = facts::manifest(&session.env, &session.processes, named)?;
        let needs = match options.compose {
            Some(_) => dockerfiles::read(&root, &loaded)?.graph(&loaded)?.0,
            None => BTreeMap::new(),
        };
        let manifest = loaded.manifest;
        let (env, registry) = (&session.env, options.registry.as_deref());
        let place = facts::registry(env, registry, &manifest.project.registry)?;
        let services = select(&manifest, &options.names)?;
        let is_service = |name: &&String| manifest.services.contains_key(*name);
        let named = options.names.iter().filter(is_service).cloned().collect();
        let registry = reading::registry(session, Patience::CHECK);
        Ok(Self { session, root, path, place, registry, wanted, services, named, needs })
    }

    /// Asks the registry.
    pub fn find(&self) -> Result<Found> {
        let shelf = Shelf::new(&self.place)?;
        let releases = match self.wanted {
            Wanted::Tag(_) => Releases::default(),
            Wanted::Shared(_) | Wanted::Version(_) => shelf.list(&self.registry)?,
        };
        let mut found = match self.wanted.source(&releases)? {
            Source::Tags { note } => {
                let mut found = self.by_tag()?;
                found.notes.splice(0..0, note);
                found
            }
            Source::Record { version, withdrawn } => {
                let record = shelf.record(&self.registry, &version)?;
                let record = record.with_context(|| format!("the record of v{version} is gone"))?;
                let mut found = self.by_record(&version, &record)?;
                if withdrawn {
                    found.notes.push(format!("v{version} was taken back"));
                }
                found
            }
        };
        found.tag = self.wanted.tag();
        Ok(found)
    }

    fn by_record(&self, version: &Version, record: &Record) -> Result<Found> {
        let mut found = Found {
            version: Some(version.clone()),
            revision: Some(record.revision.clone()),
            ..Found::default()
        };
        let mut then = None;
        for service in &self.services {
            if let Some(placed) = record.services.get(service) {
                found.images.push(self.image(service, &placed.digest));
                continue;
            }
            if then.is_none() {
                then = Some(self.services_at(&record.revision)?);
            }
            let was_there = then.as_ref().is_some_and(|services| services.contains(service));
            if was_there || self.named.contains(service) {
                found.missing.push(service.clone());
            } else {
                found.notes.push(format!("`{service}` is not in v{version}: it is newer"));
            }
        }
        Ok(found)
    }

    fn by_tag(&self) -> Result<Found> {
        let services: Vec<&String> = self.services.iter().collect();
        let tag = self.wanted.tag();
        let read = |service: &&String| {
            let name = format!("{}/{service}:{tag}", self.place);
            let there = self.registry.get_manifest(&name.parse::<Reference>()?).known();
            there.with_context(|| format!("cannot tell where `{name}` stands"))
        };
        let read: Vec<Option<Fetched>> =
            parallel::map(CONNECTIONS, &services, read).into_iter().collect::<Result<_>>()?;
        let mut found = Found::default();
        let mut claims = BTreeMap::new();
        for (service, there) in services.into_iter().zip(read) {
            let Some(there) = there else {
                found.missing.push(service.clone());
                continue;
            };
            found.images.push(self.image(service, &there.digest));
            let annotations = there.index().map(|index| index.annotations).unwrap_or_default();
            if let Some(revision) = annotations.get(REVISION) {
                let created = annotations.get(CREATED).cloned().unwrap_or_default();
                claims.insert(service, (created, revision.clone()));
            }
        }
        if found.missing.is_empty() {
            self.compare(&mut found, &claims)?;
        }
        Ok(found)
    }

    /// Images of other commits are of one set all the same where the newest one's commit stands on
    /// each: what has not changed since is promoted as it is.
    fn compare(
        &self,
        found: &mut Found,
        claims: &BTreeMap<&String, (String, String)>,
    ) -> Result<()> {
        let Some((_, newest)) = claims.values().max() else { return Ok(()) };
        let is_one = claims.len() == found.images.len()
            && claims.values().all(|(_, revision)| revision == newest);
        if is_one || self.all_stand_on(&found.images, newest)? {
            found.revision = Some(newest.clone());
            return Ok(());
        }
        let of = |image: &Image| {
            let revision = claims.get(&image.service).map_or("unknown", |(_, r)| r.as_str());
            format!("{} of {}", image.service, revision.get(..12).unwrap_or(revision))
        };
        let told: Vec<String> = found.images.iter().map(of).collect();
        found.notes.push(format!("these images are of different commits: {}", told.join(", ")));
        Ok(())
    }

    fn all_stand_on(&self, images: &[Image], revision: &str) -> Result<bool> {
        let stands = |image: &Image| -> Result<bool> {
            let name = format!("{}:{revision}", image.image);
            let Ok(reference) = name.parse::<Reference>() else { return Ok(false) };
            let there = self.registry.head_manifest(&reference).known();
            let there = there.with_context(|| format!("cannot tell where `{name}` stands"))?;
            Ok(there.is_some_and(|there| there.digest == image.digest))
        };
        let all: Result<Vec<bool>> =
            parallel::map(CONNECTIONS, images, stands).into_iter().collect();
        Ok(all?.into_iter().all(|stands| stands))
    }

    /// The services that the manifest had at a commit; none where that cannot be told.
    fn services_at(&self, revision: &str) -> Result<BTreeSet<String>> {
        let (processes, root) = (&self.session.processes, &self.root);
        let Ok(path) = self.path.strip_prefix(root) else { return Ok(BTreeSet::new()) };
        let text = git::text_at(processes, root, revision, path)?.unwrap_or_default();
        let table: toml::Table = text.parse().unwrap_or_default();
        let services = table.get("services").and_then(toml::Value::as_table);
        Ok(services.into_iter().flat_map(|services| services.keys().cloned()).collect())
    }

    fn image(&self, service: &str, digest: &str) -> Image {
        let image = format!("{}/{service}", self.place);
        Image { service: service.to_owned(), image, digest: digest.to_owned() }
    }
}

impl Image {
    /// `image@digest`.
    pub fn by_digest(&self) -> String {
        format!("{}@{}", self.image, self.digest)
    }
}

impl Found {
    /// `latest: v0.1.0 (1a2b…)`.
    pub fn what(&self) -> String {
        let version = self.version.as_ref().map(|version| format!("v{version}"));
        let version = version.filter(|version| *version != self.tag);
        let version = version.map(|version| format!(": {version}")).unwrap_or_default();
        let revision = self.revision.as_ref().map(|revision| format!(" ({revision})"));
        format!("{}{version}{}", self.tag, revision.unwrap_or_default())
    }

    /// Why nothing is pulled.
    pub fn told_missing(&self) -> String {
        let what = self.version.as_ref().map_or_else(|| self.tag.clone(), |v| format!("v{v}"));
        let next = match self.images.is_empty() {
            true => "is it published there? `--tag` and `--registry` say where to look".to_owned(),
            false => {
                let there: Vec<&str> = self.images.iter().map(|i| i.service.as_str()).collect();
                let (names, tag) = (there.join(" "), &self.tag);
                format!("name those that are there, `cargo xtask pull --tag {tag} {names}`")
            }
        };
        format!("nothing is pulled: there is no {what} of {}: {next}", self.missing.join(", "))
    }
}
