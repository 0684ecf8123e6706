//! Edits of what a `RUN` can see besides files, where one looks at it.

use super::recipe::Entry;
use super::shop::Shop;
use super::steps::{SECRETS, Step, Surroundings};
use std::collections::BTreeSet;

/// Another value of what a `RUN` looks at.
fn surroundings<T: Copy + PartialEq>(
    shop: &mut Shop,
    at: usize,
    looks: fn(&Surroundings) -> bool,
    values: [Option<T>; 3],
    value: fn(&mut Entry) -> &mut Option<T>,
) -> Option<BTreeSet<usize>> {
    let recipe = &mut shop.recipes[at];
    recipe.has(|step| matches!(step, Step::Look(what) if looks(what))).then_some(())?;
    let now = value(&mut recipe.entry);
    let others: Vec<Option<T>> = values.into_iter().filter(|value| value != now).collect();
    *now = shop.random.pick(&others);
    Some([at].into())
}

pub fn network(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let values = [None, Some("none"), Some("none")];
    surroundings(shop, at, |what| *what == Surroundings::Network, values, |e| &mut e.network)
}

pub fn host(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let values = [None, Some("10.0.0.1"), Some("10.0.0.2")];
    surroundings(shop, at, |what| *what == Surroundings::Hosts, values, |e| &mut e.host)
}

pub fn shm_size(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let values = [None, Some("32m"), Some("128m")];
    surroundings(shop, at, |what| *what == Surroundings::SharedMemory, values, |e| &mut e.shm_size)
}

pub fn secret(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let values = [None, Some(SECRETS[0]), Some(SECRETS[0])];
    shop.is_anew().then_some(())?;
    let looks = |what: &Surroundings| matches!(what, Surroundings::Secret(_));
    surroundings(shop, at, looks, values, |e| &mut e.secret)
}
