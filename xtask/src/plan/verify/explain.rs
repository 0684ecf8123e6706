//! What explains that a file is not as published: the world outside has moved. Strict: only what
//! the package databases of the two images show.

use super::image::{File, Image};
use super::packages::{Moved, Packages, is_rpm, moved};
use super::{derived, image::shown};
use std::collections::BTreeSet;

/// What is known of the packages of both images.
pub struct Explanation {
    /// Packages of other versions
    pub moved: Vec<Moved>,
    /// What could not be understood
    pub notes: Vec<String>,
    published: Packages,
    now: Packages,
    names: BTreeSet<String>,
}

impl Explanation {
    /// Reads the databases of both.
    pub fn new(now: &Image, published: &Image) -> Self {
        let notes = rpm(now, published).into_iter().collect();
        let (published, now) = (Packages::of(published), Packages::of(now));
        let moved = moved(&published, &now);
        let names = moved.iter().map(|moved| moved.package.clone()).collect();
        Self { moved, notes, published, now, names }
    }

    /// Why a file differs, where packages are the reason. `files` are what stands there on both sides.
    pub fn of(&self, path: &[u8], files: [Option<&File>; 2]) -> Option<String> {
        if derived::is_index(path) {
            return Some("it lists what the package mirror offers".into());
        }
        if self.owners(path).next().is_some() {
            let package = self.owner(path)?;
            return Some(format!("it belongs to the package `{package}`"));
        }
        if let Some(package) = derived::python_source(path).and_then(|source| self.owner(&source)) {
            return Some(format!("it is byte code of the package `{package}`"));
        }
        if let Some(package) = derived::package(path).filter(|p| self.names.contains(*p)) {
            return Some(format!("installing the package `{package}` makes it"));
        }
        let by_tools = derived::by_tools(path) || files.into_iter().any(derived::is_alternative);
        (by_tools && !self.moved.is_empty())
            .then(|| "package tools make it of what is installed".into())
    }

    /// The package that has moved and that a path belongs to. What also belongs to one that stands
    /// still (a folder) is not explained by the other.
    fn owner(&self, path: &[u8]) -> Option<&String> {
        let first = self.owners(path).next();
        first.filter(|_| self.owners(path).all(|owner| self.names.contains(owner)))
    }

    fn owners(&self, path: &[u8]) -> impl Iterator<Item = &String> {
        let owners = [&self.published, &self.now].map(|packages| packages.owners.get(path));
        owners.into_iter().flatten().flatten()
    }
}

/// rpm's database is not text: what belongs to its packages cannot be told.
fn rpm(now: &Image, published: &Image) -> Option<String> {
    let paths = now.files.iter().filter(|(path, _)| is_rpm(path));
    let mut differ = paths.filter(|(path, file)| published.files.get(*path) != Some(file));
    let (path, _) = differ.next()?;
    let path = shown(path);
    Some(format!(
        "rpm's database differs (`{path}`), but it cannot be read here: nothing is explained by it"
    ))
}
