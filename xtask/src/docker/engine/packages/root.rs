//! A folder of unpacked packages, and the environment in which its programs run.

use super::super::setup::{Setup, find_in_path};
use super::super::{files, sys};
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// Names that Debian's installation would have made: link and what it points to.
const LINKS: [(&str, &str); 5] = [
    ("iptables", "usr/sbin/iptables-nft"),
    ("docker-init", "usr/bin/tini-static"),
    ("docker", "usr/bin/docker"),
    ("docker-buildx", "usr/libexec/docker/cli-plugins/docker-buildx"),
    ("docker-compose", "usr/libexec/docker/cli-plugins/docker-compose"),
];

/// Unpacked packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The folder that stands for `/`
    pub dir: Utf8PathBuf,
}

impl Root {
    pub(super) fn new(dir: Utf8PathBuf) -> Self {
        Self { dir }
    }

    /// The folder with the docker command alone: what a user's PATH gets.
    pub fn client(&self) -> Utf8PathBuf {
        self.dir.join("client")
    }

    /// Where docker finds buildx and compose.
    pub fn plugins(&self) -> Utf8PathBuf {
        let folders = ["usr/libexec/docker/cli-plugins", "usr/lib/docker/cli-plugins"];
        let found = folders.iter().map(|sub| self.dir.join(sub)).find(|folder| folder.is_dir());
        found.unwrap_or_else(|| self.dir.join(folders[0]))
    }

    /// A program: of these packages, else of the machine.
    pub fn program(&self, setup: &Setup, name: &str) -> Option<Utf8PathBuf> {
        find_in_path(&self.path(setup), name)
    }

    /// PATH with these packages first.
    pub fn path(&self, setup: &Setup) -> String {
        let own = ["links", "usr/sbin", "usr/bin", "sbin", "bin"].map(|sub| self.dir.join(sub));
        let own: Vec<&str> = own.iter().filter(|d| d.is_dir()).map(|d| d.as_str()).collect();
        if own.is_empty() { setup.path() } else { format!("{}:{}", own.join(":"), setup.path()) }
    }

    /// The variables with which programs of these packages run.
    pub fn env(&self, setup: &Setup) -> BTreeMap<String, Option<String>> {
        let mut env = BTreeMap::from([("PATH".to_owned(), Some(self.path(setup)))]);
        let libraries = self.existing(&[
            "usr/lib/*-linux-gnu*",
            "lib/*-linux-gnu*",
            "usr/lib/*-linux-gnu*/pulseaudio",
        ]);
        let perl = ["usr/share/perl5", "usr/share/perl/*", "usr/lib/*-linux-gnu*/perl*/*"];
        let xtables = self.existing(&["usr/lib/*-linux-gnu*/xtables"]);
        let lists = [
            ("LD_LIBRARY_PATH", libraries),
            ("PERL5LIB", self.existing(&perl)),
            ("XTABLES_LIBDIR", xtables),
        ];
        for (name, folders) in lists {
            if !folders.is_empty() {
                env.insert(name.to_owned(), Some(folders.join(":")));
            }
        }
        env
    }

    /// The folders that fit the patterns; `*` stands for anything within one name.
    fn existing(&self, patterns: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for pattern in patterns {
            let mut folders = vec![self.dir.clone()];
            for part in pattern.split('/') {
                folders = folders.iter().flat_map(|folder| step(folder, part)).collect();
            }
            found.extend(folders.into_iter().map(Utf8PathBuf::into_string));
        }
        found
    }
}

fn step(folder: &Utf8Path, pattern: &str) -> Vec<Utf8PathBuf> {
    let names = if pattern.contains('*') { files::list(folder) } else { vec![pattern.to_owned()] };
    let fitting = names.into_iter().filter(|name| fits(pattern, name));
    fitting.map(|name| folder.join(name)).filter(|path| path.is_dir()).collect()
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| fits(rest, &name[at..]))
        }),
    }
}

/// Makes the links that Debian's installation scripts would have made.
pub(super) fn add_links(root: &Utf8Path) -> Result<()> {
    for (name, target) in LINKS {
        let folder = root.join(if name.starts_with("docker") && name != "docker-init" {
            "client"
        } else {
            "links"
        });
        if root.join(target).exists() {
            files::create_folder(&folder)?;
            let link = folder.join(name);
            sys::symlink(&format!("../{target}"), &link)
                .map_err(|e| files::explain(&e, "make the link", &link))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("perl", "perl", true),
            ("perl", "perl5", false),
            ("perl*", "perl5", true),
            ("*-linux-gnu*", "x86_64-linux-gnu", true),
            ("*-linux-gnu*", "arm-linux-gnueabihf", true),
            ("*-linux-gnu*", "systemd", false),
            ("*", "ä", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
