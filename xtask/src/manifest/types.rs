//! What `services.toml` says, after all checks. Data only.

use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::time::Duration;

/// The whole manifest. Services, bases and groups are found by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `[project]`
    pub project: Project,
    /// `[bases."NAME"]`, by the name that Dockerfiles use in `FROM`
    pub bases: BTreeMap<String, Base>,
    /// `[services.NAME]`
    pub services: BTreeMap<String, Service>,
    /// `[groups]`: names of services, in the order of the file
    pub groups: BTreeMap<String, Vec<String>>,
    /// `[builders]`: short names for buildx builders
    pub builders: BTreeMap<String, String>,
}

/// `[project]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The prefix of local image names, `<name>-<service>:local`; a valid OCI path component
    pub name: String,
    /// Where images live, without scheme or trailing slash: an image is `<registry>/<service>`
    pub registry: String,
    /// The label `org.opencontainers.image.source`
    pub source: Option<String>,
    /// The label `org.opencontainers.image.licenses`, an SPDX expression
    pub licenses: Option<String>,
    /// Default platforms of all services, at least one, for example `linux/amd64`
    pub platforms: Vec<String>,
    /// The branch whose pushes publish `dev`; `dev` unless said
    pub dev_branch: String,
}

/// An external image that Dockerfiles start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// How to make it where no hub can be reached; without it only a hub can give it
    pub bootstrap: Option<Bootstrap>,
}

/// A recipe for mmdebstrap: `{ debian = "trixie" }`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bootstrap {
    /// The Debian suite's code name
    pub suite: String,
    /// mmdebstrap's variant: `minbase` unless said
    pub variant: String,
    /// More packages, in the order of the file
    pub include: Vec<String>,
}

/// `[services.NAME]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The key in the manifest
    pub name: String,
    /// The label `org.opencontainers.image.description`
    pub description: Option<String>,
    /// The build context, relative to the repository's root: `services/<name>` unless said
    pub context: Utf8PathBuf,
    /// Relative to the repository's root: `<context>/Dockerfile` unless said. (In the file, as with
    /// `docker build -f`, it is given relative to the root too.)
    pub dockerfile: Utf8PathBuf,
    /// The stage to build; the last one if absent
    pub target: Option<String>,
    /// Build arguments by value
    pub args: BTreeMap<String, String>,
    /// Names of build arguments that never enter the fingerprint. One without a value in `args`
    /// takes it from the environment when that is set
    pub volatile_args: Vec<String>,
    /// Named contexts as buildx has them: a folder relative to the root, or `docker-image://…` etc.
    pub contexts: BTreeMap<String, String>,
    /// Build secrets
    pub secrets: Vec<Secret>,
    /// SSH agent sockets or keys: `default`, `id=path`
    pub ssh: Vec<String>,
    /// More image labels
    pub labels: BTreeMap<String, String>,
    /// Network of RUN: `default`, `none` or `host`
    pub network: Option<String>,
    /// `host` to address
    pub extra_hosts: BTreeMap<String, String>,
    /// Size of `/dev/shm`, as docker writes sizes: `64m`
    pub shm_size: Option<String>,
    /// Platforms of this service: the project's unless said
    pub platforms: Vec<String>,
    /// Raise to force a rebuild; 0 unless said
    pub epoch: u64,
    /// On `dev`, rebuild without cache when the published image is older
    pub refresh: Option<Duration>,
    /// What is run in a container of the image to test it (`build-images --test`); may be empty
    pub test: Vec<String>,
}

/// A build secret: exactly one source, a file or an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The id in `RUN --mount=type=secret,id=…`
    pub id: String,
    /// Where its value is
    pub source: SecretSource,
    /// Left out without error where the source is absent
    pub optional: bool,
}

/// Where a secret's value is; the value itself is never read by us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file: absolute (also `~/…`), or relative to the repository's root
    File(Utf8PathBuf),
    /// An environment variable
    Env(String),
}
