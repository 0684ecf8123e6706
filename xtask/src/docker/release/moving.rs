//! Tags are read, moved, read back, and put back where the rest fails.

use super::positions::Positions;
use super::{Image, Release, phase};
use crate::docker::publish::CONNECTIONS;
use crate::docker::registry::{Answer, Deletion, Fetched, Reference, Registry};
use crate::parallel;
use crate::plan::release::{Journal, Move};
use crate::plan::tags::{highest_of, is_shared};
use anyhow::{Context as _, Result};

/// How often a tag that another run moves at the same time is moved again.
const TRIES: usize = 5;

impl Release<'_> {
    /// Phase by phase: no shared tag moves before every version tag is there.
    pub(super) fn move_all(&self, journal: &Journal) -> Result<()> {
        let moves = || journal.moves.iter().filter(|one| one.from.as_ref() != Some(&one.to));
        for number in 0..=3 {
            let now: Vec<&Move> = moves().filter(|one| phase(&one.tag) == number).collect();
            let moved = parallel::map(CONNECTIONS, &now, |one| self.place(one));
            moved.into_iter().collect::<Result<()>>()?;
        }
        Ok(())
    }

    fn place(&self, one: &Move) -> Result<()> {
        let (reference, image) = self.target(one)?;
        let Fetched { media_type, bytes, .. } = &image.index;
        let put = self.registry.put_manifest(&reference, media_type, bytes);
        put.map(drop).with_context(|| format!("cannot move `{reference}`"))
    }

    /// Everything stands where it shall, but for shared tags that a higher version has taken.
    pub(super) fn read_back(&self, journal: &Journal) -> Result<()> {
        let read = |one: &Move| self.check(one);
        let checked = parallel::map(CONNECTIONS, &journal.moves, read);
        checked.into_iter().collect()
    }

    fn check(&self, one: &Move) -> Result<()> {
        let (reference, _) = self.target(one)?;
        for _ in 0..TRIES {
            let there = self.registry.head_manifest(&reference).known();
            let there = there.with_context(|| format!("cannot read `{reference}` back"))?;
            if there.as_ref().is_some_and(|there| there.digest == one.to) {
                return Ok(());
            }
            if !is_shared(&one.tag) {
                let what = there.map_or("gone".into(), |there| there.digest);
                anyhow::bail!("`{reference}` is {what}, though {} was put there", one.to);
            }
            // Another run has moved it at the same time: a higher version keeps it.
            let releases = self.shelf.list(self.registry)?;
            let others = releases.standing().chain(releases.unfinished());
            if highest_of(&one.tag, others).is_some_and(|highest| *highest > self.version) {
                return Ok(());
            }
            self.place(one)?;
        }
        anyhow::bail!("`{reference}` is moved by somebody else again and again")
    }

    /// Puts tags back that stand where this run has put them, and tells which could not be.
    pub(super) fn put_back(&self, journal: &Journal, positions: &Positions) -> Vec<String> {
        let moved: Vec<&Move> =
            journal.moves.iter().rev().filter(|one| one.from.as_ref() != Some(&one.to)).collect();
        let back = |one: &&Move| self.back(one, positions);
        let left = parallel::map(CONNECTIONS, &moved, back);
        let left = moved.into_iter().zip(left).filter_map(|(one, result)| {
            let why = result.err()?;
            Some(format!("{}:{}: {why:#}", one.service, one.tag))
        });
        left.collect()
    }

    fn back(&self, one: &Move, positions: &Positions) -> Result<()> {
        let (reference, image) = self.target(one)?;
        match self.registry.head_manifest(&reference).known()? {
            Some(there) if there.digest == one.to => {}
            _ => return Ok(()),
        }
        let Some(from) = &one.from else {
            return match self.registry.delete_manifest(&reference)? {
                Deletion::Done | Deletion::Absent => Ok(()),
                Deletion::Unsupported(_) => {
                    anyhow::bail!("it was absent, and this registry takes no tag away")
                }
            };
        };
        let there = positions.at(&one.service, &one.tag).filter(|there| there.digest == *from);
        let there = match there {
            Some(there) => there.clone(),
            None => {
                let by_digest = image.repository.with_digest(from)?;
                let found = self.registry.get_manifest(&by_digest).known()?;
                found.with_context(|| format!("`{by_digest}` is gone"))?
            }
        };
        self.registry.put_manifest(&reference, &there.media_type, &there.bytes)?;
        Ok(())
    }

    fn target(&self, one: &Move) -> Result<(Reference, &Image)> {
        let image = self.images.iter().find(|image| image.service == one.service);
        let image =
            image.with_context(|| format!("`{}` is not part of this release", one.service))?;
        Ok((image.repository.with_tag(&one.tag)?, image))
    }
}

/// Whether a tag stands on a digest, and else moves it there.
pub fn ensure(
    registry: &Registry,
    repository: &Reference,
    tag: &str,
    digest: &str,
) -> Result<bool> {
    let reference = repository.with_tag(tag)?;
    let there = registry.head_manifest(&reference).known();
    let there = there.with_context(|| format!("cannot tell where `{reference}` stands"))?;
    if there.is_some_and(|there| there.digest == digest) {
        return Ok(false);
    }
    let by_digest = repository.with_digest(digest)?;
    let Answer::Found(index) = registry.get_manifest(&by_digest) else {
        anyhow::bail!("cannot read `{by_digest}`, which `{tag}` shall stand on");
    };
    let put = registry.put_manifest(&reference, &index.media_type, &index.bytes);
    put.with_context(|| format!("cannot move `{reference}`"))?;
    Ok(true)
}
