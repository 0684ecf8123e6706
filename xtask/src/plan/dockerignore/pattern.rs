//! One pattern: what it matches.

use super::glob::is_well_formed;
use super::regex::Regex;

/// A pattern, without its `!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// No wildcard: only this very path
    Exact,
    /// Ends in the only `**`: whatever begins like this
    Prefix(String),
    /// Begins with the only `**`: whatever ends like this
    Suffix(String),
    Regex(Regex),
}

impl Pattern {
    /// Understands a cleaned pattern. `Err` is a fragment.
    pub fn new(text: String) -> Result<Self, String> {
        if !is_well_formed(&text) {
            return Err(format!("the pattern `{text}`, which BuildKit refuses"));
        }
        if text.contains(['\0', '\u{feff}']) {
            return Err(format!("the pattern `{text}` with invisible characters"));
        }
        let kind = kind(&text).map_err(|what| format!("the pattern `{text}` with {what}"))?;
        Ok(Self { text, kind })
    }

    /// Whether it matches the path itself; what is below is the walk's business.
    pub fn matches(&self, path: &str) -> bool {
        match &self.kind {
            Kind::Exact => path == self.text,
            Kind::Prefix(prefix) => path.starts_with(prefix),
            Kind::Suffix(suffix) => {
                path.ends_with(suffix) || suffix.strip_prefix('/').is_some_and(|s| s == path)
            }
            Kind::Regex(regex) => regex.matches(path),
        }
    }

    /// The folder that everything the pattern matches lies in, or is: only where there is no
    /// wildcard but a `/*` or `/**` at the end. (Taking off both is BuildKit's doing.)
    pub fn folder(&self) -> Option<&str> {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        let text = text.strip_suffix("/*").unwrap_or(text);
        (!text.contains(['*', '[', ']', '?', '^', '\\'])).then_some(text)
    }
}

/// The pattern's kind. The text that BuildKit would make a regular expression of is made here too.
fn kind(pattern: &str) -> Result<Kind, String> {
    let mut regex = String::new();
    let mut is_plain = true;
    let mut double_stars = DoubleStars::None;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let is_start = rest.len() == pattern.len();
        rest = &rest[c.len_utf8()..];
        match c {
            '*' if rest.starts_with('*') => {
                rest = &rest[1..];
                rest = rest.strip_prefix('/').unwrap_or(rest);
                let at_end = rest.is_empty();
                regex.push_str(if at_end { ".*" } else { "(.*/)?" });
                double_stars = match double_stars {
                    _ if is_start => DoubleStars::First,
                    DoubleStars::None if at_end && is_plain => DoubleStars::Last,
                    _ => {
                        is_plain = false;
                        DoubleStars::None
                    }
                };
            }
            '*' | '?' => {
                regex.push_str(if c == '*' { "[^/]*" } else { "[^/]" });
                is_plain = false;
            }
            '\\' => {
                regex.push('\\');
                let escaped = rest.chars().next();
                regex.extend(escaped);
                rest = &rest[escaped.map_or(0, char::len_utf8)..];
                is_plain = false;
            }
            '[' | ']' => {
                regex.push(c);
                is_plain = false;
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => regex.extend(['\\', c]),
            c => regex.push(c),
        }
    }
    Ok(match double_stars {
        _ if !is_plain => Kind::Regex(Regex::parse(&regex)?),
        DoubleStars::None => Kind::Exact,
        DoubleStars::First => Kind::Suffix(pattern[2..].to_owned()),
        DoubleStars::Last => Kind::Prefix(pattern[..pattern.len() - 2].to_owned()),
    })
}

/// Where the only `**` stands.
#[derive(Clone, Copy)]
enum DoubleStars {
    None,
    First,
    Last,
}
