//! Whether git's index of a repository tells what the bytes of its files are.

use super::attributes;
use super::index::Index;
use crate::context::environment::Environment;
use crate::process::{Command, Processes};
use camino::{Utf8Path, Utf8PathBuf};

/// Attributes of the whole machine; which of them git reads depends on how it was built.
const OF_MACHINE: [&str; 3] =
    ["/etc/gitattributes", "/usr/local/etc/gitattributes", "/opt/homebrew/etc/gitattributes"];

/// Asks where the working tree, the index and the repository's own attributes are.
const PLACES: [&str; 7] = [
    "rev-parse",
    "--show-toplevel",
    "--show-object-format",
    "--git-path",
    "index",
    "--git-path",
    "info/attributes",
];
/// Settings by which git stores other bytes than a file has, or does not look at files.
const BAD_IF_TRUE: [&str; 9] = [
    "core.autocrlf",
    "core.eol",
    "core.fsmonitor",
    "core.ignorestat",
    "core.sparsecheckout",
    "core.splitindex",
    "core.usebuiltinfsmonitor",
    "index.sparse",
    "attr.tree",
];
/// Settings by which it looks at less of a `stat`, or files are not what they are elsewhere.
const BAD_IF_FALSE: [&str; 3] = ["core.trustctime", "core.filemode", "core.symlinks"];

/// What tells contents of files.
pub struct Trusted {
    /// The real root of the working tree
    pub root: Utf8PathBuf,
    pub index: Index,
}

/// The index of the repository that a folder is in, unless something speaks against it.
pub fn index(processes: &Processes, env: &Environment, folder: &Utf8Path) -> Option<Trusted> {
    if env.get("GIT_ATTR_SOURCE").is_some() {
        return None;
    }
    let (told, settings) = std::thread::scope(|scope| {
        let settings = ["config", "--list", "-z"];
        let settings =
            scope.spawn(move || git(processes, folder, "read git's settings", &settings));
        let told = git(processes, folder, "find git's index", &PLACES);
        (told, settings.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (told, settings) = (told?, settings?);
    let [root, "sha1", index, info] = told.lines().collect::<Vec<_>>()[..] else { return None };
    let root = Utf8Path::new(root).canonicalize_utf8().ok()?;
    let settings = Settings::parse(&settings);
    if settings.speak_against() {
        return None;
    }
    let personal = settings.attributes_file(env)?;
    let files = [Some(folder.join(info)), personal].into_iter().flatten();
    let mut files = files.chain(OF_MACHINE.map(Utf8PathBuf::from));
    if files.any(|file| attributes::convert(&file)) {
        return None;
    }
    let index = Index::load(&folder.join(index))?;
    // Where the file is gone, git takes the attributes that it has stored.
    let there = |path: &str| root.join(path).is_file();
    let all_there = index.paths_named(attributes::FILE).all(there);
    all_there.then_some(Trusted { root, index })
}

/// Nothing where git cannot tell: then bytes are read.
fn git(processes: &Processes, folder: &Utf8Path, purpose: &str, args: &[&str]) -> Option<String> {
    processes.read(&Command::new(purpose, "git").args(args.to_vec()).dir(folder)).ok()
}

/// Names in lower case, and values; a name alone is true.
struct Settings<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Settings<'a> {
    fn parse(text: &'a str) -> Self {
        let settings = text.split('\0').filter(|setting| !setting.is_empty());
        Self(
            settings.map(|setting| setting.split_once('\n').unwrap_or((setting, "true"))).collect(),
        )
    }

    /// Whether any value ever given to a setting is bad, also one that is overridden.
    fn speak_against(&self) -> bool {
        self.0.iter().any(|(name, value)| {
            let value = value.to_lowercase();
            let is_false = matches!(value.as_str(), "false" | "no" | "off" | "0" | "");
            (BAD_IF_TRUE.contains(name) && !is_false)
                || (BAD_IF_FALSE.contains(name) && is_false)
                || (*name == "core.checkstat" && value != "default")
        })
    }

    /// The user's own attributes. `None` is no answer, `Some(None)` is that there are none.
    fn attributes_file(&self, env: &Environment) -> Option<Option<Utf8PathBuf>> {
        let said = self.0.iter().rev().find(|(name, _)| *name == "core.attributesfile");
        let home = env.get("HOME").map(Utf8PathBuf::from);
        let Some((_, path)) = said else {
            let config = env.get("XDG_CONFIG_HOME").map(Utf8PathBuf::from);
            let config = config.or_else(|| Some(home?.join(".config")));
            return Some(config.map(|config| config.join("git/attributes")));
        };
        let path = match path.strip_prefix("~/") {
            Some(rest) => home?.join(rest),
            None => Utf8PathBuf::from(path),
        };
        path.is_absolute().then_some(Some(path))
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[track_caller]
    fn case(text: &str, expected: bool) {
        assert_eq!(Settings::parse(text).speak_against(), expected, "{text:?}");
    }

    #[test]
    fn settings_that_make_the_index_useless_are_told() {
        case("", false);
        case("core.autocrlf\nfalse\0core.filemode\ntrue\0core.bare\nfalse\0", false);
        case("core.autocrlf\ninput\0", true);
        case("core.autocrlf\ntrue\0core.autocrlf\nfalse\0", true);
        case("core.eol\ncrlf\0", true);
        case("core.fsmonitor\0", true);
        case("core.fsmonitor\n/some/hook\0", true);
        case("core.filemode\nfalse\0", true);
        case("core.trustctime\nNo\0", true);
        case("core.checkstat\nminimal\0", true);
        case("core.checkstat\ndefault\0", false);
        case("user.name\nA\nB\0", false);
    }
}
