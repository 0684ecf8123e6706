//! More tags for what is published: the same bytes under the next tag (DESIGN 4.3, "Tags are ours").

use super::{Fetched, Kind, Reason, Reference, Registry};
use std::fmt;

/// Which tags now stand on a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promoted {
    /// The digest
    pub digest: String,
    /// The tags, in the order in which they were written
    pub tags: Vec<String>,
}

/// A promotion that stopped on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halted {
    /// The tags that were written before
    pub moved: Vec<String>,
    /// The tag at which it stopped; whether it was written is not known. `None`: nothing was begun
    pub at: Option<String>,
    /// Why
    pub reason: Reason,
}

impl Registry {
    /// Gives what stands behind a reference more tags, in the given order, without changing a byte.
    pub fn promote(&self, from: &Reference, tags: &[String]) -> Result<Promoted, Halted> {
        let absent = || Reason::new(Kind::Rejected, format!("promote {from}"), "it is not there");
        let fetched = self.get_manifest(from).known().and_then(|found| found.ok_or_else(absent));
        let fetched = fetched.map_err(|reason| Halted { moved: Vec::new(), at: None, reason })?;
        self.place(from, &fetched, tags)
    }

    /// Writes a manifest at hand under tags of a repository, in the given order.
    pub fn place(
        &self,
        repository: &Reference,
        manifest: &Fetched,
        tags: &[String],
    ) -> Result<Promoted, Halted> {
        let mut moved = Vec::new();
        for tag in tags {
            let reference = repository
                .with_tag(tag)
                .map_err(|e| Reason::new(Kind::Local, repository.name(), e));
            let written = reference
                .and_then(|tag| self.put_manifest(&tag, &manifest.media_type, &manifest.bytes));
            match written {
                Ok(_) => moved.push(tag.clone()),
                Err(reason) => return Err(Halted { moved, at: Some(tag.clone()), reason }),
            }
        }
        Ok(Promoted { digest: manifest.digest.clone(), tags: moved })
    }
}

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            None => f.write_str("cannot promote, no tag was moved: ")?,
            Some(tag) if self.moved.is_empty() => {
                write!(f, "cannot move the tag `{tag}`, none was moved before: ")?;
            }
            Some(tag) => {
                let moved = self.moved.join("`, `");
                write!(f, "cannot move the tag `{tag}`, `{moved}` moved before: ")?;
            }
        }
        self.reason.fmt(f)
    }
}

impl std::error::Error for Halted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.reason.source()
    }
}
