//! Words and `$variables` as the frontend's shell-like lexer reads them.
//!
//! The same lexer finds heredocs (quotes and escapes kept, nothing set) and expands arguments
//! (quotes and escapes taken away).

use super::fields::is_space;

/// Deeper nesting of `${a:-${b:-…}}` than this is given up, so that no text can exhaust the stack.
const DEEPEST: usize = 50;

/// What the lexer keeps of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Quotes and escapes are taken away, unset variables are empty: expansion of arguments
    Meaning,
    /// Quotes and escapes are taken away, unset variables stay as written
    Names,
    /// Everything stays as written
    Everything,
}

/// The result: the text in one piece, and split into words where there was white space.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lexed {
    pub text: String,
    pub words: Vec<String>,
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LexError {
    /// BuildKit refuses it too; a fragment such as "a missing `}`"
    Refused(String),
    /// BuildKit may take it, this lexer does not
    Unclear(String),
}

/// Reads the text. `value` gives the value of a variable, or `None` where it is not set.
pub fn lex(
    text: &str,
    escape: char,
    keep: Keep,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<Lexed, LexError> {
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
        escape,
        keep,
        raw_escapes: keep == Keep::Everything,
        value,
        word: String::new(),
        depth: 0,
    };
    let raw = lexer.raw_escapes;
    lexer.until(None, raw)
}

pub(super) struct Lexer<'a> {
    chars: Vec<char>,
    at: usize,
    escape: char,
    keep: Keep,
    pub(super) raw_escapes: bool,
    value: &'a dyn Fn(&str) -> Option<String>,
    /// The word being read. One for all levels, as in BuildKit: a nested `${…}` forgets what stood
    /// before it in the word.
    word: String,
    depth: usize,
}

impl Lexer<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    /// The variable's value; `None` where it is unset.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.value)(name)
    }

    /// Whether a variable that is unset stays as written.
    pub(super) fn keeps_unset(&self) -> bool {
        self.keep != Keep::Meaning
    }

    /// Reads until the stop character (which is taken) or the end of the text.
    pub(super) fn until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
    ) -> Result<Lexed, LexError> {
        if self.depth > DEEPEST {
            return Err(LexError::Unclear("variables nested this deeply".into()));
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let result = self.pieces(stop);
        self.raw_escapes = outer;
        self.depth -= 1;
        result
    }

    fn pieces(&mut self, stop: Option<char>) -> Result<Lexed, LexError> {
        let mut out = Lexed::default();
        let mut in_word = false;
        self.word.clear();
        while let Some(c) = self.peek() {
            if stop == Some(c) {
                self.at += 1;
                self.end_word(&mut out.words);
                return Ok(out);
            }
            let (piece, raw) = self.piece(c)?;
            out.text.push_str(&piece);
            if raw {
                self.word.push_str(&piece);
                in_word = true;
                continue;
            }
            for c in piece.chars() {
                if !is_space(c) {
                    self.word.push(c);
                    in_word = true;
                } else if in_word && !self.word.is_empty() {
                    self.end_word(&mut out.words);
                    in_word = false;
                }
            }
        }
        if let Some(stop) = stop {
            return Err(LexError::Refused(format!("a missing `{stop}`")));
        }
        self.end_word(&mut out.words);
        Ok(out)
    }

    fn end_word(&mut self, words: &mut Vec<String>) {
        if !self.word.is_empty() {
            words.push(std::mem::take(&mut self.word));
        }
    }

    /// The next piece, and whether white space in it belongs to the word.
    fn piece(&mut self, c: char) -> Result<(String, bool), LexError> {
        match c {
            '$' => Ok((self.dollar()?, false)),
            '<' => Ok((self.angle(), true)),
            '\'' => Ok((self.single_quotes()?, true)),
            '"' => Ok((self.double_quotes()?, true)),
            _ => {
                self.at += 1;
                if c != self.escape {
                    return Ok((c.into(), false));
                }
                let mut piece = String::new();
                if self.raw_escapes {
                    piece.push(c);
                }
                piece.extend(self.next());
                Ok((piece, true))
            }
        }
    }

    /// White space between `<<` and the word belongs to the heredoc's word.
    fn angle(&mut self) -> String {
        self.at += 1;
        if self.peek() != Some('<') {
            return "<".into();
        }
        self.at += 1;
        let mut piece = String::from("<<");
        while let Some(c @ ('\t' | '\r' | ' ')) = self.peek() {
            piece.push(c);
            self.at += 1;
        }
        piece
    }

    fn keeps_quotes(&self) -> bool {
        self.keep == Keep::Everything
    }

    fn single_quotes(&mut self) -> Result<String, LexError> {
        let start = self.at;
        self.at += 1;
        while let Some(c) = self.next() {
            if c == '\'' {
                let kept = usize::from(!self.keeps_quotes());
                return Ok(self.chars[start + kept..self.at - kept].iter().collect());
            }
        }
        Err(LexError::Refused("a missing single quote".into()))
    }

    fn double_quotes(&mut self) -> Result<String, LexError> {
        let quote = self.keeps_quotes().then_some('"');
        let mut out = String::from_iter(quote);
        self.at += 1;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.at += 1;
                    out.extend(quote);
                    return Ok(out);
                }
                '$' => out.push_str(&self.dollar()?),
                _ if c == self.escape => {
                    self.at += 1;
                    if self.raw_escapes {
                        out.push(c);
                    }
                    match self.peek() {
                        None => {}
                        Some(n) if n == '"' || n == '$' || n == self.escape => {
                            out.push(n);
                            self.at += 1;
                        }
                        Some(_) => out.push(c),
                    }
                }
                _ => {
                    out.push(c);
                    self.at += 1;
                }
            }
        }
        Err(LexError::Refused("a missing double quote".into()))
    }
}
