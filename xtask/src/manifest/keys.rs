//! The keys that each table of the manifest knows, each with an example and what it is for, and what to
//! say about the keys of other tools. Data only: nothing is checked here.

/// A key, a value that it could have, and what it is for.
pub(super) type Key = (&'static str, &'static str, &'static str);

/// The top level.
pub(super) const TOP: &[Key] = &[
    (
        "project",
        "{ name = \"shop\", registry = \"ghcr.io/owner/shop\" }",
        "What all images have in common",
    ),
    (
        "bases",
        "{ \"debian:trixie-slim\" = {} }",
        "External images that Dockerfiles start FROM, by the name that they use",
    ),
    (
        "services",
        "{ web = {} }",
        "One image each, by its name: its context is services/NAME unless said",
    ),
    ("groups", "{ front = [\"web\"] }", "Short names for several services"),
    ("builders", "{ big = \"remote-builder\" }", "Short names for buildx builders"),
];

/// `[project]`
pub(super) const PROJECT: &[Key] = &[
    ("name", "\"shop\"", "Local images are NAME-SERVICE:local"),
    (
        "registry",
        "\"ghcr.io/owner/shop\"",
        "Where images live, without scheme: an image is REGISTRY/SERVICE",
    ),
    ("source", "\"https://github.com/owner/shop\"", "The label org.opencontainers.image.source"),
    (
        "licenses",
        "\"MIT OR Apache-2.0\"",
        "The label org.opencontainers.image.licenses, an SPDX expression",
    ),
    (
        "platforms",
        "[\"linux/amd64\"]",
        "Platforms of all services that say nothing else; linux/amd64 unless said",
    ),
    ("dev-branch", "\"dev\"", "The branch whose pushes publish `dev`; dev unless said"),
];

/// `[bases."NAME"]`
pub(super) const BASE: &[Key] = &[(
    "bootstrap",
    "{ debian = \"trixie\" }",
    "How to make it from Debian's packages where no hub can be reached",
)];

/// `bootstrap = { … }`
pub(super) const BOOTSTRAP: &[Key] = &[
    ("debian", "\"trixie\"", "The suite's code name"),
    ("variant", "\"minbase\"", "The variant of mmdebstrap; minbase unless said"),
    ("include", "[\"ca-certificates\"]", "More packages"),
];

/// The top level of `bases.lock`
pub(super) const LOCK: &[Key] = &[
    ("schema", "1", "The version of the format"),
    ("bases", "{ \"debian:trixie-slim\" = { … } }", "What each base is held to"),
];

/// `[bases."NAME"]` of `bases.lock`
pub(super) const LOCKED: &[Key] = &[
    ("from", "\"hub\"", "Where it comes from"),
    ("image", "\"docker.io/library/debian:trixie-slim\"", "Its full name there"),
    ("digest", "\"sha256:…\"", "Its content"),
    ("platforms", "[\"linux/amd64\"]", "What it is for"),
    ("locked", "\"2026-11-24T11:28:07Z\"", "Since when"),
];

/// `[services.NAME]`
pub(super) const SERVICE: &[Key] = &[
    (
        "context",
        "\"services/web\"",
        "The build context, relative to the root of the repository; services/NAME unless said",
    ),
    (
        "dockerfile",
        "\"services/web/Dockerfile\"",
        "The Dockerfile, relative to the root of the repository; Dockerfile in the context unless said",
    ),
    ("target", "\"runtime\"", "The stage to build; the last one unless said"),
    ("args", "{ LOG_LEVEL = \"info\" }", "Build arguments"),
    (
        "volatile-args",
        "[\"BUILD_DATE\"]",
        "Build arguments that make no image another one, such as a date",
    ),
    (
        "contexts",
        "{ shared = \"libs/shared\" }",
        "Named contexts, as in buildx: a folder relative to the root, or docker-image://…",
    ),
    ("secrets", "[{ id = \"token\", env = \"TOKEN\" }]", "Build secrets"),
    ("ssh", "[\"default\"]", "SSH agents or keys for the build: default, or id=path"),
    ("labels", "{ \"org.example.team\" = \"web\" }", "More labels of the image"),
    ("network", "\"none\"", "The network of RUN"),
    (
        "extra-hosts",
        "{ \"db.local\" = \"10.0.0.7\" }",
        "Hosts and their addresses during the build",
    ),
    ("shm-size", "\"64m\"", "The size of /dev/shm during the build"),
    ("platforms", "[\"linux/amd64\"]", "Its platforms; those of the project unless said"),
    ("description", "\"what people see of it\"", "The label org.opencontainers.image.description"),
    ("epoch", "1", "Raise it to have the image built anew"),
    (
        "refresh",
        "\"7d\"",
        "On dev: built anew, without cache, once the published image is older; w, d, h, m or s",
    ),
    (
        "test",
        "[\"web\", \"--version\"]",
        "What `build-images --test` runs in a container of the image, as arguments of docker run",
    ),
];

/// `secrets = [{ … }]`
pub(super) const SECRET: &[Key] = &[
    ("id", "\"token\"", "The id in RUN --mount=type=secret,id=…"),
    (
        "file",
        "\"token.txt\"",
        "The file with its value: absolute, below ~/, or relative to the root",
    ),
    ("env", "\"TOKEN\"", "The variable with its value"),
    ("optional", "true", "Left out without an error where file or variable is absent"),
];

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
    let names = || known.iter().map(|(name, ..)| *name);
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
    known.iter().find(|(name, ..)| *name == key).map(|(name, value, _)| format!("{name} = {value}"))
}
