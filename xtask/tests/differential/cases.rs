//! Ways in which an image may change that random edits hardly find. BuildKit is the judge of each: that
//! the image is another one indeed, and then so is its fingerprint.

use super::judge::{self, Order};
use super::support::Repository;
use super::world::world;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use xtask::context::facts::World;
use xtask::plan::fingerprint::identify;

/// A repository whose service `web` becomes another image.
struct Case {
    name: &'static str,
    /// Of the manifest, after `[services.web]`
    keys: &'static str,
    dockerfile: &'static str,
    change: fn(&Repository),
}

const BASE: &str = "FROM scratch\nCOPY <<E /base\none\nE\nONBUILD ENV X=1\n";
const BASE_CHANGED: &str = "FROM scratch\nCOPY <<E /base\ntwo\nE\nONBUILD ENV X=1\n";
const COPY_ALL: &str = "FROM scratch\nCOPY . /\n";
const COPY_NAMED: &str = "FROM scratch\nCOPY --from=shared . /\n";
const NAMED: &str = "contexts = { shared = \"shared\" }";

const CASES: [Case; 24] = [
    Case {
        name: "a file of a named context",
        keys: NAMED,
        dockerfile: COPY_NAMED,
        change: |repository| repository.write("shared/a", "other"),
    },
    Case {
        name: "the ignore rules of a named context",
        keys: NAMED,
        dockerfile: "FROM scratch\nCOPY --from=shared [a-z]* /\n",
        change: |repository| repository.write("shared/.dockerignore", ".dockerignore\na"),
    },
    Case {
        name: "a named context in a stage's place",
        keys: "contexts = { one = \"shared\" }",
        dockerfile: "FROM scratch AS one\nFROM one\nCOPY a /\n",
        change: |repository| repository.write("shared/a", "other"),
    },
    Case {
        name: "a named context in a service's place",
        keys: "contexts = { \"shop.invalid/x/base\" = \"shared\" }",
        dockerfile: "FROM shop.invalid/x/base:latest\nCOPY a /\n",
        change: |repository| repository.write("shared/a", "other"),
    },
    Case {
        name: "a context that a link leads to",
        keys: "context = \"link\"\ndockerfile = \"services/web/Dockerfile\"",
        dockerfile: COPY_ALL,
        change: |repository| repository.write("shared/a", "other"),
    },
    Case {
        name: "a link that leads to a context, elsewhere",
        keys: "context = \"link\"\ndockerfile = \"services/web/Dockerfile\"",
        dockerfile: COPY_ALL,
        change: |repository| link(repository, "services/base"),
    },
    Case {
        name: "a folder of files that are taken back",
        keys: "dockerfile = \"back\"",
        dockerfile: COPY_ALL,
        change: |repository| chmod(repository, "services/web/src", 0o700),
    },
    Case {
        name: "a base that an argument names",
        keys: "",
        dockerfile: "ARG B=base\nFROM shop.invalid/x/$B\n",
        change: |repository| repository.write("services/base/Dockerfile", BASE_CHANGED),
    },
    Case {
        name: "an argument that names a base",
        keys: "args = { B = \"base\" }",
        dockerfile: "ARG B\nFROM shop.invalid/x/$B\n",
        change: |repository| {
            replace(repository, "services/services.toml", "\"base\" }", "\"other\" }");
        },
    },
    Case {
        name: "a trigger of a base",
        keys: "",
        dockerfile: "FROM shop.invalid/x/base\n",
        change: |repository| {
            repository.write("services/base/Dockerfile", &BASE.replace("X=1", "X=2"));
        },
    },
    Case {
        name: "a base of a stage that is copied from by its number",
        keys: "",
        dockerfile: "FROM shop.invalid/x/base\nFROM scratch\nCOPY --from=0 /base /\n",
        change: |repository| repository.write("services/base/Dockerfile", BASE_CHANGED),
    },
    Case {
        name: "a base of a base that is only copied from",
        keys: "",
        dockerfile: "FROM scratch\nCOPY --from=shop.invalid/x/other /base /\n",
        change: |repository| repository.write("services/base/Dockerfile", BASE_CHANGED),
    },
    Case {
        name: "a stage in capitals that is the target",
        keys: "target = \"ONE\"",
        dockerfile: "FROM scratch AS One\nCOPY a /\nFROM scratch AS two\nCOPY src /\n",
        change: |repository| replace(repository, "services/services.toml", "\"ONE\"", "\"TWO\""),
    },
    Case {
        name: "a heredoc in a Dockerfile with other line ends and another escape character",
        keys: "",
        dockerfile: "# escape=`\r\nFROM scratch\r\nCOPY `\r\n <<E /x\r\none\r\nE\r\n",
        change: |repository| replace(repository, "services/web/Dockerfile", "one", "two"),
    },
    Case {
        name: "a Dockerfile that a link leads to",
        keys: "dockerfile = \"link-of-dockerfile\"",
        dockerfile: COPY_ALL,
        change: |repository| replace(repository, "services/web/Dockerfile", "COPY . /", "COPY a /"),
    },
    Case {
        name: "a repository inside the context",
        keys: "",
        dockerfile: COPY_ALL,
        change: |repository| repository.write("services/web/inner/a", "other"),
    },
    Case {
        name: "what git itself keeps, in a context that is the whole repository",
        keys: "context = \".\"\ndockerfile = \"services/web/Dockerfile\"",
        dockerfile: "FROM scratch\nCOPY .git/HEAD /\n",
        change: |repository| drop(repository.git(&["checkout", "--quiet", "-b", "other"])),
    },
    Case {
        name: "the last byte of a long file",
        keys: "",
        dockerfile: "FROM scratch\nCOPY long /\n",
        change: |repository| repository.write("services/web/long", &long("y")),
    },
    Case {
        name: "another normal form of a name",
        keys: "",
        dockerfile: "FROM scratch\nCOPY src/* /\n",
        change: |repository| {
            let src = repository.root().join("services/web/src");
            std::fs::rename(src.join("\u{e9}"), src.join("e\u{301}")).expect("renaming");
        },
    },
    Case {
        name: "a file that is unpacked",
        keys: "",
        dockerfile: "FROM scratch\nADD tar /\n",
        change: |repository| repository.write("services/web/tar", &tar("two")),
    },
    Case {
        name: "a file that only the rules beside another Dockerfile send",
        keys: "dockerfile = \"back\"",
        dockerfile: COPY_ALL,
        change: |repository| repository.write("services/web/src/b", "other"),
    },
    Case {
        name: "a file that a variable names",
        keys: "",
        dockerfile: "FROM scratch\nARG P=src\nCOPY $P/b /\n",
        change: |repository| repository.write("services/web/src/b", "other"),
    },
    Case {
        name: "a label of the manifest",
        keys: "labels = { a = \"b\" }",
        dockerfile: "FROM scratch\n",
        change: |repository| {
            replace(repository, "services/services.toml", "a = \"b\"", "a = \"c\"");
        },
    },
    Case {
        name: "the mark at the beginning of a Dockerfile, and a file",
        keys: "",
        dockerfile: "\u{feff}FROM scratch\nCOPY a /\n",
        change: |repository| repository.write("services/web/a", "other"),
    },
];

#[test]
fn every_other_image_has_another_fingerprint() {
    let repositories: Vec<Repository> = CASES.iter().map(repository).collect();
    let before = look(&repositories);
    CASES.iter().zip(&repositories).for_each(|(case, repository)| (case.change)(repository));
    let after = look(&repositories);
    for ((case, before), after) in CASES.iter().zip(before).zip(after) {
        assert_ne!(before.image, after.image, "it is the same image: {}", case.name);
        assert_ne!(before.print, after.print, "the fingerprint is the same: {}", case.name);
    }
}

/// What there is of `web`.
struct Look {
    print: String,
    image: String,
}

/// All repositories, built by one bake.
fn look(repositories: &[Repository]) -> Vec<Look> {
    let worlds: Vec<World> = repositories.iter().map(|r| world(r.root())).collect();
    let services: BTreeSet<String> = ["web".to_owned()].into();
    let order = |(shop, world)| Order { shop, world, services: services.clone(), anew: true };
    let orders: Vec<Order> = worlds.iter().enumerate().map(order).collect();
    let verdict = judge::build(&orders);
    assert_eq!(verdict.refused, BTreeMap::new());
    let built = verdict.built.into_values();
    let print = |world: &World| {
        let identity = identify(&world.facts, &services).remove("web").expect("it was asked for");
        identity.expect("a fingerprint").whole
    };
    worlds.iter().zip(built).map(|(w, b)| Look { print: print(w), image: b.image }).collect()
}

fn repository(case: &Case) -> Repository {
    let manifest = format!(
        "[project]\nname = \"shop\"\nregistry = \"shop.invalid/x\"\n[services.base]\n\
         [services.other]\n[services.web]\n{}\n",
        case.keys
    );
    let other = "FROM shop.invalid/x/base\nCOPY <<E /other\nother\nE\n";
    let repository = Repository::new(&[
        ("services/services.toml", &manifest),
        ("services/base/Dockerfile", BASE),
        ("services/other/Dockerfile", other),
        ("services/web/Dockerfile", case.dockerfile),
        ("services/web/a", "a"),
        ("services/web/src/b", "b"),
        ("services/web/src/\u{e9}", "e"),
        ("services/web/long", &long("x")),
        ("services/web/tar", &tar("one")),
        ("services/web/inner/a", "a"),
        ("back", case.dockerfile),
        ("back.dockerignore", "*\n!src/b\n"),
        ("shared/a", "a"),
    ]);
    link(&repository, "shared");
    symlink("services/web/Dockerfile", repository.root().join("link-of-dockerfile"))
        .expect("a link");
    let inner = repository.root().join("services/web/inner");
    repository.git(&["init", "--quiet", inner.to_str().expect("UTF-8")]);
    repository
}

fn link(repository: &Repository, to: &str) {
    let path = repository.root().join("link");
    // There may be none yet.
    std::fs::remove_file(&path).ok();
    symlink(to, path).expect("a link");
}

fn chmod(repository: &Repository, path: &str, mode: u32) {
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(repository.root().join(path), mode).expect("chmod");
}

fn replace(repository: &Repository, path: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(repository.root().join(path)).expect("a text");
    assert!(text.contains(from), "{text}");
    repository.write(path, &text.replace(from, to));
}

fn long(last: &str) -> String {
    format!("{}{last}", "long\n".repeat(60_000))
}

/// An archive of one small file.
fn tar(text: &str) -> String {
    let mut header = format!("{:\0<100}{:\0<8}{:\0<8}{:\0<8}", "packed", "0000644", "0", "0");
    header += &format!("{:011o}\0{:011o}\0", text.len(), 1);
    let sum: u32 =
        header.bytes().map(u32::from).sum::<u32>() + 8 * u32::from(b' ') + u32::from(b'0');
    header += &format!("{sum:06o}\0 0");
    format!("{header:\0<512}{text:\0<512}{:\0<1024}", "")
}
