//! What machine this is, and whether a private engine can live on it.

use super::{files, setup::Setup, sys};
use crate::process::Command;
use anyhow::Result;
use camino::Utf8Path;

/// How to go on where no private engine can be started.
const OTHERWISE: &str = "install Docker with buildx, or let DOCKER_HOST or `docker context use` name an engine elsewhere";

/// What `/etc/os-release` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// `debian`, `ubuntu`
    pub distribution: String,
    /// `bookworm`
    pub codename: String,
}

/// Reads what machine this is; an error with the next step where no private engine can live.
pub fn check(setup: &Setup) -> Result<Machine> {
    if !cfg!(target_os = "linux") {
        wrong!("a private engine needs Linux: {OTHERWISE}");
    }
    let text = files::read(Utf8Path::new("/etc/os-release"))?.unwrap_or_default();
    let Some(machine) = parse(&text) else {
        wrong!(
            "a private engine needs Debian or Ubuntu, whose packages it is made of: {OTHERWISE}"
        );
    };
    if !sys::is_root() {
        wrong!("a private engine needs root: run this as root, or {OTHERWISE}");
    }
    for program in ["apt-get", "dpkg-deb"] {
        if setup.find_program(program).is_none() {
            wrong!(
                "a private engine needs `{program}`, which is not in PATH: install apt and dpkg"
            );
        }
    }
    Ok(machine)
}

/// The machine's libc as (2, 36).
pub fn libc(setup: &Setup) -> Result<(u32, u32)> {
    let command = Command::new("ask for the version of libc", "dpkg-query")
        .args(["-W", "-f", "${Version}\n", "libc6"])
        .env("PATH", setup.path());
    let text = setup.processes.read(&command)?;
    version_pair(text.lines().next().unwrap_or_default())
        .ok_or_else(|| anyhow::anyhow!("cannot tell the version of libc from `{text}`"))
}

/// The first two numbers of a version.
pub fn version_pair(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn parse(os_release: &str) -> Option<Machine> {
    let field = |name: &str| {
        let line = os_release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches(['"', '\'']).to_owned())
    };
    let id = field("ID").unwrap_or_default();
    let like = field("ID_LIKE").unwrap_or_default();
    let known = |name: &&str| id == *name || like.split(' ').any(|one| one == *name);
    let distribution = ["ubuntu", "debian"].into_iter().find(known)?.to_owned();
    let codename = match field("UBUNTU_CODENAME") {
        Some(codename) if distribution == "ubuntu" => codename,
        _ => field("VERSION_CODENAME").unwrap_or_else(|| "sid".into()),
    };
    Some(Machine { distribution, codename })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(os_release: &str, expected: Option<(&str, &str)>) {
        let found = parse(os_release);
        let found = found.as_ref().map(|m| (m.distribution.as_str(), m.codename.as_str()));
        assert_eq!(found, expected);
    }

    #[test]
    fn machines() {
        case("ID=debian\nVERSION_CODENAME=bookworm\n", Some(("debian", "bookworm")));
        case("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n", Some(("ubuntu", "noble")));
        let mint = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n";
        case(mint, Some(("ubuntu", "noble")));
        case("ID=debian\n", Some(("debian", "sid")));
        case("ID=fedora\nVERSION_CODENAME=\"\"\n", None);
        case("", None);
    }

    #[test]
    fn versions() {
        assert_eq!(version_pair("2.36-9+deb12u14"), Some((2, 36)));
        assert_eq!(version_pair("2.41"), Some((2, 41)));
        assert_eq!(version_pair("unknown"), None);
    }
}
