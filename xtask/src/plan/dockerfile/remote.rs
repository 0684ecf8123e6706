//! Which source of an `ADD` is fetched from the net.

/// What a source of an `ADD` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In the build context
    Local,
    /// A file by HTTP
    Http,
    /// A git repository
    Git,
}

/// What a source is, once its variables and quotes are gone.
pub fn kind(source: &str) -> Kind {
    if source.starts_with("./") || source.starts_with("../") || source.starts_with("github.com/") {
        return Kind::Local;
    }
    let Some((scheme, rest)) = scheme(source) else {
        return if is_scp(source) { Kind::Git } else { Kind::Local };
    };
    match scheme.to_ascii_lowercase().as_str() {
        "ssh" | "git" => Kind::Git,
        "http" | "https" => {
            let path = rest.split(['?', '#']).next().unwrap_or_default();
            if path.contains('/') && path.ends_with(".git") { Kind::Git } else { Kind::Http }
        }
        _ => Kind::Local,
    }
}

/// Whether a source that begins like this, and goes on with what a variable holds, may be remote.
pub fn may_be_remote(start: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match start.trim_start_matches(name).chars().next() {
        None => true,
        Some(c) => c == ':' || c == '@',
    }
}

fn scheme(source: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = source.split_once("://")?;
    let fits = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric());
    fits.then_some((scheme, rest))
}

/// `user@host:path`
fn is_scp(source: &str) -> bool {
    let Some((user, rest)) = source.split_once('@') else { return false };
    let Some((host, _)) = rest.split_once(':') else { return false };
    let name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !user.is_empty()
        && user.chars().all(name)
        && !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}
