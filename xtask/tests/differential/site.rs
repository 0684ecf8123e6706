//! A folder whose files are edited.

use super::random::Random;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

/// The folder itself.
pub struct Site(PathBuf);

impl Site {
    pub fn new(folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).expect("making the folder");
        Self(folder)
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Regular files, but not those that say what is built.
    pub fn files(&self) -> Vec<String> {
        self.all().into_iter().filter(|path| self.meta(path).is_file()).collect()
    }

    pub fn folders(&self) -> Vec<String> {
        self.all().into_iter().filter(|path| self.meta(path).is_dir()).collect()
    }

    pub fn links(&self) -> Vec<String> {
        self.all().into_iter().filter(|path| self.meta(path).is_symlink()).collect()
    }

    fn all(&self) -> Vec<String> {
        let fixed = |path: &String| {
            let name = path.rsplit('/').next().unwrap_or_default();
            name.starts_with("Dockerfile") || name == ".dockerignore"
        };
        self.everything().into_iter().filter(|path| !fixed(path)).collect()
    }

    /// All paths below the folder.
    pub fn everything(&self) -> Vec<String> {
        let (mut all, mut waiting) = (Vec::new(), vec![String::new()]);
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(self.0.join(&folder)).expect("listing a folder").flatten() {
                let name = entry.file_name().into_string().expect("a name in UTF-8");
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    waiting.push(path.clone());
                }
                all.push(path);
            }
        }
        all.sort();
        all
    }

    pub fn meta(&self, path: &str) -> fs::Metadata {
        self.path(path).symlink_metadata().expect("it is there")
    }

    pub fn is_file(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok_and(|meta| meta.is_file())
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("reading a file")
    }

    /// Whatever is there goes, also what is in the way above it.
    pub fn write(&self, path: &str, text: &str) {
        self.clear(path);
        fs::write(self.path(path), text).expect("writing a file");
    }

    /// Other bytes in the same file.
    pub fn overwrite(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).expect("writing a file");
    }

    pub fn folder(&self, path: &str) {
        self.clear(path);
        fs::create_dir(self.path(path)).expect("making a folder");
    }

    pub fn link(&self, text: &str, path: &str) {
        self.clear(path);
        symlink(text, self.path(path)).expect("making a link");
    }

    pub fn hard_link(&self, from: &str, to: &str) {
        self.clear(to);
        fs::hard_link(self.path(from), self.path(to)).expect("making a hard link");
    }

    pub fn rename(&self, from: &str, to: &str) {
        self.clear(to);
        fs::rename(self.path(from), self.path(to)).expect("renaming");
    }

    pub fn remove(&self, path: &str) {
        let full = self.path(path);
        match full.symlink_metadata() {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(full),
            Ok(_) => fs::remove_file(full),
            Err(_) => Ok(()),
        }
        .expect("removing");
    }

    fn clear(&self, path: &str) {
        for (at, _) in path.match_indices('/') {
            if self.path(&path[..at]).symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
                self.remove(&path[..at]);
            }
        }
        self.remove(path);
        fs::create_dir_all(self.path(path).parent().expect("a folder")).expect("making folders");
    }

    pub fn mode(&self, path: &str) -> u32 {
        self.meta(path).permissions().mode() & 0o7777
    }

    pub fn chmod(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).expect("chmod");
    }

    /// A path for something new.
    pub fn fresh(&self, random: &mut Random) -> String {
        let folders = self.folders();
        let name =
            random.pick(&["n", "n.txt", "n.tmp", "N", "n n", "é", "-n", "n\\n", "'n'", "$n"]);
        match random.any(&folders) {
            Some(folder) if random.chance(2) => format!("{folder}/{name}"),
            _ => name.to_owned(),
        }
    }
}
