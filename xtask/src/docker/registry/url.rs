//! Addresses: which hosts may be spoken to without TLS, and where a `Location` header leads.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An absolute `http` or `https` URL, taken apart as far as is needed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether it is `https`
    pub tls: bool,
    /// Host and port as written, in lower case, without user information
    pub host: String,
    /// Path and query, beginning with `/`
    pub path: String,
}

impl Url {
    /// Reads an absolute URL; `None` for other schemes, a missing host, or bytes that do not belong.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // User information in an address that a server names is a trick, or leaks: it is refused.
        if host.is_empty() || host.contains('@') || text.bytes().any(|b| b <= b' ' || b >= 0x7f) {
            return None;
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self { tls, host: host.to_ascii_lowercase(), path: format!("{slash}{path}") })
    }

    /// Where a `Location` or `Link` leads from here; it may be absolute or relative.
    pub fn join(&self, location: &str) -> Option<Self> {
        if location.contains("://") && !location.starts_with('/') {
            return Self::parse(location);
        }
        let scheme = if self.tls { "https" } else { "http" };
        if location.starts_with("//") {
            return Self::parse(&format!("{scheme}:{location}"));
        }
        let path = self.path.split('?').next().unwrap_or_default();
        let path = match location.chars().next()? {
            '/' => location.to_owned(),
            '?' => format!("{path}{location}"),
            _ => format!("{}{location}", &path[..=path.rfind('/')?]),
        };
        Self::parse(&format!("{scheme}://{}{path}", self.host))
    }

    /// With a query parameter added. The value must need no escapes other than those done here.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(name);
        self.path.push('=');
        self.path.push_str(&escape(value));
        self
    }

    /// Whether both are the same server, so that what was said to one may be said to the other.
    pub fn same_server(&self, other: &Self) -> bool {
        let full = |url: &Self| {
            let port = if url.tls { 443 } else { 80 };
            let (name, explicit) = split_port(&url.host);
            (url.tls, name.to_owned(), explicit.unwrap_or(port))
        };
        full(self) == full(other)
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.host, self.path)
    }
}

/// Whether a host (with or without port) is this machine itself: 127.0.0.0/8, `::1`, `localhost`.
pub fn is_loopback(host: &str) -> bool {
    let (name, _) = split_port(host);
    let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6.is_some_and(|v6| v6.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()))
}

/// Percent-encodes what must not stand in the value of a query.
pub fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn split_port(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse().ok()),
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn join(base: &str, location: &str, expected: Option<&str>) {
        let joined = Url::parse(base).unwrap().join(location).map(|url| url.to_string());
        assert_eq!(joined.as_deref(), expected);
    }

    #[test]
    fn locations() {
        let base = "https://h.x/v2/a/blobs/uploads/?x=1";
        join(base, "/v2/u?s=1", Some("https://h.x/v2/u?s=1"));
        join(base, "http://O.y:8/p#f", Some("http://o.y:8/p"));
        join(base, "//o.y/p", Some("https://o.y/p"));
        join(base, "id?s", Some("https://h.x/v2/a/blobs/uploads/id?s"));
        join(base, "?s", Some("https://h.x/v2/a/blobs/uploads/?s"));
        join(base, "https://h.x?s", Some("https://h.x/?s"));
        for bad in
            ["", "ftp://h/x", "https://u:p@h/x", "https:///x", "https://h/a b", "/é", "file:///etc"]
        {
            join(base, bad, None);
        }
    }

    #[test]
    fn same_servers() {
        let same = |a, b| Url::parse(a).unwrap().same_server(&Url::parse(b).unwrap());
        assert!(same("https://h/a", "https://H:443/b"));
        assert!(!same("https://h/a", "http://h/a"));
        assert!(!same("https://h/a", "https://h:444/a"));
        assert!(!same("https://h/a", "https://h.evil/a"));
    }

    #[test]
    fn loopback_hosts() {
        for host in
            ["127.0.0.1", "127.9.9.9:5000", "localhost:80", "LOCALHOST", "[::1]", "[::1]:5000"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "127.0.0.1.evil.io",
            "localhost.evil.io",
            "10.0.0.1",
            "h:1",
            "[::2]:1",
            "::1x",
            "0127.0.0.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn queries_are_escaped() {
        let url =
            Url::parse("https://h/t?a=1").unwrap().query("scope", "repository:a/b:pull,push &é");
        assert_eq!(url.path, "/t?a=1&scope=repository:a/b:pull,push%20%26%C3%A9");
    }
}
