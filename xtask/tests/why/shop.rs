//! A repository, and what is published of it in a registry in memory.

use super::registry;
use super::support::{Ran, Repository};
use relay::{Memory, Profile, Scripted};
use serde_json::json;
use std::collections::BTreeMap;
use xtask::docker::registry::oci::{digest_of, media};
use xtask::plan::claim::Claim;

pub const MANIFEST: &str = "services/services.toml";

/// A repository whose `web` builds on `base`, and what is published of it.
pub struct Shop {
    pub repository: Repository,
    pub place: String,
    pub revision: String,
    _server: Scripted,
}

impl Shop {
    pub fn new() -> Self {
        let memory = Memory::new(Profile::Distribution, digest_of);
        let server = Scripted::start(move |request| memory.answer(request).into()).unwrap();
        let place = format!("{}/shop", server.address());
        let manifest = format!(
            "[project]\nname = \"shop\"\nregistry = \"{place}\"\n[services.base]\n\
             [services.web]\nargs = {{ LEVEL = \"info\" }}\n[services.web.contexts]\nshared = \"shared\"\n\
             tool = \"docker-image://tool@sha256:{}\"\n[groups]\nall = [\"web\"]\n",
            "1".repeat(64)
        );
        let repository = Repository::new(&[
            ("services/services.toml", &manifest),
            ("services/base/Dockerfile", "FROM scratch\nCOPY . /\n"),
            ("services/base/src/a", "a\n"),
            (
                "services/web/Dockerfile",
                &format!(
                    "FROM {place}/base AS run\nCOPY . /\nCOPY --from=shared . /\nCOPY --from=tool /x /\n"
                ),
            ),
            ("services/web/.dockerignore", "README.md\n"),
            ("services/web/README.md", "read\n"),
            ("services/web/b", "b\n"),
            ("services/web/docs/c", "c\n"),
            ("shared/d", "d\n"),
        ]);
        let revision = repository.git(&["rev-parse", "HEAD"]);
        let shop = Self { repository, place, revision, _server: server };
        shop.publish(|_| {});
        shop
    }

    /// Publishes `web` of this tree as `dev`, with a claim that may be changed.
    pub fn publish(&self, change: impl FnOnce(&mut Claim)) {
        let json = self.call(&["fingerprint", "web", "--json"]).success().json();
        let service = &json["services"][0];
        let mut claim = Claim {
            fingerprint: service["fingerprint"].as_str().unwrap().to_owned(),
            parts: BTreeMap::new(),
            revision: Some(self.revision.clone()),
            created: Some("2026-01-01T00:00:00Z".into()),
            cache: None,
        };
        let empty = claim.annotations();
        let parts = service["parts"].as_object().unwrap().iter();
        let keys = parts.map(|(part, digest)| {
            (
                format!("{}.{part}", xtask::plan::claim::FINGERPRINT),
                digest.as_str().unwrap().to_owned(),
            )
        });
        claim = Claim::read(&empty.into_iter().chain(keys).collect()).unwrap();
        assert_eq!(claim.parts.len(), 5);
        change(&mut claim);
        self.put("dev", &claim.annotations());
    }

    pub fn put(&self, tag: &str, annotations: &BTreeMap<String, String>) {
        let index = json!({
            "schemaVersion": 2, "mediaType": media::INDEX, "manifests": [], "annotations": annotations
        });
        let reference = format!("{}/web:{tag}", self.place).parse().unwrap();
        let bytes = index.to_string().into_bytes();
        registry::client().put_manifest(&reference, media::INDEX, &bytes).unwrap();
    }

    pub fn call(&self, args: &[&str]) -> Ran {
        self.repository.xtask(args).run()
    }

    /// The lines after the first one, which names the parts.
    #[track_caller]
    pub fn why(&self, parts: &str) -> Vec<String> {
        let words = self.call(&["why", "web"]).success().stdout;
        let mut lines = words.lines().map(str::to_owned);
        let first = format!(
            "web: differs from `{}/web:dev` ({}) in {parts}",
            self.place,
            &self.revision[..7]
        );
        assert_eq!(lines.next().unwrap(), first, "{words}");
        lines.collect()
    }

    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.repository.root().join(path)).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        self.repository.write(path, &text.replace(from, to));
    }

    pub fn restore(&self) {
        self.repository.git(&["reset", "--quiet", "--hard", &self.revision]);
        self.repository.git(&["clean", "-ffdxq"]);
    }
}
