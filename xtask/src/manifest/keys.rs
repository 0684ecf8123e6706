//! The keys that each table of the manifest knows, each with an example, and what to say about the
//! keys of other tools. Data only: nothing is checked here.

/// A key, and a value that it could have.
pub(super) type Key = (&'static str, &'static str);

/// The top level.
pub(super) const TOP: &[Key] = &[
    ("project", "{ name = \"shop\", registry = \"ghcr.io/owner/shop\" }"),
    ("bases", "{ \"debian:trixie-slim\" = {} }"),
    ("services", "{ web = {} }"),
    ("groups", "{ front = [\"web\"] }"),
    ("builders", "{ big = \"remote-builder\" }"),
];

/// `[project]`
pub(super) const PROJECT: &[Key] = &[
    ("name", "\"shop\""),
    ("registry", "\"ghcr.io/owner/shop\""),
    ("source", "\"https://github.com/owner/shop\""),
    ("licenses", "\"MIT OR Apache-2.0\""),
    ("platforms", "[\"linux/amd64\"]"),
    ("dev-branch", "\"dev\""),
];

/// `[bases."NAME"]`
pub(super) const BASE: &[Key] = &[("bootstrap", "{ debian = \"trixie\" }")];

/// `bootstrap = { … }`
pub(super) const BOOTSTRAP: &[Key] =
    &[("debian", "\"trixie\""), ("variant", "\"minbase\""), ("include", "[\"ca-certificates\"]")];

/// The top level of `bases.lock`
pub(super) const LOCK: &[Key] = &[("schema", "1"), ("bases", "{ \"debian:trixie-slim\" = { … } }")];

/// `[bases."NAME"]` of `bases.lock`
pub(super) const LOCKED: &[Key] = &[
    ("from", "\"hub\""),
    ("image", "\"docker.io/library/debian:trixie-slim\""),
    ("digest", "\"sha256:…\""),
    ("platforms", "[\"linux/amd64\"]"),
    ("locked", "\"2026-11-24T11:28:07Z\""),
];

/// `[services.NAME]`
pub(super) const SERVICE: &[Key] = &[
    ("context", "\"services/web\""),
    ("dockerfile", "\"services/web/Dockerfile\""),
    ("target", "\"runtime\""),
    ("args", "{ LOG_LEVEL = \"info\" }"),
    ("volatile-args", "[\"BUILD_DATE\"]"),
    ("contexts", "{ shared = \"libs/shared\" }"),
    ("secrets", "[{ id = \"token\", env = \"TOKEN\" }]"),
    ("ssh", "[\"default\"]"),
    ("labels", "{ \"org.example.team\" = \"web\" }"),
    ("network", "\"none\""),
    ("extra-hosts", "{ \"db.local\" = \"10.0.0.7\" }"),
    ("shm-size", "\"64m\""),
    ("platforms", "[\"linux/amd64\"]"),
    ("description", "\"what people see of it\""),
    ("epoch", "1"),
    ("refresh", "\"7d\""),
    ("test", "[\"web\", \"--version\"]"),
];

/// `secrets = [{ … }]`
pub(super) const SECRET: &[Key] =
    &[("id", "\"token\""), ("file", "\"token.txt\""), ("env", "\"TOKEN\""), ("optional", "true")];

/// What other tools have, and what stands in its place here.
const FOREIGN: &[(&str, &str)] = &[
    ("tags", "leave it out: tags follow from what caused the run"),
    ("image", "leave it out: the image is `<registry>/<service>`"),
    ("cache-from", "leave it out: caches follow from what caused the run"),
    ("cache-to", "leave it out: caches follow from what caused the run"),
    ("output", "leave it out: outputs follow from what caused the run"),
    ("depends-on", "leave it out: what a service builds on is read from its Dockerfile"),
    ("inherits", "leave it out: each service says what it differs in"),
    ("build-args", "did you mean `args`?"),
    ("additional-contexts", "did you mean `contexts`?"),
    ("build-contexts", "did you mean `contexts`?"),
    ("add-hosts", "did you mean `extra-hosts`?"),
    ("src", "did you mean `file`?"),
    ("source", "did you mean `file`?"),
    ("path", "did you mean `context`?"),
    ("file", "did you mean `dockerfile`?"),
    ("license", "did you mean `licenses`?"),
    ("branch", "did you mean `dev-branch`?"),
    ("repository", "did you mean `source`?"),
    ("url", "did you mean `source`?"),
    ("suite", "did you mean `debian`?"),
    ("packages", "did you mean `include`?"),
    ("targets", "did you mean `services`?"),
    ("images", "did you mean `bases`?"),
];

/// The next step for a key that a table does not know.
pub(super) fn help(written: &str, known: &[Key]) -> String {
    let names = || known.iter().map(|(name, _)| *name);
    let plain = written.to_lowercase().replace('_', "-");
    let foreign = FOREIGN.iter().filter(|(name, _)| *name == plain).map(|(_, help)| *help);
    let fits = |help: &&str| match help.strip_prefix("did you mean `") {
        Some(rest) => rest.strip_suffix("`?").is_some_and(|name| names().any(|n| n == name)),
        None => known == SERVICE,
    };
    if let Some(help) = foreign.into_iter().find(fits) {
        return help.to_owned();
    }
    match crate::nearest::nearest(written, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are `{}`", names().collect::<Vec<_>>().join("`, `")),
    }
}

/// How a key is written, if the table knows it: `context = "services/web"`.
pub(super) fn example(key: &str, known: &[Key]) -> Option<String> {
    known.iter().find(|(name, _)| *name == key).map(|(name, value)| format!("{name} = {value}"))
}
