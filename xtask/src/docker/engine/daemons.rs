//! The two daemons of an engine: their settings, how they are started, when they are ready.

use super::instance::{Instance, State};
use super::packages::Root;
use super::setup::Setup;
use super::{files, leftovers, sys};
use crate::process::Command;
use anyhow::{Result, anyhow};
use camino::Utf8Path;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

/// How long a daemon may take to answer after its start.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a running daemon may take to answer.
pub const PING: Duration = Duration::from_secs(2);

/// What dockerd says when it cannot live here, and what helps.
const HINTS: [(&str, &str); 5] = [
    ("no space left", "free some space, or set XTASK_CACHE_DIR to a folder on another disk"),
    (
        "overlayfs",
        "the folder's file system or the kernel has no overlayfs: set XTASK_CACHE_DIR to a folder on another disk",
    ),
    ("cgroup", "mount the control groups: `mount -t cgroup2 none /sys/fs/cgroup`"),
    (
        "operation not permitted",
        "this container lacks the rights that dockerd needs: run it privileged",
    ),
    ("address already in use", "another program uses that address: stop it, then run this again"),
];

/// Starts dockerd if it does not answer, and waits until it does.
pub fn start_dockerd(setup: &Setup, root: &Root, instance: &Instance, state: &State) -> Result<()> {
    let socket = instance.socket();
    for leftover in ["docker.pid", "docker.sock", "exec/containerd/containerd.pid"] {
        files::remove_file(&instance.run.join(leftover))?;
    }
    files::create_folder(&instance.run)?;
    let config = instance.folder.join("daemon.json");
    let storage = storage(setup, instance)?;
    let content = dockerd_config(instance, state, storage);
    files::write(&config, serde_json::to_string_pretty(&content)?)?;
    let command = Command::new("start dockerd", "dockerd")
        .args(["--config-file", config.as_str()])
        .envs(&environment(setup, root));
    let command = if root_is_mount()? { command } else { within_mounted_root(command, instance)? };
    let ready = || sys::answers(&socket, PING);
    start(setup, instance, &command, "dockerd", &ready)
}

/// How layers are stored: as overlays, or as whole copies where overlays cannot be.
fn storage(setup: &Setup, instance: &Instance) -> Result<&'static str> {
    let probe = files::fresh_folder_beside(&instance.folder.join("overlay"))?;
    let overlays = sys::carries_overlays(&probe);
    files::remove_folder(&probe)?;
    if overlays {
        return Ok("overlayfs");
    }
    (setup.say)(&format!(
        "the file system of `{}` or the kernel carries no overlays: the engine copies layers whole, which is slow (XTASK_CACHE_DIR can name a folder on another disk)",
        instance.folder
    ));
    Ok("native")
}

/// What daemons are given of our environment: they outlive us, and what else stands there may be secret.
fn environment(setup: &Setup, root: &Root) -> BTreeMap<String, Option<String>> {
    let wanted = |name: &str| {
        let lower = name.to_lowercase();
        lower.ends_with("_proxy") || name.starts_with("SSL_CERT_") || ["HOME", "TZ"].contains(&name)
    };
    let unwanted = setup.vars.keys().filter(|name| !wanted(name));
    let mut env: BTreeMap<_, _> = unwanted.map(|name| (name.clone(), None)).collect();
    env.extend(root.env(setup));
    env
}

/// Whether `/` is a mount: in a plain chroot it is only a folder, and then runc can start nothing.
fn root_is_mount() -> Result<bool> {
    let mounts = files::read(Utf8Path::new("/proc/self/mountinfo"))?.unwrap_or_default();
    Ok(mounts.lines().any(|line| line.split(' ').nth(4) == Some("/")))
}

/// The command in a mount namespace of its own, whose root is our root as a mount.
fn within_mounted_root(command: Command, instance: &Instance) -> Result<Command> {
    let root = instance.run.join("root");
    files::create_folder(&root)?;
    let script = r#"mount --rbind / "$0" && mount --make-rprivate "$0" && exec chroot "$0" "$@""#;
    let mut within = Command::new(command.purpose, "unshare")
        .args(["--mount", "--propagation", "unchanged", "sh", "-c", script, root.as_str()])
        .args([command.program])
        .args(command.args);
    within.env = command.env;
    Ok(within)
}

/// Starts the registry if it does not answer, and waits until it does. Its port stays what it was,
/// unless someone else has it now.
pub fn start_registry(
    setup: &Setup,
    root: &Root,
    instance: &Instance,
    state: &mut State,
) -> Result<()> {
    if state.registry_port == 0 || !is_free(state.registry_port) {
        let before = state.registry_port;
        state.registry_port = free_port()?;
        if before != 0 {
            (setup.say)(&format!(
                "port {before} was taken by another program: the engine's registry is now {}",
                state.registry()
            ));
        }
        instance.remember(state)?;
    }
    let config = instance.folder.join("registry.yml");
    files::write(&config, serde_json::to_string_pretty(&registry_config(instance, state))?)?;
    let command = Command::new("start the registry", "docker-registry")
        .args(["serve", config.as_str()])
        .envs(&environment(setup, root));
    let port = state.registry_port;
    start(setup, instance, &command, "docker-registry", &|| sys::registry_answers(port, PING))
}

fn start(
    setup: &Setup,
    instance: &Instance,
    command: &Command,
    program: &str,
    ready: &dyn Fn() -> bool,
) -> Result<()> {
    let log = instance.folder.join(format!("{program}.log"));
    files::remove_file(&log)?;
    let pid = setup.processes.spawn_daemon(command, &log)?;
    let began = Instant::now();
    while !ready() {
        setup.processes.interrupt.sleep(Duration::from_millis(10))?;
        let alive = leftovers::processes(instance).iter().any(|running| running.pid == pid);
        // The first moments it is still `setsid`.
        if (!alive && began.elapsed() > Duration::from_secs(1)) || began.elapsed() > PATIENCE {
            return Err(failed(program, &log));
        }
    }
    Ok(())
}

fn failed(program: &str, log: &Utf8Path) -> anyhow::Error {
    let tail = files::tail(log, 100);
    let telling = tail.lines().filter(|line| !line.contains("level=warning"));
    let tail = telling.collect::<Vec<_>>().join("\n");
    let lower = tail.to_lowercase();
    let hint = HINTS.iter().find(|(words, _)| lower.contains(words)).map(|(_, hint)| *hint);
    let next = hint.unwrap_or("`cargo xtask engine down --purge` starts from nothing");
    anyhow!(
        "`{program}` did not come up; the end of `{log}`, without warnings:\n{tail}\nnext: {next}"
    )
}

/// Where the client finds buildx and compose. What `docker login` wrote there stays.
pub fn write_client_config(instance: &Instance, root: &Root) -> Result<()> {
    let path = instance.docker_config().join("config.json");
    let text = files::read(&path)?.unwrap_or_default();
    let before: Value = serde_json::from_str(&text).unwrap_or_else(|_| json!({}));
    let mut after = before.clone();
    after["cliPluginsExtraDirs"] = json!([root.plugins()]);
    if before == after {
        Ok(())
    } else {
        files::write(&path, serde_json::to_string_pretty(&after)?)
    }
}

fn dockerd_config(instance: &Instance, state: &State, storage: &str) -> Value {
    let pool = state.block().map(|block| block.pool().to_string()).unwrap_or_default();
    json!({
        "features": { "containerd-snapshotter": true },
        "storage-driver": storage,
        "data-root": instance.folder.join("data"),
        "exec-root": instance.run.join("exec"),
        "pidfile": instance.run.join("docker.pid"),
        "hosts": [instance.docker_host()],
        "bridge": instance.bridge,
        "iptables": false,
        "ip6tables": false,
        "default-address-pools": [{ "base": pool, "size": 26 }],
        // A group of its own is how its containers are found when the daemon has died.
        "cgroup-parent": format!("/{}", instance.bridge),
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "shutdown-timeout": 4,
        "log-level": "warn",
    })
}

/// JSON is YAML.
fn registry_config(instance: &Instance, state: &State) -> Value {
    json!({
        "version": "0.1",
        "log": { "level": "warn", "accesslog": { "disabled": true } },
        "storage": {
            "filesystem": { "rootdirectory": instance.folder.join("registry") },
            "delete": { "enabled": true },
        },
        "http": { "addr": state.registry() },
    })
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
