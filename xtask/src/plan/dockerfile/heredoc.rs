//! Heredocs: which words of an instruction's line open one.

use super::lex::{Keep, LexError, lex};

/// A heredoc that a line opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The line that ends it
    pub name: String,
    /// `<<-`: tabs before the ending line do not count
    pub chomp: bool,
}

/// The heredocs that a whole line opens, in order.
///
/// A line whose quotes or `${…}` BuildKit's lexer cannot read opens none.
pub fn heredocs(line: &str) -> Result<Vec<Heredoc>, LexError> {
    if !line.contains("<<") {
        return Ok(Vec::new());
    }
    let words = match lex(line, '\\', Keep::Everything, &|_| None) {
        Ok(lexed) => lexed.words,
        Err(LexError::Refused(_)) => return Ok(Vec::new()),
        Err(unclear) => return Err(unclear),
    };
    let mut found = Vec::new();
    for word in &words {
        found.extend(heredoc(word)?);
    }
    Ok(found)
}

/// The heredoc that a word opens: `<<EOF`, `3<<-"EOF"`.
pub fn heredoc(word: &str) -> Result<Option<Heredoc>, LexError> {
    let Some(rest) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")
    else {
        return Ok(None);
    };
    let (rest, chomp) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let mut words = lex(rest, '\\', Keep::Names, &|_| None)?.words;
    match (words.pop(), words.is_empty()) {
        (Some(name), true) => Ok(Some(Heredoc { name, chomp })),
        _ => Ok(None),
    }
}
