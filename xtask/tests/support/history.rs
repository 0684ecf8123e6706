//! What thirty pushes to dev and three releases leave in a registry, made without any build.
#![allow(dead_code)]

pub use super::registry::client;

use super::support::Repository;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xtask::docker::registry::oci::{Descriptor, Index, Manifest, Platform, digest_of, media};
use xtask::docker::registry::{Fetched, Reference, Registry, Source};
use xtask::docker::release::{Image, Release, Shelf};
use xtask::plan::claim;
use xtask::time::rfc3339;

/// How many pushes there are, one every 47 hours; the last is of today.
pub const COMMITS: u64 = 30;
/// The releases, and the pushes (from 0) that they are of.
pub const RELEASES: [(&str, u64); 3] = [("0.1.0", 5), ("0.2.0", 15), ("1.0.0", 25)];
/// `base` changes with every tenth push, `web` with each.
pub const SERVICES: [&str; 2] = ["base", "web"];

/// A repository and what was published of it.
pub struct History {
    pub repository: Repository,
    /// The project's registry
    pub place: String,
    /// From the oldest on
    pub commits: Vec<String>,
}

fn reference(name: &str) -> Reference {
    name.parse().unwrap()
}

/// Bytes of some size that are the same for the same text.
fn layer(text: &str, size: usize) -> Vec<u8> {
    text.bytes().cycle().take(size).collect()
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media_type.into(),
        digest: digest_of(bytes),
        size: bytes.len() as u64,
        platform: None,
        annotations: BTreeMap::new(),
    }
}

/// Pushes a manifest of layers, untagged, and gives what points at it.
fn push(registry: &Registry, image: &str, layers: &[Vec<u8>]) -> Descriptor {
    let to = reference(image);
    let config = format!(r#"{{"os":"linux","architecture":"amd64","of":"{}"}}"#, layers.len());
    let config = config.into_bytes();
    let all = layers.iter().chain(std::iter::once(&config));
    for bytes in all {
        registry.put_blob(&to, &digest_of(bytes), Source::Bytes(bytes), None).unwrap();
    }
    let layer_type = "application/vnd.oci.image.layer.v1.tar";
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media::MANIFEST.into()),
        artifact_type: None,
        config: descriptor(media::CONFIG, &config),
        layers: layers.iter().map(|bytes| descriptor(layer_type, bytes)).collect(),
        annotations: BTreeMap::new(),
    };
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let by_digest = to.with_digest(&digest_of(&bytes)).unwrap();
    registry.put_manifest(&by_digest, media::MANIFEST, &bytes).unwrap();
    descriptor(media::MANIFEST, &bytes)
}

impl History {
    /// Publishes all of it below a registry.
    pub fn publish(place: &str) -> Self {
        let manifest = "[project]\nname = \"shop\"\nregistry = \"registry.invalid/shop\"\n\
             [services.base]\n[services.web]\n";
        let repository = Repository::new(&[
            ("services/services.toml", manifest),
            ("services/base/Dockerfile", "FROM scratch\n"),
            ("services/web/Dockerfile", "FROM scratch\n"),
        ]);
        let mut history = Self { repository, place: place.into(), commits: Vec::new() };
        let registry = client();
        for number in 0..COMMITS {
            history.push_to_dev(&registry, number);
            for (version, _) in RELEASES.iter().filter(|(_, of)| *of == number) {
                history.release(&registry, version, number);
            }
        }
        history
    }

    fn date(number: u64) -> SystemTime {
        SystemTime::now() - Duration::from_secs((COMMITS - 1 - number) * 47 * 3_600)
    }

    fn push_to_dev(&mut self, registry: &Registry, number: u64) {
        let commit = self.commit(number);
        for service in SERVICES {
            let index = self.index(registry, service, number);
            let image = format!("{}/{service}", self.place);
            let own = ["dev".to_owned(), format!("dev-{}", &commit[..7]), commit.clone()];
            registry.place(&reference(&image), &index, &own).unwrap();
        }
        self.commits.push(commit);
    }

    fn commit(&self, number: u64) -> String {
        self.repository.write("n", &number.to_string());
        self.repository.git(&["add", "n"]);
        let seconds = Self::date(number).duration_since(UNIX_EPOCH).unwrap().as_secs();
        let date = format!("@{seconds} +0000");
        let committed = Command::new("git")
            .args(["-c", "user.name=A", "-c", "user.email=a@example.invalid"])
            .args(["commit", "--quiet", "--message", "next"])
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .current_dir(self.repository.root())
            .status();
        assert!(committed.unwrap().success());
        self.repository.git(&["rev-parse", "HEAD"])
    }

    /// The image of a service at a push: what it was before, where nothing has changed.
    fn index(&self, registry: &Registry, service: &str, number: u64) -> Fetched {
        let of = if service == "base" { number / 10 * 10 } else { number };
        let image = format!("{}/{service}", self.place);
        let fingerprint = format!("{of:064x}");
        let tag = reference(&format!("{image}:{}", claim::tag(&fingerprint)));
        if of != number {
            return registry.get_manifest(&tag).found().unwrap();
        }
        let (shared, own) = (layer("base", 200_000), layer(&format!("{service} {of}"), 50_000));
        let mut amd64 = push(registry, &image, &[shared.clone(), own.clone()]);
        amd64.platform =
            Some(Platform { os: "linux".into(), architecture: "amd64".into(), variant: None });
        let mut attested = push(registry, &image, &[layer(&format!("proof {service} {of}"), 500)]);
        attested.annotations =
            [("vnd.docker.reference.type".into(), "attestation-manifest".into())].into();
        let cache =
            push(registry, &image, &[shared, own, layer(&format!("step {service} {of}"), 70_000)]);
        let cached = reference(&image).with_digest(&cache.digest).unwrap();
        let cached = registry.get_manifest(&cached).found().unwrap();
        registry.place(&reference(&image), &cached, &["cache".to_owned()]).unwrap();
        let commit = self.repository.git(&["rev-parse", "HEAD"]);
        let annotations = [
            (claim::FINGERPRINT, fingerprint),
            (claim::CACHE, cache.digest),
            (claim::CREATED, rfc3339(Self::date(number))),
            (claim::REVISION, commit),
        ];
        let index = Index {
            schema_version: 2,
            media_type: Some(media::INDEX.into()),
            manifests: vec![amd64, attested],
            annotations: annotations.map(|(key, value)| (key.to_owned(), value)).into(),
        };
        let index = Fetched::from_bytes(serde_json::to_vec(&index).unwrap(), media::INDEX).unwrap();
        registry.put_manifest(&tag, media::INDEX, &index.bytes).unwrap();
        index
    }

    fn release(&self, registry: &Registry, version: &str, number: u64) {
        let commit = self.commits[number as usize].clone();
        let [major, minor, _] = version.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let own =
            [format!("v{version}"), format!("{major}.{minor}"), major.into(), "latest".into()];
        let image = |service: &str| {
            let repository = reference(&format!("{}/{service}", self.place));
            let tagged = registry.get_manifest(&repository.with_tag(&commit).unwrap());
            Image {
                service: service.into(),
                repository,
                index: tagged.found().unwrap(),
                fingerprint: None,
                tags: own.iter().cloned().chain([commit.clone()]).collect(),
            }
        };
        let release = Release {
            registry,
            shelf: Shelf::new(&self.place).unwrap(),
            version: version.parse().unwrap(),
            revision: commit.clone(),
            created: rfc3339(Self::date(number)),
            images: SERVICES.map(image).to_vec(),
            stands: BTreeMap::new(),
            again: false,
        };
        release.publish().unwrap();
    }

    /// The tags of a service.
    pub fn tags(&self, service: &str) -> BTreeSet<String> {
        let image = reference(&format!("{}/{service}", self.place));
        client().tags(&image).found().unwrap_or_default().into_iter().collect()
    }

    /// Every tag of every repository, releases too, is there with all manifests and blobs behind it.
    #[track_caller]
    pub fn is_whole(&self) {
        for repository in ["base", "web", "releases"] {
            super::registry::is_whole(&format!("{}/{repository}", self.place));
        }
    }
}
