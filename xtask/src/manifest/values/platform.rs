//! Platforms: `os/arch[/variant]`, spelled as BuildKit writes them into an index. Another spelling of
//! the same platform would never be found there again.

use super::Fault;
use crate::diagnostic::quoted;
use crate::nearest::nearest;

const SYSTEMS: [&str; 4] = ["linux", "windows", "freebsd", "darwin"];
const ARCHITECTURES: [&str; 11] = [
    "amd64", "arm64", "arm", "386", "riscv64", "ppc64le", "s390x", "loong64", "mips64le", "mips64",
    "wasm",
];
/// What other tools call them.
const ALIASES: [(&str, &str); 8] = [
    ("x86_64", "amd64"),
    ("x86-64", "amd64"),
    ("x64", "amd64"),
    ("aarch64", "arm64"),
    ("armhf", "arm/v7"),
    ("armel", "arm/v6"),
    ("i386", "386"),
    ("x86", "386"),
];

/// A platform in its only spelling.
pub fn platform(text: &str) -> Result<(), Fault> {
    let parts: Vec<&str> = text.split('/').collect();
    match parts[..] {
        [os, arch] if arch_is_complete(os, arch) => Ok(()),
        [os, arch] => Err(unknown(text, os, arch)),
        [os, arch, variant] if SYSTEMS.contains(&os) && ARCHITECTURES.contains(&arch) => {
            check_variant(text, os, arch, variant)
        }
        [os, arch, _] => Err(unknown(text, os, arch)),
        _ => Err(malformed(text)),
    }
}

fn arch_is_complete(os: &str, arch: &str) -> bool {
    SYSTEMS.contains(&os) && ARCHITECTURES.contains(&arch) && arch != "arm"
}

fn check_variant(text: &str, os: &str, arch: &str, variant: &str) -> Result<(), Fault> {
    let known: &[&str] = match arch {
        "arm" => &["v5", "v6", "v7", "v8"],
        "arm64" => &["v9"],
        "amd64" => &["v2", "v3", "v4"],
        _ => &[],
    };
    if known.contains(&variant) {
        return Ok(());
    }
    let fault =
        Fault::new(format!("unknown variant {} in platform {}", quoted(variant), quoted(text)));
    Err(match (arch, variant) {
        ("arm64", "v8") | ("amd64", "v1") => {
            Fault::new(format!("platform `{text}` is written without `/{variant}`"))
                .help(format!("write `{os}/{arch}`: an index never names the usual variant"))
        }
        _ if known.is_empty() => fault.help(format!("write `{os}/{arch}`: it has no variants")),
        _ => fault.help(format!("known are `{}`", known.join("`, `"))),
    })
}

/// A wrong system, else a wrong architecture.
fn unknown(text: &str, os: &str, arch: &str) -> Fault {
    if !SYSTEMS.contains(&os) {
        let fault =
            Fault::new(format!("unknown system {} in platform {}", quoted(os), quoted(text)));
        return match nearest(os, SYSTEMS) {
            Some(name) => fault.help(format!("did you mean `{name}/…`?")),
            None => fault.help("write it like `linux/amd64`: system, then architecture"),
        };
    }
    if arch == "arm" {
        let fault = Fault::new(format!("platform `{text}` does not say which variant"));
        return fault.help("write `linux/arm/v7`, or `linux/arm/v6` for older boards");
    }
    let fault =
        Fault::new(format!("unknown architecture {} in platform {}", quoted(arch), quoted(text)));
    let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(arch));
    match alias.map(|(_, name)| *name).or_else(|| nearest(arch, ARCHITECTURES)) {
        Some(name) => fault.help(format!("did you mean `{os}/{name}`?")),
        None => fault.help(format!("known are `{}`", ARCHITECTURES.join("`, `"))),
    }
}

fn malformed(text: &str) -> Fault {
    let fault = Fault::new(format!("{} is no platform", quoted(text)));
    let alias = ALIASES.iter().find(|(alias, _)| *alias == text).map(|(_, name)| *name);
    match alias.or_else(|| ARCHITECTURES.into_iter().find(|name| *name == text)) {
        Some(name) => fault.help(format!("did you mean `linux/{name}`?")),
        None => fault.help("write it like `linux/amd64` or `linux/arm/v7`"),
    }
}
