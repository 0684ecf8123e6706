//! Files that no package holds, but that package tools make of what is installed.

use super::image::{File, Kind};

/// Databases, indexes, caches and logs of package tools: a file, or a folder with all below it.
const BY_TOOLS: [&str; 19] = [
    "var/lib/dpkg/",
    "var/lib/apt/",
    "var/cache/apt/",
    "var/cache/debconf/",
    "var/cache/fontconfig/",
    "var/cache/ldconfig/",
    "var/cache/man/",
    "var/cache/apk/",
    "var/log/apt/",
    "var/log/alternatives.log",
    "var/log/dpkg.log",
    "lib/apk/db/",
    "usr/lib/apk/db/",
    "etc/alternatives/",
    "etc/ld.so.cache",
    "usr/lib/locale/locale-archive",
    "usr/share/glib-2.0/schemas/gschemas.compiled",
    "usr/share/info/dir",
    "usr/share/mime/",
];

/// Names of caches that stand in several folders.
const CACHES: [&str; 3] = ["gconv-modules.cache", "icon-theme.cache", "loaders.cache"];

/// What the installation of one package makes.
const BY_PACKAGE: [(&str, &str); 2] =
    [("ca-certificates", "etc/ssl/certs/"), ("ca-certificates", "etc/ca-certificates.conf")];

/// What the mirror had to offer, which moves without any package that is installed.
const INDEXES: [&str; 3] = ["var/lib/apt/lists/", "var/cache/apt/", "var/cache/apk/"];

/// Whether a file is made of what is installed.
pub fn by_tools(path: &[u8]) -> bool {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    BY_TOOLS.iter().any(|place| is_in(path, place)) || CACHES.iter().any(|c| c.as_bytes() == name)
}

/// Whether a file is a list of what could be installed.
pub fn is_index(path: &[u8]) -> bool {
    INDEXES.iter().any(|place| is_in(path, place))
}

/// The package whose installation makes a file.
pub fn package(path: &[u8]) -> Option<&'static str> {
    BY_PACKAGE.iter().find(|(_, place)| is_in(path, place)).map(|(package, _)| *package)
}

/// Whether a link is one of those by which `update-alternatives` puts a program in place.
pub fn is_alternative(file: Option<&File>) -> bool {
    let kind = file.map(|file| &file.kind);
    matches!(kind, Some(Kind::Symlink(target)) if target.starts_with(b"/etc/alternatives/"))
}

/// The source of Python's byte code: `a/__pycache__/b.cpython-313.pyc` is made of `a/b.py`, and the
/// folder `a/__pycache__` of what is in `a`.
pub fn python_source(path: &[u8]) -> Option<Vec<u8>> {
    let path = std::str::from_utf8(path).ok()?;
    if let Some(folder) = path.strip_suffix("/__pycache__") {
        return Some(folder.into());
    }
    let (folder, name) = path.rsplit_once("/__pycache__/")?;
    let (name, _) = name.strip_suffix(".pyc")?.split_once('.')?;
    Some(format!("{folder}/{name}.py").into_bytes())
}

fn is_in(path: &[u8], place: &str) -> bool {
    if place.ends_with('/') { path.starts_with(place.as_bytes()) } else { path == place.as_bytes() }
}
