//! `$name` and `${name…}` with the modifiers that the frontend knows.

use super::lex::{LexError, Lexer};

impl Lexer<'_> {
    /// Reads what stands at a `$`.
    pub(super) fn dollar(&mut self) -> Result<String, LexError> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            return Ok(match self.get(&name) {
                _ if name.is_empty() => "$".into(),
                Some(value) => value,
                None if self.keeps_unset() => format!("${name}"),
                None => String::new(),
            });
        }
        self.next();
        match self.peek() {
            None => return Err(missing_brace()),
            Some('{' | '}' | ':') => return Err(refused("a substitution without a name")),
            Some(_) => {}
        }
        let name = self.name();
        match self.next() {
            Some('}') => Ok(match self.get(&name) {
                Some(value) => value,
                None if self.keeps_unset() => format!("${{{name}}}"),
                None => String::new(),
            }),
            Some(':') => match self.next() {
                None => Err(missing_brace()),
                Some(c @ ('#' | '%')) => Err(unknown_modifier(":", c)),
                Some(c) => self.modified(&name, c, true),
            },
            Some(c @ ('-' | '+' | '?' | '#' | '%')) => self.modified(&name, c, false),
            Some('/') => self.replaced(&name),
            Some(c) => Err(unknown_modifier("", c)),
            None => Err(missing_brace()),
        }
    }

    /// Letters, digits and `_`; or digits alone; or one special parameter.
    fn name(&mut self) -> String {
        let mut name = String::new();
        if let Some(c) = self.peek()
            && matches!(c, '@' | '*' | '#' | '?' | '-' | '$' | '!')
        {
            self.next();
            return c.into();
        }
        let numeric = self.peek().is_some_and(char::is_numeric);
        while let Some(c) = self.peek() {
            let fits = if numeric { c.is_numeric() } else { c == '_' || c.is_alphanumeric() };
            if !fits {
                break;
            }
            name.push(c);
            self.next();
        }
        name
    }

    fn modified(&mut self, name: &str, modifier: char, colon: bool) -> Result<String, LexError> {
        let raw = matches!(modifier, '#' | '%');
        let word = self.until(Some('}'), raw)?.text;
        let value = self.get(name);
        if value.is_none() && self.keeps_unset() {
            let colon = if colon { ":" } else { "" };
            return Ok(format!("${{{name}{colon}{modifier}{word}}}"));
        }
        let filled = value.clone().filter(|v| !(colon && v.is_empty()));
        match modifier {
            '-' => Ok(filled.unwrap_or(word)),
            '+' => Ok(if filled.is_some() { word } else { String::new() }),
            '?' => filled.ok_or_else(|| {
                let word = if word.is_empty() { "it must be set".into() } else { word };
                refused(&format!("`{name}`: {word}"))
            }),
            '#' | '%' => unclear(name, modifier),
            other => Err(unknown_modifier(":", other)),
        }
    }

    /// `${name/pattern/replacement}`: read to its end, but not carried out.
    fn replaced(&mut self, name: &str) -> Result<String, LexError> {
        if self.peek() == Some('/') {
            self.next();
        }
        let pattern = self.until(Some('/'), true)?.text;
        let replacement = self.until(Some('}'), true)?.text;
        if self.get(name).is_none() && self.keeps_unset() {
            return Ok(format!("${{{name}/{pattern}/{replacement}}}"));
        }
        unclear(name, '/')
    }
}

fn refused(what: &str) -> LexError {
    LexError::Refused(what.into())
}

fn missing_brace() -> LexError {
    refused("a missing `}`")
}

fn unknown_modifier(before: &str, modifier: char) -> LexError {
    refused(&format!("the modifier `{before}{modifier}` in a substitution"))
}

fn unclear(name: &str, modifier: char) -> Result<String, LexError> {
    Err(LexError::Unclear(format!("the value of `${{{name}{modifier}…}}`")))
}
