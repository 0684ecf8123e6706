//! One line of what goes into an image.

use std::borrow::Cow;
use std::fmt;

/// A kind, and fields whose meaning it tells. Two records are the same only if all is the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record<'a> {
    /// `file`, `arg`, …
    pub kind: &'static str,
    /// What is said, in the order that the kind has
    pub fields: Vec<Cow<'a, str>>,
}

impl<'a> Record<'a> {
    /// A record of borrowed or owned fields.
    pub fn new<const N: usize>(kind: &'static str, fields: [Cow<'a, str>; N]) -> Self {
        Self { kind, fields: fields.into() }
    }

    /// The same as said of something that has a name.
    pub fn of(self, kind: &'static str, name: &'a str) -> Self {
        let fields = [Cow::Borrowed(name), Cow::Borrowed(self.kind)];
        Self { kind, fields: fields.into_iter().chain(self.fields).collect() }
    }

    /// Bytes that no other record has: every part with its length before it.
    pub fn encode(&self) -> Vec<u8> {
        let length: usize = self.fields.iter().map(|field| field.len() + 8).sum();
        let mut bytes = Vec::with_capacity(self.kind.len() + 16 + length);
        put(&mut bytes, self.kind);
        bytes.extend_from_slice(&(self.fields.len() as u64).to_be_bytes());
        for field in &self.fields {
            put(&mut bytes, field);
        }
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

impl fmt::Display for Record<'_> {
    /// One line, whatever is in the fields.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        for field in &self.fields {
            let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"\\".contains(c);
            if !field.is_empty() && field.chars().all(plain) {
                write!(f, " {field}")?;
            } else {
                write!(f, " {field:?}")?;
            }
        }
        Ok(())
    }
}
