//! What is written is read again, and every word of what is said about a bad file.

use super::*;

const GOOD: &str = r#"# Which content each base of services.toml has. Written by `cargo xtask bases update`: commit it, and
# do not edit it by hand.
schema = 1

[bases."busybox:debian"]
from = "bootstrap"
image = "<registry>/bases:1f3a"
digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
platforms = ["linux/amd64"]
locked = "2026-11-24T11:28:07Z"

[bases."debian:slim"]
from = "hub"
image = "docker.io/library/debian:slim"
digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
platforms = ["linux/amd64", "linux/arm64/v8"]
locked = "2026-01-02T03:04:05Z"
"#;

fn good() -> Lock {
    let digest = "0123456789abcdef".repeat(4);
    let made = Locked {
        origin: Origin::Bootstrap { hash: "1f3a".into() },
        digest: format!("sha256:{digest}"),
        platforms: vec!["linux/amd64".into()],
        at: "2026-11-24T11:28:07Z".into(),
    };
    let pulled = Locked {
        origin: Origin::Hub { image: "docker.io/library/debian:slim".into() },
        digest: format!("sha256:{}", "0".repeat(64)),
        platforms: vec!["linux/amd64".into(), "linux/arm64/v8".into()],
        at: "2026-01-02T03:04:05Z".into(),
    };
    Lock { entries: [("debian:slim".into(), pulled), ("busybox:debian".into(), made)].into() }
}

#[test]
fn the_file_is_sorted_and_read_again() {
    assert_eq!(good().to_string(), GOOD);
    assert_eq!(Lock::parse(GOOD, "bases.lock").unwrap(), good());
    let mut other = good();
    for locked in other.entries.values_mut() {
        locked.platforms.reverse();
        locked.platforms.push("linux/amd64".into());
    }
    assert_eq!(other.to_string(), GOOD);
    let empty = Lock::default();
    assert_eq!(Lock::parse(&empty.to_string(), "f").unwrap(), empty);
}

/// Platforms are what a foreign registry says.
#[test]
fn nothing_that_is_written_breaks_the_file() {
    let mut lock = good();
    for odd in ["a\"b", "a\\b", "a\nb", "a\u{7f}b", "a\u{1}b", "]", "'''", "é"] {
        lock.entries.get_mut("debian:slim").unwrap().platforms = vec![odd.into()];
        assert_eq!(Lock::parse(&lock.to_string(), "f").unwrap(), lock, "{odd:?}");
    }
}

#[track_caller]
fn case(old: &str, new: &str, parts: &[&str]) {
    let bad = GOOD.replacen(old, new, 1);
    assert_ne!(bad, GOOD);
    let error = Lock::parse(&bad, "services/bases.lock").unwrap_err();
    assert_eq!(crate::error::exit_code(&error), 2);
    let text = error.to_string();
    for part in parts.iter().chain(&["services/bases.lock:", "cargo xtask bases update"]) {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    case("schema = 1\n", "", &["lock:1:1: the lock file does not say its schema"]);
    case("schema = 1", "schema = 2", &["lock:3:1: schema 2 is not known here", "a newer xtask"]);
    case("schema = 1", "schema = \"1\"", &["lock:3:10: `schema` in the lock file must be"]);
    case("schema = 1", "schema = 1\nbasis = {}", &["lock:4:1: unknown key `basis`"]);
    case("\"bootstrap\"", "\"bootsrap\"", &["lock:6:8: a base is not from `bootsrap`", "did you"]);
    case("from = \"hub\"\n", "", &["lock:12:8: base `debian:slim` does not say `from`"]);
    case("<registry>/bases", "ghcr.io/x/bases", &["lock:7:9: `ghcr.io/x/bases:1f3a` is no place"]);
    case(":1f3a", ":latest!", &["lock:7:9:"]);
    case("docker.io/library/", "Docker/", &["lock:14:9:", "lower case"]);
    case("sha256:0123", "sha256:123", &["lock:8:10:", "is no digest"]);
    case("sha256:0000", "sha256:000G", &["lock:15:10:", "64 hexadecimal digits"]);
    case("[\"linux/amd64\"]", "\"linux/amd64\"", &["lock:9:13:", "must be a list"]);
    case("2026-01-02T", "2026-01-02 ", &["lock:17:10:", "is no time"]);
    case("debian:slim\"]", "debian:slim\"", &["lock:12:1: the bracket of this table"]);
    case("debian:slim\"]", "Debian\"]", &["lock:12:8:"]);
    case("debian:slim\"]", "busybox:debian\"]", &["lock:12:", "is there twice"]);
    case("[bases.\"debian", "<<<<<<< HEAD\n[bases.\"debian", &["lock:12:1: this is no `key"]);
    case("platforms", "platfroms", &["lock:9:1: unknown key `platfroms`", "did you mean"]);
    case("schema = 1", "bases = 1\nschema = 1", &["lock:"]);
}

#[test]
fn no_text_makes_it_panic() {
    for end in (0..GOOD.len()).filter(|end| GOOD.is_char_boundary(*end)) {
        Lock::parse(&GOOD[..end], "f").ok();
        Lock::parse(&format!("{}\u{0}{}", &GOOD[..end], &GOOD[end..]), "f").ok();
    }
}
