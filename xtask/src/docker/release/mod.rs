//! The one way to a release: all tags move, and only then the record says that it is one (DESIGN 4.6,
//! phases *move* and *commit*). The only writer of `vX.Y.Z`, `X.Y`, `X` and `latest`.
//!
//! Registries have no compare-and-swap. What is written is read back, what fails is put back, and what
//! another run has done in between is taken into account at the end.

mod moving;
mod positions;
mod settle;
mod shelf;

pub use moving::ensure;
pub use shelf::Shelf;

use crate::docker::registry::{Fetched, Reference, Registry};
use crate::plan::release::{Journal, Move, Placed, Record, Releases};
use crate::plan::tags::{highest_of, is_shared};
use anyhow::{Context as _, Result};
use positions::Positions;
use semver::Version;
use std::collections::BTreeMap;
use std::fmt;

/// An image of a release.
#[derive(Clone, Debug)]
pub struct Image {
    /// The service
    pub service: String,
    /// Its repository
    pub repository: Reference,
    /// What is released
    pub index: Fetched,
    /// Its fingerprint; none where it has none
    pub fingerprint: Option<String>,
    /// The tags that move
    pub tags: Vec<String>,
}

/// A release that is to be made.
pub struct Release<'a> {
    /// Reads and writes
    pub registry: &'a Registry,
    /// Where records are
    pub shelf: Shelf,
    /// The version
    pub version: Version,
    /// The commit
    pub revision: String,
    /// When, RFC 3339
    pub created: String,
    /// All images
    pub images: Vec<Image>,
    /// Where tags stand (none: absent), by service and tag, as far as that is known
    pub stands: BTreeMap<(String, String), Option<Fetched>>,
    /// Whether a version that was taken back may be published again
    pub again: bool,
}

/// A release that did not come about.
#[derive(Debug)]
pub struct NotReleased {
    version: Version,
    error: anyhow::Error,
    /// Tags that could not be put back, as `service:tag` with the reason
    left: Vec<String>,
}

impl Release<'_> {
    /// Moves all tags and writes the record. After an error either nothing has moved, or what moved
    /// was put back as far as the registry lets that be done; the error says which tags were not. Gives
    /// the tags of each service that stand on its image then.
    pub fn publish(mut self) -> Result<BTreeMap<String, Vec<String>>> {
        let before = self.shelf.list(self.registry)?;
        if before.withdrawn.contains(&self.version) && !self.again {
            anyhow::bail!(
                "v{0} was taken back: release a higher version, or publish it once more with `--again`",
                self.version
            );
        }
        self.leave_to_higher(&before);
        let positions = Positions::read(&self, &before)?;
        self.take_over(&positions);
        self.check_once(&positions)?;
        let earlier = match before.journals.contains(&self.version) {
            true => self.shelf.journal(self.registry, &self.version)?,
            false => None,
        };
        let journal = self.journal(&positions, earlier.as_ref());
        self.shelf.put_journal(self.registry, &self.version, &journal)?;
        let moved = self.move_all(&journal).and_then(|()| self.read_back(&journal));
        let made = match moved {
            Ok(()) => self.commit()?,
            Err(error) => Err(error),
        };
        if let Err(error) = made {
            let left = self.put_back(&journal, &positions);
            self.leave_to_others(&before);
            return Err(NotReleased { version: self.version, error, left }.into());
        }
        let now = self.settle(&before)?;
        self.leave_to_higher(&now);
        Ok(self.images.into_iter().map(|image| (image.service, image.tags)).collect())
    }

    /// The plan was made a while ago: what has been released since keeps its shared tags.
    fn leave_to_higher(&mut self, releases: &Releases) {
        let is_ours = |tag: &String| {
            let highest = highest_of(tag, releases.standing()).filter(|_| is_shared(tag));
            highest.is_none_or(|highest| *highest <= self.version)
        };
        for image in &mut self.images {
            image.tags.retain(is_ours);
        }
    }

    /// What stands under the version already is what is released, if it holds the same images: only
    /// attestations, which have times in them, are others.
    fn take_over(&mut self, positions: &Positions) {
        let tag = format!("v{}", self.version);
        for image in &mut self.images {
            if let Some(there) = positions.at(&image.service, &tag)
                && images(there).is_some_and(|theirs| Some(theirs) == images(&image.index))
            {
                image.index = there.clone();
            }
        }
    }

    /// A version is written once: with other content under it nothing is moved.
    fn check_once(&self, positions: &Positions) -> Result<()> {
        let tag = format!("v{}", self.version);
        let other = self.images.iter().filter_map(|image| {
            let there = positions.at(&image.service, &tag)?;
            (there.digest != image.index.digest).then_some((image, there))
        });
        let lines: Vec<String> = other
            .map(|(image, there)| {
                let (name, ours) = (&image.service, &image.index.digest);
                format!("`{name}`: {tag} is {}, this run has {ours}", there.digest)
            })
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        anyhow::bail!(
            "{tag} is there already with other content, so nothing was moved: a version is published \
             once, release the next one\n  {}",
            lines.join("\n  ")
        )
    }

    /// Every tag, in the order in which they move. What an earlier run of this release moved stood
    /// where that run's journal says.
    fn journal(&self, positions: &Positions, earlier: Option<&Journal>) -> Journal {
        let earlier = earlier.filter(|journal| journal.revision == self.revision);
        let mut moves = Vec::new();
        for image in &self.images {
            for tag in &image.tags {
                let to = image.index.digest.clone();
                let now = positions.digest(&image.service, tag).map(str::to_owned);
                let begun = earlier.into_iter().flat_map(|journal| &journal.moves);
                let mut begun = begun.filter(|m| m.service == image.service && m.tag == *tag);
                let from = match begun.next() {
                    Some(begun) if now.as_ref() == Some(&begun.to) => begun.from.clone(),
                    _ => now,
                };
                moves.push(Move { service: image.service.clone(), tag: tag.clone(), from, to });
            }
        }
        moves.sort_by_key(|one| phase(&one.tag));
        Journal {
            schema: 1,
            version: self.version.to_string(),
            revision: self.revision.clone(),
            services: self.placed(),
            moves,
        }
    }

    fn placed(&self) -> BTreeMap<String, Placed> {
        let placed = |image: &Image| {
            let (digest, fingerprint) = (image.index.digest.clone(), image.fingerprint.clone());
            (image.service.clone(), Placed { digest, fingerprint })
        };
        self.images.iter().map(placed).collect()
    }

    /// The moment of the release. Where the answer is lost, whether the record is there decides; an
    /// outer error is that nobody can tell, and then nothing is put back.
    fn commit(&self) -> Result<Result<()>> {
        let record = Record {
            schema: 1,
            version: self.version.to_string(),
            revision: self.revision.clone(),
            created: self.created.clone(),
            services: self.placed(),
        };
        let Err(error) = self.shelf.put_record(self.registry, &self.version, &record) else {
            return Ok(Ok(()));
        };
        let there = self.shelf.record(self.registry, &self.version).with_context(|| {
            format!(
                "cannot tell whether v{} is released by now; run it again ({error:#})",
                self.version
            )
        })?;
        Ok(match there {
            Some(there) if there.services == record.services => Ok(()),
            _ => Err(error),
        })
    }
}

/// The digests of the images in an index, without attestations.
fn images(index: &Fetched) -> Option<Vec<String>> {
    let entries = index.index().ok()?.manifests;
    let images = entries.into_iter().filter(|entry| !entry.is_attestation());
    Some(images.map(|entry| entry.digest).collect())
}

/// When a tag moves: a version's own tags first, `latest` last.
fn phase(tag: &str) -> usize {
    match tag {
        "latest" => 3,
        _ if !is_shared(tag) => 0,
        _ if tag.contains('.') => 1,
        _ => 2,
    }
}

impl NotReleased {
    /// Tags that could not be put back, as `service:tag: why`.
    pub fn left(&self) -> &[String] {
        &self.left
    }
}

impl fmt::Display for NotReleased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{} is not released: {:#}", self.version, self.error)?;
        if self.left.is_empty() {
            f.write_str("\nall tags stand where they stood")?;
        } else {
            write!(f, "\nthese tags could not be put back:\n  {}", self.left.join("\n  "))?;
        }
        f.write_str("\nrun it again to go on; `cargo xtask release status` shows what stands where")
    }
}

impl std::error::Error for NotReleased {}
