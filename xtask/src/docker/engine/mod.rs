//! The private engine: dockerd and a loopback registry from Debian's packages, with a folder, a bridge
//! and addresses of their own. It never touches another Docker or the system's package state.

mod blocks;
mod counters;
mod daemons;
pub(crate) mod files;
mod instance;
pub(crate) mod leftovers;
mod machine;
mod network;
pub mod packages;
mod setup;
pub(crate) mod sys;

pub use counters::Counters;
pub use instance::{Instance, State};
pub use machine::{Machine, check as check_machine};
pub use setup::{DEFAULT_INSTANCE, Setup, find_in_path};

use anyhow::Result;
use camino::Utf8PathBuf;
use files::Lock;
use network::Network;
use packages::{PackageSet, Root};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long containers and daemons have to end by themselves.
const STOPPING: Duration = Duration::from_secs(8);

/// An engine that is up, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its names and folders
    pub instance: Instance,
    /// Its registry: `127.0.0.1:<port>`
    pub registry: String,
    /// Its docker command
    pub program: Utf8PathBuf,
    /// Variables for docker's children and for scripts
    pub env: BTreeMap<String, String>,
}

/// What becomes of the data when an engine is taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Images, volumes and caches stay
    Keep,
    /// They go
    Purge,
    /// They go, and the made bases too
    PurgeWithBases,
}

/// How an engine does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its name
    pub engine: String,
    /// `up`, `down` (its data is there), `broken` (`up` mends it) or `absent`
    pub state: &'static str,
    /// DOCKER_HOST
    pub docker_host: String,
    /// The registry, as it stands in front of an image's name
    pub registry: Option<String>,
    /// The bridge's name
    pub bridge: String,
    /// Its addresses
    pub addresses: Option<String>,
    /// Where its data is
    pub folder: Utf8PathBuf,
}

/// Brings an engine up, mends what a crash or a reboot left, and waits until it answers. One that is up
/// stays as it is.
pub fn up(setup: &Setup) -> Result<Engine> {
    machine::check(setup)?;
    let instance = Instance::of(setup);
    let _lock = lock(setup, &instance)?;
    let mut state = instance.state()?.unwrap_or_default();
    if is_up(&instance, &state) {
        let root = Root { dir: state.root.clone() };
        let network = network_of(setup, &root, &instance);
        // A firewall that was loaded anew has dropped our rules.
        state.block().map_or(Ok(()), |block| network.raise(block))?;
        (setup.say)(&format!(
            "engine `{}` is up, its registry is {}",
            instance.name,
            state.registry()
        ));
    } else {
        let root = packages::ensure(setup, PackageSet::Engine)?;
        let began = Instant::now();
        start(setup, &root, &instance, &mut state)?;
        let taken = began.elapsed().as_secs_f64();
        (setup.say)(&format!(
            "engine `{}` is up after {taken:.1} s, its registry is {}; stop it with `cargo xtask engine down`",
            instance.name,
            state.registry()
        ));
    }
    Ok(reach(setup, &instance, &state))
}

fn start(setup: &Setup, root: &Root, instance: &Instance, state: &mut State) -> Result<()> {
    let dockerd = sys::answers(&instance.socket(), daemons::PING);
    if !dockerd {
        // A daemon that hangs, and whatever a dead one left.
        leftovers::stop(setup, instance, Duration::from_secs(1))?;
    }
    state.root.clone_from(&root.dir);
    let network = network_of(setup, root, instance);
    if !dockerd {
        // Bridges of compose's networks, too: else they would stand in the way of our own addresses.
        network.lower()?;
    }
    let block = match state.block() {
        Some(block) if dockerd => block,
        before => network.choose_block(before)?,
    };
    state.block = block.to_string();
    instance.remember(state)?;
    network.raise(block)?;
    daemons::write_client_config(instance, root)?;
    if !owns_registry(instance, state) {
        daemons::start_registry(setup, root, instance, state)?;
    }
    if !dockerd {
        daemons::start_dockerd(setup, root, instance, state)?;
    }
    instance.remember(state)
}

/// The engine as it is if it is up; else brings it up.
pub fn find_or_up(setup: &Setup) -> Result<Engine> {
    find(setup).map_or_else(|| up(setup), Ok)
}

/// The engine if it is up, without starting anything: a question over each of two sockets.
pub fn find(setup: &Setup) -> Option<Engine> {
    let instance = Instance::of(setup);
    let state = instance.state().ok()??;
    is_up(&instance, &state).then(|| reach(setup, &instance, &state))
}

/// The private engine behind a DOCKER_HOST, if it is one of ours.
pub fn behind(setup: &Setup, docker_host: &str) -> Option<Engine> {
    let instance =
        Instance::all(&setup.cache).into_iter().find(|i| i.docker_host() == docker_host)?;
    let state = instance.state().ok()??;
    Some(reach(setup, &instance, &state))
}

/// Stops an engine and takes away everything of it but its data.
pub fn down(setup: &Setup, data: Data) -> Result<()> {
    let instance = Instance::of(setup);
    if !instance.folder.is_dir() {
        (setup.say)(&format!("engine `{}` is not there", instance.name));
        return remove_bases(setup, data);
    }
    machine::check(setup)?;
    {
        let _lock = lock(setup, &instance)?;
        // Who throws the data away need not wait for containers that save theirs.
        let patience = if data == Data::Keep { STOPPING } else { Duration::ZERO };
        stop(setup, &instance, patience)?;
        if data != Data::Keep {
            files::remove_folder(&instance.folder)?;
        }
    }
    let done = if data == Data::Keep { "is down, its data stays" } else { "is gone with its data" };
    (setup.say)(&format!("engine `{}` {done}", instance.name));
    remove_bases(setup, data)
}

fn stop(setup: &Setup, instance: &Instance, patience: Duration) -> Result<()> {
    let state = instance.state()?.unwrap_or_default();
    leftovers::stop(setup, instance, patience)?;
    let root = match packages::find(setup, PackageSet::Engine) {
        None if state.root.is_dir() => Root { dir: state.root.clone() },
        // Somebody removed the tools that take the bridge away.
        None if network::exists(&instance.bridge) => packages::ensure(setup, PackageSet::Engine)?,
        found => found.unwrap_or_else(|| Root { dir: state.root.clone() }),
    };
    network_of(setup, &root, instance).lower()?;
    files::remove_folder(&instance.run)?;
    let others = Instance::all(&setup.cache).into_iter().any(|i| i.socket().exists());
    if !others && !leftovers::any_dockerd() {
        network::restore_forwarding(setup)?;
    }
    Ok(())
}

fn network_of<'a>(setup: &'a Setup, root: &'a Root, instance: &'a Instance) -> Network<'a> {
    let Instance { bridge, networks, .. } = instance;
    Network { setup, root, bridge, networks }
}

fn remove_bases(setup: &Setup, data: Data) -> Result<()> {
    if data == Data::PurgeWithBases {
        files::remove_folder(&setup.cache.join("bases"))?;
    }
    Ok(())
}

/// How the engine does.
pub fn status(setup: &Setup) -> Result<Status> {
    let instance = Instance::of(setup);
    let state = instance.state()?;
    let word = match &state {
        Some(state) if is_up(&instance, state) => "up",
        _ if !leftovers::processes(&instance).is_empty() || instance.run.is_dir() => "broken",
        Some(_) => "down",
        None => "absent",
    };
    Ok(Status {
        engine: instance.name.clone(),
        state: word,
        docker_host: instance.docker_host(),
        registry: state.as_ref().map(State::registry),
        bridge: instance.bridge.clone(),
        addresses: state.map(|state| state.block),
        folder: instance.folder,
    })
}

fn is_up(instance: &Instance, state: &State) -> bool {
    state.root.is_dir()
        && sys::answers(&instance.socket(), daemons::PING)
        && network::exists(&instance.bridge)
        && sys::registry_answers(state.registry_port, daemons::PING)
}

/// Whether the registry that answers is this engine's.
fn owns_registry(instance: &Instance, state: &State) -> bool {
    let ours = ["docker-registry", "registry"];
    leftovers::processes(instance).iter().any(|running| ours.contains(&running.program.as_str()))
        && sys::registry_answers(state.registry_port, daemons::PING)
}

fn reach(setup: &Setup, instance: &Instance, state: &State) -> Engine {
    let root = Root { dir: state.root.clone() };
    let client = root.client();
    let env = [
        ("DOCKER_HOST", instance.docker_host()),
        ("DOCKER_CONFIG", instance.docker_config().into_string()),
        ("PATH", format!("{client}:{}", setup.path())),
        ("XTASK_ENGINE_REGISTRY", state.registry()),
    ];
    Engine {
        instance: instance.clone(),
        registry: state.registry(),
        program: client.join("docker"),
        env: env.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

fn lock(setup: &Setup, instance: &Instance) -> Result<Lock> {
    Lock::take(setup, &lock_path(setup, instance), "is starting or stopping the engine")
}

fn lock_path(setup: &Setup, instance: &Instance) -> Utf8PathBuf {
    setup.cache.join(format!("engine/.{}.lock", instance.name))
}

/// Names things after what they stand for: 16 hexadecimal digits.
pub(crate) fn short_hash(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
