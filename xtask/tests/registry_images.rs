//! Images, tags and promotion against a registry in memory, behind the relay where things go wrong.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "a test writes its own files and tells the time")]

use camino::{Utf8Path, Utf8PathBuf};
use relay::{Canned, Memory, Profile, Relay, Scripted, Then, When};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};
use xtask::docker::registry::oci::{digest_of, media};
use xtask::docker::registry::{
    Answer, Deletion, Kind, Options, Patience, Pushed, Reference, Registry,
};

const PATIENCE: Patience = Patience {
    connect: Duration::from_millis(500),
    per_request: Duration::from_secs(2),
    total: Duration::from_secs(20),
    tries: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(20),
};

/// A registry in memory with a relay before it.
struct World {
    memory: Memory,
    relay: Relay,
    client: Registry,
    _server: Scripted,
    folder: Utf8PathBuf,
}

static WORLDS: AtomicU64 = AtomicU64::new(0);

impl World {
    fn new(profile: Profile) -> Self {
        let memory = Memory::new(profile, digest_of).with_page(3);
        let store = memory.clone();
        let server = Scripted::start(move |request| store.answer(request).into()).unwrap();
        let relay = Relay::start(server.address()).unwrap();
        let client = Registry::new(Options {
            vars: BTreeMap::new(),
            processes: xtask::process::Processes::default(),
            patience: PATIENCE,
            plain_hosts: Vec::new(),
            clock: Arc::new(SystemTime::now),
        });
        let number = WORLDS.fetch_add(1, SeqCst);
        let folder =
            std::env::temp_dir().join(format!("xtask-images-{}-{number}", std::process::id()));
        let folder = Utf8PathBuf::from_path_buf(folder).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        Self { memory, relay, client, _server: server, folder }
    }

    fn reference(&self, name: &str) -> Reference {
        format!("{}/{name}", self.relay.address()).parse().unwrap()
    }

    /// Publishes an image of two platforms under `team/app:dev` and gives its digest.
    fn published(&self) -> String {
        let digest = layout(&self.folder);
        let pushed =
            self.client.push_layout(&self.folder, &self.reference("team/app:dev")).unwrap();
        assert_eq!(pushed.digest, digest);
        self.relay.reset();
        digest
    }
}

impl Drop for World {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Writes an OCI layout: an index of two images that share a layer. Gives the index's digest.
fn layout(folder: &Utf8Path) -> String {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let write = |bytes: &[u8]| {
        let digest = digest_of(bytes);
        std::fs::write(blobs.join(&digest[7..]), bytes).unwrap();
        (digest, bytes.len())
    };
    let entry = |kind: &str, (digest, size): (String, usize)| {
        format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{size}}}"#)
    };
    let layer = entry("application/vnd.oci.image.layer.v1.tar", write(&[7; 100_000]));
    let image = |architecture: &str| {
        let config = format!(r#"{{"os":"linux","architecture":"{architecture}","rootfs":{{}}}}"#);
        let config = entry(media::CONFIG, write(config.as_bytes()));
        // Without a media type of its own, as the specification allows.
        let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#);
        let entry = entry(media::MANIFEST, write(manifest.as_bytes()));
        let platform = format!(r#","platform":{{"os":"linux","architecture":"{architecture}"}}}}"#);
        entry.trim_end_matches('}').to_owned() + &platform
    };
    let (amd, arm) = (image("amd64"), image("arm64"));
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{amd},{arm}]}}"#,
        media::INDEX
    );
    let (digest, size) = write(index.as_bytes());
    let top = entry(media::INDEX, (digest.clone(), size));
    std::fs::write(
        folder.join("index.json"),
        format!(r#"{{"schemaVersion":2,"manifests":[{top}]}}"#),
    )
    .unwrap();
    digest
}

fn tags(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_layout_is_pushed_once_and_the_tag_comes_last() {
    let world = World::new(Profile::Distribution);
    let digest = layout(&world.folder);
    let to = world.reference("bases:debian");
    let pushed = world.client.push_layout(&world.folder, &to).unwrap();
    let Pushed { present, mounted, uploaded, bytes, .. } = pushed;
    assert_eq!((present, mounted, uploaded), (1, 0, 3), "the shared layer is sent once");
    assert!(bytes > 100_000);
    let log = world.relay.log();
    assert_eq!(log.last().unwrap().path, "/v2/bases/manifests/debian");
    let again = world.client.push_layout(&world.folder, &to).unwrap();
    assert_eq!((again.present, again.uploaded, again.bytes), (4, 0, 0));
    let resolved = world.client.resolve(&to).found().unwrap();
    assert_eq!(resolved.digest, digest);
    let platforms: Vec<String> = resolved.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    // A single manifest's platform stands in its configuration.
    let index = world.client.get_manifest(&to).found().unwrap().index().unwrap();
    let single = to.with_digest(&index.manifests[1].digest).unwrap();
    let resolved = world.client.resolve(&single).found().unwrap();
    assert_eq!(resolved.platforms[0].to_string(), "linux/arm64");
}

#[test]
fn a_layout_that_is_not_what_it_says_is_refused() {
    let world = World::new(Profile::Capable);
    let to = world.reference("a:b");
    let kind = |client: &Registry| client.push_layout(&world.folder, &to).unwrap_err().kind;
    assert_eq!(kind(&world.client), Kind::Local, "no index.json");
    let digest = layout(&world.folder);
    std::fs::write(world.folder.join("blobs/sha256").join(&digest[7..]), "{}").unwrap();
    assert_eq!(kind(&world.client), Kind::Local, "wrong bytes");
    std::fs::write(world.folder.join("index.json"), r#"{"schemaVersion":2,"manifests":[]}"#)
        .unwrap();
    assert_eq!(kind(&world.client), Kind::Local, "no image");
    assert!(world.memory.tags().is_empty());
}

#[test]
fn a_copy_mounts_within_a_registry_and_streams_between_two() {
    let world = World::new(Profile::Capable);
    let digest = world.published();
    let (from, near) = (world.reference("team/app:dev"), world.reference("team/copy:x"));
    let copied = world.client.copy_image(&from, &near).unwrap();
    assert_eq!((copied.digest.as_str(), copied.mounted, copied.uploaded), (digest.as_str(), 3, 0));
    let other = World::new(Profile::Distribution);
    let far = other.reference("team/app:x");
    // The first upload is cut on its way.
    other.relay.rule(When::on("PUT", "digest=").once(), Then::CutUpload(10));
    let copied = world.client.copy_image(&from, &far).unwrap();
    assert_eq!((copied.digest.as_str(), copied.present, copied.uploaded), (digest.as_str(), 1, 3));
    assert_eq!(other.memory.tags(), BTreeMap::from([("team/app:x".into(), digest)]));
    let missing = world.client.copy_image(&world.reference("team/none:x"), &far).unwrap_err();
    assert_eq!(missing.kind, Kind::Rejected);
}

#[test]
fn a_large_file_streams_up_and_what_is_wrong_is_not_taken() {
    let world = World::new(Profile::Ghcr);
    let (file, repository) = (world.folder.join("blob"), world.reference("new/repository"));
    let bytes: Vec<u8> = (0..8 << 20).map(|n| (n % 251) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    let digest = digest_of(&bytes);
    let source = xtask::docker::registry::Source::File(&file);
    world.relay.rule(When::on("PUT", "digest=").skip(1).once(), Then::LoseAnswer);
    // GHCR refuses to look at what does not exist yet: we push all the same.
    assert_eq!(world.client.head_blob(&repository, &digest).unknown().unwrap().kind, Kind::Refused);
    let wrong = world.client.put_blob(&repository, &digest_of(b"x"), source, None).unwrap_err();
    assert_eq!((wrong.kind, wrong.status), (Kind::Rejected, Some(400)));
    world.client.put_blob(&repository, &digest, source, None).unwrap();
    assert_eq!(world.client.head_blob(&repository, &digest), Answer::Found(Some(8 << 20)));
    assert_eq!(world.client.get_blob(&repository, &digest, 9 << 20).found().unwrap(), bytes);
    assert!(world.client.counters().bytes_out >= 24 << 20, "sent three times");
    world.client.may_push(&repository).unwrap();
}

#[test]
fn promotion_keeps_every_byte_and_order() {
    let world = World::new(Profile::Distribution);
    let digest = world.published();
    let wanted = tags(&["v0.1.0", "0.1", "0", "latest"]);
    let promoted = world.client.promote(&world.reference("team/app:dev"), &wanted).unwrap();
    assert_eq!((promoted.digest.as_str(), &promoted.tags), (digest.as_str(), &wanted));
    let paths: Vec<String> = world.relay.log().into_iter().map(|entry| entry.path).collect();
    let expected = ["dev", "v0.1.0", "0.1", "0", "latest"];
    assert_eq!(paths, expected.map(|tag| format!("/v2/team/app/manifests/{tag}")));
    assert_eq!(world.memory.tags().len(), 5);
    assert!(world.memory.tags().values().all(|stands| *stands == digest));
}

#[test]
fn a_promotion_that_stops_says_what_was_moved() {
    let world = World::new(Profile::Distribution);
    world.published();
    world.relay.rule(When::on("PUT", "/manifests/0"), Then::Answer(Canned::status(500)));
    let wanted = tags(&["v0.1.0", "0.1", "latest"]);
    let halted = world.client.promote(&world.reference("team/app:dev"), &wanted).unwrap_err();
    assert_eq!((&halted.moved, halted.at.as_deref()), (&tags(&["v0.1.0"]), Some("0.1")));
    let told = halted.to_string();
    assert!(told.starts_with("cannot move the tag `0.1`, `v0.1.0` moved before: PUT "), "{told}");
    let absent = world.client.promote(&world.reference("team/app:none"), &wanted).unwrap_err();
    assert_eq!((absent.moved, absent.at), (vec![], None));
    let bad = world.client.promote(&world.reference("team/app:dev"), &tags(&["a", "b+c"]));
    assert_eq!(bad.unwrap_err().reason.kind, Kind::Local);
}

#[test]
fn a_promotion_survives_each_single_fault() {
    let wanted = tags(&["v0.1.0", "latest"]);
    let faults = [
        Then::Answer(Canned::status(500)),
        Then::Answer(Canned::status(429).header("Retry-After", "1")),
        Then::Answer(Canned::error(403, "DENIED")),
        Then::Cut,
        Then::CutAnswer(0),
        Then::LoseAnswer,
        Then::Delay(Duration::from_millis(600)),
    ];
    for fault in faults {
        for k in 1..=3 {
            let world = World::new(Profile::Distribution);
            world.published();
            world.relay.rule(When::nth(k), fault.clone());
            let per_request = match fault {
                Then::Delay(wait) => wait / 2,
                _ => PATIENCE.per_request,
            };
            let client = world.client.with_patience(Patience { per_request, ..PATIENCE });
            let promoted = client.promote(&world.reference("team/app:dev"), &wanted);
            assert_eq!(promoted.unwrap().tags, wanted, "{fault:?} at request {k}");
        }
    }
}

#[test]
fn tags_are_listed_over_all_pages() {
    let world = World::new(Profile::Capable);
    world.published();
    let names: Vec<String> = (0..10).map(|n| format!("v0.{n}.0")).collect();
    world.client.promote(&world.reference("team/app:dev"), &names).unwrap();
    let mut listed = world.client.tags(&world.reference("team/app")).found().unwrap();
    assert_eq!(world.relay.count("GET", "/tags/list"), 4);
    assert_eq!(listed.remove(0), "dev");
    assert_eq!(listed, names);
    assert_eq!(world.client.tags(&world.reference("team/none")), Answer::Absent);
}

#[test]
fn only_a_capable_registry_deletes_a_tag() {
    let gone = |profile, by_digest: bool| {
        let world = World::new(profile);
        let digest = world.published();
        world.client.promote(&world.reference("team/app:dev"), &tags(&["x"])).unwrap();
        let tag = world.reference("team/app:dev");
        let reference = if by_digest { tag.with_digest(&digest).unwrap() } else { tag };
        let deletion = world.client.delete_manifest(&reference).unwrap();
        (deletion == Deletion::Done, world.memory.tags().len())
    };
    assert_eq!(gone(Profile::Capable, false), (true, 1));
    assert_eq!(gone(Profile::Capable, true), (true, 0), "all tags go along");
    assert_eq!(gone(Profile::Distribution, false), (false, 2));
    assert_eq!(gone(Profile::Distribution, true), (true, 0));
    assert_eq!(gone(Profile::Ghcr, false), (false, 2));
    assert_eq!(gone(Profile::Ghcr, true), (false, 2));
}

#[test]
fn a_kept_connection_that_was_closed_costs_no_try() {
    let world = World::new(Profile::Capable);
    world.published();
    let once = world.client.with_patience(Patience { tries: 1, ..PATIENCE });
    let tag = world.reference("team/app:dev");
    for _ in 0..3 {
        assert!(matches!(once.get_manifest(&tag), Answer::Found(_)));
        world.relay.cut();
        std::thread::sleep(Duration::from_millis(20));
    }
}
