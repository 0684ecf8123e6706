//! What a dead engine left behind: processes, control groups, mounts. Only what carries the engine's own
//! paths is touched, and only processes that live in the same root folder as we do.

use super::setup::Setup;
use super::sys::{self, Signal};
use super::{files, instance::Instance};
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::time::{Duration, Instant};

/// The programs that an engine consists of.
const PROGRAMS: [&str; 7] = [
    "dockerd",
    "containerd",
    "containerd-shim-runc-v2",
    "docker-proxy",
    "docker-registry",
    "registry",
    "runc",
];

/// A process of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its number
    pub pid: u32,
    /// Its program's name
    pub program: String,
}

/// The processes of an engine.
pub fn processes(instance: &Instance) -> Vec<Running> {
    let pids = files::list(Utf8Path::new("/proc")).into_iter().filter_map(|name| name.parse().ok());
    pids.filter_map(|pid| Some(Running { pid, program: program_of(pid, instance)? })).collect()
}

/// Whether any dockerd runs on this machine, ours or not.
pub fn any_dockerd() -> bool {
    let mut pids = files::list(Utf8Path::new("/proc")).into_iter().filter_map(|n| n.parse().ok());
    pids.any(|pid: u32| words(pid).first().is_some_and(|first| name_of(first) == "dockerd"))
}

fn program_of(pid: u32, instance: &Instance) -> Option<String> {
    let words = words(pid);
    let program = name_of(words.first()?).to_owned();
    let within = |word: &String| {
        let path = Utf8Path::new(word);
        path.starts_with(&instance.folder) || path.starts_with(&instance.run)
    };
    let same_root = || {
        let root = Utf8PathBuf::from(format!("/proc/{pid}/root"));
        sys::identity(&root) == sys::identity(Utf8Path::new("/"))
    };
    let ours = PROGRAMS.contains(&program.as_str()) && words[1..].iter().any(within);
    (ours && same_root()).then_some(program)
}

fn words(pid: u32) -> Vec<String> {
    let path = Utf8PathBuf::from(format!("/proc/{pid}/cmdline"));
    let text = std::fs::read(path).unwrap_or_default();
    let words = text.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn name_of(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Asks the engine's daemons to end, and ends what has not ended after `patience`.
pub fn stop(setup: &Setup, instance: &Instance, patience: Duration) -> Result<()> {
    let daemons = ["dockerd", "docker-registry", "registry"];
    for running in processes(instance) {
        if daemons.contains(&running.program.as_str()) {
            send(&running, Signal::Term, instance);
        }
    }
    let began = Instant::now();
    let alive = |running: &Running| daemons.contains(&running.program.as_str());
    while processes(instance).iter().any(alive) && began.elapsed() < patience {
        setup.processes.interrupt.sleep(Duration::from_millis(20))?;
    }
    clear(setup, instance)
}

/// Ends every process of a dead engine, and takes its control groups and mounts away.
pub fn clear(setup: &Setup, instance: &Instance) -> Result<()> {
    for _ in 0..100 {
        let left = processes(instance);
        for running in &left {
            send(running, Signal::Kill, instance);
        }
        let contained = kill_control_groups(&instance.bridge);
        if left.is_empty() && !contained {
            break;
        }
        setup.processes.interrupt.sleep(Duration::from_millis(20))?;
    }
    remove_control_groups(&instance.bridge);
    unmount_below(&[&instance.folder, &instance.run]);
    Ok(())
}

fn send(running: &Running, signal: Signal, instance: &Instance) {
    let still_meant = || program_of(running.pid, instance).is_some();
    sys::signal(running.pid, signal, &still_meant);
}

/// The control groups of an engine's containers: one in cgroup v2, one for each controller in v1.
fn control_groups(name: &str) -> Vec<Utf8PathBuf> {
    let top = Utf8Path::new("/sys/fs/cgroup");
    let below = files::list(top).into_iter().map(|controller| top.join(controller).join(name));
    std::iter::once(top.join(name)).chain(below).filter(|folder| folder.is_dir()).collect()
}

fn with_children(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = vec![folder.to_owned()];
    for name in files::list(folder) {
        let child = folder.join(name);
        if child.is_dir() {
            found.extend(with_children(&child));
        }
    }
    found
}

/// Kills what is in them; whether there was anything.
fn kill_control_groups(name: &str) -> bool {
    let mut any = false;
    for folder in control_groups(name).iter().flat_map(|folder| with_children(folder)) {
        let list = folder.join("cgroup.procs");
        let members = || files::read(&list).ok().flatten().unwrap_or_default();
        for pid in members().lines().filter_map(|line| line.parse().ok()) {
            any = true;
            let still_meant = || members().lines().any(|line| line == format!("{pid}"));
            sys::signal(pid, Signal::Kill, &still_meant);
        }
    }
    any
}

fn remove_control_groups(name: &str) {
    for folder in control_groups(name).iter().flat_map(|folder| with_children(folder)).rev() {
        // The kernel takes a group only when it is empty; what stays is tried again next time.
        std::fs::remove_dir(folder).ok();
    }
}

/// Takes every mount below the folders away.
pub fn unmount_below(folders: &[&Utf8Path]) {
    let table = files::read(Utf8Path::new("/proc/self/mountinfo")).ok().flatten();
    let real = |folder: &&Utf8Path| folder.canonicalize_utf8().unwrap_or_else(|_| folder.into());
    let folders: Vec<Utf8PathBuf> = folders.iter().map(real).collect();
    for point in mounts_within(&table.unwrap_or_default(), &folders) {
        sys::unmount(&point);
    }
}

/// The mount points below the folders, the innermost first.
fn mounts_within(mountinfo: &str, folders: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
    let points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape);
    let mut found: Vec<Utf8PathBuf> =
        points.filter(|point| folders.iter().any(|folder| point.starts_with(folder))).collect();
    found.reverse();
    found
}

/// The kernel writes blanks in paths as `\040`.
fn unescape(path: &str) -> Utf8PathBuf {
    path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_below_a_folder_are_found_innermost_first() {
        let table = "1 0 8:1 / / rw - ext4 x rw\n\
            2 1 0:4 / /c/engine/t/data/x rw - overlay o rw\n\
            3 2 0:5 / /c/engine/t/data/x/in\\040ner rw - tmpfs t rw\n\
            4 1 0:6 / /c/engine/t2/data rw - overlay o rw\n\
            5 1 0:7 / /run/e/netns/1 rw - nsfs n rw\n";
        let folders = ["/c/engine/t".into(), "/run/e".into()];
        let expected = ["/run/e/netns/1", "/c/engine/t/data/x/in ner", "/c/engine/t/data/x"];
        assert_eq!(mounts_within(table, &folders), expected);
    }
}
