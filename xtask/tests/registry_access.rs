//! Who may do what: the token exchange against a local token server (DESIGN 4.5).
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "a test writes its own files")]

use relay::{Access, Canned, Memory, Profile, Received, Reply, Scripted, TokenServer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use xtask::docker::registry::oci::{digest_of, media};
use xtask::docker::registry::{
    Answer, Arrival, AtOnce, Kind, Options, Patience, Reason, Reference, Registry, Source,
};

const INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// A registry in memory that wants tokens, and a client with a Docker configuration of its own.
struct World {
    tokens: TokenServer,
    memory: Memory,
    registry: Scripted,
    folder: PathBuf,
    seconds: Arc<AtomicU64>,
}

static WORLDS: AtomicU64 = AtomicU64::new(0);

impl World {
    /// `reader:pw` may read, `writer:pw` may write, anonymous has an access of its own.
    fn new(anonymous: Access) -> Self {
        let users = [
            ("", anonymous),
            ("Basic cmVhZGVyOnB3", Access::Read),
            ("Basic d3JpdGVyOnB3", Access::Write),
            ("refresh identity/+ token", Access::Write),
        ];
        let tokens = TokenServer::start(&users, 300).unwrap();
        let memory = Memory::new(Profile::Capable, digest_of);
        let store = memory.clone();
        let registry = Scripted::start(tokens.guard(move |r| store.answer(r).into())).unwrap();
        let number = WORLDS.fetch_add(1, SeqCst);
        let folder =
            std::env::temp_dir().join(format!("xtask-access-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { tokens, memory, registry, folder, seconds: Arc::default() }
    }

    /// A client whose config.json has an entry for the registry.
    fn client(&self, entry: &str) -> Registry {
        self.client_of(&format!(r#"{{"auths":{{"{}":{entry}}}}}"#, self.registry.address()))
    }

    fn client_of(&self, config: &str) -> Registry {
        std::fs::write(self.folder.join("config.json"), config).unwrap();
        let folder = self.folder.display();
        let path = format!("{folder}:/usr/bin:/bin");
        let vars = [("DOCKER_CONFIG", folder.to_string()), ("PATH", path)];
        let seconds = Arc::clone(&self.seconds);
        let begin = SystemTime::UNIX_EPOCH;
        Registry::new(Options {
            vars: vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            processes: xtask::process::Processes::default(),
            patience: Patience { tries: 1, ..Patience::LOCAL },
            plain_hosts: Vec::new(),
            clock: Arc::new(move || begin + Duration::from_secs(seconds.load(SeqCst))),
        })
    }

    fn tag(&self, name: &str) -> Reference {
        format!("{}/{name}:dev", self.registry.address()).parse().unwrap()
    }

    fn put(&self, client: &Registry, name: &str) -> Result<String, Reason> {
        client.put_manifest(&self.tag(name), media::INDEX, INDEX.as_bytes())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

const READER: &str = r#"{"auth":"cmVhZGVyOnB3"}"#;
const WRITER: &str = r#"{"auth":"d3JpdGVyOnB3"}"#;

#[test]
fn a_token_is_fetched_once_for_a_repository_and_purpose() {
    let world = World::new(Access::None);
    let client = world.client(WRITER);
    assert_eq!(client.get_manifest(&world.tag("a")), Answer::Absent);
    world.put(&client, "a").unwrap();
    for _ in 0..3 {
        assert!(client.get_manifest(&world.tag("a")).found().is_some());
    }
    // Refused once, then 1 + 1 + 3 requests with tokens: one to pull, one to push.
    let counters = client.counters();
    assert_eq!((counters.requests, counters.token_requests), (6, 2));
    assert_eq!(world.tokens.received()[0].query("service"), ["test"]);
    assert_eq!(world.tokens.received()[0].query("scope"), ["repository:a:pull"]);
    assert_eq!(world.tokens.received()[1].query("scope"), ["repository:a:pull,push"]);
}

#[test]
fn threads_that_want_the_same_token_fetch_it_once() {
    let world = World::new(Access::Read);
    let client = world.client("{}");
    assert_eq!(client.get_manifest(&world.tag("a")), Answer::Absent);
    let tags: Vec<Reference> =
        (0..40).map(|n| world.tag("b").with_tag(&format!("t{n}")).unwrap()).collect();
    let answers = client.get_manifests(tags, AtOnce { threads: 8, within: None });
    assert!(answers.iter().all(|answer| *answer == Answer::Absent));
    assert_eq!(client.counters().token_requests, 2);
    assert_eq!(client.counters().requests, 2 + 40);
}

#[test]
fn reading_is_not_writing() {
    let world = World::new(Access::Read);
    for entry in [READER, "{}"] {
        let client = world.client(entry);
        assert_eq!(client.get_manifest(&world.tag("a")), Answer::Absent);
        let refused = world.put(&client, "a").unwrap_err();
        assert_eq!((refused.kind, refused.status), (Kind::Refused, Some(403)));
        assert_eq!(client.may_push(&world.tag("a")).unwrap_err().kind, Kind::Refused);
    }
    assert!(world.memory.tags().is_empty());
    world.client(WRITER).may_push(&world.tag("a")).unwrap();
}

#[test]
fn without_valid_credentials_nothing_is_known() {
    let world = World::new(Access::None);
    for entry in ["{}", r#"{"auth":"d3Jvbmc6cHc="}"#] {
        let client = world.client(entry);
        let answer = client.get_manifest(&world.tag("a"));
        assert!(matches!(&answer, Answer::Refused(_)), "{answer:?}");
    }
}

#[test]
fn an_identity_token_is_exchanged_by_oauth() {
    let world = World::new(Access::None);
    let client = world.client(r#"{"auth":"PHRva2VuPjo=","identitytoken":"identity/+ token"}"#);
    world.put(&client, "a").unwrap();
    let asked = &world.tokens.received()[0];
    assert_eq!((asked.method.as_str(), asked.path.contains("identity")), ("POST", false));
    assert_eq!(client.counters().token_requests, 1);
}

#[test]
fn a_token_is_renewed_when_it_runs_out_or_is_taken_back() {
    let world = World::new(Access::None);
    let client = world.client(READER);
    let tokens = |seconds| {
        world.seconds.fetch_add(seconds, SeqCst);
        assert_eq!(client.get_manifest(&world.tag("a")), Answer::Absent);
        client.counters().token_requests
    };
    assert_eq!([tokens(0), tokens(269), tokens(2), tokens(0)], [1, 1, 2, 2]);
    world.tokens.revoke();
    assert_eq!([tokens(0), tokens(0)], [3, 3]);
}

#[test]
fn a_token_server_that_fails_is_no_refusal() {
    let failing = |canned: Canned| {
        let tokens = Scripted::start(move |_| canned.clone().into()).unwrap();
        let challenge = format!(r#"Bearer realm="http://{}/t",service="s""#, tokens.address());
        let registry = Scripted::start(move |_| {
            Canned::status(401).header("WWW-Authenticate", challenge.clone()).into()
        });
        let registry = registry.unwrap();
        let world = World::new(Access::None);
        let tag: Reference = format!("{}/a:b", registry.address()).parse().unwrap();
        let answer = world.client("{}").get_manifest(&tag);
        answer.unknown().map(|reason| (reason.kind, reason.status)).unwrap()
    };
    assert_eq!(failing(Canned::status(503)), (Kind::Broken, Some(503)));
    assert_eq!(failing(Canned::status(429)), (Kind::Throttled, Some(429)));
    assert_eq!(failing(Canned::status(401)), (Kind::Refused, Some(401)));
    assert_eq!(failing(Canned::status(302)), (Kind::Garbage, Some(302)));
    assert_eq!(failing(Canned::html(200)), (Kind::Garbage, None));
    assert_eq!(failing(Canned::json(200, r#"{"token":""}"#)), (Kind::Garbage, None));
    assert_eq!(failing(Canned::json(200, r#"{"access_token":"x"}"#)), (Kind::Refused, Some(401)));
    let odd = Canned::json(200, "{\"token\":\"a\\nb\"}");
    assert_eq!(failing(odd), (Kind::Garbage, None));
}

#[test]
fn basic_credentials_go_to_the_registry_itself() {
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let registry = Scripted::start(move |request: &Received| {
        let header = request.header("authorization").map(str::to_owned);
        kept.lock().unwrap().push(header.clone());
        match header {
            Some(_) => Reply::from(Canned::error(404, "MANIFEST_UNKNOWN")),
            None => Canned::status(401).header("WWW-Authenticate", "Basic realm=\"r\"").into(),
        }
    });
    let registry = registry.unwrap();
    let world = World::new(Access::None);
    // The entry may be written as an address, as old versions of Docker did.
    let config = format!(r#"{{"auths":{{"http://{}/v1/":{READER}}}}}"#, registry.address());
    let client = world.client_of(&config);
    let tag: Reference = format!("{}/a:b", registry.address()).parse().unwrap();
    assert_eq!(client.get_manifest(&tag), Answer::Absent);
    assert_eq!(client.get_manifest(&tag), Answer::Absent);
    let basic = Some("Basic cmVhZGVyOnB3".to_owned());
    assert_eq!(*seen.lock().unwrap(), [None, basic.clone(), basic]);
}

#[cfg(unix)]
#[test]
fn a_credential_helper_is_asked_once_and_its_failure_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new(Access::None);
    let host = world.registry.address();
    let helper = |name: &str, script: &str| {
        let file = world.folder.join(format!("docker-credential-{name}"));
        std::fs::write(&file, format!("#!/bin/sh\n{script}")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let log = world.folder.join("asked");
    helper(
        "good",
        &format!(
            r#"read host; echo "$1 $host" >> {}; echo '{{"Username":"writer","Secret":"pw"}}'"#,
            log.display()
        ),
    );
    helper("empty", r#"read host; echo '{"Username":"<token>","Secret":"identity/+ token"}'"#);
    helper("bad", "cat > /dev/null; echo credentials not found in s3cret keychain; exit 1");
    for config in [
        format!(r#"{{"credHelpers":{{"{host}":"good"}},"credsStore":"bad"}}"#),
        format!(r#"{{"credsStore":"good","auths":{{"{host}":{{}}}}}}"#),
    ] {
        let client = world.client_of(&config);
        world.put(&client, "a").unwrap();
        world.put(&client, "b").unwrap();
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), format!("get {host}\n").repeat(2));
    world.put(&world.client_of(r#"{"credsStore":"empty"}"#), "c").unwrap();
    for missing in ["bad", "missing"] {
        let client = world.client_of(&format!(r#"{{"credsStore":"{missing}"}}"#));
        let refused = world.put(&client, "d").unwrap_err();
        assert_eq!(refused.kind, Kind::Refused);
        let told = refused.to_string();
        assert!(told.contains(&format!("`docker-credential-{missing} get` gave no")), "{told}");
        assert!(!told.contains("s3cret"));
    }
}

#[test]
fn a_broken_configuration_is_named_and_not_quoted() {
    let world = World::new(Access::None);
    let client = world.client_of("{\n\"auths\": s3cret");
    let told = world.put(&client, "a").unwrap_err().to_string();
    assert!(told.contains("config.json` is not Docker's configuration (line 2)"), "{told}");
    assert!(!told.contains("s3cret"));
}

#[test]
fn mounting_asks_for_both_repositories() {
    let world = World::new(Access::None);
    let client = world.client(WRITER);
    let (from, to) = (world.tag("from"), world.tag("to"));
    let digest = digest_of(b"layer");
    let source = Source::Bytes(b"layer");
    assert_eq!(client.put_blob(&from, &digest, source, None).unwrap(), Arrival::Uploaded);
    assert_eq!(client.put_blob(&from, &digest, source, Some(&to)).unwrap(), Arrival::Present);
    assert_eq!(client.put_blob(&to, &digest, source, Some(&from)).unwrap(), Arrival::Mounted);
    let scopes: Vec<_> = world.tokens.received().iter().map(|token| token.query("scope")).collect();
    assert!(
        scopes.contains(&vec!["repository:to:pull,push".into(), "repository:from:pull".into()])
    );
}

#[test]
fn github_token_is_for_github_only() {
    let world = World::new(Access::None);
    let mut vars = BTreeMap::from([("GITHUB_ACTIONS".to_owned(), "true".to_owned())]);
    vars.insert("GITHUB_TOKEN".into(), "ghs_x".into());
    let client = Registry::new(Options {
        vars,
        processes: xtask::process::Processes::default(),
        patience: Patience::LOCAL,
        plain_hosts: Vec::new(),
        clock: Arc::new(|| SystemTime::UNIX_EPOCH),
    });
    assert!(matches!(client.get_manifest(&world.tag("a")), Answer::Refused(_)));
    assert!(world.tokens.received().iter().all(|asked| asked.header("authorization").is_none()));
}
