//! Names: of services, build arguments, stages, hosts, secrets, packages.

use super::Fault;
use crate::diagnostic::quoted;
use std::net::IpAddr;

/// Names that no service may have, and why.
const RESERVED: [(&str, &str); 2] = [
    ("releases", "`<registry>/releases` holds the release records"),
    ("bases", "`<registry>/bases` holds the bootstrapped base images"),
];

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`: what one part of an image's name may be.
pub fn component(what: &str, text: &str) -> Result<(), Fault> {
    if is_component(text) {
        return Ok(());
    }
    let rule = "lower-case letters and digits, joined by `.`, `_`, `__` or `-`";
    let fault = Fault::new(format!("{what} {} cannot be part of an image's name", quoted(text)));
    Err(match repaired(text) {
        Some(name) => fault.help(format!("did you mean `{name}`? ({rule})")),
        None => fault.help(format!("use {rule}")),
    })
}

/// A service's name must not be one that the program itself uses below the registry.
pub fn reserved(text: &str) -> Result<(), Fault> {
    match RESERVED.iter().find(|(name, _)| *name == text) {
        None => Ok(()),
        Some((name, why)) => {
            let fault = Fault::new(format!("service name `{name}` is reserved"));
            Err(fault.help(format!("{why}: choose another name")))
        }
    }
}

/// Whether a text is a path component of an OCI name.
pub(super) fn is_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |part: &str| {
        matches!(part, "." | "_" | "__") || (!part.is_empty() && part.bytes().all(|b| b == b'-'))
    };
    let mut rest = text;
    loop {
        let end = rest.find(|c| !alphanumeric(c)).unwrap_or(rest.len());
        if end == 0 {
            return false;
        }
        rest = &rest[end..];
        if rest.is_empty() {
            return true;
        }
        let end = rest.find(alphanumeric).unwrap_or(rest.len());
        if !separator(&rest[..end]) {
            return false;
        }
        rest = &rest[end..];
    }
}

/// The component that was probably meant.
fn repaired(text: &str) -> Option<String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(plain).collect();
    let name = name.trim_matches('-').to_owned();
    (is_component(&name) && name.len() <= 64).then_some(name)
}

/// `[A-Za-z_][A-Za-z0-9_]*`: build arguments and environment variables.
pub fn arg_name(what: &str, text: &str) -> Result<(), Fault> {
    let start = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if start && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is no name of {what}", quoted(text)));
    Err(fault.help("use letters, digits and `_`, no digit first"))
}

/// A stage of a Dockerfile.
pub fn stage(text: &str) -> Result<(), Fault> {
    let start = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if start && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is no name of a stage", quoted(text)));
    Err(fault.help("name a stage as in `FROM … AS name`: letters, digits, `_`, `.` and `-`"))
}

/// The id of a secret or an SSH socket, a builder's name.
pub fn id(what: &str, text: &str) -> Result<(), Fault> {
    let start = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if start && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is no {what}", quoted(text)));
    Err(fault.help("use letters, digits, `_`, `.` and `-`, no sign first"))
}

/// A label's key. What changes from commit to commit would change every image's digest.
pub fn label(text: &str) -> Result<(), Fault> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '=') {
        let fault = Fault::new(format!("label {} has a blank or `=` in its name", quoted(text)));
        return Err(fault.help("name it like `org.example.team`"));
    }
    let changing = text.strip_prefix("org.opencontainers.image.");
    if let Some(name @ ("revision" | "version" | "created")) = changing {
        let fault = Fault::new(format!("label `{text}` is not for the manifest"));
        let help = format!("leave it out: the {name} of each build is written as an annotation");
        return Err(fault.help(help));
    }
    Ok(())
}

/// A name that RUN shall find in `/etc/hosts`.
pub fn host_name(text: &str) -> Result<(), Fault> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(valid) {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is no host name", quoted(text)));
    Err(fault.help("write it like `extra-hosts = { \"db.local\" = \"10.0.0.7\" }`"))
}

/// What such a name stands for.
pub fn address(text: &str) -> Result<(), Fault> {
    if text == "host-gateway" || text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is no IP address", quoted(text)));
    Err(fault.help("write it like `10.0.0.7`, `fd00::7` or `host-gateway`"))
}

/// A Debian package.
pub fn package(text: &str) -> Result<(), Fault> {
    let start = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let valid = |c: char| start(c) || "+.-".contains(c);
    if text.len() > 1 && text.starts_with(start) && text.chars().all(valid) {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is no name of a Debian package", quoted(text)));
    Err(fault.help("use lower-case letters, digits, `+`, `.` and `-`, one package an entry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components() {
        for good in ["a", "0", "git-server", "a.b", "a_b", "a__b", "a---b", "a.b_c-d9"] {
            assert!(is_component(good), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", "a___b", "a._b", "a/b", "a b", "ä", "a.", "_"] {
            assert!(!is_component(bad), "{bad}");
        }
    }
}
