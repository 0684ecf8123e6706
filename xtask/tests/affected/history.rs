//! A random history: what `affected` says is where fingerprints differ.

use super::support::{Repository, long};
use std::collections::{BTreeMap, BTreeSet};

/// `XTASK_CASES` and `XTASK_SEED` say how many commits, and which.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn affected_agrees_with_fingerprints() {
    let commits = number("XTASK_CASES", if long() { 200 } else { 40 });
    let mut history = History::new(number("XTASK_SEED", 1));
    let mut prints = vec![history.prints()];
    let (mut affected, mut compared, mut kinds) = (0, 0, BTreeSet::new());
    for commit in 1..=commits {
        let edits: Vec<String> = (0..1 + history.below(3)).map(|_| history.edit()).collect();
        history.commit();
        prints.push(history.prints());
        let back = 1 + history.below(commit.min(12));
        let (then, now) = (&prints[(commit - back) as usize], &prints[commit as usize]);
        let differ = |(service, print): &(&String, &Option<String>)| {
            print.is_none() || then.get(*service) != Some(*print)
        };
        let expected: BTreeSet<String> =
            now.iter().filter(differ).map(|(service, _)| service.clone()).collect();
        let found = history.affected(back);
        assert_eq!(found, expected, "commit {commit}, {back} back, after {edits:?}");
        affected += found.len();
        compared += now.len();
        kinds.extend(edits.iter().map(|edit| edit.split(' ').next().unwrap().to_owned()));
    }
    println!("{commits} commits, {affected} of {compared} services affected, by {kinds:?}");
    assert!(affected * 5 > compared && affected * 10 < compared * 9, "{affected} of {compared}");
}

const REGISTRY: &str = "127.0.0.1:1/owner/shop";

/// A repository, and what its manifest says.
struct History {
    repository: Repository,
    random: u64,
    /// More lines of a service's table
    settings: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    more: bool,
}

impl History {
    /// `web` and `api` build on `base`, `app` on `web`; `tool` has a named context; `flat` has its
    /// Dockerfile outside of its context.
    fn new(seed: u64) -> Self {
        let from = |service: &str| format!("FROM {REGISTRY}/{service}\nCOPY . /\n");
        let repository = Repository::new(&[
            ("services/base/Dockerfile", "FROM scratch\nCOPY . /\n"),
            ("services/web/Dockerfile", &from("base")),
            ("services/api/Dockerfile", &from("base")),
            ("services/app/Dockerfile", &from("web")),
            (
                "services/tool/Dockerfile",
                "FROM scratch\nCOPY --from=shared . /\nCOPY --from=image /x /\n",
            ),
            ("docker/flat.Dockerfile", "FROM scratch\nCOPY . /\n"),
            ("services/flat/keep", "a\n"),
            ("shared/keep", "a\n"),
            ("README.md", "a\n"),
        ]);
        let random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut history = Self { repository, random, settings: BTreeMap::new(), more: false };
        history.set("tool", "contexts.shared", "\"shared\"".into());
        history.set("tool", "contexts.image", image(0));
        history.set("flat", "dockerfile", "\"docker/flat.Dockerfile\"".into());
        history.commit();
        history
    }

    /// xorshift: the same everywhere, and no dependency.
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % limit
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn set(&mut self, service: &'static str, key: &'static str, value: String) {
        self.settings.entry(service).or_default().insert(key, value);
    }

    fn write_manifest(&self) {
        let mut text = format!("[project]\nname = \"shop\"\nregistry = \"{REGISTRY}\"\n");
        for service in ["base", "web", "api", "app", "tool", "flat"] {
            text.push_str(&format!("[services.{service}]\n"));
            for (key, value) in self.settings.get(service).into_iter().flatten() {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        if self.more {
            text.push_str("[services.more]\ncontext = \"services/web\"\n");
        }
        self.repository.write("services/services.toml", &text);
    }

    fn commit(&self) {
        self.write_manifest();
        self.repository.commit("edit");
        // Folders that git does not store.
        self.repository.git(&["clean", "-ffdxq"]);
    }

    fn prints(&self) -> BTreeMap<String, Option<String>> {
        let json = self.repository.xtask(&["fingerprint", "--json"]).run().success().json();
        let services = json["services"].as_array().unwrap().iter();
        let print = |service: &serde_json::Value| {
            let name = service["service"].as_str().unwrap().to_owned();
            (name, service["fingerprint"].as_str().map(str::to_owned))
        };
        services.map(print).collect()
    }

    fn affected(&self, back: u64) -> BTreeSet<String> {
        let args = ["affected", "--json", "--since", &format!("HEAD~{back}")];
        let json = self.repository.xtask(&args).run().success().json();
        let services = json["services"].as_array().unwrap().iter();
        services.map(|service| service["service"].as_str().unwrap().to_owned()).collect()
    }

    /// Does something, and tells what.
    fn edit(&mut self) -> String {
        let service = self.one_of(&["base", "web", "api", "app", "tool", "flat"]);
        let file = self.one_of(&["a", "b", "src/c", "src/deep/d", "docs/README.md", "ü e"]);
        let path =
            self.one_of(&[format!("services/{service}/{file}").as_str(), "shared/a"]).to_owned();
        let full = self.repository.root().join(&path);
        let text = format!("{}\n", self.below(4));
        let what = match self.below(16) {
            0..=2 => {
                std::fs::remove_file(&full).ok();
                self.repository.write(&path, &text);
                "content"
            }
            3 => {
                std::fs::remove_file(&full).ok();
                "remove"
            }
            4 if full.exists() => {
                let to = self.one_of(&["b", "src/f", "docs/README.md"]);
                let to = self.repository.root().join(format!("services/{service}/{to}"));
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::rename(&full, to).ok();
                "rename"
            }
            #[cfg(unix)]
            5 if full.is_file() && !full.is_symlink() => {
                let mode =
                    std::os::unix::fs::PermissionsExt::from_mode(self.one_of(&[0o644, 0o755]));
                std::fs::set_permissions(&full, mode).unwrap();
                "mode"
            }
            #[cfg(unix)]
            6 => {
                let (to, link) =
                    (self.one_of(&["a", "nowhere", "/etc"]), format!("services/{service}/link"));
                std::fs::remove_file(self.repository.root().join(&link)).ok();
                std::os::unix::fs::symlink(to, self.repository.root().join(link)).unwrap();
                "link"
            }
            7 => {
                let rules = [
                    "",
                    "docs\n",
                    "**/README.md\n",
                    "*\n!src\n",
                    "src/**\n!src/deep/d\n",
                    "b\n.dockerignore\n",
                ];
                let rules = self.one_of(&rules);
                let file = self.one_of(&[
                    "services/web/.dockerignore",
                    "services/api/.dockerignore",
                    "services/flat/.dockerignore",
                    "docker/flat.Dockerfile.dockerignore",
                    "shared/.dockerignore",
                ]);
                self.repository.write(file, rules);
                "rules"
            }
            8 => {
                let count = self.below(3);
                self.set(service, "args", format!("{{ LEVEL = \"{count}\" }}"));
                "args"
            }
            9 => {
                let epoch = self.below(3);
                self.set(service, "epoch", epoch.to_string());
                "epoch"
            }
            10 => {
                let number = self.below(3);
                self.set("tool", "contexts.image", image(number));
                "image"
            }
            11 => {
                let from = self.one_of(&[
                    "FROM scratch",
                    "# syntax=docker/dockerfile:1\nFROM scratch",
                    "FROM 127.0.0.1:1/owner/shop/base",
                    "FROM 127.0.0.1:1/owner/shop/base:dev",
                ]);
                let service = self.one_of(&["web", "api"]);
                let text = format!("{from}\nCOPY . /\n");
                self.repository.write(&format!("services/{service}/Dockerfile"), &text);
                "dockerfile"
            }
            12 => {
                self.repository.write("README.md", &text);
                self.repository.write("services/README.md", &text);
                "outside"
            }
            13 => {
                self.more = !self.more;
                "service"
            }
            14 => {
                let platform = self.one_of(&["linux/amd64", "linux/arm64"]);
                self.set(service, "platforms", format!("[\"{platform}\"]"));
                "platforms"
            }
            _ => {
                let folder = self.one_of(&["services/flat", "shared"]);
                self.set("flat", "context", format!("\"{folder}\""));
                "context"
            }
        };
        format!("{what} {path}")
    }
}

fn image(number: u64) -> String {
    format!("\"docker-image://x@sha256:{number:064}\"")
}
