//! What a registry wants to see before it answers: the `WWW-Authenticate` header.

use std::collections::BTreeMap;

/// How to show who we are (RFC 9110, 11.6.1, and the distribution project's token specification).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User and password with each request
    Basic,
    /// A token from a token server
    Bearer {
        /// The token server's URL
        realm: String,
        /// What the token server calls this registry
        service: Option<String>,
        /// What the registry thinks that we need
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best challenge of a response: Bearer before Basic; `None` where there is none that we know.
    pub fn best<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let all: Vec<_> = headers.into_iter().flat_map(parse).collect();
        let bearer = all.iter().find(|challenge| matches!(challenge, Self::Bearer { .. }));
        bearer.or(all.first()).cloned()
    }
}

/// The challenges of one header: `Bearer realm="…",service="…", Basic realm="…"`.
fn parse(header: &str) -> Vec<Challenge> {
    let mut schemes: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    let mut rest = header.trim_start_matches([' ', ',', '\t']);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        let (word, after) = rest.split_at(end);
        rest = match after.trim_start_matches([' ', '\t']).strip_prefix('=') {
            // A parameter belongs to the scheme before it.
            Some(value) => {
                let (value, after) = take_value(value.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = schemes.last_mut() {
                    parameters.insert(word.to_ascii_lowercase(), value);
                }
                after
            }
            None => {
                schemes.push((word.to_ascii_lowercase(), BTreeMap::new()));
                after
            }
        };
        rest = rest.trim_start_matches([' ', ',', '\t']);
    }
    schemes.into_iter().filter_map(|(scheme, parameters)| known(&scheme, parameters)).collect()
}

fn known(scheme: &str, mut parameters: BTreeMap<String, String>) -> Option<Challenge> {
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: parameters.remove("realm")?,
            service: parameters.remove("service"),
            scope: parameters.remove("scope"),
        }),
        _ => None,
    }
}

/// A token or a quoted string (with its escapes undone), and what follows it.
fn take_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            _ => value.push(letter),
        }
    }
    (value, "")
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Some(Challenge::Bearer { realm: realm.into(), service: own(service), scope: own(scope) })
    }

    #[track_caller]
    fn case(headers: &[&str], expected: Option<Challenge>) {
        assert_eq!(Challenge::best(headers.iter().copied()), expected);
    }

    #[test]
    fn challenges_are_read() {
        case(
            &[r#"Bearer realm="https://h/token",service="s",scope="repository:a/b:pull,push""#],
            bearer("https://h/token", Some("s"), Some("repository:a/b:pull,push")),
        );
        case(&["bearer REALM=https://h/t , service=s"], bearer("https://h/t", Some("s"), None));
        case(&[r#"Bearer realm="a\"b\\c""#], bearer(r#"a"b\c"#, None, None));
        case(&[r#"Basic realm="x, Bearer realm=y""#], Some(Challenge::Basic));
        case(&[r#"Basic realm="x", Bearer realm="y",service="z""#], bearer("y", Some("z"), None));
        case(&[r#"Basic realm="x""#, r#"Bearer realm="y""#], bearer("y", None, None));
        case(&[r#"Negotiate, Digest realm="d", nonce="n",, Basic"#], Some(Challenge::Basic));
        case(&["Negotiate abc=="], None);
        case(&[r#"Bearer service="no realm""#], None);
        case(&[r#"Bearer realm="unclosed"#], bearer("unclosed", None, None));
        case(&["", "\"", "=", "é"], None);
        case(&[], None);
    }
}
