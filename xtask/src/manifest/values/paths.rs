//! Paths in the manifest: relative to the repository's root, `/` between the parts, never outside.
//! By their text only: what is on the disk is `files`' business.

use super::Fault;
use crate::diagnostic::quoted;
use camino::Utf8PathBuf;

/// The path without `.` and `..`; the root itself is `.`.
pub fn inside(what: &str, text: &str) -> Result<Utf8PathBuf, Fault> {
    let shown = quoted(text);
    if text.contains("://") || text.starts_with("git@") {
        let fault = Fault::new(format!("{what} {shown} is an address, not a path"));
        return Err(fault.help("what is built must be in this repository"));
    }
    if text.contains(['\\', '\0']) || text.chars().any(char::is_control) {
        let fault = Fault::new(format!("{what} {shown} is no portable path"));
        return Err(fault.help("write `/` between the parts, and no control characters"));
    }
    if text.starts_with(['/', '~']) || text.as_bytes().get(1) == Some(&b':') {
        let fault = Fault::new(format!("{what} {shown} is not inside the repository"));
        return Err(fault.help("name it relative to the repository's root"));
    }
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    let fault = Fault::new(format!("{what} {shown} leaves the repository"));
                    return Err(fault.help("paths are relative to the repository's root"));
                }
            }
            part => parts.push(part),
        }
    }
    Ok(if parts.is_empty() { ".".into() } else { parts.join("/").into() })
}
