//! The package databases inside an image: what is installed, and which files belong to it.

use super::image::{File, Image, Path};
use std::collections::{BTreeMap, BTreeSet};

const DPKG: &[u8] = b"var/lib/dpkg/status";
/// One file a package, as images without dpkg itself have it
const DPKG_EACH: &[u8] = b"var/lib/dpkg/status.d/";
const DPKG_LISTS: &[u8] = b"var/lib/dpkg/info/";
const APK: [&[u8]; 2] = [b"lib/apk/db/installed", b"usr/lib/apk/db/installed"];
const RPM: [&[u8]; 2] = [b"var/lib/rpm/", b"usr/lib/sysimage/rpm/"];

/// A package whose version is not the published one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    /// Its name
    pub package: String,
    /// The version in the published image; none where it is not in it
    pub published: Option<String>,
    /// The version in the builds of now
    pub now: Option<String>,
}

/// Whether a file's content has to be read to know the packages.
pub fn is_database(path: &[u8]) -> bool {
    path == DPKG
        || path.starts_with(DPKG_EACH)
        || APK.contains(&path)
        || (path.starts_with(DPKG_LISTS) && path.ends_with(b".list"))
}

/// Whether a file is one of a database that is not understood.
pub fn is_rpm(path: &[u8]) -> bool {
    RPM.iter().any(|folder| path.starts_with(folder))
}

/// What the databases of an image say.
#[derive(Clone, Debug, Default)]
pub struct Packages {
    /// Versions by package
    pub versions: BTreeMap<String, String>,
    /// The packages that a path belongs to
    pub owners: BTreeMap<Path, BTreeSet<String>>,
}

impl Packages {
    /// Reads them.
    pub fn of(image: &Image) -> Self {
        let mut packages = Self::default();
        let texts = image.files.iter().filter_map(|(path, file)| Some((path, text(file)?)));
        for (path, text) in texts {
            if path == DPKG {
                packages.dpkg(&text);
            } else if let Some(name) = path.strip_prefix(DPKG_EACH) {
                match name.strip_suffix(b".md5sums") {
                    Some(name) => packages.sums(image, &String::from_utf8_lossy(name), &text),
                    None => packages.dpkg(&text),
                }
            } else if APK.contains(&path.as_slice()) {
                packages.apk(image, &text);
            } else if let Some(name) = path.strip_prefix(DPKG_LISTS) {
                let name = String::from_utf8_lossy(name.strip_suffix(b".list").unwrap_or(name));
                let name = name.split(':').next().unwrap_or_default();
                text.lines().for_each(|line| packages.own(image, name, line));
            }
        }
        packages
    }

    /// Paragraphs of fields, as Debian's tools write them.
    fn dpkg(&mut self, text: &str) {
        for paragraph in text.split("\n\n") {
            let field = |name: &str| {
                let mut lines = paragraph.lines().filter_map(|line| line.strip_prefix(name));
                lines.next().map(str::trim)
            };
            let (Some(name), Some(version)) = (field("Package:"), field("Version:")) else {
                continue;
            };
            let removed = ["not-installed", "config-files"];
            let state = field("Status:").and_then(|status| status.split_whitespace().last());
            if state.is_some_and(|state| removed.contains(&state)) {
                continue;
            }
            self.add(name, version);
        }
    }

    /// The same package for several architectures is told as one.
    fn add(&mut self, name: &str, version: &str) {
        let versions = self.versions.entry(name.to_owned()).or_default();
        if !versions.is_empty() && versions != version {
            versions.push_str(", ");
            versions.push_str(version);
        } else {
            version.clone_into(versions);
        }
    }

    fn sums(&mut self, image: &Image, name: &str, text: &str) {
        for path in text.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start())) {
            self.own(image, name, path);
        }
    }

    /// Lines of one letter, a colon and a value; a package ends with an empty line.
    fn apk(&mut self, image: &Image, text: &str) {
        let (mut name, mut folder) = ("", "");
        for line in text.lines() {
            match line.split_once(':') {
                Some(("P", value)) => (name, folder) = (value, ""),
                Some(("V", value)) => self.add(name, value),
                Some(("F", value)) => {
                    folder = value;
                    self.own(image, name, folder);
                }
                Some(("R", value)) => self.own(image, name, &format!("{folder}/{value}")),
                _ => {}
            }
        }
    }

    fn own(&mut self, image: &Image, package: &str, path: &str) {
        let path = resolved(image, path.trim_matches('/').as_bytes());
        self.owners.entry(path).or_default().insert(package.to_owned());
    }
}

fn text(file: &File) -> Option<std::borrow::Cow<'_, str>> {
    file.text.as_deref().map(String::from_utf8_lossy)
}

/// A path as it is in the image: a package may say `/lib/x` where `/lib` is a link to `usr/lib`.
fn resolved(image: &Image, path: &[u8]) -> Path {
    let mut path = path.to_vec();
    // More links than that in one path are a ring.
    for _ in 0..8 {
        let Some((at, target)) = first_link(image, &path) else { break };
        let before = path[..at].rsplit(|b| *b == b'/').skip(1).collect::<Vec<_>>();
        let mut new: Vec<&[u8]> = before.into_iter().rev().collect();
        if target.first() == Some(&b'/') {
            new.clear();
        }
        for part in target.split(|b| *b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(new.pop()),
                part => new.push(part),
            }
        }
        path = [new.join(&b'/'), path[at..].to_vec()].concat();
        path = path.strip_prefix(b"/").map(<[u8]>::to_vec).unwrap_or(path);
    }
    path
}

/// The first folder of a path that is a link: where its name ends, and what it links to.
fn first_link<'a>(image: &'a Image, path: &[u8]) -> Option<(usize, &'a [u8])> {
    let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at);
    ends.into_iter().find_map(|at| match &image.files.get(&path[..at])?.kind {
        super::image::Kind::Symlink(target) => Some((at, target.as_slice())),
        _ => None,
    })
}

/// Packages whose versions are not the published ones.
pub fn moved(published: &Packages, now: &Packages) -> Vec<Moved> {
    let names: BTreeSet<&String> = published.versions.keys().chain(now.versions.keys()).collect();
    let moved = names.into_iter().filter_map(|name| {
        let (published, now) = (published.versions.get(name), now.versions.get(name));
        let moved =
            || Moved { package: name.clone(), published: published.cloned(), now: now.cloned() };
        (published != now).then(moved)
    });
    moved.collect()
}

impl std::fmt::Display for Moved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { package, published, now } = self;
        match (published, now) {
            (Some(published), Some(now)) => write!(f, "{package} {published} -> {now}"),
            (None, Some(now)) => write!(f, "{package} {now} is new"),
            (Some(published), None) => write!(f, "{package} {published} is gone"),
            (None, None) => f.write_str(package),
        }
    }
}
