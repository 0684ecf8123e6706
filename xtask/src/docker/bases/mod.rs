//! Base images without a hub: made by mmdebstrap from the machine's own mirror, kept as OCI layouts.

mod layout;
mod load;
mod recipe;

pub use load::{load, pull};

use super::engine::files::{self, Lock};
use super::engine::leftovers::unmount_below;
use super::engine::packages::{self, PackageSet, Root, machine_sources};
use super::engine::{Machine, Setup, check_machine, short_hash};
use crate::manifest::Bootstrap;
use crate::process::Command;
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::time::Instant;

/// Raise it when the same recipe is to give another image.
const SCHEMA: u32 = 1;

/// A made base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciBase {
    /// The folder of the OCI layout
    pub layout: Utf8PathBuf,
    /// The digest of its index
    pub digest: String,
    /// Its platforms: `linux/amd64`
    pub platforms: Vec<String>,
}

impl OciBase {
    /// What a named context of buildx says for it.
    pub fn context(&self) -> String {
        format!("oci-layout://{}@{}", self.layout, self.digest)
    }

    /// Whether it is the one that its recipe gave last.
    pub fn is_newest(&self) -> bool {
        layout::digest_of(&self.layout).as_ref() == Some(&self.digest)
    }
}

/// The bases of this machine's cache folder, for one architecture.
#[derive(Clone, Debug)]
pub struct Bases<'a> {
    setup: &'a Setup,
    arch: String,
}

impl<'a> Bases<'a> {
    /// Bases for the machine's own architecture.
    pub fn new(setup: &'a Setup) -> Self {
        Self::for_arch(setup, native_arch())
    }

    /// Bases for an architecture as platforms name it: `amd64`, `arm64`, `arm/v7`.
    pub fn for_arch(setup: &'a Setup, arch: &str) -> Self {
        Self { setup, arch: arch.to_owned() }
    }

    /// The base of a recipe; makes it the first time, which takes some seconds. `name` is what
    /// Dockerfiles call it, for messages only.
    pub fn ensure(&self, name: &str, recipe: &Bootstrap) -> Result<OciBase> {
        if let Some(base) = self.find(recipe) {
            return Ok(base);
        }
        let _lock = self.lock()?;
        match self.find(recipe) {
            Some(base) => Ok(base),
            None => self.make(name, recipe),
        }
    }

    /// Makes the base of a recipe anew, from the packages that there are now. What was made before
    /// stays beside it: another process may be building on it, and lock files may name it.
    pub fn make_anew(&self, name: &str, recipe: &Bootstrap) -> Result<OciBase> {
        let _lock = self.lock()?;
        self.make(name, recipe)
    }

    fn lock(&self) -> Result<Lock> {
        let lock = self.setup.cache.join("bases/.lock");
        Lock::take(self.setup, &lock, "is making a base image")
    }

    fn make(&self, name: &str, recipe: &Bootstrap) -> Result<OciBase> {
        make(self.setup, name, recipe, &self.arch, &self.folder(recipe))
            .with_context(|| format!("cannot make the base image `{name}`"))
    }

    /// The base of a recipe if it has been made.
    pub fn find(&self, recipe: &Bootstrap) -> Option<OciBase> {
        let layout = self.folder(recipe);
        let digest = layout::digest_of(&layout)?;
        Some(OciBase { layout, digest, platforms: vec![format!("linux/{}", self.arch)] })
    }

    /// What was made by the recipe of a hash, now or before, and has this digest.
    pub fn with_digest(&self, hash: &str, digest: &str, platforms: &[String]) -> Option<OciBase> {
        let layout = self.setup.cache.join("bases").join(hash);
        let there = layout::holds(&layout, digest);
        let (digest, platforms) = (digest.to_owned(), platforms.to_vec());
        there.then_some(OciBase { layout, digest, platforms })
    }

    /// Where the layout of a recipe is, or will be.
    pub fn folder(&self, recipe: &Bootstrap) -> Utf8PathBuf {
        self.setup.cache.join("bases").join(self.hash(recipe))
    }

    /// What tells a recipe's image from all others: hex digits, also its tag in `<registry>/bases`.
    pub fn hash(&self, recipe: &Bootstrap) -> String {
        recipe_hash(recipe, &self.arch)
    }
}

/// What tells a recipe's image for an architecture from all others.
pub fn recipe_hash(recipe: &Bootstrap, arch: &str) -> String {
    let Bootstrap { suite, variant, include } = recipe;
    short_hash(&format!("{SCHEMA}\n{suite}\n{variant}\n{}\n{arch}", include.join(",")))
}

/// The machine's architecture as platforms name it.
pub fn native_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

fn make(
    setup: &Setup,
    name: &str,
    bootstrap: &Bootstrap,
    arch: &str,
    folder: &Utf8Path,
) -> Result<OciBase> {
    let machine = check_machine(setup)?;
    let root = packages::ensure(setup, PackageSet::Mmdebstrap)?;
    files::need_space(&setup.cache, 600, "making a base image")?;
    (setup.say)(&format!("making the base `{name}` from Debian's packages …"));
    let began = Instant::now();
    files::remove_unfinished(folder)?;
    let temporary = files::fresh_folder_beside(folder)?;
    let made =
        bootstrap_into(setup, &machine, &root, bootstrap, arch, &temporary).and_then(|tar| {
            let digest = layout::write(setup, &temporary, &tar, &recipe::config(bootstrap, arch))?;
            files::remove_file(&tar)?;
            layout::add(&temporary, folder, &digest)?;
            Ok(digest)
        });
    if made.is_err() {
        // mmdebstrap's mounts are in a namespace of their own; if one were not, removing would go
        // through it.
        unmount_below(&[&temporary]);
        files::remove_folder(&temporary)?;
    }
    let digest = made?;
    (setup.say)(&format!("made `{name}` in {:.1} s", began.elapsed().as_secs_f64()));
    Ok(OciBase { layout: folder.to_owned(), digest, platforms: vec![format!("linux/{arch}")] })
}

/// Runs mmdebstrap, and gives the tar that it made.
fn bootstrap_into(
    setup: &Setup,
    machine: &Machine,
    root: &Root,
    bootstrap: &Bootstrap,
    arch: &str,
    folder: &Utf8Path,
) -> Result<Utf8PathBuf> {
    let suite = &bootstrap.suite;
    let script = root.program(setup, "mmdebstrap").context("no `mmdebstrap` was unpacked")?;
    let default = recipe::default_mirror(&files::read(&script)?.unwrap_or_default())?;
    let mirror = if machine.distribution == "debian" {
        recipe::Mirror::of(&machine_sources(machine)?, suite, &machine.codename)
    } else {
        // The mirror of another distribution does not have it.
        let keyring = root.dir.join("usr/share/keyrings/debian-archive-keyring.gpg");
        recipe::Mirror::at(&default, &keyring, suite)
    };
    if !mirror.is_at(&default) && bootstrap.variant != "extract" {
        (setup.say)(&format!(
            "warning: apt inside the image asks Debian's default mirror, but this machine uses another one: RUN steps with apt work only if the default can be reached too (check with `curl -I {default}/`)"
        ));
    }
    let settings = Command::new("read the machine's apt settings", "apt-config").args(["dump"]);
    let settings = setup.processes.read(&settings.env("PATH", setup.path()))?;
    let settings = recipe::apt_options(&settings);
    let tar = folder.join("root.tar");
    let command = Command::new(format!("make a Debian {suite} image"), "perl")
        .args([script.as_str()])
        .args(recipe::arguments(bootstrap, arch, &mirror, &default, &settings))
        .args([suite.as_str(), tar.as_str()])
        .args(mirror.lines(suite))
        .envs(&root.env(setup))
        .env("SOURCE_DATE_EPOCH", recipe::EPOCH.to_string())
        .env("TMPDIR", folder.as_str())
        .env("LC_ALL", "C.UTF-8");
    setup.processes.run(&command).map_err(packages::with_next_step)?;
    Ok(tar)
}
