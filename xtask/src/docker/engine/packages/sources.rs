//! The machine's apt sources, as far as they are the distribution's own. Pure: text in, data out.

use super::super::machine::Machine;

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Mirrors
    pub uris: Vec<String>,
    /// Suites: `bookworm`, `bookworm-security`
    pub suites: Vec<String>,
    /// Components: `main`
    pub components: Vec<String>,
    /// The keyring's path
    pub signed_by: Option<String>,
}

/// Reads a `.sources` file (deb822).
pub fn parse_deb822(text: &str) -> Vec<Source> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut stanzas: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for line in lines {
        let Some(stanza) = stanzas.last_mut() else { continue };
        if line.trim().is_empty() {
            stanzas.push(Vec::new());
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = stanza.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((key, value)) = line.split_once(':') {
            stanza.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    stanzas.iter().filter_map(|stanza| from_stanza(stanza)).collect()
}

fn from_stanza(fields: &[(String, String)]) -> Option<Source> {
    let words = |name: &str| -> Vec<String> {
        let field = fields.iter().find(|(key, _)| key == name);
        field.map(|(_, value)| split(value)).unwrap_or_default()
    };
    let off = ["no", "false", "without", "off", "disable", "0"];
    if words("enabled").first().is_some_and(|word| off.contains(&word.to_lowercase().as_str())) {
        return None;
    }
    if !words("types").contains(&"deb".to_owned()) {
        return None;
    }
    // A key in the file itself takes many lines: such an entry is not the distribution's own.
    let signed_by = words("signed-by");
    Some(Source {
        uris: words("uris"),
        suites: words("suites"),
        components: words("components"),
        signed_by: (!signed_by.is_empty()).then(|| signed_by.join(" ")),
    })
}

/// Reads a `.list` file (one line an entry).
pub fn parse_one_line(text: &str) -> Vec<Source> {
    text.lines().filter_map(from_line).collect()
}

fn from_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb")?;
    if !rest.starts_with([' ', '\t', '[']) {
        return None;
    }
    let rest = rest.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = split(rest).into_iter();
    let signed_by = split(options)
        .iter()
        .find_map(|option| option.strip_prefix("signed-by=").map(|path| path.replace(',', " ")));
    Some(Source {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        signed_by,
    })
}

fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect()
}

/// What of the entries is the distribution's own, with the suites of this machine's release only.
pub fn of_distribution(sources: Vec<Source>, machine: &Machine) -> Vec<Source> {
    let ours = |keyring: &String| keyring.contains("debian-") || keyring.contains("ubuntu-");
    let mut found = Vec::new();
    for mut source in sources {
        source.suites.retain(|suite| is_of_release(suite, &machine.codename));
        let one_key = source.signed_by.as_ref().is_none_or(|k| k.starts_with('/') && ours(k));
        let main = source.components.iter().any(|component| component == "main");
        if one_key && main && !source.suites.is_empty() && !source.uris.is_empty() {
            found.push(source);
        }
    }
    found
}

/// The source that has the release itself, not its updates alone.
pub fn main_source(sources: &[Source]) -> Option<&Source> {
    sources.iter().find(|source| source.suites.iter().any(|suite| !suite.contains(['-', '/'])))
}

fn is_of_release(suite: &str, codename: &str) -> bool {
    let suite = suite.trim_end_matches('/');
    let (release, pocket) = suite.split_once(['-', '/']).unwrap_or((suite, ""));
    let aliases = ["stable", "oldstable", "testing", "unstable", "sid"];
    (release == codename || aliases.contains(&release))
        && ["", "updates", "security"].contains(&pocket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine { distribution: "debian".into(), codename: "bookworm".into() }
    }

    fn brief(sources: &[Source]) -> Vec<String> {
        let line = |s: &Source| {
            let key = s.signed_by.as_deref().unwrap_or("-");
            format!("{key} {} {} {}", s.uris.join(","), s.suites.join(","), s.components.join(","))
        };
        sources.iter().map(line).collect()
    }

    #[track_caller]
    fn deb822(text: &str, expected: &[&str]) {
        assert_eq!(brief(&of_distribution(parse_deb822(text), &machine())), expected);
    }

    #[track_caller]
    fn one_line(text: &str, expected: &[&str]) {
        assert_eq!(brief(&of_distribution(parse_one_line(text), &machine())), expected);
    }

    #[test]
    fn deb822_entries() {
        let own = "Types: deb\n# a comment\nURIs: http://m/debian\nSuites: bookworm bookworm-updates bookworm-backports\nComponents: main contrib\nSigned-By: /k/debian-archive-keyring.gpg\n";
        let expected =
            "/k/debian-archive-keyring.gpg http://m/debian bookworm,bookworm-updates main,contrib";
        deb822(own, &[expected]);
        deb822(&format!("\n\n{own}\n\n{own}"), &[expected, expected]);
        deb822(&own.replace("Types: deb", "Types: deb-src"), &[]);
        deb822(&own.replace("Types: deb", "types: deb-src deb"), &[expected]);
        deb822(&format!("Enabled: no\n{own}"), &[]);
        deb822(&format!("Enabled: yes\n{own}"), &[expected]);
        deb822(&own.replace("debian-archive", "vendor-archive"), &[]);
        deb822(
            "Types: deb\nURIs:\n http://a/\n http://b/\nSuites: stable\nComponents: main\n",
            &["- http://a/,http://b/ stable main"],
        );
        deb822("Types: deb\nURIs: http://m\nSuites: nodistro\nComponents: main\n", &[]);
        let inline = own.replace(
            "Signed-By: /k/debian-archive-keyring.gpg",
            "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n debian-",
        );
        deb822(&inline, &[]);
        deb822("garbage\n : \n:\n", &[]);
    }

    #[test]
    fn one_line_entries() {
        one_line(
            "deb http://m/debian bookworm main # mine\n",
            &["- http://m/debian bookworm main"],
        );
        one_line("deb-src http://m/debian bookworm main\n# deb http://m x main\n\n", &[]);
        one_line(
            "deb [arch=amd64 signed-by=/k/debian-archive-keyring.gpg] http://s bookworm-security main\n",
            &["/k/debian-archive-keyring.gpg http://s bookworm-security main"],
        );
        one_line("deb [ signed-by=/k/other.gpg ] http://m bookworm main\n", &[]);
        one_line("deb http://m/x bookworm stable\ndeb http://m\ndeb [x\n", &[]);
    }

    #[test]
    fn the_main_source_has_the_release_itself() {
        let security = "deb http://s bookworm-security main\n";
        let both = parse_one_line(&format!("{security}deb http://m bookworm main\n"));
        assert_eq!(main_source(&both).map(|s| s.uris[0].as_str()), Some("http://m"));
        assert_eq!(main_source(&parse_one_line(security)), None);
    }
}
