//! The few regular expressions that BuildKit makes of patterns, read as Go reads them.
//!
//! The detour has a reason: what BuildKit puts in place of `*` and `?` also lands inside `[…]`,
//! and `^` outside it keeps its meaning. Only the text shows what Go then understands.

/// A regular expression over a whole path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    items: Vec<Item>,
    /// The longest text without any choice, which a matching path must hold
    needle: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    One(Set),
    Star(Set),
    /// `(.*/)?`
    Folders,
    /// `^`
    Start,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Set {
    Char(char),
    /// `.`
    NoNewline,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// What stands for `**/`.
const FOLDERS: &str = "(.*/)?";

impl Regex {
    /// Reads the text between `^` and `$`. `Err` is a fragment: what BuildKit or this reader does
    /// not know.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            (items, rest) = match c {
                '(' if rest.starts_with(FOLDERS) => {
                    (with(items, Item::Folders), &rest[FOLDERS.len()..])
                }
                '^' => (with(items, Item::Start), after),
                '*' => (starred(items)?, after),
                '.' => (with(items, Item::One(Set::NoNewline)), after),
                '[' => {
                    let (set, after) = class(after)?;
                    (with(items, Item::One(set)), after)
                }
                '\\' => {
                    let (c, after) = escaped(after)?;
                    (with(items, Item::One(Set::Char(c))), after)
                }
                c => (with(items, Item::One(Set::Char(c))), after),
            };
        }
        let needle = needle(&items);
        Ok(Self { items, needle })
    }

    /// Whether the whole path matches.
    pub fn matches(&self, path: &str) -> bool {
        if !path.contains(&self.needle) {
            return false;
        }
        let chars: Vec<char> = path.chars().collect();
        let mut at = vec![false; chars.len() + 1];
        at[0] = true;
        for item in &self.items {
            at = item.step(&chars, &at);
        }
        at[chars.len()]
    }
}

impl Item {
    /// The places that the item leads to from these places.
    fn step(&self, chars: &[char], from: &[bool]) -> Vec<bool> {
        let mut to = vec![false; from.len()];
        match self {
            Self::Start => to[0] = from[0],
            Self::One(set) => {
                for (i, c) in chars.iter().enumerate() {
                    to[i + 1] = from[i] && set.has(*c);
                }
            }
            Self::Star(set) => {
                to[0] = from[0];
                for (i, c) in chars.iter().enumerate() {
                    to[i + 1] = from[i + 1] || (to[i] && set.has(*c));
                }
            }
            Self::Folders => {
                let reached = Self::Star(Set::NoNewline).step(chars, from);
                to[0] = from[0];
                for (i, c) in chars.iter().enumerate() {
                    to[i + 1] = from[i + 1] || (reached[i] && *c == '/');
                }
            }
        }
        to
    }
}

impl Set {
    fn has(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::NoNewline => c != '\n',
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

fn with(mut items: Vec<Item>, item: Item) -> Vec<Item> {
    items.push(item);
    items
}

fn starred(mut items: Vec<Item>) -> Result<Vec<Item>, String> {
    match items.pop() {
        Some(Item::One(set)) => Ok(with(items, Item::Star(set))),
        _ => Err("a `*` that repeats nothing".into()),
    }
}

/// The character after a backslash. Letters and digits have meanings of their own in regular
/// expressions (`\d`, `\b`), which are not followed here.
fn escaped(text: &str) -> Result<(char, &str), String> {
    match text.chars().next() {
        Some(c) if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok((c, &text[1..])),
        Some(c) => Err(format!("`\\{c}`, which BuildKit takes for a regular expression's")),
        None => Err("a backslash at the end".into()),
    }
}

/// A class, whose `[` is already taken, and what follows it.
fn class(text: &str) -> Result<(Set, &str), String> {
    let (negated, mut rest) = match text.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty()
            && let Some(after) = rest.strip_prefix(']')
        {
            return Ok((Set::Class { negated, ranges }, after));
        }
        if rest.starts_with("[:") && rest.contains(":]") {
            return Err("a class such as `[:alpha:]`".into());
        }
        let (low, after) = class_character(rest)?;
        let (high, after) = match after.strip_prefix('-') {
            Some(after) if !after.is_empty() && !after.starts_with(']') => class_character(after)?,
            _ => (low, after),
        };
        if high < low {
            return Err(format!("the range `{low}-{high}`, which BuildKit refuses"));
        }
        ranges.push((low, high));
        rest = after;
    }
}

fn class_character(text: &str) -> Result<(char, &str), String> {
    match text.chars().next() {
        None => Err("a `[` without its `]`".into()),
        Some('\\') => escaped(&text[1..]),
        Some(c) => Ok((c, &text[c.len_utf8()..])),
    }
}

fn needle(items: &[Item]) -> String {
    let mut longest = String::new();
    let mut run = String::new();
    for item in items {
        match item {
            Item::One(Set::Char(c)) => run.push(*c),
            _ => run.clear(),
        }
        if run.len() > longest.len() {
            longest.clone_from(&run);
        }
    }
    longest
}
