//! Base images without a hub: made by mmdebstrap from the machine's own mirror, kept as OCI layouts.

mod layout;
mod load;
mod recipe;

pub use load::load;

use super::engine::files::{self, Lock};
use super::engine::packages::{self, PackageSet, machine_sources};
use super::engine::{Setup, check_machine, short_hash};
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
}

/// The base of a recipe for a platform's architecture (`amd64`, `arm64`); makes it the first time, which
/// takes some seconds. `name` is what Dockerfiles call it, for messages only.
pub fn ensure(setup: &Setup, name: &str, bootstrap: &Bootstrap, arch: &str) -> Result<OciBase> {
    if let Some(base) = find(setup, bootstrap, arch) {
        return Ok(base);
    }
    let folder = folder_of(setup, bootstrap, arch);
    let lock = setup.cache.join("bases/.lock");
    let _lock = Lock::take(setup, &lock, "is making a base image")?;
    if let Some(base) = find(setup, bootstrap, arch) {
        return Ok(base);
    }
    make(setup, name, bootstrap, arch, &folder)
        .with_context(|| format!("cannot make the base image `{name}`"))
}

/// The base of a recipe if it has been made.
pub fn find(setup: &Setup, bootstrap: &Bootstrap, arch: &str) -> Option<OciBase> {
    let layout = folder_of(setup, bootstrap, arch);
    let digest = layout::digest_of(&layout)?;
    Some(OciBase { layout, digest, platforms: vec![format!("linux/{arch}")] })
}

/// Where the base of a recipe is, or will be, kept.
pub fn folder_of(setup: &Setup, bootstrap: &Bootstrap, arch: &str) -> Utf8PathBuf {
    setup.cache.join("bases").join(recipe_hash(bootstrap, arch))
}

/// What tells a recipe's image from all others: hex digits, also its tag in `<registry>/bases`.
pub fn recipe_hash(bootstrap: &Bootstrap, arch: &str) -> String {
    let Bootstrap { suite, variant, include } = bootstrap;
    short_hash(&format!("{SCHEMA}\n{suite}\n{variant}\n{}\n{arch}", include.join(",")))
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
    let suite = &bootstrap.suite;
    (setup.say)(&format!(
        "making the base `{name}` of Debian {suite} from this machine's mirror …"
    ));
    let began = Instant::now();
    let script = root.program(setup, "mmdebstrap").context("no `mmdebstrap` was unpacked")?;
    let default = recipe::default_mirror(&files::read(&script)?.unwrap_or_default())?;
    let mirror = recipe::Mirror::of(&machine_sources(&machine)?, suite, &machine.codename);
    let settings = Command::new("read the machine's apt settings", "apt-config").args(["dump"]);
    let settings = setup.processes.read(&settings.env("PATH", setup.path()))?;
    let settings = recipe::apt_options(&settings);
    if !mirror.is_at(&default) {
        (setup.say)(&format!(
            "warning: apt inside the image asks Debian's default mirror, but this machine uses another one: RUN steps with apt work only if the default can be reached too (check with `curl -I {default}/`)"
        ));
    }
    let temporary = files::fresh_folder_beside(folder)?;
    let tar = temporary.join("root.tar");
    let args = recipe::arguments(bootstrap, arch, &mirror, &default, &settings);
    let command = Command::new(format!("make a Debian {suite} image"), "perl")
        .args([script.as_str()])
        .args(args)
        .args([suite.as_str(), tar.as_str()])
        .args(mirror.lines(suite))
        .envs(&root.env(setup))
        .env("SOURCE_DATE_EPOCH", recipe::EPOCH.to_string())
        .env("TMPDIR", temporary.as_str())
        .env("LC_ALL", "C.UTF-8");
    let made =
        setup.processes.run(&command).map_err(recipe::with_next_step).and_then(|()| {
            layout::write(setup, &temporary, &tar, &recipe::config(bootstrap, arch))
        });
    let finished = made.and_then(|digest| {
        files::remove_file(&tar)?;
        files::move_folder(&temporary, folder)?;
        Ok(digest)
    });
    if finished.is_err() {
        files::remove_folder(&temporary)?;
    }
    let digest = finished?;
    (setup.say)(&format!("made `{name}` in {:.1} s", began.elapsed().as_secs_f64()));
    Ok(OciBase { layout: folder.to_owned(), digest, platforms: vec![format!("linux/{arch}")] })
}
