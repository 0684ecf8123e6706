//! Splitting of text into fields, in the three ways that the frontend does it.

/// White space as Go's `unicode.IsSpace` has it.
pub fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// The white space that separates the words of an instruction.
pub fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// The first word and the rest: an instruction's keyword and its arguments.
pub fn keyword(line: &str) -> (&str, &str) {
    let line = line.trim();
    match line.split_once(is_blank) {
        Some((keyword, rest)) => (keyword, rest.trim_start_matches(is_blank)),
        None => (line, ""),
    }
}

/// A keyword in upper case, by the rule of lower case that BuildKit compares with.
pub fn upper(keyword: &str) -> String {
    keyword.to_lowercase().to_ascii_uppercase()
}

/// Words between white space, quotes without meaning: `FROM`, `COPY`.
pub fn words(text: &str) -> Vec<String> {
    text.split(is_blank).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Words between white space outside quotes; quotes and escapes stay: `ARG`.
pub fn quoted_words(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if quote.is_none() && is_space(c) {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(q) if c == q => quote = None,
            _ => {}
        }
        if c == escape && quote != Some('\'') {
            // An escape at the very end means nothing.
            let Some(next) = chars.next() else { break };
            word.push(c);
            word.push(next);
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The fields of one CSV line, or `None` where quotes are wrong: `--mount=…`.
pub fn csv(text: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = csv_quoted(quoted)?;
            fields.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None if after.is_empty() => return Some(fields),
                None => return None,
            }
        } else {
            let (field, next) = match rest.split_once(',') {
                Some((field, next)) => (field, Some(next)),
                None => (rest, None),
            };
            if field.contains('"') {
                return None;
            }
            fields.push(field.to_owned());
            match next {
                Some(next) => rest = next,
                None => return Some(fields),
            }
        }
    }
}

/// A quoted field after its opening quote, and what follows its closing one.
fn csv_quoted(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}
