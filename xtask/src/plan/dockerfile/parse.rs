//! From text to stages: lines, continuations, comments and heredocs.

use super::directives::{Directive, Directives, syntax};
use super::fields::{self, is_space};
use super::flags;
use super::heredoc::{Heredoc, heredocs};
use super::instruction::{Raw, json_list, read};
use super::lex::LexError;
use super::stages::stage;
use super::types::{Dockerfile, Unclear};

/// BuildKit refuses lines longer than this.
const LONGEST_LINE: usize = 65_535;

/// Reads a Dockerfile. What is not understood stands in [`Dockerfile::unclear`].
pub fn parse(text: &str) -> Dockerfile {
    let mut reader = Reader {
        lines: text.strip_prefix('\u{feff}').unwrap_or(text).split_inclusive('\n').collect(),
        at: 0,
        directives: Directives::default(),
        file: Dockerfile { syntax: syntax(text), ..Dockerfile::default() },
    };
    if let Some(long) =
        reader.lines.iter().position(|l| l.trim_end_matches('\n').len() > LONGEST_LINE)
    {
        reader.unclear_at(long + 1, "what a line of more than 65,535 bytes says".into());
    }
    while let Some((start, line)) = reader.instruction() {
        if let Err(what) = reader.understand(start, &line) {
            reader.unclear_at(start, what);
        }
    }
    if reader.file.stages.is_empty() {
        reader.unclear_at(reader.lines.len().max(1), "what is built without a `FROM`".into());
    }
    reader.file
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    /// How many lines are read
    at: usize,
    directives: Directives,
    file: Dockerfile,
}

impl<'a> Reader<'a> {
    /// The next instruction's first line and its text, continuation lines joined.
    fn instruction(&mut self) -> Option<(usize, String)> {
        loop {
            let line = self.next()?.trim_start_matches(is_space);
            self.directive(line);
            if is_comment(line) {
                continue;
            }
            let start = self.at;
            let (first, mut goes_on) = continued(line, self.file.escape());
            if first.is_empty() && !goes_on {
                continue;
            }
            let mut joined = first.to_owned();
            while goes_on {
                let Some(line) = self.next() else { break };
                if is_comment(line) || line.trim().is_empty() {
                    continue;
                }
                let (more, on) = continued(line, self.file.escape());
                joined.push_str(more);
                goes_on = on;
            }
            return Some((start, joined));
        }
    }

    /// The next line without its end.
    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at)?;
        self.at += 1;
        Some(line.trim_end_matches(['\r', '\n']))
    }

    fn directive(&mut self, line: &str) {
        let line_number = self.at;
        match self.directives.line(line, "#") {
            Directive::Found("escape", "\\") => self.file.escape = Some('\\'),
            Directive::Found("escape", "`") => self.file.escape = Some('`'),
            Directive::Found("escape", value) => {
                self.unclear_at(line_number, format!("what the escape character `{value}` means"));
            }
            Directive::Repeated(name) => {
                self.unclear_at(line_number, format!("which of two `# {name}=` counts"));
            }
            Directive::Found(..) | Directive::None => {}
        }
    }

    /// Takes an instruction apart, reads its heredocs and puts it where it belongs.
    fn understand(&mut self, start: usize, line: &str) -> Result<(), String> {
        let escape = self.file.escape();
        let (keyword, text) = fields::keyword(line);
        let keyword = fields::upper(keyword);
        for heredoc in heredocs_of(&keyword, text, line, escape)? {
            self.skip(&heredoc)?;
        }
        let lines = (start, self.at);
        if keyword == "FROM" {
            let stage = stage(text, lines, escape)?;
            self.file.stages.push(stage);
            return Ok(());
        }
        let instruction = read(Raw { keyword: &keyword, text, lines, escape })?;
        match self.file.stages.last_mut() {
            Some(stage) => stage.instructions.push(instruction),
            None if keyword == "ARG" => self.file.global_args.extend(instruction.args),
            None => return Err(format!("what `{keyword}` before the first `FROM` does")),
        }
        Ok(())
    }

    /// Reads a heredoc's body and the line that ends it.
    fn skip(&mut self, heredoc: &Heredoc) -> Result<(), String> {
        while let Some(line) = self.next() {
            let line = if heredoc.chomp { line.trim_start_matches('\t') } else { line };
            if line == heredoc.name {
                return Ok(());
            }
        }
        Err(format!("where the heredoc `{}` ends", heredoc.name))
    }

    fn unclear_at(&mut self, line: usize, what: String) {
        self.file.unclear.push(Unclear { line, what });
    }
}

/// The heredocs that an instruction opens: `RUN`, `COPY`, `ADD` can, and these after `ONBUILD`.
fn heredocs_of(
    keyword: &str,
    text: &str,
    line: &str,
    escape: char,
) -> Result<Vec<Heredoc>, String> {
    let (mut keyword, mut rest) = (keyword.to_owned(), flags::split(text, escape)?.1);
    if keyword == "ONBUILD" {
        let (inner, text) = fields::keyword(rest);
        (keyword, rest) = (fields::upper(inner), flags::split(text, escape)?.1);
    }
    if !matches!(keyword.as_str(), "RUN" | "COPY" | "ADD") || json_list(rest)?.is_some() {
        return Ok(Vec::new());
    }
    heredocs(line).map_err(|e| match e {
        LexError::Refused(what) => format!("which heredocs this line opens, for {what}"),
        LexError::Unclear(what) => format!("which heredocs this line opens, for {what}"),
    })
}

fn is_comment(line: &str) -> bool {
    line.trim_start_matches(is_space).starts_with('#')
}

/// The line without its continuation character, and whether the next line belongs to it.
///
/// White space may follow the character; two of them in a row are none.
fn continued(line: &str, escape: char) -> (&str, bool) {
    let Some(before) = line.trim_end_matches([' ', '\t']).strip_suffix(escape) else {
        return (line, false);
    };
    if before.ends_with(escape) { (line, false) } else { (before, true) }
}
