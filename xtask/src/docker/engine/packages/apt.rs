//! apt with a state folder of its own: it reads the machine's settings and keys, and writes only there.

use super::super::{files, machine::Machine, setup::Setup};
use super::hints::with_next_step;
use super::sources::{self, Source};
use crate::process::{Command, Failure};
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

/// The distribution's keyrings, where a source names none.
const KEYRINGS: [&str; 3] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
    "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
];

/// A private apt.
#[derive(Debug)]
pub struct Apt<'a> {
    setup: &'a Setup,
    folder: Utf8PathBuf,
}

impl<'a> Apt<'a> {
    /// Writes its settings anew, since the machine's sources may have changed.
    pub fn prepare(setup: &'a Setup, machine: &Machine) -> Result<Self> {
        let folder = setup.cache.join("apt");
        for sub in ["lists/partial", "archives/partial", "log"] {
            files::create_folder(&folder.join(sub))?;
        }
        let sources = machine_sources(machine)?;
        files::write(&folder.join("sources.list"), list_of(&sources, machine)?)?;
        files::write(&folder.join("preferences"), preferences(&sources))?;
        files::write(&folder.join("apt.conf"), settings(&folder))?;
        // A copy, so that apt has no reason to lock the system's.
        let status = files::read(Utf8Path::new("/var/lib/dpkg/status"))?.unwrap_or_default();
        files::write(&folder.join("status"), status)?;
        Ok(Self { setup, folder })
    }

    /// Fetches the lists of packages.
    pub fn update(&self) -> Result<()> {
        self.run("fetch the lists of packages", "apt-get", &["-qq", "update"], None)
    }

    /// What `apt-cache show` says of packages, also of those that exist in no suite.
    pub fn show(&self, packages: &[String]) -> Result<String> {
        let command = self.command("look packages up", "apt-cache").args(["-q=2", "show", "--"]);
        match self.setup.processes.read(&command.args(packages)) {
            // It also says so of one package out of many.
            Err(e) if e.is::<Failure>() => {
                self.setup.processes.interrupt.check()?;
                let shown = packages.iter().map(|one| {
                    let command = self.command("look a package up", "apt-cache");
                    self.setup.processes.read(&command.args(["-q=2", "show", "--", one]))
                });
                Ok(shown.filter_map(Result::ok).collect::<Vec<_>>().join("\n\n"))
            }
            other => other,
        }
    }

    /// Downloads packages, `name` or `name=version`, into a folder.
    pub fn download(&self, packages: &[String], into: &Utf8Path) -> Result<()> {
        if packages.is_empty() {
            return Ok(());
        }
        let mut args = vec!["-qq", "download", "--"];
        args.extend(packages.iter().map(String::as_str));
        self.run(&format!("download {}", names(packages)), "apt-get", &args, Some(into))
    }

    /// Downloads packages, and what they depend on, as far as the machine lacks them.
    pub fn download_missing(&self, packages: &[&str], into: &Utf8Path) -> Result<()> {
        if packages.is_empty() {
            return Ok(());
        }
        files::create_folder(&into.join("partial"))?;
        let archives = format!("Dir::Cache::archives={into}");
        let mut args =
            vec!["-qq", "-y", "--no-install-recommends", "--no-upgrade", "-o", &archives];
        args.extend(["--download-only", "install", "--"]);
        args.extend(packages);
        let owned: Vec<String> = packages.iter().map(|p| (*p).to_owned()).collect();
        self.run(&format!("download {}", names(&owned)), "apt-get", &args, None)
    }

    fn run(&self, doing: &str, program: &str, args: &[&str], dir: Option<&Utf8Path>) -> Result<()> {
        let mut command = self.command(doing, program).args(args.iter().copied());
        if let Some(dir) = dir {
            command = command.dir(dir);
        }
        self.setup.processes.run(&command).map_err(with_next_step)
    }

    fn command(&self, doing: &str, program: &str) -> Command {
        Command::new(doing, program)
            .args(["-c", self.folder.join("apt.conf").as_str()])
            .env("PATH", self.setup.path())
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8")
    }
}

/// The distribution's own entries among the machine's apt sources.
pub fn machine_sources(machine: &Machine) -> Result<Vec<Source>> {
    let etc = Utf8Path::new("/etc/apt");
    let mut all = Vec::new();
    let parts = etc.join("sources.list.d");
    let names = files::list(&parts).into_iter().map(|name| parts.join(name));
    for file in std::iter::once(etc.join("sources.list")).chain(names) {
        let text = match file.extension() {
            Some("list" | "sources") => files::read(&file)?.unwrap_or_default(),
            _ => continue,
        };
        all.extend(match file.extension() {
            Some("sources") => sources::parse_deb822(&text),
            _ => sources::parse_one_line(&text),
        });
    }
    let found = sources::of_distribution(all, machine);
    if sources::main_source(&found).is_none() {
        wrong!(
            "the machine's apt sources ({etc}/sources.list and {etc}/sources.list.d) name no mirror of {} {}: add one, then run this again",
            machine.distribution,
            machine.codename
        );
    }
    Ok(found)
}

/// The option that names the keyring of a source.
pub fn signed_by(source: &Source) -> String {
    let known = || KEYRINGS.iter().find(|path| Utf8Path::new(path).is_file()).copied();
    match source.signed_by.as_deref().or_else(known) {
        Some(keyring) => format!("[signed-by={}] ", keyring.replace(' ', ",")),
        None => String::new(),
    }
}

fn list_of(sources: &[Source], machine: &Machine) -> Result<String> {
    let mut list = String::new();
    let mut add = |source: &Source, suite: &str, components: &str| {
        for uri in &source.uris {
            list += &format!("deb {}{uri} {suite} {components}\n", signed_by(source));
        }
    };
    for source in sources {
        for suite in &source.suites {
            add(source, suite, &source.components.join(" "));
        }
    }
    if machine.distribution == "debian" {
        let main = sources::main_source(sources).context("no mirror")?;
        for suite in ["sid", "stable"] {
            if !main.suites.iter().any(|known| known == suite) {
                add(main, suite, "main");
            }
        }
    }
    Ok(list)
}

/// The machine's own release comes first for whatever is not asked for by version.
fn preferences(sources: &[Source]) -> String {
    let mut text = String::new();
    for suite in sources.iter().flat_map(|source| &source.suites) {
        for field in ["n", "a"] {
            text += &format!("Package: *\nPin: release {field}={suite}\nPin-Priority: 990\n\n");
        }
    }
    text
}

fn settings(folder: &Utf8Path) -> String {
    let folders = [
        ("Dir::State", ""),
        ("Dir::State::lists", "/lists"),
        ("Dir::State::status", "/status"),
        ("Dir::State::extended_states", "/extended_states"),
        ("Dir::Cache", ""),
        ("Dir::Cache::archives", "/archives"),
        ("Dir::Log", "/log"),
        ("Dir::Etc::sourcelist", "/sources.list"),
        ("Dir::Etc::sourceparts", "/none"),
        ("Dir::Etc::preferences", "/preferences"),
        ("Dir::Etc::preferencesparts", "/none"),
    ];
    // The machine's own hooks would work on the system's state.
    let hooks = ["APT::Update::Pre-Invoke", "APT::Update::Post-Invoke"];
    let hooks = hooks.iter().chain(&["APT::Update::Post-Invoke-Success", "DPkg::Pre-Invoke"]);
    let hooks = hooks.chain(&["DPkg::Post-Invoke", "DPkg::Pre-Install-Pkgs"]);
    let mut text: String = hooks.map(|hook| format!("#clear {hook};\n")).collect();
    for (name, sub) in folders {
        text += &format!("{name} \"{folder}{sub}\";\n");
    }
    // The folder may not be readable for apt's own user.
    text += "APT::Sandbox::User \"root\";\n";
    text += "APT::Update::Error-Mode \"any\";\n";
    text += "APT::Keep-Downloaded-Packages \"true\";\n";
    text += "APT::Get::AllowUnauthenticated \"false\";\n";
    text += "Acquire::AllowInsecureRepositories \"false\";\n";
    text += "Acquire::GzipIndexes \"true\";\n";
    text += "Acquire::Languages \"none\";\n";
    text += "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled \"false\";\n";
    text += "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n";
    text += "Acquire::Retries \"2\";\n";
    text
}

fn names(packages: &[String]) -> String {
    match packages {
        [one] => format!("the package `{one}`"),
        many => format!("{} packages ({})", many.len(), many.join(", ")),
    }
}
