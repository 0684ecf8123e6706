//! How mmdebstrap is called, so that the same recipe gives the same bytes. Pure.

use crate::manifest::Bootstrap;
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde_json::{Value, json};

use super::super::engine::packages::{Source, main_source, signed_by};

/// The time that everything in an image bears: no file is younger. Any constant does.
pub const EPOCH: u64 = 1_735_689_600;
/// The same as a date.
const EPOCH_DATE: &str = "2025-01-01T00:00:00Z";

/// Where the packages of an image come from on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    options: String,
    main: String,
    /// The address of the security updates, where the machine has one
    security: Option<String>,
    updates: bool,
}

impl Mirror {
    /// The machine's own mirror, which has the other suites too.
    pub fn of(sources: &[Source], suite: &str, codename: &str) -> Self {
        let main = main_source(sources).cloned().unwrap_or_default();
        let has = |pocket: &str| {
            let fits = |s: &String| s.ends_with(pocket);
            sources.iter().find(|source| source.suites.iter().any(fits))
        };
        let security = has("-security").filter(|_| has_pockets(suite) && has_pockets(codename));
        let first = |source: &Source| source.uris.first().cloned().unwrap_or_default();
        Self {
            options: signed_by(&main),
            security: security.map(first),
            updates: has("-updates").is_some() && has_pockets(suite),
            main: first(&main),
        }
    }

    /// Debian's default mirror, for a machine of another distribution.
    pub fn at(default: &str, keyring: &Utf8Path, suite: &str) -> Self {
        Self {
            options: format!("[signed-by={keyring}] "),
            main: default.to_owned(),
            security: has_pockets(suite).then(|| format!("{default}-security")),
            updates: has_pockets(suite),
        }
    }

    /// Lines of `sources.list` for mmdebstrap.
    pub fn lines(&self, suite: &str) -> Vec<String> {
        let Self { options, main, .. } = self;
        let mut lines = vec![format!("deb {options}{main} {suite} main")];
        if self.updates {
            lines.push(format!("deb {options}{main} {suite}-updates main"));
        }
        if let Some(security) = &self.security {
            lines.push(format!("deb {options}{security} {suite}-security main"));
        }
        lines
    }

    /// Whether it is that address.
    pub fn is_at(&self, address: &str) -> bool {
        let bare = |uri: &str| uri.trim_end_matches('/').replace("https://", "http://");
        bare(&self.main) == bare(address)
    }

    /// What the image gets: Debian's default address instead of this machine's mirror.
    fn lines_of_image(&self, suite: &str, default: &str) -> Vec<String> {
        let image = Self {
            options: String::new(),
            main: default.to_owned(),
            security: self.security.as_ref().map(|_| format!("{default}-security")),
            updates: self.updates,
        };
        image.lines(suite)
    }
}

fn has_pockets(suite: &str) -> bool {
    !["sid", "unstable", "experimental"].contains(&suite)
}

/// Debian's default mirror, taken from mmdebstrap itself: no host is named in this repository.
pub fn default_mirror(script: &str) -> Result<String> {
    let line = script.lines().find_map(|line| line.trim().strip_prefix("my $mirror"));
    let address = line.and_then(|line| line.split('\'').nth(1));
    let address = address.filter(|address| address.starts_with("http"));
    Ok(address.context("mmdebstrap names no default mirror")?.to_owned())
}

/// Those of the machine's apt settings that decide whether its mirror can be used.
pub fn apt_options(dump: &str) -> Vec<String> {
    let wanted = |line: &&str| {
        let name = line.split(' ').next().unwrap_or_default();
        let empty = line.ends_with("\"\";");
        !empty
            && (name.starts_with("Acquire::Check-")
                || (name.starts_with("Acquire::http") && name.contains("::Proxy")))
    };
    dump.lines().filter(wanted).map(str::to_owned).collect()
}

/// The arguments but for suite, target and sources.
pub fn arguments(
    bootstrap: &Bootstrap,
    arch: &str,
    mirror: &Mirror,
    default: &str,
    apt_options: &[String],
) -> Vec<String> {
    let Bootstrap { suite, variant, include } = bootstrap;
    let mut args = vec![
        format!("--variant={variant}"),
        "--mode=root".into(),
        "--format=tar".into(),
        "--quiet".into(),
        "--skip=check/qemu".into(),
        "--skip=output/dev".into(),
        format!("--architectures={}", debian_arch(arch)),
    ];
    if !include.is_empty() {
        args.push(format!("--include={}", include.join(",")));
    }
    args.extend(apt_options.iter().map(|option| format!("--aptopt={option}")));
    args.push(format!("--setup-hook={}", setup_hook(variant)));
    let sources = mirror.lines_of_image(suite, default).join("\n");
    let stale = apt_options.iter().find(|option| option.contains("Check-Valid-Until"));
    if variant == "extract" {
        // Of the hooks it has only this one, and there is no apt that could clean up after itself.
        args.extend([format!("--extract-hook={BUSYBOX_HOOK}"), "--skip=cleanup/apt".into()]);
    } else {
        let hook = customize_hook(&sources, stale.map_or("", String::as_str));
        args.push(format!("--customize-hook={hook}"));
    }
    args
}

fn setup_hook(variant: &str) -> String {
    if variant == "extract" {
        // What base-files would bring: without it there is not even /bin.
        return "set -eu; cd \"$1\"; mkdir -p usr/bin usr/sbin usr/lib etc root; mkdir -p -m 1777 tmp; \
            for d in bin sbin lib; do [ -e $d ] || ln -s usr/$d $d; done; \
            [ -e etc/passwd ] || echo root:x:0:0:root:/root:/bin/sh >etc/passwd; \
            [ -e etc/group ] || echo root:x:0: >etc/group"
            .into();
    }
    // dpkg heeds these for everything that a Dockerfile installs later, too.
    "set -eu; mkdir -p \"$1/etc/dpkg/dpkg.cfg.d\"; \
        { for p in doc info locale lintian man; do echo \"path-exclude=/usr/share/$p/*\"; done; \
        echo 'path-include=/usr/share/doc/*/copyright'; \
        echo 'path-include=/usr/share/locale/locale.alias'; \
        echo force-unsafe-io; } >\"$1/etc/dpkg/dpkg.cfg.d/90xtask-slim\""
        .into()
}

/// Gives busybox, which alone knows all of its names, a link for each; leaves nothing else.
const BUSYBOX_HOOK: &str = "set -eu; cd \"$1\"; b=usr/bin/busybox; \
    if [ -x $b ]; then for a in sh $(./$b --list 2>/dev/null || true); do \
    [ -e usr/bin/$a ] || ln -s busybox usr/bin/$a; done; fi; \
    find etc/apt -type f ! -name 00mmdebstrap -delete; \
    rm -rf etc/dpkg etc/fstab etc/hostname etc/resolv.conf usr/share/* var/cache/* var/lib/* var/log/*";

fn customize_hook(sources: &str, stale: &str) -> String {
    let stale = if stale.is_empty() {
        String::new()
    } else {
        // The machine's mirror may be behind, and is what RUN steps use.
        format!("echo '{stale}' >etc/apt/apt.conf.d/90xtask-mirror; ")
    };
    format!(
        "set -eu; cd \"$1\"; \
        find usr/share/doc ! -type d ! -name copyright -delete; \
        find usr/share/doc -mindepth 1 -type d -empty -delete; \
        for d in info locale lintian man; do [ ! -d usr/share/$d ] || find usr/share/$d -mindepth 1 ! -name locale.alias -delete; done; \
        rm -f etc/apt/apt.conf.d/99mmdebstrap; rm -rf etc/apt/sources.list.d/*; \
        printf '%s\\n' '{sources}' >etc/apt/sources.list; {stale}\
        printf '#!/bin/sh\\nexit 101\\n' >usr/sbin/policy-rc.d; chmod 755 usr/sbin/policy-rc.d; \
        rm -rf var/lib/apt/lists/* var/cache/apt/archives/partial tmp/* etc/hostname etc/resolv.conf; \
        find var/cache var/log -type f -delete"
    )
}

/// The image's configuration, as far as it does not depend on the layer.
pub fn config(bootstrap: &Bootstrap, arch: &str) -> Value {
    let Bootstrap { suite, variant, include } = bootstrap;
    let shell = if variant == "extract" { "/bin/sh" } else { "bash" };
    let (arch, version) = arch.split_once('/').unwrap_or((arch, ""));
    let mut config = json!({
        "created": EPOCH_DATE,
        "architecture": arch,
        "os": "linux",
        "config": {
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": [shell],
        },
        "history": [{
            "created": EPOCH_DATE,
            "created_by": format!("mmdebstrap --variant={variant} --include={} {suite}", include.join(",")),
        }],
    });
    if !version.is_empty() {
        config["variant"] = json!(version);
    }
    config
}

fn debian_arch(arch: &str) -> &str {
    match arch {
        "386" => "i386",
        "arm/v7" | "arm" => "armhf",
        "arm64/v8" => "arm64",
        "ppc64le" => "ppc64el",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Vec<Source> {
        let source = |uri: &str, suites: &[&str]| Source {
            uris: vec![uri.into()],
            suites: suites.iter().map(|s| (*s).into()).collect(),
            components: vec!["main".into()],
            signed_by: Some("/k.gpg".into()),
        };
        vec![
            source("http://m/debian-security", &["bookworm-security"]),
            source("http://m/debian/", &["bookworm", "bookworm-updates"]),
        ]
    }

    #[test]
    fn the_machines_mirror_serves_other_suites() {
        let mirror = Mirror::of(&sources(), "trixie", "bookworm");
        let expected = [
            "deb [signed-by=/k.gpg] http://m/debian/ trixie main",
            "deb [signed-by=/k.gpg] http://m/debian/ trixie-updates main",
            "deb [signed-by=/k.gpg] http://m/debian-security trixie-security main",
        ];
        assert_eq!(mirror.lines("trixie"), expected);
        assert_eq!(Mirror::of(&sources(), "sid", "bookworm").lines("sid").len(), 1);
        assert!(mirror.is_at("https://m/debian"));
        assert!(!mirror.is_at("http://other/debian"));
    }

    #[test]
    fn the_image_gets_the_default_address() {
        let mirror = Mirror::of(&sources(), "trixie", "bookworm");
        let expected = [
            "deb http://d/debian trixie main",
            "deb http://d/debian trixie-updates main",
            "deb http://d/debian-security trixie-security main",
        ];
        assert_eq!(mirror.lines_of_image("trixie", "http://d/debian"), expected);
    }

    #[test]
    fn the_default_is_what_mmdebstrap_says() {
        let script = "x\n    my $mirror    = 'http://d/debian';\n    my $mirror = 'no';\n";
        assert_eq!(default_mirror(script).unwrap(), "http://d/debian");
        assert!(default_mirror("my $mirrors = 1;").is_err());
    }

    #[test]
    fn settings_that_reach_the_mirror_come_along() {
        let dump = "APT \"\";\nAcquire::http \"\";\nAcquire::http::Proxy \"http://p:1\";\n\
            Acquire::https::Proxy::h \"DIRECT\";\nAcquire::http::Timeout \"3\";\n\
            Acquire::Check-Valid-Until \"false\";\nAcquire::http::Proxy \"\";\n";
        let expected = [
            "Acquire::http::Proxy \"http://p:1\";",
            "Acquire::https::Proxy::h \"DIRECT\";",
            "Acquire::Check-Valid-Until \"false\";",
        ];
        assert_eq!(apt_options(dump), expected);
    }
}
