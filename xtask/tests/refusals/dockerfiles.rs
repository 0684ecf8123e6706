//! Dockerfiles, contexts and secrets that are absent, leave the repository or cannot be built.

use super::{MANIFEST, good, refused};
use std::fs::{create_dir, remove_dir_all, remove_file, write};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

const BASE: &str = "FROM 127.0.0.1:1/debian:slim\n";
const OURS: &str = "127.0.0.1:1/owner/shop";

#[test]
fn dockerfiles_by_their_text() {
    let web = format!("FROM {OURS}/web\n");
    let case = |text: &str, part: &str| {
        let repository = good();
        repository.write("services/web/Dockerfile", text);
        refused(&repository, repository.xtask(&["build-images"]), part);
    };
    case("", "services/web/Dockerfile:1:1: nothing is built without a `FROM`");
    case("# a comment\n", "without a `FROM`");
    case("ARG X=1\n", "without a `FROM`");
    case("FROM 127.0.0.1:1/debian:slmi\n", "services/web/Dockerfile:1:1: service `web` builds on");
    case("FROM 127.0.0.1:1/debian:slmi\n", "did you mean `127.0.0.1:1/debian:slim`?");
    case("FROM debian\n", "add `[bases.\"debian\"]`");
    case(&format!("FROM {OURS}/wroker\n"), &format!("did you mean `{OURS}/worker`?"));
    case(&web, "services build on each other: web -> web");
    case("ARG X\nFROM $X\n", "services/web/Dockerfile:2");
    case("ARG X=\nFROM ${X}\n", "services/web/Dockerfile:2");
    case("FROM ${X:-}\n", "services/web/Dockerfile:1");
    case(&format!("{BASE}COPY --from=other:x / /\n"), "services/web/Dockerfile:2:1");
    case(
        &format!("{BASE}RUN --mount=type=bind,from=other:x,target=/x true\n"),
        "reads from the image `other:x`",
    );
    case(&format!("{BASE}COPY --from={OURS}/web / /\n"), "web -> web");
}

#[test]
fn cycles_are_shown_whole() {
    let repository = good();
    let on = |other: &str| format!("FROM {OURS}/{other}\n");
    repository.write("services/web/Dockerfile", &on("worker"));
    repository.write("services/worker/Dockerfile", &on("web"));
    let two = "services build on each other: web -> worker -> web";
    refused(&repository, repository.xtask(&["build-images"]), two);
    refused(&repository, repository.xtask(&["compose"]), two);

    repository.write("services/services.toml", &format!("{MANIFEST}[services.third]\n"));
    repository
        .write("services/worker/Dockerfile", &format!("{BASE}COPY --from={OURS}/third / /\n"));
    repository.write("services/third/Dockerfile", &on("web"));
    let three = "third -> web -> worker -> third";
    refused(&repository, repository.xtask(&["build-images"]), three);
}

#[test]
fn dockerfiles_that_are_no_files_of_the_repository() {
    let case = |spoil: &dyn Fn(PathBuf), part: &str| {
        let repository = good();
        let path = repository.root().join("services/web/Dockerfile");
        remove_file(&path).unwrap();
        spoil(path);
        refused(&repository, repository.xtask(&["build-images"]), part);
    };
    case(&|_| (), "services/services.toml:6");
    case(&|path| write(path, b"FROM \xff\n").unwrap(), "is no text in UTF-8");
    case(&|path| write(path, b"\x7fELF\x02\xf0\xff").unwrap(), "services/web/Dockerfile");
    case(&|path| create_dir(path).unwrap(), "`services/web/Dockerfile`");
    case(&|path| symlink("/etc/passwd", path).unwrap(), "`services/web/Dockerfile`");
    case(&|path| symlink("../../../elsewhere", path).unwrap(), "`services/web/Dockerfile`");
    case(&|path| symlink("Dockerfile", path).unwrap(), "`services/web/Dockerfile`");
    case(&|path| symlink("gone", path).unwrap(), "`services/web/Dockerfile`");
}

#[test]
fn contexts_that_are_no_folders_of_the_repository() {
    let case = |spoil: &dyn Fn(PathBuf), part: &str| {
        let repository = good();
        let path = repository.root().join("services/web");
        remove_dir_all(&path).unwrap();
        spoil(path);
        refused(&repository, repository.xtask(&["build-images"]), part);
    };
    case(&|_| (), "`services/web`");
    case(&|path| write(path, "").unwrap(), "`services/web`");
    case(&|path| symlink("/usr", path).unwrap(), "`services/web`");
    case(&|path| symlink("web", path).unwrap(), "`services/web`");
}

#[test]
fn what_the_manifest_says_of_a_service_is_not_there() {
    let case = |keys: &str, part: &str| {
        let repository = good();
        let text = MANIFEST.replace("[services.web]\n", &format!("[services.web]\n{keys}\n"));
        repository.write("services/services.toml", &text);
        let stages = format!("{} AS build\nFROM build\n", BASE.trim());
        repository.write("services/web/Dockerfile", &stages);
        refused(&repository, repository.xtask(&["build-images"]), part);
    };
    case("target = \"biuld\"", "did you mean `build`?");
    case("dockerfile = \"../Dockerfile\"", "services/services.toml:7");
    case("dockerfile = \"services/web/Dockerfiel\"", "services/services.toml:7");
    case("context = \"/usr\"", "services/services.toml:7");
    case("contexts = { more = \"gone\" }", "`gone`");
    case("secrets = [{ id = \"b\", file = \"gone\" }]", "there is no file `gone`");
    case("secrets = [{ id = \"b\", file = \"services\" }]", "there is no file `services`");
    let both = "secrets = [{ id = \"a\", env = \"NOT_SET\" }, { id = \"b\", file = \"gone\" }]";
    case(both, "the variable `NOT_SET` is not set");
    case(both, "2 errors in services/services.toml");
}

#[test]
fn a_service_that_was_not_asked_for_is_looked_at_too() {
    let repository = good();
    repository.write("services/worker/Dockerfile", "FROM nowhere\n");
    refused(
        &repository,
        repository.xtask(&["build-images", "web"]),
        "services/worker/Dockerfile:1",
    );
}
