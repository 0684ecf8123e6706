//! What the private engine, its packages and the bases need to know, as one value.

use crate::context::environment::Environment;
use crate::process::Processes;
use anyhow::Result;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;

/// The instance that is meant where `XTASK_ENGINE` names no other.
pub const DEFAULT_INSTANCE: &str = "default";

/// Where things are kept, how processes are started, and how progress is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Starts processes
    pub processes: Processes,
    /// The one folder that is written to
    pub cache: Utf8PathBuf,
    /// Our own environment
    pub vars: BTreeMap<String, String>,
    /// Which engine is meant
    pub instance: String,
    /// Tells the user one line, on stderr
    pub say: fn(&str),
}

impl Setup {
    /// Takes the cache folder and the instance from the environment.
    pub fn new(processes: Processes, environment: &Environment) -> Result<Self> {
        let cache = environment.cache_dir()?;
        if cache.as_str().contains([':', '"', '\n', '\\']) {
            wrong!(
                "the cache folder `{cache}` has a character that PATH or apt cannot carry: set XTASK_CACHE_DIR to another one"
            );
        }
        let instance = environment.get("XTASK_ENGINE").unwrap_or(DEFAULT_INSTANCE);
        if !is_valid_instance(instance) {
            wrong!(
                "XTASK_ENGINE is `{instance}`: an engine's name has 1 to 32 characters a-z, 0-9 and -, and does not begin with -"
            );
        }
        Ok(Self {
            processes,
            cache,
            vars: environment.vars.clone(),
            instance: instance.to_owned(),
            say: |line| crate::report::say!("{line}"),
        })
    }

    /// PATH, with the folders of administration tools that a user's PATH may lack.
    pub fn path(&self) -> String {
        let mut path = self.vars.get("PATH").cloned().unwrap_or_default();
        for folder in
            ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"]
        {
            if !path.split(':').any(|one| one == folder) {
                if !path.is_empty() {
                    path.push(':');
                }
                path.push_str(folder);
            }
        }
        path
    }

    /// Where a program of the machine itself is.
    pub fn find_program(&self, name: &str) -> Option<Utf8PathBuf> {
        find_in_path(&self.path(), name)
    }
}

/// The first file of that name in the folders of a PATH.
pub fn find_in_path(path: &str, name: &str) -> Option<Utf8PathBuf> {
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Utf8PathBuf::from(folder).join(name))
        .find(|file| file.is_file())
}

fn is_valid_instance(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=32).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_instances() {
        for good in ["default", "t1", "0-a"] {
            assert!(is_valid_instance(good), "{good}");
        }
        for bad in ["", "-a", "A", "a/b", "..", "a b", "ä", &"a".repeat(33)] {
            assert!(!is_valid_instance(bad), "{bad}");
        }
    }
}
