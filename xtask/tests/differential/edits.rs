//! The edits, and which comes next.

use super::random::Random;
use super::shop::{ALL, Shop};
use super::site::Site;
use super::{files, recipes};
use std::collections::BTreeSet;

/// A kind of edit.
#[derive(Clone, Copy)]
pub struct Edit {
    pub name: &'static str,
    /// Whether it aims at what the fingerprint could wrongly leave out
    pub aimed: bool,
    change: Change,
}

#[derive(Clone, Copy)]
enum Change {
    Files(files::Edit),
    Uncached(files::Edit),
    Recipe(recipes::Edit),
}

/// Edits in a random order, each as often as the others of its sort.
pub struct Deck {
    aimed: Vec<Edit>,
    other: Vec<Edit>,
    random: Random,
}

impl Deck {
    pub fn new(seed: u64) -> Self {
        Self { aimed: Vec::new(), other: Vec::new(), random: Random::new(seed) }
    }

    /// Makes the next edit that fits, and gives the services that may be others now. What does not
    /// fit waits for another repository.
    pub fn deal(&mut self, shop: &mut Shop) -> (Edit, BTreeSet<usize>) {
        if self.random.chance(2)
            && let Some(touched) = without_group_bits(shop)
        {
            return (BACK, touched);
        }
        // More than half are aimed.
        let aimed = self.random.below(8) < 5;
        let cards = if aimed { &mut self.aimed } else { &mut self.other };
        loop {
            let dealt = (0..cards.len()).rev().find_map(|at| Some((at, cards[at].apply(shop)?)));
            if let Some((at, touched)) = dealt {
                return (cards.remove(at), touched);
            }
            let mut fresh = all(aimed);
            self.random.shuffle(&mut fresh);
            cards.extend(fresh);
        }
    }
}

const BACK: Edit = Edit {
    name: "bits of umask 022 again",
    aimed: false,
    change: Change::Recipe(|shop, _| without_group_bits(shop)),
};

/// In all that services are sent.
fn without_group_bits(shop: &mut Shop) -> Option<BTreeSet<usize>> {
    let root = shop.repository.root();
    let back = |folder: &str| files::without_group_bits(&Site::new(root.join(folder))).is_some();
    let folders: Vec<&str> = ["shared", "other"].into_iter().filter(|f| back(f)).collect();
    let recipes = shop.recipes.iter().enumerate();
    let touched = recipes.filter(|(_, recipe)| {
        recipe.entry.folder.is_some_and(|folder| folders.contains(&folder))
            || (recipe.context != ALL && back(&recipe.context))
    });
    let touched: BTreeSet<usize> = touched.map(|(number, _)| number).collect();
    (!touched.is_empty()).then(|| shop.with_dependants(touched))
}

fn all(aimed: bool) -> Vec<Edit> {
    let (files, recipes) = match aimed {
        true => (&files::AIMED[..], &recipes::AIMED[..]),
        false => (&files::OTHER[..], &recipes::OTHER[..]),
    };
    let uncached = if aimed { &files::UNCACHED[..] } else { &[] };
    let uncached = uncached.iter().map(|(name, edit)| (*name, Change::Uncached(*edit)));
    let files = files.iter().map(|(name, edit)| (*name, Change::Files(*edit)));
    let recipes = recipes.iter().map(|(name, edit)| (*name, Change::Recipe(*edit)));
    files
        .chain(recipes)
        .chain(uncached)
        .map(|(name, change)| Edit { name, aimed, change })
        .collect()
}

impl Edit {
    /// Makes the edit, and gives the services that may be others now. Nothing where it fits none.
    fn apply(&self, shop: &mut Shop) -> Option<BTreeSet<usize>> {
        let mut order: Vec<usize> = (0..shop.recipes.len()).collect();
        shop.random.shuffle(&mut order);
        let touched = order.into_iter().find_map(|at| match self.change {
            Change::Uncached(_) if !shop.is_anew() => None,
            Change::Files(edit) | Change::Uncached(edit) => in_files(shop, at, edit, self.aimed),
            Change::Recipe(edit) => edit(shop, at),
        })?;
        shop.write();
        Some(shop.with_dependants(touched))
    }
}

/// In the context of a service, or in the folder that services share. What is aimed goes where all is
/// looked at.
fn in_files(shop: &mut Shop, at: usize, edit: files::Edit, aimed: bool) -> Option<BTreeSet<usize>> {
    let (recipe, root) = (&shop.recipes[at], shop.repository.root());
    let folder = recipe.entry.folder.filter(|_| recipe.reads_folder() || !aimed);
    if let Some(folder) = folder.filter(|_| shop.random.chance(4)) {
        edit(&Site::new(root.join(folder)), &mut shop.random)?;
        let shares = |number: &usize| shop.recipes[*number].entry.folder == Some(folder);
        return Some((0..shop.recipes.len()).filter(shares).collect());
    }
    if recipe.context == ALL || (aimed && !recipe.reads_all()) {
        return None;
    }
    let site = Site::new(root.join(&recipe.context));
    edit(&site, &mut shop.random).map(|()| [at].into())
}
