//! What the program knows of a repository at a moment: its fingerprints, and what they are made of.

use super::shop::{Shop, ignore_files};
use super::site::Site;
use super::world::world;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use xtask::context::facts::World;
use xtask::plan::fingerprint::{Identity, Part, Record, identify, records};

/// One repository between two edits.
pub struct Snapshot {
    pub shop: usize,
    pub step: usize,
    /// The edit before it
    pub edit: &'static str,
    /// In an order in which each builds on those before it
    pub services: Vec<State>,
}

/// One service of it.
pub struct State {
    pub service: String,
    pub identity: Identity,
    pub parts: BTreeMap<Part, Vec<Record<'static>>>,
    pub seen: Seen,
    /// What BuildKit made of it, if it was asked
    pub image: Option<String>,
    pub all_cached: bool,
}

/// What a wrong fingerprint might look at.
#[derive(Clone, Default)]
pub struct Seen {
    pub dockerfile: String,
    /// The files beside the Dockerfile and in the context that say what is left out
    pub rules: [Option<String>; 2],
    /// Everything in the context, whatever is left out
    pub context: Vec<Record<'static>>,
    /// Size and time of files
    pub times: BTreeMap<String, String>,
    /// Paths in git's index, relative to the context
    pub tracked: BTreeSet<String>,
    /// What a link leads to
    pub followed: BTreeMap<String, String>,
    /// Services that a `FROM` names, as they are named
    pub from: BTreeSet<String>,
}

/// How a repository is read.
pub struct Reading {
    pub world: World,
    pub snapshot: Snapshot,
    pub by_index: usize,
    pub by_bytes: usize,
}

/// Reads a repository as `cargo xtask fingerprint` does.
pub fn read(shop: &Shop, step: usize, edit: &'static str) -> Reading {
    let world = world(shop.repository.root());
    let facts = &world.facts;
    let all: BTreeSet<String> = facts.manifest.services.keys().cloned().collect();
    let identities = identify(facts, &all);
    let services = facts.graph.levels(&all).into_iter().flatten();
    let services = services.map(|service| {
        let records = records(facts, &service, &identities);
        State {
            identity: identities[&service].clone(),
            parts: records.parts.into_iter().map(|(part, all)| (part, owned(all))).collect(),
            seen: seen(shop, &service),
            image: None,
            all_cached: false,
            service,
        }
    });
    let services = services.collect();
    let trees = facts.inputs.values().filter_map(|inputs| inputs.context.as_ref().ok());
    let told = trees.map(|tree| tree.told);
    let (by_index, by_bytes) =
        told.fold((0, 0), |sum, told| (sum.0 + told.by_index, sum.1 + told.by_bytes));
    let snapshot = Snapshot { shop: shop.number, step, edit, services };
    Reading { snapshot, by_index, by_bytes, world }
}

fn owned(records: Vec<Record>) -> Vec<Record<'static>> {
    let own = |record: Record| Record {
        kind: record.kind,
        fields: record.fields.into_iter().map(|field| Cow::Owned(field.into_owned())).collect(),
    };
    records.into_iter().map(own).collect()
}

fn seen(shop: &Shop, service: &str) -> Seen {
    let recipe = shop.recipes.iter().find(|recipe| recipe.name == service).expect("a recipe");
    let root = shop.repository.root();
    let text = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let site = Site::new(root.join(&recipe.context));
    let mut seen = Seen {
        dockerfile: text(&recipe.dockerfile).unwrap_or_default(),
        rules: ignore_files(recipe).map(|path| text(&path)),
        ..Seen::default()
    };
    for path in site.everything() {
        let meta = site.meta(&path);
        let content = match std::fs::read_link(site.path(&path)) {
            Ok(link) => link.display().to_string(),
            Err(_) if meta.is_dir() => String::new(),
            Err(_) => {
                let times = (meta.len(), meta.mtime(), meta.mtime_nsec());
                seen.times.insert(path.clone(), format!("{times:?}"));
                site.read(&path)
            }
        };
        if meta.is_symlink() {
            let end = std::fs::read_to_string(site.path(&path)).unwrap_or_default();
            seen.followed.insert(path.clone(), end);
        }
        let mode = if meta.is_symlink() { 0 } else { site.mode(&path) };
        let kind = if meta.is_dir() { "folder" } else { "other" };
        let fields = [path.into(), format!("{mode:o}").into(), content.into()];
        seen.context.push(Record::new(kind, fields));
    }
    let tracked = shop.repository.git(&["-c", "core.quotePath=false", "ls-files", "-z"]);
    let below = format!("{}/", recipe.context);
    let inside = tracked.split('\0').filter_map(|path| path.strip_prefix(&below));
    seen.tracked = inside.map(str::to_owned).collect();
    seen.from = froms(&seen.dockerfile);
    seen
}

/// What stands after `FROM`.
fn froms(dockerfile: &str) -> BTreeSet<String> {
    let lines = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM "));
    lines.filter_map(|rest| rest.split(' ').next()).map(str::to_owned).collect()
}
