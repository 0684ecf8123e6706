//! What a machine is, as far as it matters to a measurement.

use crate::docker::engine::files;
use crate::process::{Command, Processes};
use camino::Utf8Path;

/// Its processor, memory, system, and the versions of what is measured: a line each. What cannot be
/// told is left out.
pub fn describe(processes: &Processes) -> Vec<String> {
    let read = |path: &str| files::read(Utf8Path::new(path)).ok().flatten();
    let field = |path: &str, name: &str| {
        let text = read(path)?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once([':', '='])?.1.trim().trim_matches('"').to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = field("/proc/cpuinfo", "model name").map(|name| format!("{cores} of {name}"));
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| {
        let kilobytes: f64 = text.split_whitespace().next()?.parse().ok()?;
        Some(format!("{:.0} GB of memory", kilobytes / 1e6))
    });
    let version = |command: &Command| {
        let said = processes.read(command).ok()?;
        said.lines().next().map(|line| line.trim().to_owned())
    };
    [
        processor,
        memory,
        field("/etc/os-release", "PRETTY_NAME"),
        read("/proc/sys/kernel/osrelease").map(|text| format!("Linux {}", text.trim())),
        version(&Command::new("ask git", "git").args(["--version"])),
    ]
    .into_iter()
    .flatten()
    .collect()
}
