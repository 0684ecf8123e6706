//! What is not read, or cannot be written to, is no reason to stop, and none to panic.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use support::Repository;

const MANIFEST: &str = "[project]\nname = \"shop\"\nregistry = \"127.0.0.1:1/shop\"\n\
                        source = \"https://example.org/shop\"\nplatforms = [\"linux/amd64\"]\n\
                        [services.web]\n";

enum Reader {
    Gone,
    Full,
}

/// The exit code, with standard error (and output) so.
fn run(manifest: &str, args: &[&str], reader: &Reader) -> i32 {
    let repository = Repository::new(&[
        ("services/services.toml", manifest),
        ("services/web/Dockerfile", "FROM scratch\nCOPY . /\n"),
    ]);
    let output = || match reader {
        Reader::Gone => {
            let (gone, writer) = std::io::pipe().unwrap();
            drop(gone);
            Stdio::from(writer)
        }
        Reader::Full => {
            Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap())
        }
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let command = command.args(args).current_dir(repository.root()).stdin(Stdio::null());
    let command = command.env("XTASK_CACHE_DIR", repository.root().join("target/cache"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GITHUB_")) {
        command.env_remove(name);
    }
    let status = match reader {
        Reader::Gone => command.stdout(output()).stderr(output()).status(),
        Reader::Full => command.stdout(Stdio::null()).stderr(output()).status(),
    };
    status.unwrap().code().unwrap()
}

#[test]
fn a_reader_that_went_away_changes_no_exit_code() {
    let full = Path::new("/dev/full").exists().then_some(Reader::Full);
    for reader in [Reader::Gone].into_iter().chain(full) {
        assert_eq!(run(MANIFEST, &["fingerprint", "--verbose"], &reader), 0);
        assert_eq!(run(MANIFEST, &["compose", "--check"], &reader), 1);
        assert_eq!(run(MANIFEST, &["plan", "nothing"], &reader), 2);
        assert_eq!(run("nonsense", &["plan"], &reader), 2);
        assert_eq!(run(MANIFEST, &["--no-such-option"], &reader), 2);
        assert_eq!(run(MANIFEST, &["--help"], &reader), 0);
    }
}
