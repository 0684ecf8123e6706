//! Whether the tree is that of HEAD in what a build sends.
#![expect(clippy::disallowed_methods, reason = "reads the ignore files")]

use super::facts::World;
use super::{git, since};
use crate::docker::registry::is_loopback;
use crate::manifest::Service;
use crate::plan::dockerignore::{Folder, Ignore, Parent};
use crate::process::Processes;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

/// Whether the tree that is published has to be that of HEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// It has to be
    AsHead,
    /// It may differ, towards a registry on this machine (`--allow-dirty`)
    MayDiffer,
}

/// Refuses a pushing run whose tree differs from HEAD in something that it sends.
pub fn check_clean(
    processes: &Processes,
    world: &World,
    services: &[String],
    tree: Tree,
) -> Result<()> {
    if tree == Tree::MayDiffer {
        let registry = &world.facts.registry;
        if is_on_this_machine(registry) {
            return Ok(());
        }
        wrong!("`--allow-dirty` is for a registry on this machine, not for `{registry}`");
    }
    let changed = differs_from_head(processes, world, services)?;
    if changed.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = changed.iter().take(10).map(String::as_str).collect();
    let more = changed.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!("\n  and {more} more") };
    wrong!(
        "the tree differs from HEAD in what this run would publish:\n  {}{more}\n\
         commit it, or put it away with `git stash --include-untracked`",
        shown.join("\n  ")
    )
}

/// Paths that differ from HEAD among what these services send, the manifest and the lock file. Files that git
/// ignores count; what `.dockerignore` leaves out does not.
fn differs_from_head(
    processes: &Processes,
    world: &World,
    services: &[String],
) -> Result<Vec<String>> {
    let sent = Sent::all(world, services);
    let changed = git::changed(processes, &world.root, &Sent::paths(&sent, world))?;
    Ok(changed.into_iter().filter(|path| Sent::any(&sent, world, path)).collect())
}

/// So many paths in one folder are asked for as that folder.
const MANY: usize = 32;

/// Fewer paths that all of these are in: git compares each file with each path (1,000 services: 3.3 s).
/// What else is in them is for the caller to leave out.
fn few(paths: BTreeSet<Utf8PathBuf>) -> Vec<Utf8PathBuf> {
    let mut in_folder: BTreeMap<Utf8PathBuf, usize> = BTreeMap::new();
    for folder in paths.iter().filter_map(|path| path.parent()) {
        *in_folder.entry(folder.to_owned()).or_default() += 1;
    }
    let is_many = |folder: &&Utf8Path| {
        let has_name = folder.file_name().is_some();
        has_name && in_folder.get(*folder).is_some_and(|count| *count >= MANY)
    };
    let wide = paths.into_iter().map(|path| {
        let folder = path.parent().filter(is_many).map(Utf8Path::to_owned);
        folder.unwrap_or(path)
    });
    let wide: BTreeSet<Utf8PathBuf> = wide.collect();
    let is_above = |path: &Utf8PathBuf| path.ancestors().skip(1).any(|above| wide.contains(above));
    wide.iter().filter(|path| !is_above(path)).cloned().collect()
}

/// What the build of a service reads of the repository, as paths relative to its root.
struct Sent {
    context: Utf8PathBuf,
    ignore: Option<Ignore>,
    /// The context, and named ones
    folders: Vec<Utf8PathBuf>,
    /// The Dockerfile, and the files that may say what is left out
    files: Vec<Utf8PathBuf>,
}

impl Sent {
    fn all(world: &World, services: &[String]) -> Vec<Self> {
        let services = services.iter().filter_map(|name| world.facts.service(name));
        services.map(|service| Self::of(service, &world.root)).collect()
    }

    /// Where to look for changes.
    fn paths(all: &[Self], world: &World) -> Vec<Utf8PathBuf> {
        let of_services = all.iter().flat_map(|sent| sent.folders.iter().chain(&sent.files));
        let files = [world.manifest.clone(), world.lock_path.clone()];
        few(of_services.cloned().chain(files).collect())
    }

    /// Whether a changed path is read for any of them.
    fn any(all: &[Self], world: &World, path: &str) -> bool {
        let is_path = |file: &Utf8PathBuf| file.strip_prefix(&world.root).unwrap_or(file) == path;
        is_path(&world.manifest)
            || is_path(&world.lock_path)
            || all.iter().any(|sent| sent.has(path))
    }

    fn of(service: &Service, root: &Utf8Path) -> Self {
        let files = since::files(service);
        let [_, rules @ ..] = &files;
        let text = rules.iter().find_map(|file| std::fs::read_to_string(root.join(file)).ok());
        Self {
            context: service.context.clone(),
            // Rules that cannot be read leave nothing out.
            ignore: text.and_then(|text| Ignore::parse(&text).ok()),
            folders: since::folders(service),
            files: files.into(),
        }
    }

    /// Whether a path is read. Folders end with a slash.
    fn has(&self, path: &str) -> bool {
        // The root is `.` in a manifest, and nothing in a path.
        let below = |folder: &Utf8Path| match folder.as_str() {
            "." => Some(Utf8Path::new(path.trim_end_matches('/'))),
            _ => Utf8Path::new(path).strip_prefix(folder).ok(),
        };
        if self.files.iter().any(|file| file == path) {
            return true;
        }
        let is_folder = path.ends_with('/');
        if is_folder && self.folders.iter().chain(&self.files).any(|own| own.starts_with(path)) {
            return true;
        }
        let named = self.folders.iter().filter(|folder| **folder != self.context);
        below(&self.context).is_some_and(|path| self.sends(path, is_folder))
            || named.into_iter().any(|folder| below(folder).is_some())
    }

    fn sends(&self, path: &Utf8Path, is_folder: bool) -> bool {
        let Some(ignore) = &self.ignore else { return true };
        let mut parent = Parent::default();
        let mut folders: Vec<&Utf8Path> = path.ancestors().filter(|p| *p != "").collect();
        if !is_folder {
            folders.remove(0);
        }
        for folder in folders.into_iter().rev() {
            let (verdict, below) = ignore.folder(folder.as_str(), &parent);
            if verdict == Folder::Skipped {
                return false;
            }
            parent = below;
        }
        is_folder || ignore.sends_file(path.as_str(), &parent)
    }
}

/// Whether a registry (with or without a path) is one on this machine.
pub fn is_on_this_machine(registry: &str) -> bool {
    is_loopback(registry.split('/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_paths_in_one_folder_are_asked_for_as_that_folder() {
        let few = |paths: Vec<String>| few(paths.into_iter().map(Utf8PathBuf::from).collect());
        let services = |n| (0..n).map(|n| format!("services/s{n}")).collect::<Vec<_>>();
        assert_eq!(
            few([services(2), services(2), vec!["services/s0/a".into()]].concat()),
            services(2)
        );
        assert_eq!(
            few([services(MANY), vec!["services/s0/a".into(), "b".into()]].concat()),
            ["b", "services"]
        );
        let tops: Vec<String> = (10..10 + MANY).map(|n| format!("s{n}")).collect();
        assert_eq!(few(tops.clone()), tops, "never the whole repository");
        assert_eq!(few(vec!["services/s1".into(), "services/s10".into()]).len(), 2);
    }

    #[track_caller]
    fn case(rules: &str, path: &str, expected: bool) {
        let sent = Sent {
            context: "services/web".into(),
            ignore: Some(Ignore::parse(rules).unwrap()),
            folders: vec!["services/web".into(), "shared".into()],
            files: vec!["services/web/Dockerfile".into()],
        };
        assert_eq!(sent.has(path), expected, "{path} under {rules:?}");
    }

    #[test]
    fn what_is_left_out_does_not_count() {
        case("target\n", "services/web/target/", false);
        case("target\n", "services/web/target/debug/out", false);
        case("target\n", "services/web/src/main.rs", true);
        case("target\n!target/kept\n", "services/web/target/", true);
        case("target\n!target/kept\n", "services/web/target/kept", true);
        case("target\n!target/kept\n", "services/web/target/other", false);
        case("*\n!src\n", "services/web/README.md", false);
        case("*\n!src\n", "services/web/src/new", true);
        case("*\n", "services/web/Dockerfile", true);
        case("*\n", "services/other/file", false);
        case("*\n", "services/website/file", false);
        case("*\n", "shared/file", true);
        case("", "services/web/", true);
        // Where git ignores or does not know a folder as a whole, it names that alone.
        case("*\n", "services/", true);
        case("*\n", "serv/", false);
        case("*\n", "other/", false);
    }

    #[test]
    fn the_root_may_be_a_context() {
        let has = |context: &str, named: &str, path: &str| {
            let sent = Sent {
                context: context.into(),
                ignore: Some(Ignore::parse("left-out\n").unwrap()),
                folders: vec![context.into(), named.into()],
                files: vec!["Dockerfile".into()],
            };
            sent.has(path)
        };
        assert!(has(".", "shared", "src/file") && has(".", "shared", "file"));
        assert!(!has(".", "shared", "left-out/file") && !has(".", "shared", "left-out/"));
        assert!(has("web", ".", "left-out/file"), "a named context has rules of its own");
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for registry in ["127.0.0.1:5000/x", "localhost/x", "localhost:5000", "[::1]:5000/x"] {
            assert!(is_on_this_machine(registry), "{registry}");
        }
        for registry in
            ["ghcr.io/x", "127.example.com.evil/x", "localhost.example.com/x", "10.0.0.1/x"]
        {
            assert!(!is_on_this_machine(registry), "{registry}");
        }
    }
}
