//! Names of images: `host[:port]/repository[:tag][@digest]`, read as Docker reads them.

use std::fmt;
use std::str::FromStr;

/// The host that short names mean, and where its API is (both fixed by Docker's reference format).
const HUB: &str = "docker.io";
const HUB_API: &str = "registry-1.docker.io";

/// A full name of an image (DESIGN 2). It always has a host; without a tag and a digest it means `latest`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// A text that names no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidReference {
    /// The text
    pub text: String,
    /// What is wrong with it
    pub problem: &'static str,
}

impl Reference {
    /// The host (and port) as it stands in the name: `docker.io` for short names.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host (and port) that serves the API.
    pub fn api_host(&self) -> &str {
        if self.host == HUB { HUB_API } else { &self.host }
    }

    /// The repository without the host: `tzervas/autogit/base`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if the name has one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if the name has one.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// What stands behind `manifests/` in the API: the digest, else the tag, else `latest`.
    pub fn key(&self) -> &str {
        self.digest().or(self.tag()).unwrap_or("latest")
    }

    /// The same repository under a tag (and no digest). Fails for what cannot be a tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, InvalidReference> {
        if !is_tag(tag) {
            return Err(InvalidReference { text: tag.to_owned(), problem: "not a tag" });
        }
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// The same repository by digest (and no tag). Fails for what is no digest.
    pub fn with_digest(&self, digest: &str) -> Result<Self, InvalidReference> {
        if !is_digest(digest) {
            return Err(InvalidReference { text: digest.to_owned(), problem: "not a digest" });
        }
        Ok(Self { tag: None, digest: Some(digest.to_owned()), ..self.clone() })
    }

    /// `host/repository` without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let invalid = |problem| InvalidReference { text: text.to_owned(), problem };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(invalid("the digest must be `sha256:` and 64 hex digits")),
            None => (text, None),
        };
        let (host, path) = split_host(rest);
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) if is_tag(tag) => (repository, Some(tag.to_owned())),
            Some(_) => return Err(invalid("the tag may have letters, digits, `_`, `.`, `-`")),
            None => (path, None),
        };
        if !is_host(host) {
            return Err(invalid("the host is not one"));
        }
        if repository.len() > 255 || !repository.split('/').all(is_component) {
            return Err(invalid(
                "the repository must be of lower case letters, digits, `.`, `_`, `-`",
            ));
        }
        let official = host == HUB && !repository.contains('/');
        let repository =
            if official { format!("library/{repository}") } else { repository.to_owned() };
        Ok(Self { host: host.to_owned(), repository, tag, digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Display for InvalidReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` names no image: {}", self.text, self.problem)
    }
}

impl std::error::Error for InvalidReference {}

/// Docker's rule: what stands before the first `/` is a host if it has a `.` or `:` or an upper
/// case letter, or is `localhost`.
fn split_host(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some(("index.docker.io", path)) => (HUB, path),
        Some((host, path))
            if host == "localhost"
                || host.contains(['.', ':'])
                || host.contains(|c: char| c.is_ascii_uppercase()) =>
        {
            (host, path)
        }
        _ => (HUB, text),
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", port),
            _ => return false,
        },
        None => match host.find(':') {
            Some(at) => host.split_at(at),
            None => (host, ""),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_port = |port: &str| port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
    name.split('.').all(label) && (port.is_empty() || is_port(port))
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let bytes = text.as_bytes();
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let edges = bytes.first().is_some_and(alphanumeric) && bytes.last().is_some_and(alphanumeric);
    let separators = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    edges
        && separators
            .into_iter()
            .all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// Whether a text is a digest of a kind that can be checked here: sha256 or sha512, lower case hex.
pub(super) fn is_digest(text: &str) -> bool {
    let hex = |hex: &str, length| {
        hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    match text.split_once(':') {
        Some(("sha256", rest)) => hex(rest, 64),
        Some(("sha512", rest)) => hex(rest, 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, full: &str) {
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.to_string(), full);
        assert_eq!(full.parse::<Reference>().unwrap(), reference, "a full name means itself");
    }

    #[track_caller]
    fn fails(text: &str, problem: &str) {
        let error = text.parse::<Reference>().unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }

    #[test]
    fn names_are_read_as_docker_reads_them() {
        case("debian", "docker.io/library/debian");
        case("debian:trixie-slim", "docker.io/library/debian:trixie-slim");
        case("docker.io/debian:12", "docker.io/library/debian:12");
        case("index.docker.io/debian", "docker.io/library/debian");
        case("grafana/loki", "docker.io/grafana/loki");
        case("a/b/c", "docker.io/a/b/c");
        case("localhost/a", "localhost/a");
        case("localhost:5000/a:b", "localhost:5000/a:b");
        case("127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b");
        case("[::1]:5000/a:x", "[::1]:5000/a:x");
        case(
            "ghcr.io/tzervas/autogit/git-server:v0.1.0",
            "ghcr.io/tzervas/autogit/git-server:v0.1.0",
        );
        case("ghcr.io/a__b/c---d/e.f_g", "ghcr.io/a__b/c---d/e.f_g");
        let digest = format!("sha256:{}", "0f".repeat(32));
        case(&format!("debian@{digest}"), &format!("docker.io/library/debian@{digest}"));
        case(&format!("h.x/a:t@{digest}"), &format!("h.x/a:t@{digest}"));
    }

    #[test]
    fn what_is_no_name_says_why() {
        for text in ["", "Debian", "a//b", "/a", "a/", "h.x/a..b", "h.x/a___b", "h.x/-a", "h.x/a b"]
        {
            fails(text, "repository");
        }
        for text in ["a:", "a:-x", "a:x y", &format!("a:{}", "t".repeat(129))] {
            fails(text, "tag");
        }
        for text in ["a@", "a@sha256:12", "a@md5:00", &format!("a@sha256:{}", "G".repeat(64))] {
            fails(text, "digest");
        }
        for text in ["-h.x/a", "h.x:99999/a", "h..x/a", "h.x:/a", "[::g]:1/a"] {
            fails(text, "host");
        }
    }

    #[test]
    fn parts_and_variations() {
        let reference: Reference = "debian:trixie".parse().unwrap();
        assert_eq!((reference.api_host(), reference.key()), ("registry-1.docker.io", "trixie"));
        assert_eq!(reference.name(), "docker.io/library/debian");
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(reference.with_digest(&digest).unwrap().key(), digest);
        assert_eq!(reference.with_tag("a").unwrap().to_string(), "docker.io/library/debian:a");
        assert!(reference.with_tag("a+b").is_err());
        assert!(reference.with_digest("x").is_err());
        assert_eq!("a".parse::<Reference>().unwrap().key(), "latest");
    }
}
