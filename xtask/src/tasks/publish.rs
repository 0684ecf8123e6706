//! The last step of a pushing run: public tags are moved onto what was built.

use super::Session;
use crate::context::event::Kind;
use crate::context::facts::World;
use crate::context::git::{self, Head};
use crate::docker::build::{Failed, Outcome};
use crate::docker::publish::{CONNECTIONS, Publish};
use crate::docker::registry::Fetched;
use crate::docker::release::{Image, Release, Shelf};
use crate::parallel;
use crate::plan::{Plan, ServicePlan};
use crate::report::alive::during;
use crate::time::rfc3339;
use anyhow::Result;
use semver::Version;
use std::collections::BTreeMap;

/// What there is to publish.
pub struct Publication<'a> {
    /// The session
    pub session: &'a Session,
    /// What was read
    pub world: &'a World,
    /// What is done
    pub plan: &'a Plan,
    /// Writes tags
    pub publish: &'a Publish<'a>,
    /// The annotated index of each service that was built
    pub indexes: &'a BTreeMap<String, Fetched>,
    /// Where tags stand (none: absent), by service and tag, as far as it was told a moment ago
    pub stands: BTreeMap<(String, String), Option<Fetched>>,
    /// Whether a version that was taken back may be published again
    pub again: bool,
}

/// The tags that were moved onto the image of each service.
pub type Moved = BTreeMap<String, Vec<String>>;

impl Publication<'_> {
    /// Moves the tags that the plan lists, and notes those that moved. A service whose tags cannot be
    /// moved becomes a failure; an error concerns all.
    pub fn move_tags(
        &self,
        outcomes: &mut BTreeMap<String, Outcome>,
        moved: &mut Moved,
    ) -> Result<()> {
        let (held_back, unknown) = match &self.world.facts.event.kind {
            Kind::Release(version) => {
                *moved = self.release(version)?;
                return Ok(());
            }
            Kind::Dev => self.held_back()?,
            Kind::Local | Kind::Pr => return Ok(()),
        };
        self.move_all(&held_back, outcomes, moved)?;
        unknown.map_or(Ok(()), Err)
    }

    /// `dev` moves only if this commit is still the head of the branch, asked just before. The
    /// error is for after the other tags have moved.
    fn held_back(&self) -> Result<(Vec<String>, Option<anyhow::Error>)> {
        let Session { env, processes, .. } = self.session;
        let facts = &self.world.facts;
        let branch = &facts.manifest.project.dev_branch;
        let commit = facts.revision.as_deref().unwrap_or_default();
        match git::head_of_branch(processes, &self.world.root, env, branch, commit)? {
            Head::Still => Ok((Vec::new(), None)),
            Head::Moved(to) => {
                let to = to.as_deref().unwrap_or("gone");
                crate::report::say!(
                    "note: the head of `{branch}` is {to} by now: `dev` is left to that commit's run"
                );
                Ok((vec!["dev".into()], None))
            }
            Head::Unknown(why) => {
                let error = anyhow::anyhow!(
                    "cannot tell whether {commit} is still the head of `{branch}` ({why}): \
                     the images are published, but `dev` was not moved; run this again"
                );
                Ok((vec!["dev".into()], Some(error)))
            }
        }
    }

    /// All or nothing: a release moves tags only when every service is there.
    fn release(&self, version: &Version) -> Result<Moved> {
        let absent: Vec<&str> = self
            .plan
            .services
            .iter()
            .map(|service| service.service.as_str())
            .filter(|service| !self.indexes.contains_key(*service))
            .collect();
        if !absent.is_empty() {
            crate::report::say!(
                "note: no tag was moved, since there is no image of {}",
                absent.join(", ")
            );
            return Ok(Moved::new());
        }
        let facts = &self.world.facts;
        let release = Release {
            registry: self.publish.registry,
            shelf: Shelf::new(&facts.registry)?,
            version: version.clone(),
            revision: facts.revision.clone().unwrap_or_default(),
            created: rfc3339(self.session.env.now),
            images: self.images()?,
            stands: self.stands.clone(),
            again: self.again,
        };
        during(&format!("releasing v{version}"), || release.publish())
    }

    fn images(&self) -> Result<Vec<Image>> {
        let mut images = Vec::new();
        for plan in &self.plan.services {
            if let Some(index) = self.indexes.get(&plan.service) {
                images.push(Image {
                    service: plan.service.clone(),
                    repository: plan.image.parse()?,
                    index: index.clone(),
                    fingerprint: plan.fingerprint.clone(),
                    tags: plan.tags.clone(),
                });
            }
        }
        Ok(images)
    }

    /// The tags of each service in their order, several services at once.
    fn move_all(
        &self,
        held_back: &[String],
        outcomes: &mut BTreeMap<String, Outcome>,
        moved: &mut Moved,
    ) -> Result<()> {
        let all = self.plan.services.iter();
        let services: Vec<(&ServicePlan, &Fetched)> =
            all.filter_map(|plan| Some((plan, self.indexes.get(&plan.service)?))).collect();
        let move_one = |(service, index): &(&ServicePlan, &Fetched)| {
            let tags: Vec<String> =
                service.tags.iter().filter(|tag| !held_back.contains(tag)).cloned().collect();
            self.publish.move_tags(&service.image, index, &tags)
        };
        let came = during("moving tags", || parallel::map(CONNECTIONS, &services, move_one));
        let mut ended = Vec::new();
        for ((service, index), (tags, result)) in services.into_iter().zip(came) {
            moved.insert(service.service.clone(), tags);
            ended.push((service, index, result));
        }
        self.session.processes.interrupt.check()?;
        for (service, index, result) in ended {
            match (result, outcomes.get_mut(&service.service)) {
                (Ok(()), Some(Outcome::Built(built))) => built.digest = Some(index.digest.clone()),
                (Ok(()), _) => {}
                (Err(error), _) => {
                    let failed = Failed { step: None, last_words: format!("{error:#}") };
                    outcomes.insert(service.service.clone(), Outcome::Failed(Box::new(failed)));
                }
            }
        }
        Ok(())
    }
}
