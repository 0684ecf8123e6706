//! Names of images, in the form in which BuildKit compares them with named contexts.

/// The key that a named context must have to stand in for this name: `docker.io/library/` and
/// `:latest` left out. `None` where it is no image name at all.
pub fn context_key(name: &str) -> Option<String> {
    if name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let (domain, path) = split_domain(name);
    let (path, digest) = match path.split_once('@') {
        Some((path, digest)) if is_digest(digest) => (path, format!("@{digest}")),
        Some(_) => return None,
        None => (path, String::new()),
    };
    let (path, tag) = match path.split_once(':') {
        Some((path, tag)) if is_tag(tag) => (path, format!(":{tag}")),
        Some(_) => return None,
        None => (path, String::new()),
    };
    let full_length = domain.unwrap_or("docker.io/library").len() + 1 + path.len();
    if !path.split('/').all(is_component) || full_length > 255 {
        return None;
    }
    let key = match domain {
        Some(domain) if !is_domain(domain) => return None,
        Some(domain) => format!("{domain}/{path}{tag}{digest}"),
        None => {
            let familiar = path.strip_prefix("library/").filter(|rest| !rest.contains('/'));
            format!("{}{tag}{digest}", familiar.unwrap_or(path))
        }
    };
    Some(key.strip_suffix(":latest").unwrap_or(&key).to_owned())
}

/// The registry, where one is named that is not the Docker Hub, and the rest.
fn split_domain(name: &str) -> (Option<&str>, &str) {
    let Some((first, rest)) = name.split_once('/') else { return (None, name) };
    let is_registry =
        first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first;
    match first {
        "docker.io" | "index.docker.io" => (None, rest),
        _ if is_registry => (Some(first), rest),
        _ => (None, name),
    }
}

/// Lower-case letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_component(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(inner)
        && text.ends_with(inner)
        && text.split(inner).all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
        })
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let label = |l: &str| {
        !l.is_empty()
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let ipv6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host_fits = match ipv6 {
        Some(address) => address.chars().all(|c| c.is_ascii_hexdigit() || c == ':'),
        None => host.split('.').all(label),
    };
    host_fits && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128
        && text.starts_with(word)
        && text.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
