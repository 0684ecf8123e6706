//! Where images live and what they are called: registries, image references, named contexts.

use super::names::is_component;
use super::{Fault, paths};
use crate::diagnostic::quoted;

/// `host[:port][/path]`: an image is `<registry>/<service>`.
pub fn registry(text: &str) -> Result<(), Fault> {
    let fault = |problem: &str| Fault::new(format!("registry {} {problem}", quoted(text)));
    if let Some((scheme, rest)) = text.split_once("://") {
        let help = format!("did you mean {}?", quoted(rest.trim_end_matches('/')));
        return Err(fault(&format!("has a scheme, {}", quoted(scheme))).help(help));
    }
    if let Some(rest) = text.strip_suffix('/') {
        let help = format!("did you mean {}?", quoted(rest.trim_end_matches('/')));
        return Err(fault("ends with `/`").help(help));
    }
    if text.chars().any(|c| c.is_uppercase()) {
        let help = format!("did you mean {}?", quoted(&text.to_lowercase()));
        return Err(fault("has upper-case letters").help(help));
    }
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let help = "write it like `ghcr.io/owner/repository`";
    if text.contains('@') || path.contains(':') {
        return Err(fault("has a tag or a digest").help(help));
    }
    if !is_host(host) {
        let help = "begin with the registry's host, for example `docker.io/owner`";
        return Err(fault(&format!("has no host: {} is none", quoted(host))).help(help));
    }
    match path.split('/').find(|part| !is_component(part)) {
        Some("") if !path.is_empty() => Err(fault("has an empty part").help(help)),
        Some(part) if !path.is_empty() => {
            Err(fault(&format!("has a bad part, {}", quoted(part))).help(help))
        }
        _ => Ok(()),
    }
}

/// An image's name as `FROM` takes it: `[host/]path[:tag][@digest]`.
pub fn image(text: &str) -> Result<(), Fault> {
    let fault =
        |problem: &str| Fault::new(format!("{} is no image's name: {problem}", quoted(text)));
    let example = "write it like `debian:trixie-slim`";
    if text == "scratch" {
        return Err(Fault::new("`scratch` is no image").help("leave it out: it is built in"));
    }
    let (name, digest) = text.split_once('@').map_or((text, None), |(n, d)| (n, Some(d)));
    if !digest.is_none_or(is_digest) {
        let help = "a digest is `sha256:` and 64 hexadecimal digits";
        return Err(fault("its digest is malformed").help(help));
    }
    let (name, tag) = match name.rfind(':') {
        Some(colon) if !name[colon..].contains('/') => (&name[..colon], Some(&name[colon + 1..])),
        _ => (name, None),
    };
    if !tag.is_none_or(is_tag) {
        return Err(fault("its tag is malformed").help(example));
    }
    let path = match name.split_once('/') {
        Some((host, path)) if is_host(host) => path,
        _ => name,
    };
    match path.split('/').find(|part| !is_component(part)) {
        None => Ok(()),
        Some(part) if part.to_lowercase() != part && is_component(&part.to_lowercase()) => {
            let help =
                format!("did you mean {}?", quoted(&text.replace(part, &part.to_lowercase())));
            Err(fault("names are lower case").help(help))
        }
        Some("") => Err(fault("a part of it is empty").help(example)),
        Some(part) => Err(fault(&format!("{} is malformed", quoted(part))).help(example)),
    }
}

/// What a named context is: an address as buildx has them, or else a folder of the repository.
pub fn named_context(text: &str) -> Result<String, Fault> {
    if text.starts_with("target:") {
        let fault = Fault::new(format!("named context {} is a target", quoted(text)));
        return Err(
            fault.help("leave it out: what a service builds on is read from its Dockerfile")
        );
    }
    if let Some(name) = text.strip_prefix("docker-image://") {
        return image(name).map(|()| text.to_owned());
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", ""));
    match scheme {
        "oci-layout" | "https" | "http" | "ssh" | "git" if !rest.is_empty() => Ok(text.to_owned()),
        "" if text.starts_with("git@") => Ok(text.to_owned()),
        "" => paths::inside("named context", text).map(String::from),
        _ => {
            let fault = Fault::new(format!("named context {} is no address", quoted(text)));
            Err(fault.help("known are folders, `docker-image://`, `oci-layout://`, `https://`"))
        }
    }
}

/// Whether the first part of a name is a host, by docker's rule: it has a dot or a port, or is
/// `localhost`.
fn is_host(text: &str) -> bool {
    if let Some((address, port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = port.strip_prefix(':').is_some_and(is_port) || port.is_empty();
        return address.parse::<std::net::Ipv6Addr>().is_ok() && port;
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(h, p)| (h, Some(p)));
    let label = |label: &str| {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty()
            && label.chars().all(valid)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let marked = host.contains('.') || port.is_some() || host == "localhost";
    marked && port.is_none_or(is_port) && host.split('.').all(label)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_tag(text: &str) -> bool {
    let start = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let valid = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    start && text.len() <= 128 && text.chars().all(valid)
}

fn is_digest(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
    text.strip_prefix("sha256:").is_some_and(|hash| hash.len() == 64 && hash.bytes().all(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries() {
        for good in [
            "ghcr.io/tzervas/autogit",
            "127.0.0.1:5000",
            "127.0.0.1:5000/a/b",
            "localhost/x",
            "localhost:5000/x",
            "[::1]:5000/x",
            "docker.io/x_y/z.w",
        ] {
            assert_eq!(registry(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "tzervas",
            "tzervas/autogit",
            "https://ghcr.io/x",
            "ghcr.io/x/",
            "ghcr.io//x",
            "GHCR.io/x",
            "ghcr.io/x:dev",
            "ghcr.io/x@sha256:0",
            "ghcr.io:/x",
            "ghcr.io:99999/x",
            "ghcr.io/x y",
            "/x",
            "-a.b/x",
            "a..b/x",
            "[::g]/x",
            "ghcr.io/x/-",
        ] {
            assert!(registry(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn images() {
        let digest = format!("debian@sha256:{}", "0a".repeat(32));
        for good in [
            "debian",
            "debian:trixie-slim",
            "a/b/c:1",
            "ghcr.io/x/y",
            "localhost:5000/x",
            "x.y:5000/a:V1_-.",
            &digest,
        ] {
            assert_eq!(image(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "scratch",
            "Debian",
            "debian:",
            "debian:tri xie",
            ":x",
            "a//b",
            "a/",
            "debian@sha256:12",
            "debian@",
            "https://x/y",
            "a:b:c",
        ] {
            assert!(image(bad).is_err(), "{bad}");
        }
    }
}
