//! Private packages: fetched by apt with its signature checks, unpacked into a folder of ours. Nothing
//! is installed, and the system's package state is not touched.

mod apt;
mod choose;
mod hints;
mod root;
mod sets;
mod sources;
mod wheels;

pub use apt::{machine_sources, signed_by};
pub use hints::with_next_step;
pub use root::Root;
pub use sets::PackageSet;
pub use sources::{Source, main_source};
pub use wheels::{Tools, ensure_tools};

use super::files::{self, Lock};
use super::machine::{self, Machine};
use super::setup::Setup;
use crate::process::Command;
use anyhow::{Result, anyhow};
use apt::Apt;
use camino::{Utf8Path, Utf8PathBuf};
use sets::Contents;
use std::time::{Duration, Instant};

/// Packages that must never come along: the machine's own are in use.
const NEVER: [&str; 2] = ["libc6_", "libc-bin_"];
/// How old the lists of packages may be.
const FRESH: Duration = Duration::from_secs(3600);

/// The unpacked packages of a set; fetches them the first time.
pub fn ensure(setup: &Setup, set: PackageSet) -> Result<Root> {
    let contents = set.contents();
    let folder = folder_of(setup, &contents)?;
    if !folder.is_dir() {
        let machine = machine::check(setup)?;
        let lock = setup.cache.join("packages/lock");
        let _lock = Lock::take(setup, &lock, "is fetching packages")?;
        if !folder.is_dir() {
            make(setup, &machine, &contents, &folder)?;
        }
    }
    Ok(Root::new(folder))
}

/// The unpacked packages of a set, if they are there.
pub fn find(setup: &Setup, set: PackageSet) -> Option<Root> {
    let folder = folder_of(setup, &set.contents()).ok()?;
    folder.is_dir().then(|| Root::new(folder))
}

/// What the folder is named after: another machine, or another set, is another folder.
fn folder_of(setup: &Setup, contents: &Contents) -> Result<Utf8PathBuf> {
    let mut identity = files::read(Utf8Path::new("/etc/os-release"))?.unwrap_or_default();
    identity += std::env::consts::ARCH;
    for list in [contents.newest, contents.own, contents.alone] {
        identity += &format!("\n{}", list.join(" "));
    }
    for program in contents.depends_on {
        let found = setup.find_program(program).is_some();
        identity += &format!("\n{program} {found}");
    }
    let hash = super::short_hash(&identity);
    Ok(setup.cache.join(format!("packages/{}-{hash}", contents.name)))
}

fn make(setup: &Setup, machine: &Machine, contents: &Contents, folder: &Utf8Path) -> Result<()> {
    files::need_space(&setup.cache, contents.megabytes, contents.purpose)?;
    (setup.say)(&format!(
        "fetching Debian packages for {} into `{}` (nothing is installed) …",
        contents.purpose, setup.cache
    ));
    let began = Instant::now();
    files::remove_unfinished(folder)?;
    let temporary = files::fresh_folder_beside(folder)?;
    let archives = temporary.join("archives");
    let made = fetch(setup, machine, contents, &archives)
        .and_then(|()| unpack(setup, &archives, &temporary))
        .and_then(|()| root::add_links(&temporary));
    if let Err(error) = made {
        files::remove_folder(&temporary)?;
        return Err(error);
    }
    files::remove_folder(&archives)?;
    files::move_folder(&temporary, folder)?;
    (setup.say)(&format!("fetched in {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

fn fetch(setup: &Setup, machine: &Machine, contents: &Contents, archives: &Utf8Path) -> Result<()> {
    let apt = Apt::prepare(setup, machine)?;
    let stamp = setup.cache.join("apt/updated");
    let fresh = is_fresh(&stamp);
    if !fresh {
        apt.update()?;
        files::write(&stamp, "")?;
    }
    files::create_folder(archives)?;
    match download(setup, &apt, contents, archives) {
        // Versions of a rolling suite vanish from the mirror: once more with new lists.
        Err(_) if fresh && !setup.processes.interrupt.is_raised() => {
            apt.update()?;
            files::write(&stamp, "")?;
            download(setup, &apt, contents, archives)
        }
        other => other,
    }
}

fn is_fresh(stamp: &Utf8Path) -> bool {
    let modified = stamp.metadata().and_then(|metadata| metadata.modified()).ok();
    modified.and_then(|time| time.elapsed().ok()).is_some_and(|age| age < FRESH)
}

fn download(setup: &Setup, apt: &Apt<'_>, contents: &Contents, archives: &Utf8Path) -> Result<()> {
    apt.download_missing(contents.own, archives)?;
    let mut wanted: Vec<String> = contents.alone.iter().map(|name| (*name).to_owned()).collect();
    if !contents.newest.is_empty() {
        let names = contents.newest.iter().flat_map(|entry| entry.split('|'));
        let names: Vec<String> = names.filter(|n| !n.is_empty()).map(str::to_owned).collect();
        let records = choose::parse_records(&apt.show(&names)?);
        let libc = machine::libc(setup)?;
        let chosen = choose::choose(contents.newest, &records, libc).map_err(|missing| {
            anyhow!(
                "no suite of the mirror has a package `{missing}` that runs on this machine's libc {}.{}\nnext: install Docker with buildx",
                libc.0,
                libc.1
            )
        })?;
        wanted.extend(chosen.iter().map(|r| format!("{}={}", r.package, r.version)));
    }
    apt.download(&wanted, archives)
}

fn unpack(setup: &Setup, archives: &Utf8Path, root: &Utf8Path) -> Result<()> {
    let names = files::list(archives);
    let packages = names.iter().filter(|name| name.ends_with(".deb"));
    let packages: Vec<&String> =
        packages.filter(|name| !NEVER.iter().any(|never| name.starts_with(never))).collect();
    for name in &packages {
        let command = Command::new(format!("unpack `{name}`"), "dpkg-deb")
            .args(["-x", archives.join(name).as_str(), root.as_str()])
            .env("PATH", setup.path());
        setup.processes.run(&command).map_err(|error| {
            anyhow!(
                "{error:#}\nnext: see that there is space under `{}`, then run this again",
                setup.cache
            )
        })?;
    }
    let list: String = packages.iter().map(|name| format!("{name}\n")).collect();
    files::write(&root.join("packages.txt"), list)
}
