//! `release tag` with real repositories and remotes: what it refuses, what it pushes, and that a push
//! that goes wrong leaves no tag behind.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{Folder, Ran, Repository, Xtask};

const MANIFEST: &str =
    "[project]\nname = \"shop\"\nregistry = \"ghcr.io/owner/shop\"\n[services.web]\n";

/// A developer's clone, and the remote that it was pushed to.
struct Desk {
    clone: Repository,
    hub: Folder,
}

impl Desk {
    fn new() -> Self {
        let files = [("services/services.toml", MANIFEST), ("services/web/Dockerfile", "FROM x\n")];
        let desk = Self { clone: Repository::new(&files), hub: Folder::new() };
        desk.hub_git(&["init", "--quiet", "--bare", "--initial-branch", "dev"]);
        desk.clone.git(&["remote", "add", "origin", desk.hub.0.to_str().unwrap()]);
        desk.clone.git(&["config", "user.name", "A"]);
        desk.clone.git(&["config", "user.email", "a@example.invalid"]);
        desk.clone.git(&["push", "--quiet", "origin", "dev"]);
        desk
    }

    /// With these versions, each on a commit of its own.
    fn with(versions: &[&str]) -> Self {
        let desk = Self::new();
        for version in versions {
            desk.commit_and_push(&format!("for {version}"));
            desk.released(version);
        }
        desk
    }

    fn commit_and_push(&self, subject: &str) -> String {
        let commit = self.clone.commit(subject);
        self.clone.git(&["push", "--quiet", "origin", "HEAD"]);
        commit
    }

    fn released(&self, version: &str) {
        self.clone.git(&["tag", "--annotate", "--message", version, version]);
        self.clone.git(&["push", "--quiet", "origin", version]);
    }

    fn hub_git(&self, args: &[&str]) -> String {
        let output = Command::new("git").args(args).current_dir(&self.hub.0).output().unwrap();
        Ran::from(output).success().stdout.trim().to_owned()
    }

    /// Another clone of the remote.
    fn other(&self) -> Repository {
        let folder = Folder::new();
        let path = folder.0.join("clone");
        self.hub_git(&["clone", "--quiet", ".", path.to_str().unwrap()]);
        // The value would take the folder away.
        std::mem::forget(folder);
        Repository { folder: Folder(path) }
    }

    fn tag(&self, args: &[&str]) -> Xtask {
        let args = [&["release", "tag"], args].concat();
        self.clone
            .xtask(&args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
    }

    /// All refs of both.
    fn refs(&self) -> [String; 2] {
        let list = ["for-each-ref"];
        [self.clone.git(&list), self.hub_git(&list)]
    }

    /// Refused with a message, and nothing has changed on either side.
    #[track_caller]
    fn refuses(&self, args: &[&str], parts: &[&str]) {
        let before = self.refs();
        let ran = self.tag(args).run().refused("");
        for part in parts {
            assert!(ran.stderr.contains(part), "expected `{part}` in:\n{}", ran.stderr);
        }
        assert_eq!(self.refs(), before);
    }

    /// A hook of the clone, or of the remote.
    fn hook(folder: &Path, name: &str, text: &str) {
        let path = folder.join("hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn own_hook(&self, name: &str, text: &str) {
        Self::hook(&self.clone.root().join(".git"), name, text);
    }

    fn has_no_local(&self, tag: &str) {
        assert_eq!(self.clone.git(&["tag", "--list", tag]), "", "{tag} was left behind");
    }
}

#[test]
fn a_tag_is_annotated_and_alone_is_pushed() {
    let desk = Desk::with(&["v0.1.0"]);
    desk.commit_and_push("web: # is no comment here");
    let head = desk.commit_and_push("web: faster");
    desk.clone.git(&["config", "push.followTags", "true"]);
    desk.clone.git(&["tag", "--annotate", "--message", "mine", "mine"]);
    let ran = desk.tag(&["minor"]).run().success();
    assert_eq!(ran.stdout, "v0.2.0\n");
    assert!(ran.stderr.contains("release status v0.2.0"), "{}", ran.stderr);
    assert_eq!(desk.hub_git(&["tag", "--list"]), "v0.1.0\nv0.2.0");
    assert_eq!(desk.hub_git(&["cat-file", "-t", "v0.2.0"]), "tag");
    assert_eq!(desk.hub_git(&["rev-parse", "v0.2.0^{commit}"]), head);
    let object = ["rev-parse", "v0.2.0"];
    assert_eq!(desk.clone.git(&object), desk.hub_git(&object), "it is here too");
    let message = desk.hub_git(&["tag", "--list", "--format=%(contents)", "v0.2.0"]);
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines[..3], ["v0.2.0", "", "Since v0.1.0:"], "{message}");
    assert!(lines[3].ends_with(" web: faster") && lines[4].ends_with(" web: # is no comment here"));
    assert_eq!(lines.len(), 5, "{message}");
}

#[test]
fn a_dry_run_tells_all_and_changes_nothing() {
    let desk = Desk::with(&["v1.0.0"]);
    let head = desk.commit_and_push("web: faster");
    let before = desk.refs();
    let told = desk.tag(&["pre", "--dry-run"]).run().success().stdout;
    for part in ["v1.0.1-rc.1 would be", &head, "--no-follow-tags", "Since v1.0.0", "web: faster"] {
        assert!(told.contains(part), "expected `{part}` in:\n{told}");
    }
    assert_eq!(desk.refs(), before);
    desk.clone.write("new", "");
    desk.refuses(&["pre", "--dry-run"], &["1 file is not committed"]);
}

#[test]
fn the_first_version_needs_no_other() {
    let desk = Desk::new();
    desk.tag(&["v0.1.0-rc.1"]).run().success();
    desk.tag(&["0.1.0"]).run().success();
    assert_eq!(desk.hub_git(&["tag", "--list"]), "v0.1.0\nv0.1.0-rc.1");
    // The candidate became the version; another version of the same commit is a slip.
    desk.refuses(&["patch"], &["HEAD is v0.1.0 already", "nothing was committed since"]);
    desk.refuses(&["pre"], &["HEAD is v0.1.0 already"]);
    desk.tag(&["v0.1.1"]).run().success();
}

#[test]
fn what_is_no_version_is_told_first() {
    let desk = Desk::new();
    desk.clone.write("new", "");
    desk.refuses(&["mayor"], &["`mayor` is no version", "did you mean `major`?", "vX.Y.Z"]);
    desk.refuses(&["1.2"], &["`v1.2` is no version"]);
    desk.refuses(&["v1.2.3+linux"], &["build metadata"]);
}

#[test]
fn the_tree_must_be_clean() {
    let desk = Desk::new();
    desk.clone.write("target/ignored", "git ignores this");
    desk.tag(&["minor", "--dry-run"]).run().success();
    for number in 0..7 {
        desk.clone.write(&format!("new-{number}"), "");
    }
    let parts = ["7 files are not committed", "commit or stash", "new-4", "and 2 more"];
    desk.refuses(&["minor"], &parts);
    desk.clone.git(&["clean", "--quiet", "--force"]);
    desk.clone.write("services/web/Dockerfile", "FROM y\n");
    desk.refuses(&["minor"], &["1 file is not committed", "services/web/Dockerfile"]);
    desk.clone.git(&["add", "--all"]);
    desk.refuses(&["minor"], &["1 file is not committed"]);
}

#[test]
fn head_must_be_a_branch_s() {
    let desk = Desk::with(&["v1.0.0"]);
    desk.clone.git(&["switch", "--quiet", "--detach"]);
    desk.refuses(&["minor"], &["HEAD is on no branch", "git switch dev"]);
    desk.clone.git(&["switch", "--quiet", "--orphan", "nothing"]);
    desk.clone.write("services/services.toml", MANIFEST);
    desk.clone.write("services/web/Dockerfile", "FROM x\n");
    desk.refuses(&["minor"], &["there is no commit yet"]);
}

#[test]
fn there_must_be_a_remote_that_answers() {
    let desk = Desk::new();
    let parts = ["there is no remote `upstream`", "`--remote` (origin)"];
    desk.refuses(&["minor", "--remote", "upstream"], &parts);
    desk.clone.git(&["remote", "set-url", "origin", "/nowhere/at/all"]);
    let ran = desk.tag(&["minor"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot ask the remote `origin`"), "{}", ran.stderr);
    desk.clone.git(&["remote", "rename", "origin", "hub"]);
    desk.clone.git(&["remote", "set-url", "hub", desk.hub.0.to_str().unwrap()]);
    desk.tag(&["minor", "--remote", "hub"]).run().success();
    desk.clone.git(&["remote", "remove", "hub"]);
    desk.refuses(&["minor"], &["no remote `origin`", "git remote add origin"]);
}

#[test]
fn a_version_belongs_on_the_dev_branch() {
    let desk = Desk::with(&["v1.0.0"]);
    desk.clone.git(&["switch", "--quiet", "--create", "feature"]);
    desk.commit_and_push("more");
    let parts = ["v1.1.0 is higher than all", "belongs on `dev`, not on `feature`"];
    desk.refuses(&["minor"], &[parts[0], "not on `feature`", "git switch dev"]);
}

#[test]
fn the_branch_must_be_what_the_remote_has() {
    let desk = Desk::with(&["v1.0.0"]);
    desk.clone.commit("ahead");
    desk.refuses(&["minor"], &["`origin` does not have", "git push origin dev"]);
    desk.clone.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    let other = desk.other();
    other.commit("theirs");
    other.git(&["push", "--quiet", "origin", "dev"]);
    let behind = ["commits on `dev` that are not here", "git pull origin dev"];
    desk.refuses(&["patch", "--dry-run"], &["HEAD is v1.0.0 already"]);
    desk.refuses(&["v1.1.0"], &behind);
    desk.clone.git(&["fetch", "--quiet", "origin"]);
    desk.refuses(&["v1.1.0"], &behind);
    desk.clone.commit("ours");
    desk.refuses(&["v1.1.0"], &["have gone different ways", "git pull origin dev"]);
    desk.hub_git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    desk.hub_git(&["branch", "--delete", "--force", "dev"]);
    desk.refuses(&["v1.1.0"], &["`origin` has no branch `dev`", "git push origin dev"]);
}

#[test]
fn a_version_is_given_once() {
    let desk = Desk::with(&["v1.0.0"]);
    desk.refuses(&["v1.0.0"], &["v1.0.0 is at `origin` already, and it is HEAD", "release status"]);
    desk.commit_and_push("more");
    desk.refuses(&["v1.0.0"], &["v1.0.0 is at `origin` already", "release the next one"]);
    // As the remote says it, whether or not the tag was fetched.
    desk.clone.git(&["tag", "--delete", "v1.0.0"]);
    desk.refuses(&["v1.0.0"], &["v1.0.0 is at `origin` already", "release the next one"]);
    desk.clone.git(&["tag", "v1.1.0"]);
    let parts = ["not at `origin`", "it is HEAD", "git tag --delete v1.1.0"];
    desk.refuses(&["v1.1.0"], &parts);
    // Nor does a step count from it.
    desk.refuses(&["minor"], &parts);
    desk.clone.git(&["tag", "--delete", "v1.1.0"]);
    desk.clone.git(&["tag", "v7.0.0-rc.1"]);
    desk.refuses(&["patch"], &["git tag --delete v7.0.0-rc.1"]);
    desk.clone.git(&["tag", "--delete", "v7.0.0-rc.1"]);
    desk.tag(&["minor"]).run().success();
}

#[test]
fn a_lower_version_is_a_backport_or_refused() {
    let desk = Desk::with(&["v1.0.0", "v1.1.0", "v2.0.0"]);
    desk.commit_and_push("more");
    desk.refuses(&["v1.0.0-rc.1"], &["lower than v1.0.0", "release a higher version"]);
    desk.refuses(&["v1.2.0"], &["lower than v2.0.0", "no other v1.2.*"]);
    let create = "git switch --create 1.1.x v1.1.0";
    desk.refuses(&["v1.1.1"], &["has the higher v2.0.0 in its history", create]);
    desk.clone.git(&["switch", "--quiet", "--create", "1.0.x", "v1.0.0"]);
    desk.commit_and_push("mended");
    desk.refuses(&["v1.1.1"], &["v1.1.0 is not in the history of `1.0.x`", create]);
    desk.clone.commit("not pushed");
    desk.refuses(&["v1.0.1"], &["git push origin 1.0.x"]);
    desk.clone.git(&["push", "--quiet", "origin", "1.0.x"]);
    desk.tag(&["v1.0.1"]).run().success();
    let message = desk.hub_git(&["tag", "--list", "--format=%(contents)", "v1.0.1"]);
    assert!(message.contains("Since v1.0.0:\n") && message.contains("mended"), "{message}");
}

#[test]
fn what_a_shallow_clone_lacks_is_to_be_fetched() {
    let desk = Desk::with(&["v1.0.0"]);
    desk.commit_and_push("more");
    let folder = Folder::new();
    let url = format!("file://{}", desk.hub.0.display());
    desk.hub_git(&["clone", "--quiet", "--depth=1", &url, folder.0.to_str().unwrap()]);
    let shallow = Desk { clone: Repository { folder }, hub: Folder(desk.hub.0.clone()) };
    shallow.refuses(&["minor"], &["v1.0.0 is not here yet", "git fetch --tags origin"]);
}

#[test]
fn a_push_that_is_refused_leaves_no_tag() {
    let desk = Desk::with(&["v1.0.0"]);
    desk.commit_and_push("more");
    Desk::hook(&desk.hub.0, "pre-receive", "echo 'tags are for the lead' >&2; exit 1");
    let before = desk.refs();
    let ran = desk.tag(&["minor"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    for part in ["`origin` has refused it", "no tag is left here", "tags are for the lead"] {
        assert!(ran.stderr.contains(part), "expected `{part}` in:\n{}", ran.stderr);
    }
    assert_eq!((desk.refs(), ran.stdout.as_str()), (before, ""));
    std::fs::remove_file(desk.hub.0.join("hooks/pre-receive")).unwrap();
    assert_eq!(desk.tag(&["minor"]).run().success().stdout, "v1.1.0\n", "it goes on as if new");
}

#[test]
fn a_race_is_lost_without_a_trace() {
    let desk = Desk::with(&["v1.0.0"]);
    desk.commit_and_push("more");
    let other = desk.other();
    other.commit("theirs");
    let theirs = other.git(&["rev-parse", "HEAD"]);
    let push = format!(
        "unset GIT_DIR GIT_PREFIX; git -C '{}' push --quiet --no-verify origin HEAD:refs/tags/v1.1.0",
        other.root().display()
    );
    desk.own_hook("pre-push", &push);
    let ran = desk.tag(&["minor"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    for part in ["somebody else has pushed v1.1.0", &theirs, "git fetch --tags origin"] {
        assert!(ran.stderr.contains(part), "expected `{part}` in:\n{}", ran.stderr);
    }
    desk.has_no_local("v1.1.0");
    assert_eq!(desk.hub_git(&["rev-parse", "v1.1.0"]), theirs, "theirs stands");
}

#[test]
fn a_push_whose_answer_was_lost_is_a_push() {
    let desk = Desk::new();
    let push = "read name object rest; git push --quiet --no-verify origin $object:refs/tags/v0.1.0; exit 1";
    desk.own_hook("pre-push", push);
    assert_eq!(desk.tag(&["minor"]).run().success().stdout, "v0.1.0\n");
    let object = ["rev-parse", "v0.1.0"];
    assert_eq!(desk.clone.git(&object), desk.hub_git(&object));
}

#[test]
fn an_interrupted_push_leaves_no_tag() {
    let desk = Desk::new();
    let (began, goes_on) = (desk.hub.0.join("began"), desk.hub.0.join("goes-on"));
    std::fs::write(&goes_on, "").unwrap();
    let (began_at, on_at) = (began.display(), goes_on.display());
    let wait = format!("touch '{began_at}'; while [ -e '{on_at}' ]; do sleep 0.05; done; exit 1");
    desk.own_hook("pre-push", &wait);
    let mut call = desk.tag(&["minor"]).command();
    let child = call.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !began.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    std::fs::remove_file(goes_on).unwrap();
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(ran.stderr.contains("v0.1.0 is no tag here"), "{}", ran.stderr);
    desk.has_no_local("v0.1.0");
    assert_eq!(desk.hub_git(&["tag", "--list"]), "");
}

#[test]
fn it_is_signed_where_git_is_set_up_so() {
    for setting in ["tag.gpgSign", "tag.forceSignAnnotated"] {
        let desk = Desk::new();
        let gpg = desk.hub.0.join("hooks/gpg");
        Desk::hook(
            &desk.hub.0,
            "gpg",
            "cat >/dev/null; echo >&2; echo '[GNUPG:] SIG_CREATED ' >&2; echo SIGNED",
        );
        desk.clone.git(&["config", setting, "true"]);
        desk.clone.git(&["config", "gpg.program", gpg.to_str().unwrap()]);
        desk.tag(&["minor"]).run().success();
        let tag = desk.hub_git(&["cat-file", "tag", "v0.1.0"]);
        assert!(tag.ends_with("SIGNED"), "{setting}: {tag}");
        desk.commit_and_push("more");
        Desk::hook(&desk.hub.0, "gpg", "cat >/dev/null; echo 'no key' >&2; exit 2");
        let ran = desk.tag(&["minor"]).run();
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stderr.contains("nothing is pushed"), "{}", ran.stderr);
        desk.has_no_local("v0.2.0");
    }
}
