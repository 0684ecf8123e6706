//! Edits of Dockerfiles, of the manifest, of ignore rules and of external images. Each tells which
//! services it is about; nothing where it does not fit.

use super::random::Random;
use super::recipe::{Recipe, Second, Source, Start};
use super::shop::{Shop, ignore_files};
use super::site::Site;
use super::steps::{ARGS, Step};
use super::surroundings;
use super::unseen;
use std::collections::BTreeSet;

/// An edit of a service.
pub type Edit = fn(&mut Shop, usize) -> Option<BTreeSet<usize>>;

/// What the fingerprint could wrongly leave out.
pub const AIMED: [(&str, Edit); 30] = [
    ("a heredoc of COPY", |shop, at| step(shop, at, heredoc)),
    ("a heredoc of RUN", |shop, at| step(shop, at, script)),
    ("a default of an argument", |shop, at| step(shop, at, default)),
    ("an argument of the manifest", argument),
    ("the argument before FROM", global),
    ("the target", target),
    ("a label", label),
    ("the description", description),
    ("the project's source", project_source),
    ("another named context", folder),
    ("a file of a named context", file_of_folder),
    ("a file that is only mounted", mounted),
    ("a service that is copied from", copied_from),
    ("the network", surroundings::network),
    ("a host", surroundings::host),
    ("the size of shared memory", surroundings::shm_size),
    ("the id of a secret", surroundings::secret),
    ("a base's tag moved", |shop, _| base_moved(shop, 0)),
    ("another image's tag moved", |shop, _| base_moved(shop, 1)),
    ("what it starts from", start),
    ("what COPY takes", |shop, at| step(shop, at, pattern)),
    ("a line", |shop, at| step(shop, at, line)),
    ("ignore rules in another order", unseen::rules_reversed),
    ("a rule that takes back", unseen::rule_back),
    ("ignore rules beside the Dockerfile", unseen::rules_beside),
    ("an ignore rule", unseen::rule_added),
    ("a file that ignore rules are about", unseen::ruled),
    ("a file that git was told not to look at", unseen::assumed),
    ("a file written as git looked at it", unseen::racy),
    ("line ends that git converts", unseen::converted),
];

/// Any other.
pub const OTHER: [(&str, Edit); 8] = [
    ("a comment", comment),
    ("the epoch", epoch),
    ("a new step", new_step),
    ("a step removed", step_removed),
    ("steps in another order", steps_swapped),
    ("the Dockerfile elsewhere", dockerfile_moved),
    ("a file outside of all contexts", outside),
    ("git's index", committed),
];

fn changed(at: usize) -> Option<BTreeSet<usize>> {
    Some([at].into())
}

/// Changes one of the steps that a change is for.
fn step(
    shop: &mut Shop,
    at: usize,
    change: fn(&mut Step, &mut Random) -> bool,
) -> Option<BTreeSet<usize>> {
    let (recipes, random) = (&mut shop.recipes, &mut shop.random);
    let mut steps: Vec<&mut Step> = recipes[at].steps_mut().collect();
    random.shuffle(&mut steps);
    steps.into_iter().any(|step| change(step, random)).then(|| [at].into())
}

fn heredoc(step: &mut Step, random: &mut Random) -> bool {
    let Step::Heredoc(body) = step else { return false };
    *body = random.word();
    true
}

fn script(step: &mut Step, random: &mut Random) -> bool {
    let Step::Script(body) = step else { return false };
    *body = random.word();
    true
}

fn default(step: &mut Step, random: &mut Random) -> bool {
    let (Step::Env { default, .. } | Step::Echo { default, .. }) = step else { return false };
    *default = random.word();
    true
}

fn pattern(step: &mut Step, random: &mut Random) -> bool {
    let is_copy = matches!(step, Step::Copy { .. });
    if is_copy {
        *step = Step::copy(random);
    }
    is_copy
}

fn line(step: &mut Step, random: &mut Random) -> bool {
    let is_line = matches!(step, Step::Line(_));
    if is_line {
        *step = Step::line(random);
    }
    is_line
}

/// Of an argument that is used.
fn argument(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let (recipe, random) = (&mut shop.recipes[at], &mut shop.random);
    let uses = |name: &&&str| {
        recipe.has(
            |step| matches!(step, Step::Env { arg, .. } | Step::Echo { arg, .. } if arg == *name),
        )
    };
    let name = *ARGS.iter().find(uses)?;
    let there = recipe.entry.args.remove(name).is_some();
    if !there || !random.chance(4) {
        recipe.entry.args.insert(name.into(), random.word());
    }
    changed(at)
}

fn global(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    shop.recipes[at].has(|step| *step == Step::GlobalEnv).then_some(())?;
    shop.recipes[at].global = shop.random.word();
    changed(at)
}

fn target(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let recipe = &mut shop.recipes[at];
    (recipe.second != Second::None).then_some(())?;
    recipe.entry.target = match recipe.entry.target {
        Some("one") => shop.random.pick(&[None, Some("two")]),
        _ => Some("one"),
    };
    changed(at)
}

fn label(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let (name, value) = (shop.random.pick(&["x", "y"]), shop.random.word());
    shop.recipes[at].entry.labels.insert(name.into(), value);
    changed(at)
}

fn description(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    shop.recipes[at].entry.description = Some(shop.random.word());
    changed(at)
}

fn project_source(shop: &mut Shop, _at: usize) -> Option<BTreeSet<usize>> {
    shop.source = format!("https://example.invalid/{}", shop.random.word());
    Some((0..shop.recipes.len()).collect())
}

fn folder(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    shop.recipes[at].reads_folder().then_some(())?;
    let entry = &mut shop.recipes[at].entry;
    entry.folder = Some(if entry.folder? == "shared" { "other" } else { "shared" });
    changed(at)
}

fn file_of_folder(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let folder = shop.recipes[at].entry.folder.filter(|_| shop.recipes[at].reads_folder())?;
    shop.repository.write(&format!("{folder}/s"), &shop.random.word());
    let shares = |number: &usize| shop.recipes[*number].entry.folder == Some(folder);
    Some((0..shop.recipes.len()).filter(shares).collect())
}

fn mounted(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    shop.recipes[at].only_mounts().then_some(())?;
    let site = Site::new(shop.repository.root().join(&shop.recipes[at].context));
    let file = shop.random.any(&site.files())?;
    site.overwrite(&file, &shop.random.word());
    changed(at)
}

/// One that another service copies or mounts, and does not start from.
fn copied_from(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let reads = |recipe: &Recipe| {
        recipe.start != Start::Service(at)
            && recipe.has(|step| step.source() == Some(Source::Service(at)))
    };
    let recipe = &shop.recipes[at];
    (recipe.reads_all() && shop.recipes.iter().any(reads)).then_some(())?;
    let site = Site::new(shop.repository.root().join(&recipe.context));
    let file = shop.random.any(&site.files())?;
    site.overwrite(&file, &shop.random.word());
    changed(at)
}

fn base_moved(shop: &mut Shop, which: usize) -> Option<BTreeSet<usize>> {
    let reads = |number: &usize| shop.recipes[*number].reads_base(which);
    let touched: BTreeSet<usize> = (0..shop.recipes.len()).filter(reads).collect();
    if touched.is_empty() {
        return None;
    }
    shop.move_base(which);
    Some(touched)
}

/// Only where all that runs still finds a shell.
fn start(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let mut starts = vec![Start::Base(0), Start::Base(1)];
    let has_shell = |number: &usize| shop.has_shell(&shop.recipes[*number]);
    starts.extend((0..at).filter(has_shell).map(Start::Service));
    shop.recipes[at].start = shop.random.pick(&starts);
    changed(at)
}

fn comment(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    shop.recipes[at].comment = shop.random.word();
    changed(at)
}

fn epoch(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    shop.recipes[at].entry.epoch += 1;
    changed(at)
}

fn new_step(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let number = shop.number();
    let mut random = Random::new(shop.random.below(1_000_000) as u64);
    let recipe = &shop.recipes[at];
    let stage = usize::from(recipe.second != Second::None && random.chance(2));
    let step = shop.step(at, stage, recipe, shop.has_shell(recipe), &mut random);
    shop.recipes[at].steps[stage].push((number, step));
    changed(at)
}

fn step_removed(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let steps = &mut shop.recipes[at].steps[0];
    (steps.len() > 1).then(|| steps.remove(shop.random.below(steps.len())))?;
    changed(at)
}

fn steps_swapped(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let steps = &mut shop.recipes[at].steps[0];
    shop.random.shuffle(steps);
    changed(at)
}

fn dockerfile_moved(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let [beside, _] = ignore_files(&shop.recipes[at]);
    let site = Site::new(shop.repository.root().to_owned());
    let Recipe { dockerfile, name, .. } = &mut shop.recipes[at];
    let to = format!("docker/{name}{}", shop.random.below(10));
    if site.path(&beside).exists() || *dockerfile == to {
        return None;
    }
    site.rename(dockerfile, &to);
    *dockerfile = to;
    changed(at)
}

fn outside(shop: &mut Shop, _at: usize) -> Option<BTreeSet<usize>> {
    shop.repository.write("README.md", &shop.random.word());
    Some((0..shop.recipes.len()).collect())
}

fn committed(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    shop.repository.commit("again");
    changed(at)
}
