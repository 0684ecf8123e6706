//! Fingerprints as the binary prints them, without an engine: what makes a difference, what makes
//! none, and that git's index never changes the answer.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

#[path = "fingerprint/index.rs"]
mod index;
#[path = "fingerprint/property.rs"]
mod property;
#[path = "fingerprint/rules.rs"]
mod rules;
#[path = "fingerprint/tree.rs"]
mod tree;

use tree::{MANIFEST, Tree};

#[test]
fn a_file_changed_with_its_mtime_and_size_kept() {
    let tree = Tree::new();
    std::thread::sleep(tree::GIT_SETTLED);
    tree.settle();
    let before = tree.print("web");
    let mtime = tree.path("services/web/a").metadata().unwrap().modified().unwrap();
    tree.write("services/web/a", "A\n");
    tree.set_mtime("services/web/a", mtime);
    assert_ne!(tree.print("web"), before);
    // Git writes its index for another file, without a look at this one.
    std::thread::sleep(tree::SETTLED);
    tree.write("services/app/new", "");
    tree.repository.git(&["update-index", "--add", "services/app/new"]);
    assert_ne!(tree.print("web"), before);
    assert_eq!(tree.print("web"), tree.print_by_bytes("web"));
}

#[test]
fn a_file_that_git_ignores_is_sent() {
    let tree = Tree::new();
    tree.write(".gitignore", "ignored\n");
    tree.repository.commit("ignore");
    tree.differs(|tree| tree.write("services/web/ignored", "x"));
    tree.differs(|tree| tree.write("services/web/ignored", "y"));
}

#[test]
fn an_untracked_file_is_sent() {
    Tree::new().differs(|tree| tree.write("services/web/new", ""));
}

#[test]
fn an_empty_folder_is_sent() {
    Tree::new().differs(|tree| tree.folder("services/web/empty"));
}

#[test]
fn a_bind_mounted_file_that_is_not_copied() {
    let tree = Tree::new();
    tree.write(
        "services/web/Dockerfile",
        "FROM scratch\nRUN --mount=type=bind,source=a,target=/a x\n",
    );
    tree.differs(|tree| tree.write("services/web/a", "other"));
}

#[test]
fn the_content_of_a_heredoc() {
    let tree = Tree::new();
    tree.write("services/web/Dockerfile", "FROM scratch\nCOPY <<E /x\none\nE\n");
    tree.differs(|t| t.write("services/web/Dockerfile", "FROM scratch\nCOPY <<E /x\ntwo\nE\n"));
}

#[test]
fn an_argument_that_is_only_in_the_dockerfile() {
    let tree = Tree::new();
    tree.write(".dockerignore", "");
    tree.write("services/web/Dockerfile", "FROM scratch\nARG X=1\n");
    tree.differs(|tree| tree.write("services/web/Dockerfile", "FROM scratch\nARG X=2\n"));
}

#[test]
fn a_base_service_edited() {
    Tree::new().differs_of("app", |tree| tree.write("services/web/a", "other"));
    Tree::new().same_of("web", |tree| tree.write("services/app/x", "other"));
}

#[test]
fn a_named_context_edited() {
    let tree = Tree::new();
    tree.write(
        "services/services.toml",
        &MANIFEST.replace("[services.web]", "[services.web]\ncontexts = { shared = \"shared\" }"),
    );
    tree.write("shared/x", "1");
    tree.differs(|tree| tree.write("shared/x", "2"));
    tree.same(|tree| tree.write("shared/.dockerignore", "y\n.dockerignore\n"));
    tree.same(|tree| tree.write("shared/y", "left out"));
    tree.same(|tree| tree.write("elsewhere/x", "3"));
}

#[test]
fn the_value_of_a_secret_makes_none_and_its_id_does() {
    let tree = Tree::new();
    let with = |secret: &str| {
        let secrets = format!("[services.web]\nsecrets = [{secret}]");
        tree.write("services/services.toml", &MANIFEST.replace("[services.web]", &secrets));
        tree.print("web")
    };
    tree.write("token", "one");
    let before = with(r#"{ id = "token", file = "token" }"#);
    tree.write("token", "two");
    assert_eq!(with(r#"{ id = "token", file = "token" }"#), before);
    assert_eq!(with(r#"{ id = "token", env = "NONE", optional = true }"#), before);
    assert_ne!(with(r#"{ id = "other", file = "token" }"#), before);
}

#[test]
fn a_volatile_argument_makes_none() {
    let tree = Tree::new();
    let manifest = MANIFEST.replace("[services.web]", "[services.web]\nvolatile-args = [\"DATE\"]");
    tree.write("services/services.toml", &manifest);
    let before = tree.print("web");
    assert_eq!(tree.call("web").env("DATE", "today").run().success().json_print(), before);
}

#[test]
fn a_volatile_argument_that_names_a_base_leaves_none() {
    let tree = Tree::new();
    let manifest = MANIFEST.replace("[services.web]", "[services.web]\nvolatile-args = [\"BASE\"]");
    tree.write("services/services.toml", &manifest);
    tree.write("services/web/Dockerfile", "ARG BASE=scratch\nFROM $BASE\n");
    tree.none("web", "the volatile argument `BASE` decides what it builds on");
}

#[test]
fn a_frontend_by_tag_leaves_none() {
    let tree = Tree::new();
    tree.write("services/web/Dockerfile", "# syntax=docker/dockerfile:1\nFROM scratch\n");
    tree.none("web", "the frontend `docker/dockerfile:1` is not named by its digest");
    tree.none("app", "it builds on `web`, which has no fingerprint");
}

#[test]
fn a_file_renamed() {
    Tree::new().differs(|tree| tree.rename("services/web/a", "services/web/b"));
}

#[cfg(unix)]
#[test]
fn the_exec_bit_and_other_bits() {
    let tree = Tree::new();
    tree.differs(|tree| tree.chmod("services/web/a", 0o755));
    tree.differs(|tree| tree.chmod("services/web/a", 0o640));
    tree.differs(|tree| tree.chmod("services/web/a", 0o600));
    tree.differs(|tree| tree.chmod("services/web/src", 0o700));
}

#[cfg(unix)]
#[test]
fn a_umask_of_002_makes_none_but_publishes_no_claim() {
    let tree = Tree::new();
    let before = tree.json("web");
    tree.chmod("services/web/a", 0o664);
    tree.chmod("services/web/src", 0o775);
    let after = tree.json("web");
    assert_eq!(after["fingerprint"], before["fingerprint"]);
    assert!(before["no-claim"].is_null());
    assert_eq!(after["no-claim"][0], "files are writable by their group (umask 002)");
    // The files are in the images of what builds on it, too.
    let app = tree.json("app");
    let reason = "it builds on `web`: files are writable by their group (umask 002)";
    assert_eq!(app["no-claim"][0], reason, "{app:#}");
}

#[cfg(unix)]
#[test]
fn a_symlink_retargeted() {
    let tree = Tree::new();
    tree.link("a", "services/web/link");
    tree.differs(|tree| tree.link("src/b", "services/web/link"));
    tree.differs(|tree| tree.link("nowhere", "services/web/link"));
    tree.same(|tree| tree.write("elsewhere", "x"));
}

#[cfg(unix)]
#[test]
fn a_file_that_becomes_a_hard_link() {
    let tree = Tree::new();
    tree.write("services/web/same", "a\n");
    tree.differs(|tree| {
        std::fs::remove_file(tree.path("services/web/same")).unwrap();
        std::fs::hard_link(tree.path("services/web/a"), tree.path("services/web/same")).unwrap();
    });
    // A link to what is not sent is no link in the image.
    let tree = Tree::new();
    tree.same(|tree| {
        std::fs::hard_link(tree.path("services/web/a"), tree.path("elsewhere")).unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn an_extended_attribute() {
    use rustix::fs::{XattrFlags, setxattr};
    let tree = Tree::new();
    let set = |value: &[u8]| {
        setxattr(tree.path("services/web/a"), "user.x", value, XattrFlags::empty()).is_ok()
    };
    let before = tree.print("web");
    if !set(b"1") {
        println!("this file system has none");
        return;
    }
    let with = tree.print("web");
    assert!(set(b""));
    assert_ne!(with, before);
    assert_ne!(tree.print("web"), with);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_leaves_none() {
    let tree = Tree::new();
    let _socket = std::os::unix::net::UnixListener::bind(tree.path("services/web/socket")).unwrap();
    tree.none("web", "`services/web/socket` is neither a file nor a folder nor a link");
    tree.write("services/web/.dockerignore", "socket\n");
    tree.print("web");
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
    std::fs::write(tree.path("services/web").join(name), "").unwrap();
    tree.none("web", "is no name in UTF-8");
}

#[test]
fn the_same_tree_touched_moved_or_published_elsewhere() {
    let tree = Tree::settled();
    let before = tree.print("app");
    tree.set_mtime("services/web/a", std::time::SystemTime::UNIX_EPOCH);
    assert_eq!(tree.print("app"), before);
    let other = Tree::new();
    assert_eq!(other.print("app"), before, "another path, other times, another index");
    let call = tree.call("app").env("SOURCE_DATE_EPOCH", "1").env("TZ", "Asia/Tokyo");
    let call = call.env("XTASK_REGISTRY", "other.invalid/x").env("BUILDX_BUILDER", "other");
    assert_eq!(call.run().success().json_print(), before);
}

#[cfg(unix)]
#[test]
fn the_same_tree_of_another_user() {
    let tree = Tree::settled();
    let before = tree.print("web");
    if std::os::unix::fs::chown(tree.path("services/web/a"), Some(12345), Some(54321)).is_ok() {
        assert_eq!(tree.print("web"), before);
    }
}

#[test]
fn the_same_tree_without_history_and_of_another_object_format() {
    let tree = Tree::settled();
    let before = tree.print("app");
    std::fs::remove_dir_all(tree.path(".git")).unwrap();
    tree.repository.git(&["init", "--quiet"]);
    assert_eq!(tree.print("app"), before, "nothing is in the index");
    std::fs::remove_dir_all(tree.path(".git")).unwrap();
    tree.repository.git(&["init", "--quiet", "--object-format=sha256"]);
    std::thread::sleep(tree::SETTLED);
    tree.repository.commit("first");
    assert_eq!(tree.print("app"), before, "a SHA-256 repository");
}

#[test]
fn explained_line_by_line() {
    let tree = Tree::new();
    let before = tree.repository.xtask(&["fingerprint", "app", "--explain"]).run().success().stdout;
    tree.write("services/app/x", "other");
    let after = tree.repository.xtask(&["fingerprint", "app", "--explain"]).run().success().stdout;
    let differing: Vec<&str> = after.lines().filter(|line| !before.contains(*line)).collect();
    assert!(differing[0].starts_with("app fingerprint "), "{differing:?}");
    assert!(differing[1].starts_with("app context file x 0644 "), "{differing:?}");
    assert_eq!(differing.len(), 2, "{differing:?}");
}

#[test]
fn the_plan_has_it_too() {
    let tree = Tree::new();
    let plan = tree.repository.xtask(&["plan", "--json", "--event", "pr"]).run().success().json();
    let services = plan["services"].as_array().unwrap();
    let app = services.iter().find(|service| service["service"] == "app").unwrap();
    assert_eq!(app["fingerprint"], tree.print("app").as_str());
}
