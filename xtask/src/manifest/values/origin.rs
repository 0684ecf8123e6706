//! Where the project comes from (URL, branch, licence) and what its bases are made from (suite, variant).

use super::Fault;
use crate::diagnostic::quoted;
use crate::nearest::nearest;

const SUITES: [&str; 11] = [
    "trixie",
    "bookworm",
    "bullseye",
    "buster",
    "forky",
    "duke",
    "sid",
    "stable",
    "testing",
    "unstable",
    "oldstable",
];
const UBUNTU: [&str; 5] = ["focal", "jammy", "noble", "plucky", "questing"];
const VARIANTS: [&str; 9] = [
    "minbase",
    "extract",
    "essential",
    "apt",
    "required",
    "important",
    "standard",
    "buildd",
    "custom",
];

/// Where the sources can be read: `https://…`.
pub fn url(text: &str) -> Result<(), Fault> {
    let fault = Fault::new(format!("{} is no web address", quoted(text)));
    if let Some((host, path)) = text.strip_prefix("git@").and_then(|rest| rest.split_once(':')) {
        return Err(fault.help(format!("did you mean `https://{host}/{path}`?")));
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let blank = text.chars().any(|c| c.is_whitespace() || c.is_control());
    match host {
        Some(host) if host.starts_with(|c: char| c.is_alphanumeric()) && !blank => Ok(()),
        _ => Err(fault.help("write it like `https://github.com/owner/repository`")),
    }
}

/// A branch, by the rules of `git check-ref-format`.
pub fn branch(text: &str) -> Result<(), Fault> {
    if let Some(short) = text.strip_prefix("refs/heads/") {
        let fault = Fault::new(format!("{} is a full ref name", quoted(text)));
        return Err(fault.help(format!("write the branch alone: {}", quoted(short))));
    }
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    let wrong = text.contains(forbidden)
        || text.contains("..")
        || text.contains("@{")
        || text.split('/').any(part)
        || text.ends_with('.')
        || text.starts_with('-')
        || matches!(text, "@" | "HEAD");
    if !wrong {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is no name of a branch", quoted(text)));
    Err(fault.help("`git check-ref-format --branch NAME` tells which names git takes"))
}

/// An SPDX expression, as far as its letters go.
pub fn licenses(text: &str) -> Result<(), Fault> {
    let fault = Fault::new(format!("{} is no SPDX expression", quoted(text)));
    if text.contains('/') && !text.contains(' ') {
        return Err(fault.help(format!("did you mean {}?", quoted(&text.replace('/', " OR ")))));
    }
    let valid = |c: char| c.is_ascii_alphanumeric() || " .+-():".contains(c);
    if text.chars().all(valid) && text.contains(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(fault.help("write it like `MIT OR Apache-2.0`"))
}

/// A Debian suite. Ones that do not exist yet are taken too, unless they look like a slip.
pub fn suite(text: &str) -> Result<(), Fault> {
    if SUITES.contains(&text) {
        return Ok(());
    }
    let fault = Fault::new(format!("unknown Debian suite {}", quoted(text)));
    if UBUNTU.contains(&text) {
        return Err(fault.help("this is Ubuntu's; bases are made of Debian: `trixie`, `bookworm`"));
    }
    if let Some(name) = nearest(text, SUITES) {
        return Err(fault.help(format!("did you mean `{name}`?")));
    }
    let valid = |c: char| c.is_ascii_lowercase() || c == '-';
    if text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(valid) {
        return Ok(());
    }
    Err(fault.help("write the suite's code name: `trixie`, `bookworm`"))
}

/// One of mmdebstrap's variants.
pub fn variant(text: &str) -> Result<(), Fault> {
    if VARIANTS.contains(&text) {
        return Ok(());
    }
    Err(Fault::new(format!("unknown variant {}", quoted(text))).did_you_mean(text, &VARIANTS))
}
