//! Layers of what an image builds on are linked into its repository before it is pushed.
//!
//! Images that are pushed side by side each upload the base that they share: the engine only mounts
//! blobs from a repository that it has pushed to before (measured with 20 services on a base of 30 MB:
//! 444 MB instead of 208 MB). Best effort: what cannot be linked is uploaded.

use super::bake::Definition;
use super::registry::{Answer, AtOnce, Fetched, Reference, Registry};
use std::collections::{BTreeMap, BTreeSet};

/// How many connections are used.
const THREADS: usize = 8;

/// Digests that stand in repositories now (`<host>/<name>`) since they were linked.
pub type Linked = BTreeMap<String, BTreeSet<String>>;

/// Links them for the default targets of a definition, and gives what was linked.
pub fn link(registry: &Registry, definition: &Definition) -> Linked {
    let wanted = wanted(definition);
    let images: BTreeSet<&Reference> = wanted.iter().map(|(_, image)| image).collect();
    let layers: BTreeMap<&Reference, Vec<String>> =
        images.into_iter().map(|image| (image, layers(registry, image))).collect();
    let links: Vec<(Reference, Reference, String)> = wanted
        .iter()
        .flat_map(|(to, image)| {
            let layers = layers.get(image).into_iter().flatten();
            layers.map(|layer| (to.clone(), image.clone(), layer.clone()))
        })
        .collect();
    let at_once = AtOnce { threads: THREADS, within: None };
    let asked = links.clone();
    let answers = registry.for_each(links, at_once, |registry, (to, image, layer)| {
        registry.mount_blob(to, layer, image).map(Some).into()
    });
    let mut linked = Linked::new();
    for ((to, _, layer), answer) in asked.into_iter().zip(answers) {
        if answer.found().is_some_and(|is_there| is_there) {
            linked.entry(format!("{}/{}", to.host(), to.name())).or_default().insert(layer);
        }
    }
    linked
}

/// Which repositories are pushed to, and the images on the same registry that they build on.
fn wanted(definition: &Definition) -> BTreeSet<(Reference, Reference)> {
    let targets = definition.default_targets().iter().filter_map(|t| definition.target.get(t));
    let pairs = targets.flat_map(|target| {
        let to = target.tags.first().and_then(|tag| tag.parse::<Reference>().ok());
        let images =
            target.contexts.values().filter_map(|value| value.strip_prefix("docker-image://"));
        let images = images.filter_map(|image| image.parse::<Reference>().ok());
        images.filter_map(move |image| Some((to.clone()?, image)))
    });
    pairs.filter(|(to, image)| to.host() == image.host() && to.name() != image.name()).collect()
}

/// The layers of an image, for all its platforms.
fn layers(registry: &Registry, image: &Reference) -> Vec<String> {
    let Answer::Found(fetched) = registry.get_manifest(image) else { return Vec::new() };
    let manifests: Vec<Fetched> = if fetched.is_index() {
        let entries = fetched.index().map(|index| index.manifests).unwrap_or_default();
        let images = entries.into_iter().filter(|entry| !entry.is_attestation());
        let references = images.filter_map(|entry| image.with_digest(&entry.digest).ok());
        references.filter_map(|reference| registry.get_manifest(&reference).found()).collect()
    } else {
        vec![fetched]
    };
    let layers = manifests.iter().filter_map(|m| m.manifest().ok()).flat_map(|m| m.layers);
    layers.map(|layer| layer.digest).collect()
}
