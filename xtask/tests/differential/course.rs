//! Repositories, edited again and again, and what BuildKit made of each.

use super::bases::Bases;
use super::edits::Deck;
use super::judge::{self, Order};
use super::random::Random;
use super::reading::{Reading, Snapshot, read};
use super::shop::Shop;
use std::collections::{BTreeMap, BTreeSet};

/// So many repositories are edited at the same time.
const SHOPS: usize = 10;
/// So many edits each sees.
const EDITS: usize = 20;

/// What was done, in numbers.
#[derive(Default)]
pub struct Tally {
    pub edits: usize,
    pub aimed: usize,
    pub built: usize,
    /// Images that are others than before
    pub images_changed: usize,
    pub fingerprints_changed: usize,
    /// Fingerprints that changed though all steps of the build were cached
    pub needless: usize,
    /// Of services without a fingerprint, or with one that nothing may be published under
    pub without: usize,
    /// Edits after which BuildKit built nothing
    pub refused: BTreeMap<&'static str, usize>,
    pub by_index: usize,
    pub by_bytes: usize,
    /// By the edit's name: how often, images changed, needless
    pub by_edit: BTreeMap<&'static str, [usize; 3]>,
}

/// A repository at work.
struct Place {
    shop: Shop,
    step: usize,
    edit: &'static str,
    touched: BTreeSet<usize>,
    /// What each service was when it was last built
    last: BTreeMap<String, (Option<String>, String)>,
}

/// All at work.
struct Course {
    seed: u64,
    places: Vec<Place>,
    started: usize,
    /// How many services there were: each is about something else
    turn: usize,
    deck: Deck,
    snapshots: Vec<Snapshot>,
}

/// One course: some two hundred edits.
pub fn run(seed: u64, tally: &mut Tally) -> Vec<Snapshot> {
    let deck = Deck::new(seed);
    let mut course = Course {
        seed,
        places: Vec::new(),
        started: 0,
        turn: seed as usize,
        deck,
        snapshots: Vec::new(),
    };
    for edit in 0..=EDITS {
        while course.places.len() < SHOPS {
            course.start();
        }
        course.edit(tally);
        course.build(edit == EDITS, tally);
    }
    println!("seed {seed}: {} edits so far, {} images built", tally.edits, tally.built);
    course.snapshots
}

impl Course {
    fn start(&mut self) {
        let number = self.started;
        self.started += 1;
        let random = Random::new(self.seed * 1000 + number as u64);
        let shop = Shop::new(number, self.turn, random, Bases::get());
        self.turn += shop.recipes.len();
        let touched = (0..shop.recipes.len()).collect();
        self.places.push(Place { shop, step: 0, edit: "", touched, last: BTreeMap::new() });
    }

    /// Edits all but the new ones.
    fn edit(&mut self, tally: &mut Tally) {
        for place in self.places.iter_mut().filter(|place| !place.last.is_empty()) {
            place.step += 1;
            if place.shop.random.chance(3) {
                let index = ["update-index", "--force-write-index", "-q", "--refresh"];
                place.shop.repository.git(&["add", "--all"]);
                place.shop.repository.git(&index);
            }
            let (edit, touched) = self.deck.deal(&mut place.shop);
            (place.edit, place.touched) = (edit.name, touched);
            tally.edits += 1;
            tally.aimed += usize::from(edit.aimed);
            tally.by_edit.entry(edit.name).or_default()[0] += 1;
        }
    }

    /// Builds what may be another image now; in the end all.
    fn build(&mut self, all: bool, tally: &mut Tally) {
        let mut readings = read_all(&self.places);
        let orders: Vec<Order> = self
            .places
            .iter()
            .zip(&readings)
            .map(|(place, reading)| Order {
                shop: place.shop.number,
                world: &reading.world,
                services: place.services(all),
                anew: place.shop.is_anew(),
            })
            .collect();
        let mut verdict = judge::build(&orders);
        drop(orders);
        for (place, reading) in self.places.iter_mut().zip(&mut readings) {
            tally.by_index += reading.by_index;
            tally.by_bytes += reading.by_bytes;
            for state in &mut reading.snapshot.services {
                let key = (place.shop.number, state.service.clone());
                let Some(built) = verdict.built.remove(&key) else { continue };
                state.all_cached = built.all_cached;
                state.image = Some(built.image);
            }
            place.compare(&reading.snapshot, tally);
        }
        for (shop, said) in &verdict.refused {
            let place = self.places.iter().find(|place| place.shop.number == *shop);
            let edit = place.map_or("", |place| place.edit);
            *tally.refused.entry(edit).or_default() += 1;
            println!("seed {}, repository {shop}, after `{edit}`: {said}", self.seed);
        }
        self.places.retain(|place| !verdict.refused.contains_key(&place.shop.number));
        self.snapshots.extend(readings.into_iter().map(|reading| reading.snapshot));
    }
}

/// Reads all, on two threads.
fn read_all(places: &[Place]) -> Vec<Reading> {
    let half = places.len().div_ceil(2);
    let read = |places: &[Place]| -> Vec<Reading> {
        places.iter().map(|place| read(&place.shop, place.step, place.edit)).collect()
    };
    std::thread::scope(|scope| {
        let halves: Vec<_> =
            places.chunks(half).map(|part| scope.spawn(move || read(part))).collect();
        halves.into_iter().flat_map(|half| half.join().expect("reading")).collect()
    })
}

impl Place {
    fn services(&self, all: bool) -> BTreeSet<String> {
        let recipes = self.shop.recipes.iter().enumerate();
        let chosen = recipes.filter(|(number, _)| all || self.touched.contains(number));
        chosen.map(|(_, recipe)| recipe.name.to_owned()).collect()
    }

    /// Counts what changed since each service was last built.
    fn compare(&mut self, snapshot: &Snapshot, tally: &mut Tally) {
        for state in &snapshot.services {
            let Some(image) = &state.image else { continue };
            tally.built += 1;
            let print = state.identity.as_ref().ok().filter(|known| known.no_claim.is_empty());
            tally.without += usize::from(print.is_none());
            let now = (print.map(|print| print.whole.clone()), image.clone());
            let Some(before) = self.last.insert(state.service.clone(), now.clone()) else {
                continue;
            };
            let image_changed = before.1 != now.1;
            let print_changed = before.0 != now.0;
            let needless = print_changed && state.all_cached && !self.shop.is_anew();
            tally.images_changed += usize::from(image_changed);
            tally.fingerprints_changed += usize::from(print_changed);
            tally.needless += usize::from(needless);
            let of_edit = tally.by_edit.entry(self.edit).or_default();
            of_edit[1] += usize::from(image_changed);
            of_edit[2] += usize::from(needless);
        }
    }
}
