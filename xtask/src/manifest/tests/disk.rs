#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use crate::error::exit_code;
use crate::manifest::load;
use camino::{Utf8Path, Utf8PathBuf};

const HEAD: &str = "[project]\nname = 'x'\nregistry = 'ghcr.io/x'\n";

/// A repository of its own, removed at the end.
struct Repository(Utf8PathBuf);

impl Repository {
    fn new(name: &str, files: &[&str]) -> Self {
        let temp = Utf8PathBuf::from_path_buf(std::env::temp_dir()).unwrap();
        let root = temp.join(format!("xtask-manifest-{}-{name}", std::process::id()));
        std::fs::create_dir_all(root.join("repository/services")).unwrap();
        let root = Self(root);
        for file in files {
            root.write(file, b"FROM x\n");
        }
        root
    }

    fn root(&self) -> Utf8PathBuf {
        self.0.join("repository")
    }

    fn write(&self, file: &str, content: &[u8]) {
        let path = self.root().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// What `load` says about a manifest with these services.
    fn error(&self, services: &str) -> String {
        self.write("services/services.toml", format!("{HEAD}{services}").as_bytes());
        self.load_error()
    }

    fn load_error(&self) -> String {
        let root = self.root();
        let error = load(&root.join("services/services.toml"), &root).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        error.to_string()
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[track_caller]
fn says(error: &str, lines: &[&str]) {
    for line in lines {
        assert!(error.lines().any(|shown| shown.trim() == *line), "no `{line}` in\n{error}");
    }
}

#[test]
fn this_repository_has_a_manifest_that_parses() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("services/services.toml")).unwrap();
    let manifest = crate::manifest::parse("services/services.toml", &text).unwrap().manifest;
    let names: Vec<&str> = manifest.services.keys().map(String::as_str).collect();
    assert_eq!(names, ["base", "git-server", "runner-coordinator"]);
}

#[test]
fn what_is_there_loads() {
    let repository = Repository::new("good", &["services/a/Dockerfile", "lib/x", "docker/b"]);
    let services = "[services.a]\ncontexts = { l = 'lib', i = 'docker-image://x' }\n[services.b]\ncontext = '.'\ndockerfile = 'docker/b'";
    repository.write("services/services.toml", format!("{HEAD}{services}").as_bytes());
    let root = repository.root();
    let loaded = load(&root.join("services/services.toml"), &root).unwrap();
    assert_eq!(loaded.manifest.services.len(), 2);
    assert_eq!(loaded.source.path(), "services/services.toml");
}

#[test]
fn an_absent_manifest_shows_a_minimal_one() {
    let error = Repository::new("none", &[]).load_error();
    assert!(error.starts_with("there is no manifest `"), "{error}");
    says(&error, &["registry = \"ghcr.io/owner/shop\""]);
}

#[test]
fn a_folder_or_other_bytes_are_no_manifest() {
    let repository = Repository::new("bytes", &[]);
    repository.write("services/services.toml", b"[project]\nname = \"\xff\"\n");
    let error = repository.load_error();
    says(&error, &["services/services.toml:2:9: this is not UTF-8", "= save the file as UTF-8"]);
    let repository = Repository::new("folder", &["services/services.toml/x"]);
    assert!(repository.load_error().starts_with("cannot read the manifest `"));
}

#[test]
fn absent_folders_and_files_are_all_told_with_the_nearest_name() {
    let repository =
        Repository::new("absent", &["services/web/dockerfile", "services/db/x", "libs/shared/x"]);
    let error = repository.error(
        "[services.wbe]\n[services.web]\n[services.db]\ncontexts = { l = 'libs/shraed' }\n[services.far]\ndockerfile = 'libs'\n",
    );
    says(
        &error,
        &[
            "services/services.toml:4:11: context of service `wbe`: `services/wbe` does not exist",
            "= did you mean `services/web`?",
            "services/services.toml:5:11: Dockerfile of service `web`: `services/web/Dockerfile` does not exist",
            "= did you mean `services/web/dockerfile`?",
            "services/services.toml:6:11: Dockerfile of service `db`: `services/db/Dockerfile` does not exist",
            "= write it, or say where it is with `dockerfile = \"…\"`",
            "services/services.toml:7:18: named context `l` of service `db`: `libs/shraed` does not exist",
            "= did you mean `libs/shared`?",
            "services/services.toml:8:11: context of service `far`: `services/far` does not exist",
            "= create it, or say where it is with `context = \"…\"`",
            "services/services.toml:9:14: Dockerfile of service `far`: `libs` is a folder, not a file",
            "6 errors in services/services.toml",
        ],
    );
}

#[test]
fn a_file_is_no_context() {
    let repository = Repository::new("kind", &["services/a/Dockerfile", "lib"]);
    let error = repository.error(
        "[services.a]\ncontexts = { l = 'lib' }\n[services.b]\ncontext = 'services/a/Dockerfile'",
    );
    says(
        &error,
        &[
            "services/services.toml:5:18: named context `l` of service `a`: `lib` is not a folder",
            "services/services.toml:7:11: context of service `b`: `services/a/Dockerfile` is not a folder",
            "2 errors in services/services.toml",
        ],
    );
}

#[cfg(unix)]
#[test]
fn symbolic_links_may_not_leave_the_repository() {
    use std::os::unix::fs::symlink;
    let repository = Repository::new("links", &["real/Dockerfile", "services/f/x"]);
    let outside = repository.0.join("repository-2");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("Dockerfile"), "").unwrap();
    let services = repository.root().join("services");
    symlink("../real", services.join("inner")).unwrap();
    symlink("../../repository-2", services.join("outer")).unwrap();
    symlink("../../../repository-2/Dockerfile", services.join("f/Dockerfile")).unwrap();
    symlink("loop", services.join("loop")).unwrap();
    symlink("nowhere", services.join("dangling")).unwrap();
    let error = repository.error(
        "[services.inner]\n[services.outer]\n[services.f]\n[services.loop]\n[services.dangling]\n",
    );
    says(
        &error,
        &[
            "services/services.toml:5:11: context of service `outer`: `services/outer` leads out of the repository by a symbolic link",
            "services/services.toml:6:11: Dockerfile of service `f`: `services/f/Dockerfile` leads out of the repository by a symbolic link",
            "services/services.toml:8:11: context of service `dangling`: `services/dangling` does not exist",
            "4 errors in services/services.toml",
        ],
    );
    assert!(error.contains(":7:11: context of service `loop`: `services/loop` cannot be read: "));
}
