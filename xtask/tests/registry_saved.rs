//! Blobs that are read into files: whole and right, or not at all.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "a test tells the real time, and reads files")]

use camino::Utf8PathBuf;
use relay::{Canned, Reply, Scripted};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};
use xtask::docker::registry::oci::digest_of;
use xtask::docker::registry::{Answer, Kind, Options, Patience, Reference, Registry};

static CONTENT: [u8; 200_000] = [7; 200_000];

fn client() -> Registry {
    Registry::new(Options {
        vars: BTreeMap::new(),
        processes: xtask::process::Processes::default(),
        patience: Patience { first_wait: Duration::from_millis(1), ..Patience::CHECK },
        plain_hosts: Vec::new(),
        clock: Arc::new(SystemTime::now),
    })
}

/// Saves a blob from a server, and gives the answer with what is in the file.
fn save(server: &Scripted, digest: &str) -> (Answer<()>, Vec<u8>) {
    let repository: Reference = format!("{}/team/app", server.address()).parse().unwrap();
    let name = format!("saved-{}", server.address().port());
    let file = Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, "what was there before, and is longer than nothing").unwrap();
    let answer = client().save_blob(&repository, digest, &file);
    (answer, std::fs::read(&file).unwrap())
}

#[test]
fn a_blob_is_saved_whole_however_often_it_is_cut() {
    let tries = AtomicUsize::new(0);
    let server = Scripted::start(move |_| {
        let answer = Canned::status(200).body(&CONTENT[..]);
        match tries.fetch_add(1, SeqCst) {
            0 => Reply::CutAfter(answer, 150_000),
            1 => Canned::status(503).into(),
            _ => answer.into(),
        }
    });
    let (answer, saved) = save(&server.unwrap(), &digest_of(&CONTENT));
    assert!(matches!(answer, Answer::Found(())), "{answer:?}");
    assert_eq!(saved, CONTENT);
}

#[test]
fn what_is_not_the_blob_is_no_answer() {
    let server = Scripted::start(|_| Canned::status(200).body(&CONTENT[..]).into()).unwrap();
    let (answer, _) = save(&server, &digest_of(b"something else"));
    assert_eq!(answer.unknown().unwrap().kind, Kind::Garbage);
    let sha512 = format!("sha512:{}", "0".repeat(128));
    assert_eq!(save(&server, &sha512).0.unknown().unwrap().kind, Kind::Garbage);
    assert_eq!(save(&server, "sha256:short").0.unknown().unwrap().kind, Kind::Local);
    let absent = Scripted::start(|_| Canned::error(404, "BLOB_UNKNOWN").into()).unwrap();
    assert!(matches!(save(&absent, &digest_of(&CONTENT)).0, Answer::Absent));
    let repository: Reference = format!("{}/team/app", server.address()).parse().unwrap();
    let nowhere = Utf8PathBuf::from("/nowhere/at/all");
    let answer = client().save_blob(&repository, &digest_of(&CONTENT), &nowhere);
    assert_eq!(answer.unknown().unwrap().kind, Kind::Local);
}
