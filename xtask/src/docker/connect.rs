//! Which Docker is used: the user's own where it can be reached, else a private engine.

use super::engine::{self, Engine, Setup, find_in_path, sys::answers};
use super::{Buildx, Docker};
use crate::process::Command;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an engine that is there may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where Docker's engine listens by default.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Where docker looks for plugins, besides the user's folders.
const PLUGINS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// Finds a Docker with buildx that is there. Nothing is started.
pub fn find(setup: &Setup) -> Result<Option<Docker>> {
    Ok(match users_own(setup)? {
        Found::Docker(docker) => Some(*docker),
        Found::Nothing(_) => engine::find(setup).map(private),
    })
}

/// Why the user's own Docker is not used, where there is a docker command.
pub fn why_not_used(setup: &Setup) -> Result<Option<String>> {
    Ok(match users_own(setup)? {
        Found::Docker(_) => None,
        Found::Nothing(reason) => reason,
    })
}

/// Finds a Docker with buildx, and starts a private engine where there is none.
pub fn connect(setup: &Setup) -> Result<Docker> {
    match users_own(setup)? {
        Found::Docker(docker) => Ok(*docker),
        Found::Nothing(reason) => {
            if let Some(engine) = engine::find(setup) {
                return Ok(private(engine));
            }
            if let Some(reason) = reason {
                (setup.say)(&reason);
            }
            (setup.say)("no Docker can be reached: starting a private engine");
            engine::up(setup).map(private)
        }
    }
}

enum Found {
    Docker(Box<Docker>),
    /// With the reason why a docker command that is there does not count
    Nothing(Option<String>),
}

/// The user's own Docker. What they said in DOCKER_HOST is never replaced by something else.
fn users_own(setup: &Setup) -> Result<Found> {
    let said = |name: &str| setup.vars.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let program = find_in_path(setup.vars.get("PATH").map_or("", String::as_str), "docker");
    if let Some(host) = said("DOCKER_HOST") {
        return named_by_user(setup, host, program).map(|docker| Found::Docker(Box::new(docker)));
    }
    let Some(program) = program else { return Ok(Found::Nothing(None)) };
    let none =
        |what: &str| Ok(Found::Nothing(Some(format!("`{program}` {what}, so it is not used"))));
    let config = ClientConfig::read(setup);
    let context = said("DOCKER_CONTEXT").map(str::to_owned).or_else(|| config.context());
    let reached = match context.as_deref() {
        None | Some("default") => answers(Utf8Path::new(DEFAULT_SOCKET), PATIENCE),
        Some(_) => client_reaches_engine(setup, &program),
    };
    if !reached {
        return match context.as_deref() {
            None | Some("default") => none("has no engine that answers"),
            Some(context) => {
                none(&format!("has the context `{context}`, whose engine does not answer"))
            }
        };
    }
    match find_buildx(setup, &program, &config) {
        Some(buildx) => Ok(Found::Docker(Box::new(Docker::new(program, buildx)))),
        None => none("has no buildx"),
    }
}

fn named_by_user(setup: &Setup, host: &str, program: Option<Utf8PathBuf>) -> Result<Docker> {
    let ours = engine::behind(setup, host);
    let socket = host.strip_prefix("unix://").map(Utf8Path::new);
    let next = match &ours {
        Some(engine) => format!(
            "bring it up with `XTASK_ENGINE={} cargo xtask engine up`",
            engine.instance.name
        ),
        None => "start that engine, or unset DOCKER_HOST".to_owned(),
    };
    if socket.is_some_and(|socket| !answers(socket, PATIENCE)) {
        wrong!("DOCKER_HOST is `{host}`, and nothing answers there: {next}");
    }
    if let Some(engine) = ours {
        return Ok(private(engine));
    }
    let Some(program) = program else {
        wrong!(
            "DOCKER_HOST is `{host}`, but there is no `docker` command in PATH: install docker and buildx, or unset DOCKER_HOST"
        );
    };
    if socket.is_none() && !client_reaches_engine(setup, &program) {
        wrong!("DOCKER_HOST is `{host}`, and nothing answers there: {next}");
    }
    match find_buildx(setup, &program, &ClientConfig::read(setup)) {
        Some(buildx) => Ok(Docker::new(program, buildx)),
        None => wrong!(
            "DOCKER_HOST is `{host}`, but `{program}` has no buildx: install the buildx plugin, or unset DOCKER_HOST"
        ),
    }
}

fn private(engine: Engine) -> Docker {
    let env = engine.env.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
    // They would win over the engine's own DOCKER_HOST, or change how it is spoken to.
    let without =
        ["DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "BUILDX_BUILDER"];
    let env: BTreeMap<_, _> = env.chain(without.map(|name| (name.to_owned(), None))).collect();
    let folder = engine.env.get("DOCKER_CONFIG").map_or("", String::as_str);
    let plugin = ClientConfig::of(Utf8Path::new(folder)).plugin();
    let buildx = plugin.map_or(Buildx::OfDocker, Buildx::Plugin);
    Docker { env, private: Some(engine.clone()), ..Docker::new(engine.program, buildx) }
}

/// Asks through the client, since only it knows contexts, ssh and TLS.
fn client_reaches_engine(setup: &Setup, program: &Utf8Path) -> bool {
    let seconds = PATIENCE.as_secs().to_string();
    // A context over ssh may wait for ever.
    let command = Command::new("ask for Docker's engine", "timeout").args([
        seconds.as_str(),
        program.as_str(),
        "version",
        "--format",
        "{{.Server.Version}}",
    ]);
    setup.processes.read(&command).is_ok()
}

fn find_buildx(setup: &Setup, program: &Utf8Path, config: &ClientConfig) -> Option<Buildx> {
    if let Some(plugin) = config.plugin() {
        return Some(Buildx::Plugin(plugin));
    }
    let command = Command::new("ask for buildx", program.as_str()).args(["buildx", "version"]);
    setup.processes.read(&command).ok().map(|_| Buildx::OfDocker)
}

/// What the user's docker client is set to.
struct ClientConfig {
    folder: Utf8PathBuf,
    content: Value,
}

impl ClientConfig {
    fn read(setup: &Setup) -> Self {
        let folder = match (setup.vars.get("DOCKER_CONFIG"), setup.vars.get("HOME")) {
            (Some(folder), _) if !folder.is_empty() => Utf8PathBuf::from(folder),
            (_, home) => Utf8Path::new(home.map_or("/", String::as_str)).join(".docker"),
        };
        Self::of(&folder)
    }

    fn of(folder: &Utf8Path) -> Self {
        let text = engine::files::read(&folder.join("config.json")).ok().flatten();
        let content = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { folder: folder.to_owned(), content }
    }

    fn context(&self) -> Option<String> {
        self.content["currentContext"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
    }

    fn plugin(&self) -> Option<Utf8PathBuf> {
        let files = self.plugin_folders().into_iter().map(|folder| folder.join("docker-buildx"));
        files.into_iter().find(|file| file.is_file())
    }

    fn plugin_folders(&self) -> Vec<Utf8PathBuf> {
        let extra = self.content["cliPluginsExtraDirs"].as_array();
        let extra = extra.into_iter().flatten().filter_map(Value::as_str).map(Utf8PathBuf::from);
        let fixed = PLUGINS.into_iter().map(Utf8PathBuf::from);
        std::iter::once(self.folder.join("cli-plugins")).chain(extra).chain(fixed).collect()
    }
}
