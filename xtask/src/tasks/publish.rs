//! The last step of a pushing run: public tags are moved onto what was built.

use super::Session;
use crate::context::event::Kind;
use crate::context::facts::World;
use crate::context::git::{self, Head};
use crate::docker::build::{Failed, Outcome};
use crate::docker::publish::Publish;
use crate::docker::registry::Fetched;
use crate::plan::{Plan, ServicePlan};
use anyhow::Result;
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
}

impl Publication<'_> {
    /// Moves the tags that the plan lists. A service whose tags cannot be moved becomes a failure;
    /// an error concerns all.
    pub fn move_tags(&self, outcomes: &mut BTreeMap<String, Outcome>) -> Result<()> {
        let (held_back, unknown) = match &self.world.facts.event.kind {
            Kind::Release(version) => return self.release(&format!("v{version}"), outcomes),
            Kind::Dev => self.held_back()?,
            Kind::Local | Kind::Pr => return Ok(()),
        };
        for service in &self.plan.services {
            let Some(index) = self.indexes.get(&service.service) else { continue };
            let tags: Vec<String> =
                service.tags.iter().filter(|tag| !held_back.contains(*tag)).cloned().collect();
            self.move_for(service, index, &tags, outcomes);
        }
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
                eprintln!(
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
    fn release(&self, version_tag: &str, outcomes: &mut BTreeMap<String, Outcome>) -> Result<()> {
        let absent: Vec<&str> = self
            .plan
            .services
            .iter()
            .map(|service| service.service.as_str())
            .filter(|service| !self.indexes.contains_key(*service))
            .collect();
        if !absent.is_empty() {
            eprintln!("note: no tag was moved, since there is no image of {}", absent.join(", "));
            return Ok(());
        }
        let mut indexes = BTreeMap::new();
        for service in &self.plan.services {
            if let Some(index) = self.indexes.get(&service.service) {
                let index = self.publish.once(&service.image, version_tag, index.clone())?;
                indexes.insert(service.service.clone(), index);
            }
        }
        for service in &self.plan.services {
            if let Some(index) = indexes.get(&service.service) {
                self.move_for(service, index, &service.tags, outcomes);
            }
        }
        Ok(())
    }

    fn move_for(
        &self,
        service: &ServicePlan,
        index: &Fetched,
        tags: &[String],
        outcomes: &mut BTreeMap<String, Outcome>,
    ) {
        match self.publish.move_tags(&service.image, index, tags) {
            Ok(()) => {
                if let Some(Outcome::Built(built)) = outcomes.get_mut(&service.service) {
                    built.digest = Some(index.digest.clone());
                }
            }
            Err(error) => {
                let failed = Failed { step: None, last_words: format!("{error:#}") };
                outcomes.insert(service.service.clone(), Outcome::Failed(Box::new(failed)));
            }
        }
    }
}
