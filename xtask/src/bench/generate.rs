//! A monorepo for measuring: the same numbers give the same bytes. Pure.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// What a service's context holds in all unless said otherwise, in bytes.
pub const CONTEXT: usize = 1_000_000;
/// How often the context's text goes into the layer that a service makes, each time with other
/// digits, so that it compresses no better than random ones.
const COPIES: usize = 7;
/// Every so many services are built on by those that follow.
const FAMILY: usize = 10;

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Wanted {
    /// How many services; at least 1
    pub services: usize,
    /// How many files each context has besides its Dockerfile; at least 1, and 0 where nothing is
    /// generated
    pub files: usize,
    /// How many bytes these have in all
    pub bytes: usize,
    /// Another seed gives other content
    pub seed: u64,
    /// What the Dockerfiles start from
    pub base: Base,
}

/// What the Dockerfiles start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// 2 MB
    Busybox,
    /// 120 MB
    Debian,
}

/// The registry of the generated manifest; given another by `--registry` when it is used.
pub const REGISTRY: &str = "registry.invalid/generated";

/// All files, as paths relative to the repository's root and their bytes.
pub fn files(wanted: Wanted) -> impl Iterator<Item = (String, Vec<u8>)> {
    let ignored = (".gitignore".to_owned(), b"/target/\n".to_vec());
    let manifest = ("services/services.toml".to_owned(), manifest(wanted).into_bytes());
    let services = (0..wanted.services).flat_map(move |service| {
        let folder = format!("services/{}", name(service));
        let dockerfile = (format!("{folder}/Dockerfile"), dockerfile(wanted, service).into_bytes());
        let contents = (0..wanted.files).map(move |file| {
            let mut random = Random::new(wanted.seed, service, file);
            (path(service, file), random.text(wanted.bytes / wanted.files))
        });
        std::iter::once(dockerfile).chain(contents)
    });
    [ignored, manifest].into_iter().chain(services)
}

/// The first file of a service that nothing builds on, with other content for each number.
pub fn edited(wanted: Wanted, number: u64) -> (String, Vec<u8>) {
    let leaf = (0..wanted.services).rev().find(|service| !service.is_multiple_of(FAMILY));
    edited_of(wanted, leaf.unwrap_or_default(), number)
}

/// The same of the service that most others build on.
pub fn edited_base(wanted: Wanted, number: u64) -> (String, Vec<u8>) {
    edited_of(wanted, 0, number)
}

fn edited_of(wanted: Wanted, service: usize, number: u64) -> (String, Vec<u8>) {
    let seed = wanted.seed.wrapping_add(number).wrapping_add(1 << 32);
    (path(service, 0), Random::new(seed, service, 0).text(wanted.bytes / wanted.files))
}

fn path(service: usize, file: usize) -> String {
    format!("services/{}/src/file{file:04}.txt", name(service))
}

/// `service0007`
fn name(service: usize) -> String {
    format!("service{service:04}")
}

/// The service that one builds on: the first of its family, which builds on that of the family
/// before, three levels deep at most.
fn parent(service: usize) -> Option<usize> {
    let (family, first) = (service / FAMILY, service.is_multiple_of(FAMILY));
    match (first, family % 3) {
        (false, _) if service.is_multiple_of(2) => Some(family * FAMILY),
        (true, 1 | 2) => Some((family - 1) * FAMILY),
        _ => None,
    }
}

fn manifest(wanted: Wanted) -> String {
    let (base, recipe) = match wanted.base {
        Base::Busybox => (
            "busybox:debian",
            r#"{ debian = "trixie", variant = "extract", include = ["busybox-static"] }"#,
        ),
        Base::Debian => ("debian:trixie-slim", r#"{ debian = "trixie" }"#),
    };
    let mut text = format!(
        "[project]\nname = \"generated\"\nregistry = \"{REGISTRY}\"\n\n\
         [bases.\"{base}\"]\nbootstrap = {recipe}\n\n"
    );
    for service in 0..wanted.services {
        // Writing to a string cannot fail.
        writeln!(text, "[services.{}]", name(service)).ok();
    }
    text
}

/// Two stages and three RUN; a layer of some megabytes that the same context always gives.
fn dockerfile(wanted: Wanted, service: usize) -> String {
    let from = match (parent(service), wanted.base) {
        (Some(parent), _) => format!("{REGISTRY}/{}", name(parent)),
        (None, Base::Busybox) => "busybox:debian".to_owned(),
        (None, Base::Debian) => "debian:trixie-slim".to_owned(),
    };
    let digits = "0123456789abcdef";
    let rotated: Vec<String> =
        (1..=COPIES).map(|by| format!("{}{}", &digits[by..], &digits[..by])).collect();
    format!(
        "FROM {from} AS build\n\
         RUN echo {seed}-{service} > /seed\n\
         COPY src /src\n\
         RUN for to in {to}; do cat /src/* | tr {digits} $to; done > /blob\n\n\
         FROM {from}\n\
         COPY --from=build /seed /blob /opt/{service}/\n\
         COPY src /opt/{service}/src\n\
         RUN sha256sum /opt/{service}/blob > /opt/{service}/sum\n",
        seed = wanted.seed,
        to = rotated.join(" "),
    )
}

/// xorshift: the same everywhere, and no dependency.
struct Random(u64);

impl Random {
    fn new(seed: u64, service: usize, file: usize) -> Self {
        let mixed = seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add((service as u64) << 32)
            .wrapping_add(file as u64 + 1);
        let mut random = Self(mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) | 1);
        for _ in 0..4 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Lines of hex digits, so many bytes.
    fn text(&mut self, length: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(length + 17);
        while text.len() < length {
            text.extend(format!("{:016x}\n", self.next()).bytes());
        }
        text.truncate(length);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::plan::dockerfile::{self, Question};
    use crate::plan::graph::{Graph, needs};
    use std::collections::BTreeMap;

    const WANTED: Wanted =
        Wanted { services: 25, files: 3, bytes: CONTEXT, seed: 1, base: Base::Busybox };

    #[test]
    fn the_same_numbers_give_the_same_bytes() {
        let all = |wanted| files(wanted).collect::<Vec<_>>();
        assert_eq!(all(WANTED), all(WANTED));
        assert_ne!(all(WANTED), all(Wanted { seed: 2, ..WANTED }));
        let of_first: Vec<usize> = files(WANTED)
            .filter(|(path, _)| path.contains("0000/src"))
            .map(|(_, b)| b.len())
            .collect();
        assert_eq!(of_first, [CONTEXT / 3; 3]);
    }

    #[test]
    fn an_edit_is_of_a_leaf_and_another_each_time() {
        let all: BTreeMap<_, _> = files(WANTED).collect();
        let (path, first) = edited(WANTED, 1);
        assert_eq!(path, "services/service0024/src/file0000.txt");
        assert_eq!(first.len(), all[&path].len());
        assert!(first != all[&path] && first != edited(WANTED, 2).1);
        let leaf = |services| edited(Wanted { services, ..WANTED }, 1).0;
        assert!(leaf(21).contains("service0019"));
        assert!(leaf(1).contains("service0000"));
    }

    /// The manifest and what the Dockerfiles say of their services, as the program reads them.
    fn graph(services: usize) -> Graph {
        let wanted = Wanted { services, ..WANTED };
        let loaded = manifest::parse("services/services.toml", &manifest(wanted)).unwrap();
        let on = (0..services).map(|service| {
            let parsed = dockerfile::parse(&dockerfile(wanted, service));
            let question = Question {
                args: &BTreeMap::new(),
                target: None,
                contexts: &[],
                platforms: &["linux/amd64".to_owned()],
            };
            let reads = dockerfile::reads(&parsed, &question).unwrap();
            assert!(reads.unclear.is_empty());
            let needs = needs(&loaded.manifest, &name(service), &reads.references).unwrap();
            (name(service), needs.services.into_values().collect())
        });
        Graph::new(on.collect()).unwrap()
    }

    #[test]
    fn services_build_on_each_other_in_a_few_levels() {
        for (services, depth) in [(1, 1), (20, 3), (1000, 4)] {
            let all = (0..services).map(name).collect();
            let levels: Vec<usize> = graph(services).levels(&all).iter().map(Vec::len).collect();
            assert_eq!(levels.len(), depth, "{levels:?}");
            assert_eq!(levels.iter().sum::<usize>(), services);
            assert!(levels[0] * 3 > services, "{levels:?}");
        }
    }
}
