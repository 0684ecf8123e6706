//! `--flag=value` words between an instruction's keyword and its arguments.

use super::fields::is_space;

/// The flags in front of the arguments, without their quotes, and the arguments.
///
/// `Err` where there are characters in a flag that BuildKit reads byte by byte.
pub fn split(text: &str, escape: char) -> Result<(Vec<String>, &str), String> {
    let mut flags = Vec::new();
    let mut rest = text.trim_start_matches(ascii_space);
    while rest.starts_with("--") {
        let (flag, after) = word(rest, escape);
        if !flag.is_ascii() {
            return Err(format!("what the flag `{flag}` means"));
        }
        rest = after.trim_start_matches(ascii_space);
        if flag == "--" {
            break;
        }
        flags.push(flag);
    }
    Ok((flags, rest.trim()))
}

/// The first word without its quotes and escapes, and what follows it.
fn word(text: &str, escape: char) -> (String, &str) {
    let mut out = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            None if ascii_space(c) => return (out, &text[at..]),
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(q) if c == q => quote = None,
            _ if c == escape => out.extend(chars.next().map(|(_, next)| next)),
            _ => out.push(c),
        }
    }
    (out, "")
}

fn ascii_space(c: char) -> bool {
    c.is_ascii() && is_space(c)
}

/// Checks the flags against those that are known. `Err` names a flag that is not among `known`, stands twice without
/// being among `many`, or lacks its value without being among `switches`.
pub fn check(flags: &[String], known: &Known) -> Result<(), String> {
    let mut seen = Vec::new();
    for flag in flags {
        let (name, value) = match flag[2..].split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&flag[2..], None),
        };
        let many = known.many.contains(&name);
        let switch = known.switches.contains(&name);
        if !(many || switch || known.once.contains(&name)) {
            return Err(format!("what the flag `--{name}` means"));
        }
        if seen.contains(&name) && !many {
            return Err(format!("what the flag `--{name}` means when it is given twice"));
        }
        let boolean = |v: &str| v.eq_ignore_ascii_case("true") || v.eq_ignore_ascii_case("false");
        if (switch && !value.is_none_or(boolean)) || (!switch && value.is_none()) {
            return Err(format!("what the value of the flag `--{name}` means"));
        }
        seen.push(name);
    }
    Ok(())
}

/// The flags that an instruction knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// With a value, at most once
    pub once: &'static [&'static str],
    /// With a value, any number
    pub many: &'static [&'static str],
    /// With `true`, `false` or nothing
    pub switches: &'static [&'static str],
}

/// The values of all flags of that name.
pub fn values<'a>(flags: &'a [String], name: &'a str) -> impl Iterator<Item = &'a str> {
    flags.iter().filter_map(move |flag| flag[2..].strip_prefix(name)?.strip_prefix('='))
}

/// Whether a switch is on.
pub fn is_on(flags: &[String], name: &str) -> bool {
    flags.iter().any(|flag| {
        let flag = &flag[2..];
        flag == name
            || flag
                .strip_prefix(name)
                .and_then(|v| v.strip_prefix('='))
                .is_some_and(|v| v.eq_ignore_ascii_case("true"))
    })
}
