//! When git's index tells contents, and when it must not.

use super::tree::{GIT_SETTLED, SETTLED, Tree};

/// All of `web`: the Dockerfile and two files.
const ALL: usize = 3;

#[test]
fn a_settled_index_tells_everything() {
    let tree = Tree::settled();
    assert_eq!(tree.told_by_index("web"), ALL);
    assert_eq!(tree.print("app"), tree.print_by_bytes("app"));
}

#[test]
fn a_file_as_new_as_the_index_is_read() {
    let tree = Tree::new();
    std::thread::sleep(SETTLED);
    tree.write("services/web/a", "A\n");
    tree.repository.git(&["add", "--all"]);
    assert!(tree.told_by_index("web") < ALL);
    tree.settle();
    assert_eq!(tree.told_by_index("web"), ALL);
}

/// The index that is read first is that of the folder which the user is in.
#[test]
fn the_index_is_that_of_the_manifest_s_repository() {
    let (tree, other) = (Tree::settled(), Tree::settled());
    other.write("services/web/a", "other\n");
    other.repository.commit("other");
    other.settle();
    let manifest = tree.path("services/services.toml");
    let args = ["fingerprint", "web", "--json", "--verbose", "--manifest"];
    let args = [&args[..], &[manifest.to_str().unwrap()]].concat();
    for folder in [other.path("services/web"), tree.path("services/web"), "/".into()] {
        let ran = tree.repository.xtask(&args).dir(&folder).run().success();
        assert!(ran.stderr.contains("3 files told by git's index"), "{}", ran.stderr);
        assert_eq!(ran.json_print(), tree.print("web"));
    }
    assert_ne!(other.print("web"), tree.print("web"));
}

/// After `prepare`, and whatever it hides from git, the answer is that of the bytes.
#[track_caller]
fn not_told(expected: usize, prepare: impl Fn(&Tree)) {
    let tree = Tree::settled();
    assert_eq!(tree.told_by_index("web"), ALL);
    prepare(&tree);
    assert_eq!(tree.told_by_index("web"), expected);
    assert_eq!(tree.print("app"), tree.print_by_bytes("app"));
}

fn git(tree: &Tree, args: &[&str]) {
    tree.repository.git(args);
}

#[test]
fn a_file_that_git_was_told_not_to_look_at() {
    let a = "services/web/a";
    for how in ["--assume-unchanged", "--skip-worktree"] {
        not_told(ALL - 1, |tree| {
            git(tree, &["update-index", how, a]);
            tree.settle();
        });
    }
    not_told(ALL, |tree| {
        tree.write("services/web/.dockerignore", "new\n.dockerignore\n");
        tree.write("services/web/new", "x");
        git(tree, &["add", "--intent-to-add", "services/web/new"]);
    });
    not_told(ALL - 1, |tree| {
        git(tree, &["rm", "--quiet", "--cached", a]);
        git(tree, &["add", "--intent-to-add", a]);
    });
}

#[test]
fn settings_that_weaken_the_index() {
    for (name, value) in [
        ("core.trustctime", "false"),
        ("core.checkStat", "minimal"),
        ("core.fileMode", "false"),
        ("core.autocrlf", "input"),
        ("core.fsmonitor", "true"),
        ("core.ignoreStat", "true"),
        ("core.symlinks", "false"),
    ] {
        not_told(0, |tree| git(tree, &["config", name, value]));
    }
}

#[test]
fn another_kind_of_index() {
    not_told(0, |tree| git(tree, &["update-index", "--index-version", "4"]));
    not_told(0, |tree| git(tree, &["update-index", "--split-index"]));
    not_told(0, |tree| {
        git(tree, &["-c", "core.fsmonitor=no-hook", "update-index", "--fsmonitor"]);
        let bytes = std::fs::read(tree.path(".git/index")).unwrap();
        assert!(bytes.windows(4).any(|name| name == b"FSMN"));
    });
    not_told(0, |tree| tree.write(".git/index.lock", ""));
    not_told(0, |tree| tree.write(".git/index", "DIRC"));
    not_told(0, |tree| {
        let mut bytes = std::fs::read(tree.path(".git/index")).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(tree.path(".git/index"), bytes).unwrap();
    });
}

#[test]
fn attributes_that_convert() {
    not_told(0, |tree| tree.write(".gitattributes", "* text=auto\n"));
    not_told(0, |tree| tree.write(".git/info/attributes", "*.x filter=y\n"));
    not_told(0, |tree| tree.write("services/web/.gitattributes", "a ident\n"));
    not_told(0, |tree| {
        tree.write("attributes", "* eol=crlf\n");
        let file = tree.path("attributes");
        git(tree, &["config", "core.attributesFile", file.to_str().unwrap()]);
    });
    // What is below a folder with attributes, and nothing else: Dockerfile and `a` are told.
    not_told(ALL - 1, |tree| {
        tree.write("services/web/.dockerignore", "**/.gitattributes\n.dockerignore\n");
        tree.write("services/web/src/.gitattributes", "b text\n");
    });
    not_told(ALL, |tree| tree.write(".gitattributes", "*.png binary -diff\n"));
}

/// What the attributes were when git stored the files counts, too: stored ones are used where the
/// file is gone.
#[test]
fn attributes_that_were_deleted() {
    not_told(0, |tree| {
        tree.write(".gitattributes", "*.png binary\n");
        tree.repository.commit("attributes");
        std::thread::sleep(SETTLED);
        std::fs::remove_file(tree.path(".gitattributes")).unwrap();
        tree.settle();
    });
}

/// The file stays clean for git, which stored it with other line ends.
#[test]
fn attributes_and_settings_of_the_past() {
    not_told(ALL - 1, |tree| {
        tree.write(".gitattributes", "* text\n");
        tree.write("services/web/a", "a\r\n");
        tree.repository.commit("attributes");
        std::thread::sleep(GIT_SETTLED);
        tree.settle();
        std::fs::remove_file(tree.path(".gitattributes")).unwrap();
        tree.repository.commit("none");
        assert_eq!(tree.repository.git(&["status", "--porcelain"]), "");
    });
    not_told(ALL - 1, |tree| {
        git(tree, &["config", "core.autocrlf", "input"]);
        tree.write("services/web/a", "a\r\n");
        git(tree, &["add", "--all"]);
        std::thread::sleep(GIT_SETTLED);
        tree.settle();
        git(tree, &["config", "--unset-all", "core.autocrlf"]);
    });
}

#[test]
fn crlf_with_autocrlf() {
    let tree = Tree::new();
    git(&tree, &["config", "core.autocrlf", "true"]);
    tree.write("services/web/a", "a\r\n");
    std::thread::sleep(SETTLED);
    git(&tree, &["add", "--all"]);
    let crlf = tree.print("web");
    tree.write("services/web/a", "a\n");
    assert_ne!(tree.print("web"), crlf, "git stores both as one blob");
}

#[test]
fn the_files_of_a_submodule() {
    let tree = Tree::new();
    let other = Tree::new();
    let url = other.repository.root().to_str().unwrap();
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url];
    git(&tree, &[&add[..], &["services/web/module"]].concat());
    tree.settle();
    assert_eq!(tree.print("web"), tree.print_by_bytes("web"));
    tree.differs(|tree| tree.write("services/web/module/services/web/a", "other"));
}
