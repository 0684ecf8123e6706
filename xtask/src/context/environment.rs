//! The environment, the working folder and the time, read once at the start.
#![expect(clippy::disallowed_methods, reason = "the one reader of environment and clock")]

use crate::error::Wrong;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Everything that the process was given besides its arguments.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Environment variables; names or values that are not UTF-8 are left out
    pub vars: BTreeMap<String, String>,
    /// The working folder
    pub dir: Utf8PathBuf,
    /// When this run began
    pub now: SystemTime,
}

impl Environment {
    /// Reads the process's own.
    pub fn read() -> Result<Self> {
        let dir = std::env::current_dir().map_err(|error| {
            Wrong(format!("cannot tell the working folder ({error}): go into one that is there"))
        })?;
        let dir = Utf8PathBuf::from_path_buf(dir)
            .map_err(|dir| Wrong(format!("the path `{}` is not UTF-8", dir.display())))?;
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self { vars, dir, now: SystemTime::now() })
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The folder that all state is kept in: `XTASK_CACHE_DIR`, else `xtask` in the user's cache folder.
    pub fn cache_dir(&self) -> Result<Utf8PathBuf> {
        if let Some(dir) = self.get("XTASK_CACHE_DIR") {
            let dir = self.dir.join(dir);
            let there = dir.ancestors().find(|path| path.exists());
            return match there.filter(|path| !path.is_dir()) {
                Some(file) => wrong!("XTASK_CACHE_DIR is `{dir}`, but `{file}` is no folder"),
                None => Ok(dir),
            };
        }
        let absolute = |name| self.get(name).map(Utf8PathBuf::from).filter(|p| p.is_absolute());
        let cache = absolute("XDG_CACHE_HOME")
            .or_else(|| absolute("LOCALAPPDATA"))
            .or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        let next = "cannot tell the user's cache folder: set XTASK_CACHE_DIR or HOME";
        Ok(cache.ok_or_else(|| Wrong(next.into()))?.join("xtask"))
    }

    /// The event payload that GitHub wrote to the file `GITHUB_EVENT_PATH`, if there is one.
    pub fn github_payload(&self) -> Result<Option<Value>> {
        let Some(path) = self.get("GITHUB_EVENT_PATH") else { return Ok(None) };
        let path = self.dir.join(Utf8Path::new(path));
        let text = std::fs::read_to_string(&path)
            .map_err(|e| Wrong(format!("cannot read GITHUB_EVENT_PATH `{path}`: {e}")))?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|e| Wrong(format!("GITHUB_EVENT_PATH `{path}` is not JSON: {e}")))?;
        if !value.is_object() {
            wrong!("GITHUB_EVENT_PATH `{path}` is no event: GitHub writes a JSON object there");
        }
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(vars: &[(&str, &str)]) -> Environment {
        let vars = vars.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        Environment { vars, dir: "/here".into(), now: SystemTime::UNIX_EPOCH }
    }

    #[track_caller]
    fn cache_dir(vars: &[(&str, &str)], expected: &str) {
        assert_eq!(environment(vars).cache_dir().unwrap(), expected);
    }

    #[test]
    fn the_cache_folder_is_found() {
        cache_dir(&[("XTASK_CACHE_DIR", "/c"), ("HOME", "/h")], "/c");
        cache_dir(&[("XTASK_CACHE_DIR", "c")], "/here/c");
        cache_dir(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], "/x/xtask");
        cache_dir(&[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")], "/h/.cache/xtask");
        cache_dir(&[("XTASK_CACHE_DIR", ""), ("HOME", "/h")], "/h/.cache/xtask");
        assert!(environment(&[]).cache_dir().is_err());
    }
}
