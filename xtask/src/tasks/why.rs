//! `why`: what has changed between the tree and what is published.

use super::build_images::reading::registry;
use super::{Session, fingerprint};
use crate::cli::Why as Options;
use crate::context::commit::{Bits, Checkout};
use crate::context::facts::World;
use crate::context::{git, lock, past};
use crate::docker::registry::{Patience, Reference};
use crate::error::{Interrupted, Wrong};
use crate::plan::claim::Claim;
use crate::plan::difference::Change;
use crate::plan::facts::BaseImage;
use crate::plan::fingerprint::{Identity, Part, identify};
use crate::plan::why::{Tree, Why, why};
use crate::report::stdout;
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// So many changes of a service are told in words.
const SHOWN: usize = 20;

/// Prints it. The exit code is 1 where it could not be told.
pub fn run(session: &Session, options: &Options) -> Result<ExitCode> {
    let names = [options.service.clone()];
    let now = fingerprint::read(session, &names, options.registry.as_deref())?;
    if now.facts.service(&options.service).is_none() {
        wrong!("`{}` is a group: name one service", options.service);
    }
    let against = format!("{}:{}", now.facts.image(&options.service), options.against);
    let claim = published(session, &against)?;
    let identities = identify(&now.facts, &names.into());
    let same = identities[&options.service].as_ref().is_ok_and(|f| f.whole == claim.fingerprint);
    let (then, trouble) = match same {
        true => (None, None),
        false => match read_then(session, &[options.service.as_str()], &now, &claim) {
            Ok(then) => (Some(then), None),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => (None, Some(error)),
        },
    };
    let then = then.as_ref().map(|(world, identities)| Tree { facts: &world.facts, identities });
    let tree = Tree { facts: &now.facts, identities: &identities };
    let answer = Answer {
        service: &options.service,
        against: &against,
        why: why(&options.service, &claim, tree, then),
        identity: &identities[&options.service],
        claim: &claim,
        same,
    };
    stdout(&if options.json { format!("{:#}", answer.json()) } else { answer.words() })?;
    match trouble {
        // Whatever is wrong with a commit is not wrong with the request.
        Some(trouble) => bail!("cannot tell more than the parts: {trouble:#}"),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// What the published image says of itself.
fn published(session: &Session, name: &str) -> Result<Claim> {
    let reference: Reference = name.parse().map_err(|error| Wrong(format!("{error}")))?;
    let answer = registry(session, Patience::LOCAL).get_manifest(&reference);
    let fetched = answer.known().with_context(|| format!("cannot read `{name}`"))?;
    let Some(fetched) = fetched else {
        bail!(
            "nothing is published as `{name}`: name another tag with `--against`, \
             or publish it, as a push to the dev branch does"
        );
    };
    let claim = fetched.index().ok().and_then(|index| Claim::read(&index.annotations));
    claim.with_context(|| {
        format!(
            "`{name}` does not say what it was built of (another tool has pushed it, or a run that \
             ended before it could): `cargo xtask build-images --event dev` publishes one that does"
        )
    })
}

pub(super) type Then = (World, BTreeMap<String, Identity>);

/// The tree of the commit that was published, with identities of these services.
pub(super) fn read_then(
    session: &Session,
    names: &[&str],
    now: &World,
    claim: &Claim,
) -> Result<Then> {
    let Session { processes, env, .. } = session;
    let Some(revision) = &claim.revision else {
        bail!("what is published does not say of which commit it was built");
    };
    let Some(commit) = git::commit_of(processes, &now.root, revision)? else {
        bail!(
            "this clone does not have the commit {revision} that is published: fetch it, for example \
             with `git fetch --unshallow`, or `git fetch origin`"
        );
    };
    let checkout = Checkout::of(processes, env, &now.root, &commit, Bits::Of022)?;
    let past = past::read(processes, env, now, checkout);
    let mut past = past.with_context(|| format!("cannot read the commit {commit}"))?;
    let there = |name: &&&str| past.world.facts.service(name).is_some();
    let Some(_) = names.iter().find(there) else {
        bail!("the commit {commit} has no service `{}` in its manifest", names.join("`, `"));
    };
    let names = || names.iter().filter(there).copied();
    let chosen = past.world.facts.graph.with_dependencies(names());
    let mut services: Vec<String> = chosen.into_iter().collect();
    let of_now = now.facts.graph.with_dependencies(names());
    services.extend(of_now.into_iter().filter(|name| past.world.facts.service(name).is_some()));
    services.sort();
    services.dedup();
    past.read_inputs(&services)?;
    past.world.facts.bases = bases_then(now, &past.world);
    let identities = identify(&past.world.facts, &services.into_iter().collect());
    Ok((past.world, identities))
}

/// External images by the digests that they were locked to. What other names stood for then nobody
/// knows; that they have moved is seen by the digest of the part.
fn bases_then(now: &World, then: &World) -> BTreeMap<String, BaseImage> {
    let locked = lock::digests(&then.lock, &then.facts.manifest).into_iter();
    let locked = locked.map(|(key, digest)| {
        let context = format!("docker-image://{key}@{digest}");
        (key, BaseImage { context, platforms: Vec::new(), stands_in: false })
    });
    now.facts.bases.clone().into_iter().chain(locked).collect()
}

/// What is printed.
struct Answer<'a> {
    service: &'a str,
    against: &'a str,
    why: Why,
    identity: &'a Identity,
    claim: &'a Claim,
    same: bool,
}

impl Answer<'_> {
    fn words(&self) -> String {
        let Self { service, against, why, .. } = self;
        let revision = self.claim.revision.as_deref().map(|sha| format!(" ({})", short(sha)));
        let revision = revision.unwrap_or_default();
        if self.same {
            return format!("{service}: nothing changed: it is `{against}`{revision}");
        }
        let names: Vec<&str> = why.parts.iter().map(|part| part.name()).collect();
        let mut lines = match self.identity {
            Ok(_) => vec![format!(
                "{service}: differs from `{against}`{revision} in {}",
                names.join(", ")
            )],
            Err(reasons) => {
                let none =
                    reasons.iter().map(|reason| format!("{service}: no fingerprint: {reason}"));
                none.collect()
            }
        };
        let mut services: Vec<&str> = Vec::new();
        for (service, _) in &why.changes {
            if !services.contains(&service.as_str()) {
                services.push(service);
            }
        }
        lines.extend(services.into_iter().flat_map(|service| self.of_service(service)));
        lines.extend(why.notes.iter().map(|note| format!("note: {note}")));
        lines.join("\n")
    }

    /// One line a change; what is part of two things is told once.
    fn of_service(&self, service: &str) -> Vec<String> {
        let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
        for (_, change) in self.why.changes.iter().filter(|(name, _)| name == service) {
            let text = change.to_string();
            match lines.iter_mut().find(|(other, _)| *other == text) {
                Some((_, parts)) => parts.push(change.part.name()),
                None => lines.push((text, vec![change.part.name()])),
            }
        }
        let more = lines.len().saturating_sub(SHOWN);
        let lines = lines.into_iter().take(SHOWN);
        let lines = lines.map(|(text, parts)| format!("{service}: {}: {text}", parts.join(", ")));
        let more = (more > 0).then(|| format!("{service}: and {more} more"));
        lines.chain(more).collect()
    }

    fn json(&self) -> Value {
        let Claim { fingerprint, revision, created, .. } = self.claim;
        let change = |(service, change): &(String, Change)| {
            let mut value = json!(change);
            value["service"] = service.as_str().into();
            value
        };
        let parts: &[Part] = &self.why.parts;
        let mut answer = json!({
            "schema": 1,
            "service": self.service,
            "against": self.against,
            "published": { "fingerprint": fingerprint, "revision": revision, "created": created },
            "fingerprint": self.identity.as_ref().ok().map(|f| &f.whole),
            "changed": !self.same,
            "parts": parts,
            "changes": self.why.changes.iter().map(change).collect::<Vec<Value>>(),
            "notes": self.why.notes,
        });
        if let Err(reasons) = self.identity {
            answer["no-fingerprint"] = json!(reasons);
        }
        answer
    }
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}
